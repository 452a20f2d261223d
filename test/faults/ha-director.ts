import { pause, waitFor } from '../support/wait-for.js';
import type { PostgresCluster } from '../support/postgres-cluster.js';
import type { Bridge } from './bridge.js';
import type { DoneFault } from './fault-kinds.js';
import type { HearingLedger } from './hearing.js';
import type { StallMeter } from './measure.js';
import type { Chance } from './random.js';
import type { HaFault, Takeover } from './takeovers.js';

export interface Pair {
  readonly bridge: Bridge;
  readonly meter: StallMeter;
}

export interface HaDirectorOptions {
  readonly chance: Chance;
  readonly now: () => number;
  readonly pairs: readonly Pair[];
  readonly ledger: HearingLedger;
  readonly cluster: PostgresCluster;
  /** Called with each login at the PBX: who, when. */
  readonly logins: readonly { readonly bridge: string; readonly at: number }[];
}

/** A lead that nobody takes for so long is a fault of its own. */
const TAKEN_MS = 40_000;
/** Between two faults, on average, while the leader hears and the other one waits. */
const CALM_MS = 1_500;

/** Does harm to the leader of a pair of bridges, one thing after the other, and measures how long nobody hears the PBX. */
export class HaDirector {
  readonly done: DoneFault[] = [];
  readonly deaths: number[] = [];
  readonly takeovers: Takeover[] = [];
  readonly #returning = new Set<Promise<void>>();

  constructor(private readonly options: HaDirectorOptions) {}

  async run(plan: readonly HaFault[]): Promise<void> {
    for (const fault of plan) {
      await this.#whole();
      await pause(this.options.chance.waitFor(CALM_MS));
      await this.#do(fault, await this.#leader());
    }
    await this.#whole();
  }

  /** Both run, and one leads. */
  async #whole(): Promise<void> {
    await Promise.all(this.#returning);
    await this.#leader();
  }

  #leader(): Promise<Pair> {
    const { pairs, ledger } = this.options;
    return waitFor('a bridge that leads', () => pairs.find(({ bridge }) => ledger.hears(bridge.name)), {
      within: TAKEN_MS,
    });
  }

  async #do(fault: HaFault, leader: Pair): Promise<void> {
    const { now, logins, chance } = this.options;
    const at = now();
    const before = logins.length;
    switch (fault) {
      case 'kill -9':
        await this.#kill(leader);
        break;
      case 'SIGTERM':
        this.#stop(leader);
        break;
      case 'SIGSTOP':
        this.#freeze(leader, chance.between(8_000, 20_000));
        break;
      case 'database restart':
        await this.#restartDatabase();
        break;
    }
    // A restart of the database that is short enough costs nobody the lead.
    if (fault !== 'database restart') {
      const login = await waitFor('the lead to be taken', () => logins[before], { within: TAKEN_MS });
      this.takeovers.push({ fault, took: login.at - at });
    }
    this.done.push({ kind: fault, at, until: now() });
  }

  async #kill({ bridge, meter }: Pair): Promise<void> {
    const { now, ledger, chance } = this.options;
    await meter.read();
    this.deaths.push(now());
    ledger.end(bridge.name, 'killed');
    await bridge.kill();
    this.#later(async () => {
      await pause(chance.between(0, 8_000));
      await bridge.launch();
    });
  }

  #stop({ bridge }: Pair): void {
    const { now, ledger, chance } = this.options;
    this.deaths.push(now());
    ledger.end(bridge.name, 'stopped');
    this.#later(async () => {
      await bridge.stop();
      this.deaths.push(now());
      await pause(chance.between(0, 2_000));
      await bridge.launch();
    });
  }

  #freeze({ bridge, meter }: Pair, ms: number): void {
    const { now, ledger } = this.options;
    this.deaths.push(now());
    ledger.end(bridge.name, 'frozen');
    this.#later(() =>
      meter.pausedWhile(async () => {
        bridge.signal('SIGSTOP');
        await pause(ms);
        bridge.signal('SIGCONT');
      }),
    );
  }

  async #restartDatabase(): Promise<void> {
    const { cluster, chance, now, ledger } = this.options;
    this.deaths.push(now());
    ledger.outageBegins();
    await cluster.stop(chance.next() < 0.5 ? 'kill' : 'fast');
    await pause(chance.between(0, 4_000));
    await cluster.launch();
    ledger.outageEnds();
    this.deaths.push(now());
  }

  #later(task: () => Promise<void>): void {
    const running = task().finally(() => this.#returning.delete(running));
    this.#returning.add(running);
  }
}
