/**
 * Holds an adapter to docs/adapter-contract.md. Give it the definition and a PBX to play with; it declares the tests.
 *
 *     adapterConformance('my adapter', { definition, startPbx, orders: [] });
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { type Clock, systemClock } from '../../src/clock.js';
import { BridgeError, PermanentError, RetriableError } from '../../src/errors.js';
import type { Adapter, AdapterDefinition, Hearing } from '../../src/pbx/adapter.js';
import { asPbxName, type LegEvent, type LegId } from '../../src/call/vocabulary.js';
import { breaches } from './leg-rules.js';
import { type OrderName, orderRules } from './order-rules.js';
import { OPEN_GATE } from '../support/open-gate.js';

/** A PBX on loopback, on a port of its own, that the suite owns until `stop`. It need not keep calls for long. */
export interface ConformancePbx {
  /** The adapter's own section of the configuration as text would give it, with which it can log in. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The same with a wrong password, and that password: it must not be in the error. */
  readonly wrongLogin: { readonly settings: Readonly<Record<string, unknown>>; readonly password: string };
  /** How many connections of adapters are open now, and how many there ever were. */
  connections(): { readonly now: number; readonly ever: number };
  /** A customer calls and an agent's phone is called. Returns a handle for the next two. Told to whoever is connected. */
  ring(): string;
  /** The agent answers. */
  answer(call: string): void;
  /** Everybody hangs up. */
  hangUp(call: string): void;
  /** Cuts every connection without a word. */
  cut(): void;
  /** From now on: accept connections, read, and say nothing. */
  mute(): void;
  /** The next snapshot that is asked for is cut off in its middle. */
  cutNextSnapshot(): void;
  /** Frees the port and every socket. */
  stop(): Promise<void>;
}

export interface ConformanceHarness {
  readonly definition: AdapterDefinition;
  readonly startPbx: () => Promise<ConformancePbx>;
  /** What it can be ordered to do. */
  readonly orders: readonly OrderName[];
}

/** ms; for conditions that another end of a loopback connection must bring about. */
const DEADLINE = 3_000;

/** Waits, looking again at every turn of the event loop, until it is true. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + DEADLINE;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${DEADLINE} ms for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The machine's clock, and how many of its timers are set. */
class CountingClock implements Clock {
  readonly #set = new Set<object>();
  get pending(): number {
    return this.#set.size;
  }
  monotonic(): number {
    return systemClock.monotonic();
  }
  wall(): number {
    return systemClock.wall();
  }
  after(ms: number, task: () => void): () => void {
    const timer = {};
    this.#set.add(timer);
    const cancel = systemClock.after(ms, () => {
      this.#set.delete(timer);
      task();
    });
    return () => {
      this.#set.delete(timer);
      cancel();
    };
  }
}

interface Bench {
  readonly adapter: Adapter;
  readonly batches: (readonly LegEvent[])[];
  readonly clock: CountingClock;
  readonly events: () => LegEvent[];
  readonly start: () => Promise<Hearing>;
}

export function adapterConformance(title: string, { definition, startPbx, orders }: ConformanceHarness): void {
  const opened: { pbx: ConformancePbx[]; benches: Bench[] } = { pbx: [], benches: [] };

  const newPbx = async (): Promise<ConformancePbx> => {
    const pbx = await startPbx();
    opened.pbx.push(pbx);
    return pbx;
  };
  const bench = (settings: Readonly<Record<string, unknown>>): Bench => {
    const batches: (readonly LegEvent[])[] = [];
    const clock = new CountingClock();
    const context = {
      name: asPbxName('conformance'),
      log: pino({ level: 'silent' }),
      metrics: { count: () => undefined },
      clock,
      gate: OPEN_GATE,
      emit: (batch: readonly LegEvent[]) => void batches.push(batch),
    };
    const adapter = definition.create(context, definition.configSchema.parse(settings));
    const made: Bench = {
      adapter,
      batches,
      clock,
      events: () => batches.flat(),
      start: () => adapter.start(new AbortController().signal),
    };
    opened.benches.push(made);
    return made;
  };
  const legsNow = ({ adapter }: Bench): LegId[] => [...adapter.snapshot()].sort();
  const ended = ({ events }: Bench): LegId[] =>
    events().flatMap((event) => (event.type === 'ended' ? [event.leg] : []));
  const startError = async (starting: Promise<unknown>): Promise<unknown> =>
    starting.then(
      () => {
        throw new Error('start resolved');
      },
      (error: unknown) => error,
    );

  afterEach(async () => {
    // Forgotten first: what one test leaves behind must not fail the next.
    const { benches, pbx } = opened;
    opened.benches = [];
    opened.pbx = [];
    for (const { adapter } of benches) await adapter.stop();
    for (const { batches, clock } of benches) {
      expect(breaches(batches)).toEqual([]);
      expect(clock.pending).toBe(0);
    }
    for (const one of pbx) await until(() => one.connections().now === 0, 'every connection to be closed after stop');
    for (const one of pbx) await one.stop();
  });

  describe(`${title} keeps the adapter contract:`, () => {
    describe('definition', () => {
      test('type is a word for a configuration file', () => {
        expect(definition.type).toMatch(/^[a-z][a-z0-9-]*$/);
      });
      test('settings are strict: an unknown key is an error', async () => {
        const { settings } = await newPbx();
        expect(definition.configSchema.safeParse(settings).success).toBe(true);
        expect(definition.configSchema.safeParse({ ...settings, noSuchKey: 1 }).success).toBe(false);
      });
      test('create is pure: no handle, no timer, no event', async () => {
        const { settings } = await newPbx();
        const before = process.getActiveResourcesInfo().sort();
        const made = bench(settings);
        expect(process.getActiveResourcesInfo().sort()).toEqual(before);
        expect([made.clock.pending, made.batches, legsNow(made)]).toEqual([0, [], []]);
      });
    });

    describe('start', () => {
      test('resolves after the snapshot is emitted; it names the legs that snapshot() has', async () => {
        const pbx = await newPbx();
        pbx.ring();
        const made = bench(pbx.settings);
        await made.start();
        const last = made.events().findLast(({ type }) => type === 'snapshot');
        expect(last?.type).toBe('snapshot');
        expect([...(last?.type === 'snapshot' ? last.legs : [])].sort()).toEqual(legsNow(made));
        expect(legsNow(made).length).toBeGreaterThanOrEqual(2);
      });
      test('of a PBX without calls gives an empty snapshot', async () => {
        const made = bench((await newPbx()).settings);
        await made.start();
        const ofCalls = made.events().filter(({ type }) => type !== 'availabilities');
        expect(ofCalls).toEqual([{ type: 'snapshot', legs: [] }]);
      });
      test('rejects with a RetriableError when nothing listens', async () => {
        const pbx = await newPbx();
        const made = bench(pbx.settings);
        await pbx.stop();
        opened.pbx = [];
        expect(await startError(made.start())).toBeInstanceOf(RetriableError);
      });
      test('rejects with a PermanentError when the password is wrong, and does not print it', async () => {
        const { wrongLogin } = await newPbx();
        const error = await startError(bench(wrongLogin.settings).start());
        expect(error).toBeInstanceOf(PermanentError);
        expect((error as BridgeError).code).toMatch(/^ZPB_[A-Z0-9_]+$/);
        expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(wrongLogin.password);
      });
      test('with a signal that is aborted already connects to nobody', async () => {
        const pbx = await newPbx();
        const { adapter } = bench(pbx.settings);
        expect(await startError(adapter.start(AbortSignal.abort()))).toBeInstanceOf(Error);
        expect(pbx.connections().ever).toBe(0);
      });
      test('ends every wait when the signal is aborted', async () => {
        const pbx = await newPbx();
        pbx.mute();
        const made = bench(pbx.settings);
        const abort = new AbortController();
        const starting = startError(made.adapter.start(abort.signal));
        await until(() => pbx.connections().now === 1, 'the adapter to connect');
        abort.abort();
        const late = new Promise((resolve) => setTimeout(resolve, 1_000, 'still waiting').unref());
        expect(await Promise.race([starting, late])).toBeInstanceOf(Error);
        expect(made.clock.pending).toBe(0);
        await until(() => pbx.connections().now === 0, 'the connection to be closed');
      });
    });

    describe('events', () => {
      test('a call from its first ring to its end; its legs come and go in snapshot()', async () => {
        const pbx = await newPbx();
        const made = bench(pbx.settings);
        await made.start();
        const call = pbx.ring();
        await until(() => made.events().some(({ type }) => type === 'called'), 'the phone to be called');
        const kinds = made.events().flatMap((event) => (event.type === 'appeared' ? [event.line.kind] : []));
        expect(kinds).toEqual(expect.arrayContaining(['trunk', 'agent']));
        pbx.answer(call);
        await until(() => made.events().filter(({ type }) => type === 'joined').length >= 2, 'both to hear each other');
        const during = legsNow(made);
        pbx.hangUp(call);
        await until(() => made.adapter.snapshot().length === 0, 'the legs to go');
        expect(ended(made)).toEqual(expect.arrayContaining(during));
      });
      test('of two calls do not mix', async () => {
        const pbx = await newPbx();
        const made = bench(pbx.settings);
        await made.start();
        const first = pbx.ring();
        await until(() => made.adapter.snapshot().length >= 2, 'the first call');
        const firstLegs = legsNow(made);
        pbx.ring();
        await until(() => made.adapter.snapshot().length >= 4, 'the second call');
        pbx.hangUp(first);
        await until(() => ended(made).length >= firstLegs.length, 'the end of the first call');
        expect(ended(made).sort()).toEqual(firstLegs);
        expect(made.adapter.snapshot().length).toBeGreaterThanOrEqual(2);
      });
    });

    describe('stop', () => {
      test('no event comes after it has resolved, though the PBX goes on', async () => {
        const pbx = await newPbx();
        const made = bench(pbx.settings);
        await made.start();
        // Already on the way when stop is called.
        for (let n = 0; n < 20; n += 1) pbx.ring();
        await made.adapter.stop();
        const { length } = made.batches;
        for (let n = 0; n < 20; n += 1) pbx.ring();
        await until(() => pbx.connections().now === 0, 'the connection to be closed');
        expect(made.batches.length).toBe(length);
      });
      test('may be called before start, and more than once', async () => {
        const pbx = await newPbx();
        const made = bench(pbx.settings);
        await made.adapter.stop();
        await made.start();
        await Promise.all([made.adapter.stop(), made.adapter.stop()]);
        await made.adapter.stop();
      });
      test('during start ends it', async () => {
        const pbx = await newPbx();
        pbx.mute();
        const made = bench(pbx.settings);
        const starting = startError(made.start());
        await until(() => pbx.connections().now === 1, 'the adapter to connect');
        await made.adapter.stop();
        expect(await starting).toBeInstanceOf(Error);
        expect(made.batches).toEqual([]);
      });
    });

    describe('again', () => {
      test('start after stop: what is gone meanwhile is not in the snapshot, what is there stays', async () => {
        const pbx = await newPbx();
        const made = bench(pbx.settings);
        await made.start();
        const gone = pbx.ring();
        await until(() => made.adapter.snapshot().length >= 2, 'the first call');
        const goneLegs = legsNow(made);
        pbx.ring();
        await until(() => made.adapter.snapshot().length >= 4, 'the second call');
        await made.adapter.stop();
        pbx.hangUp(gone);
        await made.start();
        expect(goneLegs).toEqual(expect.arrayContaining(ended(made)));
        expect(legsNow(made).filter((leg) => goneLegs.includes(leg))).toEqual([]);
        // What was asked about a leg of it may have been answered since.
        const last = made.events().findLast(({ type }) => type === 'snapshot');
        expect(last?.type === 'snapshot' && [...last.legs].sort()).toEqual(legsNow(made));
        expect(legsNow(made).length).toBeGreaterThanOrEqual(2);
      });
      test('a cut connection settles lost, closes no call, and start may follow', async () => {
        const pbx = await newPbx();
        const made = bench(pbx.settings);
        const { lost } = await made.start();
        pbx.ring();
        await until(() => made.adapter.snapshot().length >= 2, 'the call');
        pbx.cut();
        expect(await lost).toBeInstanceOf(BridgeError);
        expect(ended(made)).toEqual([]);
        await made.start();
        expect(ended(made)).toEqual([]);
        expect(made.adapter.snapshot().length).toBeGreaterThanOrEqual(2);
      });
      test('a snapshot that is cut off closes nothing', async () => {
        const pbx = await newPbx();
        const made = bench(pbx.settings);
        const { lost } = await made.start();
        pbx.ring();
        await until(() => made.adapter.snapshot().length >= 2, 'the call');
        const before = legsNow(made);
        pbx.cutNextSnapshot();
        pbx.cut();
        await lost;
        expect(await startError(made.start())).toBeInstanceOf(RetriableError);
        expect([ended(made), legsNow(made)]).toEqual([[], before]);
        expect(made.events().filter(({ type }) => type === 'snapshot')).toHaveLength(1);
        await made.start();
        expect([ended(made), legsNow(made)]).toEqual([[], before]);
      });
    });

    describe('orders', () => {
      let asked: ConformancePbx | undefined;
      orderRules({
        orders,
        bench: async (login) => {
          asked = await newPbx();
          const { settings, wrongLogin } = asked;
          const { adapter, batches, start } = bench(login === 'right' ? settings : wrongLogin.settings);
          return { adapter, start, told: () => batches.length, password: wrongLogin.password };
        },
        left: () => until(() => asked?.connections().now === 0, 'the look to leave'),
      });
    });
  });
}
