/** An agent who sets his state over the bridge's API, and calls of which it is seen whom they disturb. */
import { runProgram } from '../../support/run-program.js';
import { waitFor } from '../../support/wait-for.js';
import { CUSTOMER, customerCalls } from './scenario.js';
import type { Stage } from './stage.js';

interface State {
  readonly agent: string;
  readonly state: string;
  readonly by: string | null;
  readonly pbx?: readonly { readonly name: string; readonly outcome: string }[];
}

/** An agent as he works the bridge. */
export class AgentState {
  private constructor(
    private readonly stage: Stage,
    private readonly extension: string,
    private readonly token: string,
  ) {}
  static async of(stage: Stage, extension: string): Promise<AgentState> {
    const { stdout } = await runProgram(stage.bridge, 'token', 'create', extension);
    return new AgentState(stage, extension, stdout.trim());
  }
  state(): Promise<State> {
    return this.#ask('GET');
  }
  set(state: string): Promise<State> {
    return this.#ask('PUT', { state });
  }
  async becomes(state: string, by: string): Promise<void> {
    await waitFor(`agent ${this.extension} to be ${state}`, async () => {
      const now = await this.state();
      return now.state === state && now.by === by;
    });
  }
  async #ask(method: string, body?: object): Promise<State> {
    const { host, port } = this.stage.bridge.config.http;
    const answer = await fetch(`http://${host}:${port}/api/v1/agents/${this.extension}/state`, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status !== 200) throw new Error(`the API said ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as State;
  }
}

/** Extensions whose phones got an INVITE. */
export const rang = ({ lab }: Stage): string[] =>
  ['100', '101', '102'].filter((user) => lab.phones.taken(user).length > 0);

/** A customer calls until these phones ring, and gives up. Returns the agents that Zammad was told of. */
export async function callsInVain(stage: Stage, to: number, rings: readonly string[]): Promise<readonly string[]> {
  await stage.begin();
  const customer = await customerCalls(stage, to);
  await Promise.all(rings.map((user) => stage.lab.phones.callTo(user)));
  await stage.shows(CUSTOMER, 'newCall');
  await customer.hangUp();
  await stage.shows(CUSTOMER, 'hangup');
  await stage.lab.silence();
  const told = stage.posts().find(({ event }) => event === 'newCall');
  const users = told?.params?.['user'];
  return users === undefined ? [] : [users].flat().map(String);
}
