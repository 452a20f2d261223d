/** The whole bridge in this process: a fake PBX in front, a stand-in for Zammad behind, its log kept. */
import { pino, type Logger } from 'pino';
import { Writable } from 'node:stream';
import { startApp, type App, type AppOptions } from '../../src/app.js';
import type { Filter } from '../../src/call/settings.js';
import { asPbxName, asZammadName } from '../../src/call/vocabulary.js';
import { systemClock } from '../../src/clock.js';
import type { AgentConfig, Config } from '../../src/config/model.js';
import { createLog } from '../../src/log.js';
import { Secret } from '../../src/secret.js';
import type { StandIn } from '../../src/stand-in/stand-in.js';
import { adapter } from '../../adapters/asterisk-ami/index.js';
import type { AdapterDefinition } from '../../src/pbx/adapter.js';
import { AGENTS, CALLS } from './brain-bench.js';
import { FakeAmi, type FakeAmiOptions, type ReceivedAction } from './fake-ami.js';

export interface WholeBridge {
  readonly app: App;
  /** Every line logged so far, at level trace. */
  readonly lines: string[];
  stop(): Promise<number>;
}

/** A zammad entry for a stand-in, or for any URL. */
export interface ZammadEntry {
  readonly name: string;
  readonly url: string;
  readonly filter?: Filter;
  readonly encoding?: 'form' | 'json';
}
export interface PbxEntry {
  readonly name: string;
  readonly port: number;
  readonly secret?: string;
  readonly trunks?: readonly string[] | undefined;
  /** Another adapter than that for Asterisk, with its own settings. */
  readonly other?: { readonly adapter: AdapterDefinition; readonly settings: object };
}

export const entryOf = (name: string, standIn: StandIn, filter: Filter = {}): ZammadEntry => ({
  name,
  url: standIn.url,
  filter,
});

/** Starts the bridge; `stop` resolves with the number of posts lost. */
export async function startWholeBridge(options: {
  readonly zammad: readonly ZammadEntry[];
  readonly pbx: readonly PbxEntry[];
  readonly agents?: readonly AgentConfig[];
  readonly drain?: number;
  /** Of one request, ms. Default 2000. */
  readonly timeout?: number;
  readonly gate?: Partial<Config['gate']>;
  readonly dial?: Partial<Config['dial']>;
  /** Default: in memory. */
  readonly store?: Config['store'];
  /** Default 0: no HTTP server. */
  readonly httpPort?: number;
}): Promise<WholeBridge> {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString('utf8'));
      done();
    },
  });
  const log: Logger = createLog({ level: 'trace', pretty: false }, sink).logger;
  const config: Config = {
    zammad: options.zammad.map(({ name, url, filter = {}, encoding = 'form' }) => ({
      name: asZammadName(name),
      url: new Secret(url),
      origin: new URL(url).origin,
      encoding,
      filter,
    })),
    pbx: options.pbx.map(({ name, port, secret = 'lab', trunks = ['trunk'], other }) => ({
      name: asPbxName(name),
      adapter: (other?.adapter ?? adapter).type,
      filter: {},
      calls: CALLS,
      settings: (other?.adapter ?? adapter).configSchema.parse({
        host: '127.0.0.1',
        port,
        ...(other?.settings ?? { username: 'bridge', secret, trunks }),
      }),
    })),
    agents: options.agents ?? AGENTS,
    dids: [],
    calls: CALLS,
    delivery: { timeout: options.timeout ?? 2_000, parallel: 4, maxAge: 3_600_000, drain: options.drain ?? 2_000 },
    gate: { ...GATE, ...options.gate },
    store: options.store ?? { kind: 'memory' },
    dial: { ...DIAL, ...options.dial },
    http: { host: '127.0.0.1', port: options.httpPort ?? 0, trustProxy: [] },
    log: { level: 'trace', pretty: false },
  };
  const others = options.pbx.flatMap(({ other }) => (other === undefined ? [] : [other.adapter]));
  const adapterOf: AppOptions['adapterOf'] = (pbx) => others.find(({ type }) => type === pbx.adapter) ?? adapter;
  const app = await startApp({ config, adapterOf, log, clock: systemClock, random: Math.random });
  return { app, lines, stop: () => app.stop() };
}

const GATE: Config['gate'] = {
  budget: 500,
  rejectedCause: 'busy',
  remember: 0,
  lateReject: 10_000,
  emergency: ['112'],
  outsideLine: ['0'],
};
const DIAL: Config['dial'] = { allow: [], deny: [], rate: 10, ringFor: 3_000, written: 'national', outsidePrefix: '' };
const LISTS: Readonly<Record<string, string>> = { status: 'StatusComplete', bridgelist: 'BridgeListComplete' };

/** A fake Asterisk without any channel that lets the bridge in. */
export const quietAsterisk = (options: FakeAmiOptions = {}): Promise<FakeAmi> =>
  FakeAmi.start({
    username: 'bridge',
    secret: 'lab',
    answer: (action: ReceivedAction) => {
      const complete = LISTS[action.name];
      if (complete !== undefined) return { items: [], complete };
      if (action.name === 'hangup')
        return [
          ['Response', 'Success'],
          ['Message', 'Channel Hungup'],
        ];
      return undefined;
    },
    ...options,
  });

export const silent: Logger = pino({ enabled: false });
