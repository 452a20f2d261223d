/**
 * Tells systemd how the service is: READY, STOPPING, WATCHDOG. A no-op where no service manager asked for it.
 *
 * systemd listens on a unix datagram socket, which Node cannot speak to without a native module. So each message is handed to
 * `systemd-notify`, which is wherever systemd is. Messages are few (docs/decisions/004-service-notification.md).
 */
import { execFile } from 'node:child_process';
import type { Clock } from './clock.js';

export interface ServiceNotifier {
  /**
   * The service does its work from now on: ends `systemctl start`, begins the watchdog if the unit has one.
   * `status`: the line that `systemctl status` shows.
   */
  ready(status: string): Promise<void>;
  /** The service has begun to stop. Ends the watchdog: the time for stopping is the unit's `TimeoutStopSec`. */
  stopping(): Promise<void>;
}

/** Runs a program; rejects when it cannot be started or ends with another status than 0. */
export type RunProgram = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => Promise<void>;

export interface ServiceNotifierOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly pid?: number;
  readonly run?: RunProgram;
  /** Told once, when telling systemd fails; the service goes on. */
  readonly onFailure: (error: unknown) => void;
}

/** ms after which a `systemd-notify` that hangs is ended. */
const RUN_TIME = 5_000;
const MAX_STATUS = 200;

export function createServiceNotifier(options: ServiceNotifierOptions): ServiceNotifier {
  const { env, clock, run = runProgram, onFailure, pid = process.pid } = options;
  if (!env['NOTIFY_SOCKET']) return { ready: nothing, stopping: nothing };

  let failed = false;
  /** Messages go one after the other, so that STOPPING cannot overtake READY. */
  let last: Promise<unknown> = Promise.resolve();
  const send = (...lines: readonly string[]): Promise<boolean> => {
    const sent = last
      .then(() => run('systemd-notify', lines, childEnv(env)))
      .then(
        () => true,
        (error: unknown) => {
          if (!failed) onFailure(error);
          failed = true;
          return false;
        },
      );
    last = sent;
    return sent;
  };

  const interval = watchdogInterval(env, pid);
  let watching = false;
  let cancel = (): void => undefined;
  const beat = (after: number): void => {
    cancel = clock.after(after, () => {
      // A beat that failed is tried again soon: one lost message must not end a healthy service.
      void send('WATCHDOG=1').then((sent) => {
        if (watching) beat(sent ? interval / 2 : interval / 10);
      });
    });
  };

  return {
    ready: async (text) => {
      await send('READY=1', statusLine(text));
      if (interval === 0 || watching) return;
      watching = true;
      beat(interval / 2);
    },
    stopping: async () => {
      watching = false;
      cancel();
      await send('STOPPING=1', 'STATUS=Delivering what is due');
    },
  };
}

const nothing = (): Promise<void> => Promise.resolve();

/** One line, or the rest would be read as further messages. */
const statusLine = (text: string): string => `STATUS=${text.replace(/\s+/g, ' ').slice(0, MAX_STATUS)}`;

/** ms between two signs of life that systemd asks for; 0 = none. systemd.exec(5): WATCHDOG_USEC, WATCHDOG_PID. */
function watchdogInterval(env: NodeJS.ProcessEnv, pid: number): number {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: whose } = env as Record<string, string | undefined>;
  if (usec === undefined || !/^\d{1,15}$/.test(usec)) return 0;
  if (whose !== undefined && whose !== String(pid)) return 0;
  return Number(usec) / 1000;
}

/** The child gets what it needs and no secret of the environment. */
const childEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  NOTIFY_SOCKET: env['NOTIFY_SOCKET'],
  PATH: env['PATH'],
});

const runProgram: RunProgram = (file, args, env) =>
  new Promise((resolve, reject) => {
    execFile(file, [...args], { env, timeout: RUN_TIME, killSignal: 'SIGKILL' }, (error) => {
      if (error === null) resolve();
      else reject(new Error(`systemd-notify failed: ${error.message.slice(0, 200)}`, { cause: error }));
    });
  });
