import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startStandIn } from '../../src/stand-in/server.js';
import { freePort } from '../lab/free-ports.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';
import { API_TOKEN, bridgeConfig } from './bridge-config.js';
import { Bridge } from './bridge.js';
import type { CaseFacts } from './case-facts.js';
import { Director } from './director.js';
import { SmallDisk } from './disk.js';
import { Evidence } from './evidence.js';
import type { FaultKind } from './fault-kinds.js';
import { HearingLedger } from './hearing.js';
import { judgeRun } from './judge-run.js';
import { StallMeter } from './measure.js';
import { playCalls, settled } from './playing.js';
import { Chance, seedOf } from './random.js';
import { addFaults, noSums, type Sums } from './tally.js';
import { Theatre } from './theatre.js';

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

const START_MS = 20_000;
const AGAIN_MS = 500;

/** One run: a fresh PBX, Zammad and bridge; calls under faults; then all is made whole, and the sums are drawn. */
export async function faultRun(settings: RunSettings): Promise<Sums> {
  const { seed, run, token, keep, say } = settings;
  const chance = new Chance(seedOf(seed, run));
  const now = (): number => performance.now();
  const directory = join(settings.directory, `run-${run}`);
  await mkdir(directory, { recursive: true });
  const disk = await SmallDisk.create(join(directory, 'data'));
  const path = join(disk.directory, 'bridge.sqlite');
  const zammad = await startStandIn({
    ...(token ? { apiToken: API_TOKEN } : {}),
    random: chance.next,
    // An admin can set it; of a call that is not among so many newest ones nothing can be read back.
    viewLimit: 1_000,
    limits: { requests: 100_000, rows: 100_000 },
  });
  const evidence = new Evidence(zammad, now);
  const ledger = new HearingLedger(now);
  const theatre = new Theatre(ledger, now);
  const wire = await TcpProxy.start(await theatre.open('bridge'));
  const httpPort = await freePort();
  const troubles: string[] = [];
  const places = { zammadUrl: zammad.url, token, pbxPort: wire.port, httpPort };
  const bridge = new Bridge({
    ...{ name: 'bridge', program: settings.program, directory, httpPort },
    config: bridgeConfig({ ...places, store: settings.store ? { path } : undefined }),
    onCrash: (status) => {
      troubles.push(`the bridge ended by itself (${status})`);
      ledger.end('bridge', 'killed');
      setTimeout(() => void bridge.launch(), AGAIN_MS);
    },
  });
  const meter = new StallMeter(bridge);
  const director = new Director({
    ...{ chance, now, bridge, ledger, wire, zammad, kinds: settings.kinds, mean: settings.mean },
    store: settings.store ? { path, disk } : undefined,
    beforeKill: () => meter.read(),
  });
  try {
    await bridge.launch();
    await waitFor('the bridge to hear the PBX', () => ledger.hears('bridge'), { within: START_MS });
    meter.start();
    const over = new AbortController();
    const directing = director.run(over.signal);
    const { cases, together, calls } = settings;
    await playCalls(theatre, { cases, together, run, more: (begun) => begun < calls }, chance);
    over.abort();
    await directing;
    await director.end();
    const left = await settled([bridge], ledger, evidence, now);
    if (left !== undefined) troubles.push(left);
    meter.stop();
    await meter.read();
    const sums: Sums = {
      ...noSums(),
      runs: 1,
      stall: meter.longest,
      stallAge: meter.longestAge,
      stallWait: meter.longestWait,
    };
    const { done: faults, deaths } = director;
    const context = { seed, run, token, theatre, zammad, evidence, faults, deaths, troubles, keep, say };
    await judgeRun({ ...context, hearings: ledger.list(), bridges: [bridge] }, sums);
    addFaults(sums, faults);
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
