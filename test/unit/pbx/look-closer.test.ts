import { describe, expect, test } from '@jest/globals';
import { pino, type Logger } from 'pino';
import type { LegId } from '../../../src/call/vocabulary.js';
import { PermanentError, RetriableError, type BridgeError } from '../../../src/errors.js';
import type { Adapter, Hearing, ProbeFinding, Probes } from '../../../src/pbx/adapter.js';
import { LOOK_EVERY_MS, LookCloser } from '../../../src/pbx/look-closer.js';
import { Supervisor } from '../../../src/pbx/supervisor.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

const GONE = new RetriableError('ZPB_TEST', 'no connection');
const LATE = new RetriableError('ZPB_TEST_LATE', 'no answer');
const WRONG = new PermanentError('ZPB_TEST_WRONG', 'the password is wrong');
const REFUSED: ProbeFinding = { kind: 'refused', reason: 'nothing listens', mend: 'Start it.' };
const DEAF: ProbeFinding = { kind: 'deaf', reason: 'it says nothing', mend: 'Wake it.' };

function logged(): { readonly log: Logger; readonly said: () => string[] } {
  const lines: string[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) },
  );
  return { log, said: () => lines };
}

/** A look lasts until the test ends it. */
function rig(): {
  readonly clock: ManualClock;
  readonly closer: LookCloser;
  readonly looks: ((finding: ProbeFinding | Error) => Promise<void>)[];
  readonly news: { count: number };
  readonly said: () => string[];
  readonly ending: AbortController;
} {
  const clock = new ManualClock();
  const { log, said } = logged();
  const looks: ((finding: ProbeFinding | Error) => Promise<void>)[] = [];
  const news = { count: 0 };
  const probes: Probes = {
    probe: () =>
      new Promise((resolve, reject) => {
        looks.push(async (finding) => {
          if (finding instanceof Error) reject(finding);
          else resolve(finding);
          await settle();
        });
      }),
  };
  const closer = new LookCloser({ probes, clock, log, onFinding: () => void (news.count += 1) });
  return { clock, closer, looks, news, said, ending: new AbortController() };
}

describe('a closer look', () => {
  test('after a failure; what it finds is that failure’s, and said once a change', async () => {
    const { clock, closer, looks, news, said, ending } = rig();
    closer.failed(GONE, ending.signal);
    expect(closer.findingFor(GONE)).toBeUndefined();
    await looks[0]?.(REFUSED);
    expect(closer.findingFor(GONE)).toBe(REFUSED);
    expect(closer.findingFor(LATE)).toBeUndefined();
    for (const [n, finding] of [REFUSED, DEAF].entries()) {
      clock.turn(LOOK_EVERY_MS);
      closer.failed(GONE, ending.signal);
      await looks[n + 1]?.(finding);
    }
    expect(closer.findingFor(GONE)).toBe(DEAF);
    expect(news.count).toBe(3);
    expect(said()).toEqual([
      'why the PBX is not heard: nothing listens. Start it.',
      'why the PBX is not heard: it says nothing. Wake it.',
    ]);
  });

  test('one at a time, and one a minute', async () => {
    const { clock, closer, looks, ending } = rig();
    closer.failed(GONE, ending.signal);
    clock.turn(2 * LOOK_EVERY_MS);
    closer.failed(GONE, ending.signal);
    expect(looks).toHaveLength(1);
    await looks[0]?.(REFUSED);
    closer.failed(GONE, ending.signal);
    expect(looks).toHaveLength(2);
    await looks[1]?.(REFUSED);
    clock.turn(LOOK_EVERY_MS - 1);
    closer.failed(GONE, ending.signal);
    expect(looks).toHaveLength(2);
  });

  test('never for what says why by itself, nor when the bridge stops', async () => {
    const { closer, looks, news, said, ending } = rig();
    closer.failed(WRONG, ending.signal);
    expect(looks).toHaveLength(0);
    closer.failed(GONE, ending.signal);
    ending.abort();
    await looks[0]?.(REFUSED);
    expect([news.count, said()]).toEqual([0, []]);
    closer.failed(GONE, ending.signal);
    expect(looks).toHaveLength(1);
  });

  test('what the failure itself has said is not said again', async () => {
    const { closer, looks, said, ending } = rig();
    closer.failed(new RetriableError('ZPB_TEST', 'nothing listens. Start it.'), ending.signal);
    await looks[0]?.(REFUSED);
    expect(closer.findingFor(GONE)).toBe(REFUSED);
    expect(said()).toEqual([]);
  });

  test('it is heard by now, or was in between: there is no finding', async () => {
    const { clock, closer, looks, ending } = rig();
    closer.failed(GONE, ending.signal);
    await looks[0]?.({ kind: 'heard', missing: [] });
    expect(closer.findingFor(GONE)).toBeUndefined();
    clock.turn(LOOK_EVERY_MS);
    closer.failed(GONE, ending.signal);
    closer.heard();
    await looks[1]?.(REFUSED);
    expect(closer.findingFor(GONE)).toBeUndefined();
  });

  test('a probe that breaks its word does no harm', async () => {
    const { clock, closer, looks, ending } = rig();
    closer.failed(GONE, ending.signal);
    await looks[0]?.(new Error('a defect'));
    clock.turn(LOOK_EVERY_MS);
    closer.failed(GONE, ending.signal);
    await looks[1]?.(REFUSED);
    expect(closer.findingFor(GONE)).toBe(REFUSED);
  });
});

describe('the supervisor looks closer', () => {
  class Probing implements Adapter, Probes {
    looks: number[] = [];
    hears = false;
    lose: (error: BridgeError) => void = () => undefined;
    constructor(private readonly clock: ManualClock) {}
    start(): Promise<Hearing> {
      if (!this.hears) return Promise.reject(GONE);
      const lost = new Promise<BridgeError>((resolve) => {
        this.lose = resolve;
      });
      return Promise.resolve({ lost, missing: [] });
    }
    stop(): Promise<void> {
      return Promise.resolve();
    }
    snapshot(): readonly LegId[] {
      return [];
    }
    probe(): Promise<ProbeFinding> {
      this.looks.push(this.clock.monotonic());
      return Promise.resolve(REFUSED);
    }
  }

  test('when a start has failed, and its state then says why and what to do', async () => {
    const clock = new ManualClock();
    const adapter = new Probing(clock);
    const { log } = logged();
    const supervisor = new Supervisor({ adapter, log, clock, random: () => 1 });
    supervisor.start();
    await clock.advance(100_000);
    // Starts at 0, 500, 1500, 3500 … 61500, 91500.
    expect(adapter.looks).toEqual([0, 61_500]);
    expect(supervisor.state).toEqual({ state: 'deaf', reason: 'nothing listens', mend: 'Start it.', since: 0 });
    adapter.hears = true;
    await clock.advance(30_000);
    expect(supervisor.state).toEqual({ state: 'hearing', since: 121_500 });
    // A connection that is lost is opened again first.
    adapter.lose(GONE);
    await clock.advance(0);
    expect(supervisor.state).toEqual({ state: 'deaf', reason: 'no connection', since: 130_000 });
    expect(adapter.looks).toHaveLength(2);
    await supervisor.stop();
    expect(clock.pending).toBe(0);
  });
});
