/** Calls of an Asterisk that wait in Stasis, as its REST interface sees them: nothing else goes on there. */
import { type AriAnswer, type AriQuestion, FakeAri } from './fake-ari.js';

export interface StasisCallOptions {
  readonly id: string;
  /** Name of the channel. */
  readonly channel?: string;
  readonly from?: string;
  readonly dialled?: string;
  readonly args?: readonly string[];
}
/** How a call came out of Stasis, and with what the dialplan went on. */
export interface StasisOutcome {
  readonly how: 'continue' | 'hung up';
  readonly set: ReadonlyMap<string, string>;
}

interface Waiting {
  readonly set: Map<string, string>;
  readonly end: (outcome: StasisOutcome) => void;
}

const LISTS: Readonly<Record<string, unknown>> = {
  '/applications/zammad/eventFilter': { name: 'zammad' },
  '/endpoints': ['trunk', '100'].map((resource) => ({ technology: 'PJSIP', resource, state: 'online' })),
  '/bridges': [],
  '/channels': [],
};

export class StasisCaller {
  readonly #waiting = new Map<string, Waiting>();

  private constructor(readonly ari: FakeAri) {
    ari.answer = (question) => this.#answer(question);
  }
  static async start(secret: string): Promise<StasisCaller> {
    return new StasisCaller(await FakeAri.start({ secret }));
  }

  /** Resolves when the channel has been let go or hung up. */
  call(options: StasisCallOptions): Promise<StasisOutcome> {
    return new Promise((resolve) => {
      this.#waiting.set(options.id, { set: new Map(), end: resolve });
      this.ari.say({ type: 'ChannelCreated', channel: channelOf(options) });
      this.ari.say({ type: 'StasisStart', args: options.args ?? ['users=100'], channel: channelOf(options) });
    });
  }
  /** A call that nobody is asked about, over at once. */
  passBy(options: StasisCallOptions): void {
    const channel = channelOf(options);
    this.ari.say({ type: 'ChannelCreated', channel });
    this.ari.say({ type: 'ChannelDestroyed', cause: 16, cause_txt: 'Normal Clearing', channel });
  }
  close(): Promise<void> {
    return this.ari.close();
  }

  #answer({ method, path, query }: AriQuestion): AriAnswer | undefined {
    if (path in LISTS) return { body: LISTS[path] };
    const [, id = '', what] = /^\/channels\/(.+?)(?:\/(variable|continue))?$/s.exec(path) ?? [];
    const waiting = this.#waiting.get(id);
    if (method === 'GET') {
      const value = query.get('variable') === 'CALLERID(pres)' ? 'allowed' : undefined;
      return value === undefined ? undefined : { body: { value } };
    }
    if (waiting === undefined) return undefined;
    if (method === 'POST' && what === 'variable')
      waiting.set.set(query.get('variable') ?? '', query.get('value') ?? '');
    else {
      this.#waiting.delete(id);
      waiting.end({ how: method === 'DELETE' ? 'hung up' : 'continue', set: waiting.set });
    }
    return { status: 204 };
  }
}

const channelOf = ({
  id,
  channel = 'PJSIP/trunk-000000c2',
  from = '+491711234567',
  dialled = '+4930555100',
}: StasisCallOptions) => ({
  id,
  name: channel,
  state: 'Ring',
  caller: { name: '', number: from },
  connected: { name: '', number: '' },
  dialplan: { context: 'from-trunk', exten: dialled, priority: 1, app_name: 'Stasis', app_data: 'zammad,users=100' },
});
