import { describe, expect, test } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../../src/clock.js';
import { createServiceNotifier, type RunProgram } from '../../../src/sd-notify.js';

/** A clock whose timers run when the test says so, in the order of their times. */
class TestClock implements Clock {
  #now = 0;
  readonly timers = new Set<{ at: number; task: () => void }>();
  monotonic = (): number => this.#now;
  wall = (): number => this.#now;
  after = (ms: number, task: () => void): (() => void) => {
    const timer = { at: this.#now + ms, task };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  };
  /** Runs what is due up to `to`, and lets promises settle in between. */
  async advance(to: number): Promise<void> {
    for (;;) {
      const due = [...this.timers].filter(({ at }) => at <= to).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers.delete(due);
      this.#now = due.at;
      due.task();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = to;
  }
}

function setUp(env: NodeJS.ProcessEnv, result: () => Promise<void> = () => Promise.resolve()) {
  const clock = new TestClock();
  const told: { at: number; lines: readonly string[]; env: NodeJS.ProcessEnv }[] = [];
  const failures: unknown[] = [];
  const run: RunProgram = (file, lines, childEnv) => {
    expect(file).toBe('systemd-notify');
    told.push({ at: clock.monotonic(), lines, env: childEnv });
    return result();
  };
  const notifier = createServiceNotifier({ env, clock, run, pid: 42, onFailure: (error) => failures.push(error) });
  return { clock, told, failures, notifier, lines: () => told.map(({ lines }) => lines) };
}

describe('service notifier', () => {
  test('does nothing where no service manager asks', async () => {
    const { notifier, told, clock } = setUp({ WATCHDOG_USEC: '1000000' });
    await notifier.ready('well');
    await notifier.stopping();
    expect([told, clock.timers.size]).toEqual([[], 0]);
  });

  test('READY, STOPPING, in this order; no watchdog unless the unit has one', async () => {
    const { notifier, lines, clock } = setUp({ NOTIFY_SOCKET: '/run/x' });
    await Promise.all([notifier.ready('well'), notifier.stopping()]);
    expect(lines()).toEqual([
      ['READY=1', 'STATUS=well'],
      ['STOPPING=1', 'STATUS=Delivering what is due'],
    ]);
    expect(clock.timers.size).toBe(0);
  });

  test('a status is one bounded line: it cannot smuggle in another message', async () => {
    const { notifier, lines } = setUp({ NOTIFY_SOCKET: '/run/x' });
    await notifier.ready(`a\nMAINPID=1\r\n${'x'.repeat(1000)}`);
    const [, line = ''] = lines()[0] ?? [];
    expect(line).toMatch(/^STATUS=a MAINPID=1 x+$/);
    expect(line.length).toBeLessThan(250);
  });

  test('the child sees no secret of the environment', async () => {
    const { notifier, told } = setUp({ NOTIFY_SOCKET: '/run/x', PATH: '/bin', ZAMMAD_API_TOKEN: 'hunter2' });
    await notifier.ready('well');
    expect(told[0]?.env).toEqual({ NOTIFY_SOCKET: '/run/x', PATH: '/bin' });
  });

  test('the watchdog beats at half the interval, from ready to stopping', async () => {
    const { notifier, told, clock } = setUp({
      NOTIFY_SOCKET: '/run/x',
      WATCHDOG_USEC: '180000000',
      WATCHDOG_PID: '42',
    });
    await clock.advance(100_000);
    expect(told).toEqual([]);
    await notifier.ready('well');
    await clock.advance(400_000);
    expect(told.slice(1).map(({ at, lines }) => [at, ...lines])).toEqual([
      [190_000, 'WATCHDOG=1'],
      [280_000, 'WATCHDOG=1'],
      [370_000, 'WATCHDOG=1'],
    ]);
    await notifier.stopping();
    expect(clock.timers.size).toBe(0);
  });

  test("another process's watchdog is not ours", async () => {
    const { notifier, clock } = setUp({ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '180000000', WATCHDOG_PID: '43' });
    await notifier.ready('well');
    expect(clock.timers.size).toBe(0);
  });

  test('a failure is told once and harms nothing; a lost beat is tried again well before the deadline', async () => {
    let broken = true;
    const { notifier, told, failures, clock } = setUp({ NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '100000000' }, () =>
      broken ? Promise.reject(new Error('no such program')) : Promise.resolve(),
    );
    await notifier.ready('well');
    await clock.advance(60_000);
    broken = false;
    await clock.advance(100_000);
    expect(told.slice(1).map(({ at }) => at)).toEqual([50_000, 60_000, 70_000]);
    expect(failures).toHaveLength(1);
  });
});

const has = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const missing = ['systemd-notify', 'python3'].filter((program) => !has(program));
/** Node has no unix datagram sockets, so the listener is a few lines of Python; it prints each datagram as one line. */
const LISTENER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); s.settimeout(10)
print('listening', flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(4096, 256)
    for level, kind, fds in ancillary:
        if kind == socket.SCM_RIGHTS:
            for fd in array.array('i', fds[:len(fds) // 4 * 4]): os.close(fd)
    print(data.decode().replace('\\n', '|'), flush=True)
`;

describe('with the real systemd-notify', () => {
  const title = missing.length > 0 ? ` (skipped: no ${missing.join(', ')} here)` : '';
  (missing.length > 0 ? test.skip : test)(`the datagrams arrive${title}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'zpb-'));
    const socket = join(folder, 'notify');
    const listener = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let heard = '';
      listener.stdout.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
      });
      const hear = async (text: string): Promise<void> => {
        while (!heard.includes(text)) await once(listener.stdout, 'data');
      };
      await hear('listening');
      const failures: unknown[] = [];
      const notifier = createServiceNotifier({
        env: { ...process.env, NOTIFY_SOCKET: socket },
        clock: systemClock,
        onFailure: (error) => failures.push(error),
      });
      await notifier.ready('2 PBXs');
      await notifier.stopping();
      await hear('STOPPING=1');
      expect(heard).toContain('READY=1|STATUS=2 PBXs');
      expect(failures).toEqual([]);
    } finally {
      const gone = once(listener, 'exit');
      listener.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true });
    }
  });
});
