import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startStandIn } from '../../src/stand-in/server.js';
import { freePort } from '../lab/free-ports.js';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { waitFor } from '../support/wait-for.js';
import { API_TOKEN, bridgeConfig } from './bridge-config.js';
import { Bridge } from './bridge.js';
import { Evidence, type SeenPost } from './evidence.js';
import { strayPosts, type LeadTaken } from './fencing.js';
import { HaDirector, type Pair } from './ha-director.js';
import { HearingLedger } from './hearing.js';
import { judgeRun } from './judge-run.js';
import { StallMeter } from './measure.js';
import { playCalls, settled } from './playing.js';
import { Chance, seedOf } from './random.js';
import type { RunSettings } from './run.js';
import type { HaFault, Takeover } from './takeovers.js';
import { addFaults, noSums, type Sums } from './tally.js';
import { Theatre } from './theatre.js';

export type HaSettings = Pick<
  RunSettings,
  'seed' | 'run' | 'program' | 'cases' | 'together' | 'token' | 'directory' | 'keep' | 'say'
> & { readonly plan: readonly HaFault[] };

const START_MS = 30_000;
const AGAIN_MS = 500;
/** Bytes that a bridge wrote before it lost its lead may arrive a moment later. */
const ARRIVAL_MS = 50;
/** Each bridge speaks to Zammad in a way of its own, so that its posts can be told from the other one's. */
const SPEECH = [
  { name: 'a', encoding: 'form', contentType: 'application/x-www-form-urlencoded' },
  { name: 'b', encoding: 'json', contentType: 'application/json' },
] as const;

export interface HaResult {
  readonly sums: Sums;
  readonly takeovers: readonly Takeover[];
}

/** Two bridges on one PostgreSQL, one PBX that both can reach, one Zammad; the leader has a hard life under calls. */
export async function haRun(settings: HaSettings): Promise<HaResult> {
  const { seed, run, token, keep, say, program } = settings;
  const chance = new Chance(seedOf(seed, run));
  const now = (): number => performance.now();
  const directory = join(settings.directory, `ha-${run}`);
  await mkdir(directory, { recursive: true });
  const zammad = await startStandIn({
    ...(token ? { apiToken: API_TOKEN } : {}),
    random: chance.next,
    // An admin can set it; of a call that is not among so many newest ones nothing can be read back.
    viewLimit: 1_000,
    limits: { requests: 100_000, rows: 100_000 },
  });
  const cluster = await PostgresCluster.start();
  const url = cluster.createDatabase();
  const evidence = new Evidence(zammad, now);
  const ledger = new HearingLedger(now);
  const theatre = new Theatre(ledger, now);
  const logins: LeadTaken[] = [];
  const troubles: string[] = [];
  const pairs: Pair[] = [];
  for (const { name, encoding } of SPEECH) {
    const pbxPort = await theatre.open(name, () => void logins.push({ bridge: name, at: now() }));
    const httpPort = await freePort();
    const bridge = new Bridge({
      ...{ name, program, directory, httpPort },
      config: bridgeConfig({
        zammadUrl: zammad.url,
        token,
        encoding,
        pbxPort,
        httpPort,
        store: { url, machine: `machine-${name}` },
      }),
      onCrash: (status) => {
        troubles.push(`bridge ${name} ended by itself (${status})`);
        ledger.end(name, 'killed');
        setTimeout(() => void bridge.launch(), AGAIN_MS);
      },
    });
    pairs.push({ bridge, meter: new StallMeter(bridge) });
  }
  const bridges = pairs.map(({ bridge }) => bridge);
  const director = new HaDirector({ chance, now, pairs, ledger, cluster, logins });
  try {
    for (const bridge of bridges) await bridge.launch();
    await waitFor('a bridge to hear the PBX', () => bridges.some(({ name }) => ledger.hears(name)), {
      within: START_MS,
    });
    for (const { meter } of pairs) meter.start();
    let over = false;
    const { cases, together, plan } = settings;
    const playing = playCalls(theatre, { cases, together, run, more: () => !over }, chance);
    try {
      await director.run(plan);
    } finally {
      over = true;
      await playing;
    }
    const left = await settled(bridges, ledger, evidence, now);
    if (left !== undefined) troubles.push(left);
    for (const { meter } of pairs) meter.stop();
    troubles.push(...strayPosts(logins, evidence.posts().map(sentPost), ARRIVAL_MS));
    const worst = pairs.map(({ meter }) => meter).sort((a, b) => (b.longest ?? 0) - (a.longest ?? 0))[0];
    const sums: Sums = {
      ...noSums(),
      runs: 1,
      stall: worst?.longest,
      stallAge: worst?.longestAge ?? 0,
      stallWait: worst?.longestWait ?? 0,
    };
    const [first, ...others] = bridges;
    if (first === undefined) throw new Error('there is no bridge');
    const { done: faults, deaths } = director;
    const context = { seed, run, token, theatre, zammad, evidence, faults, deaths, troubles, keep, say };
    await judgeRun({ ...context, hearings: ledger.list(), bridges: [first, ...others] }, sums);
    addFaults(sums, faults);
    return { sums, takeovers: director.takeovers };
  } finally {
    for (const { meter } of pairs) meter.stop();
    evidence.close();
    for (const bridge of bridges) {
      bridge.signal('SIGCONT');
      await bridge.kill();
    }
    await theatre.close();
    await zammad.stop();
    await cluster.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const sentPost = ({ entry, arrived, event, callId }: SeenPost): { bridge: string; at: number; what: string } => ({
  bridge: SPEECH.find(({ contentType }) => entry.contentType?.startsWith(contentType) === true)?.name ?? '?',
  at: arrived,
  what: `${event} of ${callId}`,
});
