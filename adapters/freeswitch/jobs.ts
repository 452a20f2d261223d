import type { Clock } from '../../src/clock.js';
import type { BridgeError } from '../../src/errors.js';
import type { EslEvent } from './event.js';

/** Jobs that FreeSWITCH does in the background (`bgapi`), by their Job-UUID, until the event that tells their result. */
export class Jobs {
  /** The event BACKGROUND_JOB was asked for. */
  subscribed = false;
  readonly #waiting = new Map<string, (result: string | BridgeError) => void>();

  constructor(private readonly clock: Clock) {}

  wait(job: string, timeout: number, late: () => BridgeError): Promise<string> {
    const result = new Promise<string>((resolve, reject) => {
      const settle = (settled: string | BridgeError): void => {
        cancel();
        this.#waiting.delete(job);
        if (typeof settled === 'string') resolve(settled);
        else reject(settled);
      };
      const cancel = this.clock.after(timeout, () => {
        settle(late());
      });
      this.#waiting.set(job, settle);
    });
    // Whoever asked may have given up by then.
    result.catch(() => undefined);
    return result;
  }

  /** False: it is not one of ours. */
  finish(event: EslEvent): boolean {
    const settle = this.#waiting.get(event.get('Job-UUID') ?? '');
    settle?.(event.body ?? '');
    return settle !== undefined;
  }

  /** It did not begin. */
  forget(job: string): void {
    this.#waiting.get(job)?.('');
  }

  failAll(reason: BridgeError): void {
    for (const settle of [...this.#waiting.values()]) settle(reason);
  }
}
