import type { FaultInput } from '../../src/stand-in/fault-rules.js';
import type { StandIn } from '../../src/stand-in/stand-in.js';
import { pause } from '../support/wait-for.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import type { Bridge } from './bridge.js';
import { lockDatabase } from './database-lock.js';
import type { SmallDisk } from './disk.js';
import { type DoneFault, type FaultKind, WEIGHTS } from './fault-kinds.js';
import type { HearingLedger } from './hearing.js';
import type { Chance } from './random.js';

export interface DirectorOptions {
  readonly chance: Chance;
  readonly now: () => number;
  readonly bridge: Bridge;
  readonly ledger: HearingLedger;
  readonly wire: TcpProxy;
  readonly zammad: StandIn;
  /** Undefined: the bridge has no file to lock or to fill. */
  readonly store: { readonly path: string; readonly disk: SmallDisk } | undefined;
  readonly kinds: readonly FaultKind[];
  /** ms between two faults, on average. */
  readonly mean: number;
  /** Called before the bridge is killed: its last measurements. */
  readonly beforeKill: () => Promise<void>;
}

const SLOW_MS = 10_000;
const SPARED = 0.7;

/** Does harm at random moments, several kinds at once, and writes down what it did. */
export class Director {
  readonly done: DoneFault[] = [];
  /** When a bridge died or left. */
  readonly deaths: number[] = [];
  /** What takes back the faults that go on, by kind. */
  readonly #standing = new Map<FaultKind, () => void | Promise<void>>();
  readonly #tasks = new Set<Promise<void>>();
  #ending = false;

  constructor(private readonly options: DirectorOptions) {}

  /** Until `over` is aborted. Faults that go on then are not taken back yet. */
  async run(over: AbortSignal): Promise<void> {
    const { chance, kinds, mean, ledger, bridge } = this.options;
    while (await pauseUnless(over, chance.waitFor(mean))) {
      const free = kinds.filter((kind) => !this.#standing.has(kind) && this.#possible(kind));
      // A bridge that is killed again before it hears hears nothing at all; now and then that happens, too.
      if (!ledger.hears(bridge.name) && chance.next() < SPARED) continue;
      if (free.length === 0) continue;
      const kind = chance.weighted(free.map((one) => [one, WEIGHTS[one]] as const));
      const task = this.#do(kind).finally(() => this.#tasks.delete(task));
      this.#tasks.add(task);
    }
  }

  /** Takes every fault back and waits until it is whole again; the bridge runs then. */
  async end(): Promise<void> {
    this.#ending = true;
    for (const lift of [...this.#standing.values()]) await lift();
    await Promise.all(this.#tasks);
    await this.options.zammad.comeUp();
    await this.options.wire.mend();
    this.options.zammad.faults.clear();
    await this.options.bridge.launch();
  }

  #possible(kind: FaultKind): boolean {
    const { bridge, store } = this.options;
    switch (kind) {
      case 'kill -9':
      case 'SIGTERM':
        return bridge.running && !this.#standing.has('SIGTERM');
      case 'database locked':
        return store !== undefined;
      case 'disk full':
        return store !== undefined && store.disk.unfillable === undefined;
      default:
        return true;
    }
  }

  async #do(kind: FaultKind): Promise<void> {
    const { chance } = this.options;
    switch (kind) {
      case 'kill -9':
        return this.#kill();
      case 'SIGTERM':
        return this.#stop();
      case 'PBX cut':
        return this.#cut();
      case 'PBX half-open':
        this.#halfOpen();
        return;
      case 'Zammad down':
        await this.options.zammad.goDown();
        return this.#stand(kind, chance.between(300, 6_000), () => this.options.zammad.comeUp());
      case 'Zammad slow':
        return this.#zammad(
          kind,
          chance.next() < 0.5 ? { kind: 'slow', ms: SLOW_MS } : { kind: 'late-reply', ms: SLOW_MS },
        );
      case 'Zammad 500':
        return this.#zammad(kind, { kind: 'status', status: 500, processed: false });
      case 'Zammad 500 after the save':
        return this.#zammad(kind, { kind: 'status', status: 500, processed: true });
      case 'reset after sending':
        return this.#zammad(kind, { kind: 'reset-before-processing' });
      case 'reset after the save':
        return this.#zammad(kind, { kind: 'reset-after-processing' });
      case 'database locked':
        return this.#lock();
      case 'disk full':
        return this.#fill();
    }
  }

  async #kill(): Promise<void> {
    const { bridge, ledger, chance, now, beforeKill } = this.options;
    const down = chance.between(0, 3_000);
    await beforeKill();
    if (!bridge.running) return;
    const at = now();
    this.deaths.push(at);
    ledger.end(bridge.name, 'killed');
    await bridge.kill();
    this.done.push({ kind: 'kill -9', at, until: at + down });
    await this.#restart(down);
  }

  async #stop(): Promise<void> {
    const { bridge, ledger, chance, now } = this.options;
    const down = chance.between(0, 3_000);
    const at = now();
    ledger.end(bridge.name, 'stopped');
    this.#standing.set('SIGTERM', () => undefined);
    await bridge.stop();
    this.deaths.push(at, now());
    this.#standing.delete('SIGTERM');
    this.done.push({ kind: 'SIGTERM', at, until: now() + down });
    await this.#restart(down);
  }

  async #restart(after: number): Promise<void> {
    if (!this.#ending) await pause(after);
    await this.options.bridge.launch();
  }

  async #cut(): Promise<void> {
    const { wire, ledger, bridge, chance, now } = this.options;
    const ms = chance.between(0, 2_000);
    ledger.end(bridge.name, 'cut');
    // A short one is a reset of the connection; a longer one refuses new connections, too.
    if (ms < 500) {
      wire.reset();
      this.done.push({ kind: 'PBX cut', at: now(), until: now() });
      return;
    }
    const cut = wire.cut();
    await this.#stand('PBX cut', ms, () => wire.mend());
    await cut;
  }

  #halfOpen(): void {
    const { wire, ledger, bridge, now } = this.options;
    if (wire.halfOpen() === 0) return;
    ledger.end(bridge.name, 'half-open');
    this.done.push({ kind: 'PBX half-open', at: now(), until: now() });
  }

  async #zammad(kind: FaultKind, rule: FaultInput): Promise<void> {
    const { zammad, chance } = this.options;
    const probability = chance.one([1, 0.7, 0.4]);
    const id = zammad.faults.add({ ...rule, probability } as FaultInput);
    await this.#stand(kind, chance.between(500, kind === 'Zammad slow' ? 2_000 : 4_000), () => {
      zammad.faults.remove(id);
    });
  }

  async #lock(): Promise<void> {
    const { store, chance } = this.options;
    const release = store === undefined ? undefined : await lockDatabase(store.path);
    if (release !== undefined) await this.#stand('database locked', chance.between(1_000, 5_000), release);
  }

  async #fill(): Promise<void> {
    const { store, chance } = this.options;
    if (store === undefined) return;
    store.disk.fill();
    await this.#stand('disk full', chance.between(1_000, 5_000), () => {
      store.disk.empty();
    });
  }

  /** A fault that goes on for a while, or until the end. */
  async #stand(kind: FaultKind, ms: number, lift: () => void | Promise<void>): Promise<void> {
    const { now } = this.options;
    const at = now();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#standing.set(kind, () => {
        clearTimeout(timer);
        resolve();
      });
    });
    await lift();
    this.#standing.delete(kind);
    this.done.push({ kind, at, until: now() });
  }
}

/** False when it is over. */
function pauseUnless(over: AbortSignal, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      over.removeEventListener('abort', done);
      resolve(!over.aborted);
    };
    const timer = setTimeout(done, ms);
    over.addEventListener('abort', done);
  });
}
