import { copyFileSync, mkdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startStandIn } from '../../src/stand-in/server.js';
import { freePort } from '../lab/free-ports.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { pause, waitFor } from '../support/wait-for.js';
import { Bridge } from './bridge.js';
import { PBX, readCallId } from './call-ids.js';
import { AGENTS, type CaseFacts, TRUNKS } from './case-facts.js';
import { Director } from './director.js';
import { SmallDisk } from './disk.js';
import { Evidence } from './evidence.js';
import type { FaultKind } from './fault-kinds.js';
import { HearingLedger } from './hearing.js';
import { StallMeter } from './measure.js';
import { Chance, seedOf } from './random.js';
import { reportOf } from './report.js';
import { addFaults, addVerdict, noSums, type Sums } from './tally.js';
import { LOGIN, Theatre } from './theatre.js';
import { unknownPosts } from './unknown-posts.js';
import { judgePlay } from './verdict.js';

export interface RunSettings {
  readonly seed: number;
  readonly run: number;
  readonly program: string;
  readonly cases: readonly CaseFacts[];
  readonly calls: number;
  /** Plays at the same time, at most. */
  readonly together: number;
  readonly token: boolean;
  readonly kinds: readonly FaultKind[];
  /** ms between two faults, on average. */
  readonly mean: number;
  /** The program has a store on disk. */
  readonly store: boolean;
  /** For what is needed while it runs. */
  readonly directory: string;
  /** Where logs of failed runs are kept. */
  readonly keep: string;
  readonly say: (line: string) => void;
}

export const API_TOKEN = 'fault-run-api-token-0123456789';
const START_MS = 20_000;
/** After the last fault: slow requests, their reading back, and the longest back-off. */
const SETTLE_MS = 120_000;
/** Nothing was asked of Zammad for so long. */
const QUIET_MS = 2_500;
/** Between the begins of two plays, on average. */
const PLAY_EVERY_MS = 450;

/** One run: a fresh PBX, Zammad and bridge; calls under faults; then all is made whole, and the sums are drawn. */
export async function faultRun(settings: RunSettings): Promise<Sums> {
  const { say, token, run } = settings;
  const chance = new Chance(seedOf(settings.seed, run));
  const now = (): number => performance.now();
  const directory = join(settings.directory, `run-${run}`);
  await mkdir(directory, { recursive: true });
  const disk = await SmallDisk.create(join(directory, 'data'));
  const path = join(disk.directory, 'bridge.sqlite');
  const zammad = await startStandIn({
    ...(token ? { apiToken: API_TOKEN } : {}),
    viewLimit: 10_000,
    random: chance.next,
    limits: { requests: 100_000, rows: 100_000 },
  });
  const evidence = new Evidence(zammad, now);
  const ledger = new HearingLedger(now);
  const theatre = new Theatre(ledger, now);
  const wire = await TcpProxy.start(await theatre.open('bridge'));
  const httpPort = await freePort();
  const crashes: string[] = [];
  const bridge = new Bridge({
    name: 'bridge',
    program: settings.program,
    directory,
    httpPort,
    config: {
      zammad: [{ name: 'main', url: zammad.url, ...(token ? { apiToken: API_TOKEN } : {}) }],
      numbers: { country: 'DE' },
      pbx: [{ name: PBX, adapter: 'asterisk-ami', host: '127.0.0.1', port: wire.port, ...LOGIN, trunks: TRUNKS }],
      agents: AGENTS,
      ...(settings.store ? { store: { path } } : {}),
      http: { host: '127.0.0.1', port: httpPort },
      log: { level: 'debug' },
    },
    onCrash: (status) => {
      crashes.push(`the bridge ended by itself (${status}) ${Math.round(now())} ms after the start of the harness`);
      ledger.end('bridge', 'killed');
      setTimeout(() => void bridge.launch(), 500);
    },
  });
  const meter = new StallMeter(bridge);
  const director = new Director({
    ...{ chance, now, bridge, ledger, wire, zammad, kinds: settings.kinds, mean: settings.mean },
    store: settings.store ? { path, disk } : undefined,
    beforeKill: () => meter.read(),
  });
  const sums = noSums();
  try {
    await bridge.launch();
    await waitFor('the bridge to hear the PBX', () => ledger.hears('bridge'), { within: START_MS });
    meter.start();
    const over = new AbortController();
    const directing = director.run(over.signal);
    await playCalls(theatre, settings, chance);
    over.abort();
    await directing;
    await director.end();
    const drained = await settled(bridge, ledger, evidence, now);
    meter.stop();
    await meter.read();
    const listed = await unknownPosts(bridge);
    const hearings = ledger.list();
    const posts = evidence.posts();
    const logFile = join(settings.keep, `seed-${settings.seed}-run-${run}.log`);
    let failed = false;
    const fail = (text: string): void => {
      failed = true;
      say(text);
    };
    for (const play of theatre.plays) {
      const own = posts.filter(({ callId }) => readCallId(callId)?.tag === play.tag);
      const verdicts = judgePlay(play, {
        posts: own,
        rows: zammad.log().filter(({ callId }) => readCallId(callId)?.tag === play.tag),
        ...{ hearings, unknown: listed.unknown, canReadBack: token, deaths: director.deaths },
      });
      for (const verdict of verdicts) {
        addVerdict(sums, verdict);
        if (verdict.wrong.length === 0) continue;
        const context = {
          ...{ seed: settings.seed, run, token, play, posts: own, hearings },
          faults: director.done,
          logFile,
        };
        fail(reportOf(verdict, context));
      }
    }
    for (const post of posts) {
      if (readCallId(post.callId) !== undefined) continue;
      sums.wrong += 1;
      fail(`VIOLATION a post of no play: ${post.event} ${post.callId}`);
    }
    for (const what of [...crashes, ...(drained === undefined ? [] : [drained])]) {
      sums.wrong += 1;
      fail(`VIOLATION seed ${settings.seed}, run ${run}: ${what}`);
    }
    for (const { callId, event } of listed.dead) {
      sums.wrong += 1;
      fail(`VIOLATION seed ${settings.seed}, run ${run}: ${event} of ${callId} was given up`);
    }
    if (failed) {
      mkdirSync(settings.keep, { recursive: true });
      copyFileSync(bridge.logFile, logFile);
    }
    sums.runs = 1;
    sums.stall = meter.longest;
    sums.stallAge = meter.longestAge;
    addFaults(sums, director.done);
    return sums;
  } finally {
    meter.stop();
    evidence.close();
    await bridge.kill();
    await theatre.close();
    await wire.close();
    await zammad.stop();
    await disk.remove();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Plays cases by chance until there were so many calls; resolves when the last one is over. */
export async function playCalls(
  theatre: Theatre,
  { cases, calls, together, run }: Pick<RunSettings, 'cases' | 'calls' | 'together' | 'run'>,
  chance: Chance,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: Error | undefined;
  for (let begun = 0, number = 0; begun < calls && failure === undefined; number += 1) {
    const facts = chance.one(cases);
    begun += facts.calls.length;
    const play = theatre
      .play(facts, `r${run}p${number}`)
      .catch((thrown: unknown) => {
        failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      })
      .finally(() => running.delete(play));
    running.add(play);
    await pause(chance.waitFor(PLAY_EVERY_MS));
    if (running.size >= together) await Promise.race(running);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure;
}

/** Waits until the bridge has nothing more to tell; returns what it still has when it does not come to that. */
export async function settled(
  bridge: Bridge,
  ledger: HearingLedger,
  evidence: Evidence,
  now: () => number,
): Promise<string | undefined> {
  const deadline = now() + SETTLE_MS;
  let last = 'it does not answer';
  while (now() < deadline) {
    await pause(250);
    const seen = await bridge.get('/readyz');
    const body = seen === undefined ? undefined : (JSON.parse(seen.body) as Readyz);
    const waiting = body?.zammad.reduce((sum, zammad) => sum + zammad.waiting, 0);
    last = seen === undefined ? 'it does not answer' : seen.body;
    const quiet = now() - evidence.changed > QUIET_MS && evidence.open === 0;
    if (waiting === 0 && quiet && ledger.hears(bridge.name)) return undefined;
  }
  return `the bridge has not become idle: ${last}`;
}

interface Readyz {
  readonly zammad: readonly { readonly waiting: number }[];
}
