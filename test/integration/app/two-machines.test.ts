/** Do not disturb on two machines: two programs, one PostgreSQL, one Asterisk. One of them leads, and dies. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { freePort } from '../../lab/free-ports.js';
import { NOTHING_THERE } from '../../support/adapter-rig.js';
import { BridgeProcess } from '../../support/bridge-process.js';
import { FakeAmi } from '../../support/fake-ami.js';
import { FakeQueues, member } from '../../support/fake-queues.js';
import { noPostgres, PostgresCluster } from '../../support/postgres-cluster.js';
import { waitFor } from '../../support/wait-for.js';

/** A lead runs out, and the other one looks twice a second whether it has. */
const TAKEN_OVER = { within: 25_000, every: 100 };

const reason = noPostgres();
const atPostgres = reason === undefined ? test : test.skip;
let cluster: PostgresCluster | undefined;
let zammad: StandIn;
let asterisk: FakeAmi;
const bridges: BridgeProcess[] = [];

beforeAll(async () => {
  if (reason === undefined) cluster = await PostgresCluster.start();
}, 60_000);
afterAll(() => cluster?.close());
afterEach(async () => {
  await Promise.all(bridges.splice(0).map((bridge) => bridge.close()));
  await asterisk.close();
  await zammad.stop();
});

async function machine(name: string, url: string): Promise<BridgeProcess> {
  const bridge = await BridgeProcess.start({
    zammad: [{ name: 'main', url: zammad.url }],
    pbx: [
      {
        ...{ name: 'office', adapter: 'asterisk-ami', host: '127.0.0.1', port: asterisk.port },
        ...{ username: 'bridge', secret: 'lab', trunks: ['trunk'] },
      },
    ],
    agents: [
      { extension: '100', name: 'Alice Agent' },
      { extension: '101', name: 'Bob Agent' },
    ],
    numbers: { country: 'DE' },
    store: { url, machine: name },
    http: { host: '127.0.0.1', port: await freePort() },
  });
  bridges.push(bridge);
  return bridge;
}

/** An agent who works one of the bridges; his token is good at both. */
class Agent {
  private constructor(
    private readonly extension: string,
    private readonly token: string,
  ) {}
  static async of(bridge: BridgeProcess, extension: string): Promise<Agent> {
    return new Agent(extension, (await bridge.command('token', 'create', extension)).trim());
  }
  async ask({ config: { http } }: BridgeProcess, state?: string): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${http.port}/api/v1/agents/${this.extension}/state`, {
      method: state === undefined ? 'GET' : 'PUT',
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(state === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(state === undefined ? {} : { body: JSON.stringify({ state }) }),
      signal: AbortSignal.timeout(10_000),
    });
    return answer.json();
  }
  is(bridge: BridgeProcess, state: string, by: string): Promise<unknown> {
    return waitFor(
      `${this.extension} to be ${state}`,
      async () => {
        const now = (await this.ask(bridge)) as { readonly state: string; readonly by: string };
        return now.state === state && now.by === by;
      },
      TAKEN_OVER,
    );
  }
}

atPostgres(
  'what is set at the bridge that stands by, and what is set at the PBX while nobody leads, hold over a take-over',
  async () => {
    zammad = await startStandIn();
    const queues = new FakeQueues([member('support', 'PJSIP/100'), member('support', 'PJSIP/101')]);
    const [alices, bobs] = queues.members as [(typeof queues.members)[0], (typeof queues.members)[0]];
    const answers = { ...NOTHING_THERE, ...queues.answers };
    asterisk = await FakeAmi.start({
      username: 'bridge',
      secret: 'lab',
      answer: (action) => answers[action.name]?.(action),
    });
    queues.asterisk = asterisk;
    const url = cluster!.createDatabase();
    const first = await machine('first', url);
    await waitFor('the first to hear the PBX', () => asterisk.actions.some(({ name }) => name === 'queuestatus'));
    const second = await machine('second', url);
    const [alice, bob] = [await Agent.of(first, '100'), await Agent.of(first, '101')];

    // Asked of the one that stands by, carried out by the one that leads.
    expect(await alice.ask(second, 'do-not-disturb')).toMatchObject({
      ...{ state: 'do-not-disturb', by: 'api', kept: true },
      pbx: [{ name: 'office', outcome: 'later' }],
    });
    await waitFor('the pause', () => alices.paused);
    await alice.is(first, 'do-not-disturb', 'api');

    // Nobody leads: one is set at the bridge that is left, the other one at the PBX.
    await first.kill();
    expect(await alice.ask(second, 'available')).toMatchObject({ by: 'api', pbx: [{ outcome: 'later' }] });
    queues.pause(bobs, true);
    expect(alices.paused).toBe(true);
    await waitFor('the end of the pause', () => !alices.paused, TAKEN_OVER);
    await bob.is(second, 'do-not-disturb', 'pbx');
    expect(bobs.paused).toBe(true);
    expect(await alice.ask(second)).toMatchObject({ state: 'available', by: 'api' });

    // The one that is back stands by, and knows what the other one hears.
    await first.launch();
    await first.ready();
    await bob.is(first, 'do-not-disturb', 'pbx');
    queues.pause(bobs, false);
    await bob.is(first, 'available', 'pbx');
    expect(await alice.ask(first)).toMatchObject({ state: 'available', by: 'api' });
    const orders = asterisk.actions.filter(({ name }) => name === 'queuepause');
    expect(orders.map((one) => `${one.get('interface')} ${one.get('paused')}`)).toEqual([
      'PJSIP/100 true',
      'PJSIP/100 false',
    ]);
  },
  120_000,
);
