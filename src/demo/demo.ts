import { startApp, type App } from '../app.js';
import { asPbxName, asZammadName } from '../call/vocabulary.js';
import { sleep, type Clock } from '../clock.js';
import type { Config } from '../config/model.js';
import { readScalars } from '../config/scalars.js';
import { toCallSettings, toSettings } from '../config/to-settings.js';
import { createLog } from '../log.js';
import { Secret } from '../secret.js';
import { startStandIn } from '../stand-in/server.js';
import type { JournalEntry } from '../stand-in/journal.js';
import type { StandIn } from '../stand-in/stand-in.js';
import { adapter as asterisk } from '../../adapters/asterisk-ami/index.js';
import { DEMO_AGENTS, DEMO_CUSTOMERS } from './people.js';
import { RecordedAsterisk } from './recorded-asterisk.js';
import { playShow } from './show.js';

export interface DemoOptions {
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Of the stand-in's page; 0 = any. */
  readonly port: number;
  /** One line for a person: what happens. */
  readonly say: (line: string) => void;
}

export interface Demo {
  /** Where the caller log can be watched. */
  readonly page: string;
  /** Resolves when every call was played once, or the signal is aborted. */
  play(options: { readonly speed: number; readonly once: boolean; readonly signal: AbortSignal }): Promise<void>;
  /** Resolves when no call of the caller log is open any more, or after `limit` ms. */
  settled(limit: number): Promise<void>;
  /** What the caller log holds, in a few words. */
  summary(): string;
  stop(): Promise<void>;
}

/** Starts the stand-in, an Asterisk that plays recordings, and the bridge between them, all on loopback. */
export async function startDemo({ clock, random, port, say }: DemoOptions): Promise<Demo> {
  const standIn = await startStandIn({
    port,
    clock,
    random,
    people: DEMO_CUSTOMERS.map(({ name, phone }) => ({ name, phones: [phone] })),
  });
  standIn.subscribe((event) => {
    // The bridge's look at whether Zammad is well is no event.
    if (event.type === 'request' && event.entry.state === 'replied' && event.entry.event !== undefined)
      say(describePost(event.entry));
  });
  const pbx = new RecordedAsterisk();
  const log = createLog({ level: 'error', pretty: true });
  const closeAll = async (): Promise<void> => {
    await pbx.close();
    await standIn.stop();
    log.close();
  };
  let app: App;
  try {
    const config = demoConfig(standIn, await pbx.listen());
    app = await startApp({ config, adapterOf: () => asterisk, log: log.logger, clock, random });
  } catch (thrown) {
    await closeAll();
    throw thrown;
  }
  return {
    page: `${standIn.origin}/`,
    async play({ speed, once, signal }) {
      await heard(app, clock, signal);
      await playShow({
        asterisk: pbx,
        clock,
        speed,
        once,
        signal,
        onCall: (title) => {
          say(`· ${title}`);
        },
      });
    },
    async settled(limit) {
      await standIn.when((zammad) => isQuiet(zammad), limit).catch(() => undefined);
    },
    summary() {
      const rows = standIn.log();
      const missed = rows.filter(({ done }) => !done).length;
      return `${String(rows.length)} calls in the caller log, ${String(missed)} of them missed.`;
    },
    async stop() {
      await app.stop();
      await closeAll();
    },
  };
}

/** Every call is over, and every post answered. */
const isQuiet = (zammad: StandIn): boolean =>
  zammad.log().every(({ state }) => state === 'hangup') && zammad.requests().every(({ state }) => state !== 'open');

const demoConfig = (standIn: StandIn, port: number): Config => {
  const scalars = readScalars({}, {}, () => undefined);
  const calls = toCallSettings(scalars);
  return {
    zammad: [
      {
        name: asZammadName('stand-in'),
        url: new Secret(standIn.url),
        origin: standIn.origin,
        encoding: 'form',
        filter: {},
      },
    ],
    pbx: [
      {
        name: asPbxName('demo'),
        adapter: asterisk.type,
        filter: {},
        calls,
        settings: asterisk.configSchema.parse({
          host: '127.0.0.1',
          port,
          username: 'demo',
          secret: 'demo',
          trunks: ['trunk'],
        }),
      },
    ],
    agents: DEMO_AGENTS.map(([extension, name]) => ({ extension, name, devices: [], phones: [] })),
    dids: [],
    calls,
    delivery: { timeout: 5_000, parallel: 4, maxAge: 3_600_000, drain: 3_000 },
    gate: toSettings(scalars).gate,
    store: { kind: 'memory' },
    dial: toSettings(scalars).dial,
    http: { host: '127.0.0.1', port: 0, trustProxy: [] },
    log: { level: 'error', pretty: true },
  };
};

const NAMES: ReadonlyMap<string, string> = new Map(
  DEMO_CUSTOMERS.map(({ name, phone }) => [phone.replace('+', ''), name]),
);

/** A post that Zammad has answered, as a line: who of several calls it is about, and what it says. */
function describePost({ params, status }: JournalEntry): string {
  const value = (name: string): string => {
    const found = params?.[name];
    const list = Array.isArray(found) ? found : [found];
    return list.filter((one) => typeof one === 'string').join(', ');
  };
  const event = value('event');
  const outbound = value('direction') === 'out';
  const number = outbound ? value('to') : value('from');
  const customer = `${number.padEnd(13)} ${(NAMES.get(number) ?? '').padEnd(13)}`;
  const agents = value('user');
  // An outbound answer names nobody: it is the customer who answers. A number that is forwarded calls no agent.
  const nobody = event === 'newCall' ? '(no agent)' : '(the customer)';
  const more = event === 'hangup' ? value('cause') : agents === '' ? nobody : agents;
  const refused = status === 200 ? '' : `  (status ${String(status)})`;
  return `    ${event.padEnd(8)} ${outbound ? '→' : '←'} ${customer} ${more}${refused}`;
}

async function heard(
  app: { health(): { pbx: readonly { state: string }[] } },
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && app.health().pbx.some(({ state }) => state !== 'hearing')) await sleep(clock, 20, signal);
}
