import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { LegId } from '../../../src/call/vocabulary.js';
import { PermanentError, RetriableError, type BridgeError } from '../../../src/errors.js';
import type { Adapter, Hearing } from '../../../src/pbx/adapter.js';
import { backoff } from '../../../src/backoff.js';
import { PERMANENT, RETRIABLE } from '../../../src/pbx/retry-ranges.js';
import { Supervisor } from '../../../src/pbx/supervisor.js';
import { ManualClock } from '../../support/manual-clock.js';

const WRONG = new PermanentError('ZPB_TEST', 'the password is wrong');
const GONE = new RetriableError('ZPB_TEST', 'connection refused');

/** An adapter that does what the test says at each start. */
class ScriptedAdapter implements Adapter {
  starts: number[] = [];
  stops = 0;
  lose: (error: BridgeError) => void = () => undefined;
  constructor(
    private readonly clock: ManualClock,
    private readonly script: (attempt: number) => Error | 'hear' | 'hang',
  ) {}
  readonly missing = ['something is missing'];
  start(signal: AbortSignal): Promise<Hearing> {
    this.starts.push(this.clock.monotonic());
    const what = this.script(this.starts.length);
    if (what instanceof Error) return Promise.reject(what);
    if (what === 'hang')
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(GONE);
        });
      });
    return Promise.resolve({
      lost: new Promise((resolve) => {
        this.lose = resolve;
      }),
      missing: this.missing,
    });
  }
  stop(): Promise<void> {
    this.stops += 1;
    return Promise.resolve();
  }
  snapshot(): readonly LegId[] {
    return [];
  }
}

function rig(
  script: (attempt: number) => Error | 'hear' | 'hang',
  random = 1,
): { clock: ManualClock; adapter: ScriptedAdapter; supervisor: Supervisor; said: () => string[] } {
  const clock = new ManualClock();
  const adapter = new ScriptedAdapter(clock, script);
  const lines: { level: number; msg: string }[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => void lines.push(JSON.parse(line) as { level: number; msg: string }) },
  );
  const supervisor = new Supervisor({ adapter, log, clock, random: () => random });
  return { clock, adapter, supervisor, said: () => lines.map(({ msg }) => msg) };
}

describe('the supervisor', () => {
  test('backs off from half a second to half a minute, and says the same failure once', async () => {
    const { clock, adapter, supervisor, said } = rig(() => GONE);
    supervisor.start();
    await clock.advance(120_000);
    expect(adapter.starts).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500, 61_500, 91_500]);
    expect(said()).toEqual(['the PBX is not heard: connection refused']);
    expect(supervisor.state).toMatchObject({ state: 'deaf', reason: 'connection refused', since: 0 });
    await supervisor.stop();
    expect(clock.pending).toBe(0);
  });

  test('a wrong password is retried after minutes', async () => {
    const { clock, adapter, supervisor, said } = rig(() => WRONG);
    supervisor.start();
    await clock.advance(600_000);
    expect(adapter.starts).toEqual([0, 60_000, 180_000, 420_000]);
    expect(said()).toHaveLength(1);
    await supervisor.stop();
  });

  test('is hearing until the connection is lost, says what is missing, then starts again', async () => {
    const { clock, adapter, supervisor, said } = rig(() => 'hear');
    supervisor.start();
    await clock.advance(40_000);
    expect(supervisor.state).toMatchObject({ state: 'hearing', reason: 'something is missing' });
    adapter.lose(GONE);
    await clock.advance(0);
    expect(supervisor.state).toMatchObject({ state: 'deaf' });
    expect(adapter.stops).toBe(1);
    await clock.advance(500);
    expect(supervisor.state).toMatchObject({ state: 'hearing' });
    expect(said()).toEqual([
      'the PBX is heard',
      'something is missing',
      'the PBX is not heard: connection refused',
      'the PBX is heard again',
      'something is missing',
    ]);
    await supervisor.stop();
  });

  test('what is missing may be mended while it is heard', async () => {
    const { clock, adapter, supervisor } = rig(() => 'hear');
    supervisor.start();
    await clock.advance(1_000);
    adapter.missing.length = 0;
    expect(supervisor.state).toEqual({ state: 'hearing', since: 0 });
    await supervisor.stop();
  });

  test('a connection that does not hold does not reset the back-off', async () => {
    const { clock, adapter, supervisor } = rig(() => 'hear');
    supervisor.start();
    for (let n = 0; n < 4; n += 1) {
      await clock.advance(0);
      adapter.lose(GONE);
      await clock.until(() => adapter.starts.length === n + 2);
    }
    expect(adapter.starts).toEqual([0, 500, 1500, 3500, 7500]);
    await supervisor.stop();
  });

  test('a stop ends a start that hangs, and a wait', async () => {
    const hanging = rig(() => 'hang');
    hanging.supervisor.start();
    await hanging.clock.advance(1000);
    await hanging.supervisor.stop();
    expect(hanging.adapter.starts).toEqual([0]);
    const waiting = rig(() => WRONG);
    waiting.supervisor.start();
    await waiting.clock.advance(10);
    await waiting.supervisor.stop();
    expect(waiting.clock.pending).toBe(0);
  });

  test('an adapter that throws what it should not is retried', async () => {
    const { clock, adapter, supervisor, said } = rig((attempt) =>
      attempt === 1 ? new TypeError('x is undefined') : 'hear',
    );
    supervisor.start();
    await clock.advance(1000);
    expect(adapter.starts).toHaveLength(2);
    expect(said().join()).toContain('defect of the adapter');
    await supervisor.stop();
  });
});

test('the jitter takes away up to half of a wait', () => {
  expect([backoff(RETRIABLE, 1, 0), backoff(RETRIABLE, 1, 1), backoff(RETRIABLE, 50, 1)]).toEqual([250, 500, 30_000]);
  expect(backoff(PERMANENT, 9, 1)).toBe(600_000);
});
