import type { Clock } from '../../src/clock.js';
import type { BridgeError } from '../../src/errors.js';

interface Waiting {
  /** Undefined: nobody waits any more, but its reply will still come before the next one's. */
  settle: ((result: string | BridgeError) => void) | undefined;
}

/** Replies that are waited for. FreeSWITCH answers every command once, in the order of the commands, and says no name with it. */
export class ReplyQueue {
  readonly #waiting: Waiting[] = [];

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.#waiting.length;
  }

  /** @param late what to reject with when there is no reply within `timeout` ms. */
  next(timeout: number, late: () => BridgeError): Promise<string> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { settle: undefined };
      const cancel = this.clock.after(timeout, () => {
        waiting.settle = undefined;
        reject(late());
      });
      waiting.settle = (result) => {
        cancel();
        if (typeof result === 'string') resolve(result);
        else reject(result);
      };
      this.#waiting.push(waiting);
    });
  }

  /** False: nothing was asked. */
  deliver(reply: string): boolean {
    const waiting = this.#waiting.shift();
    waiting?.settle?.(reply);
    return waiting !== undefined;
  }

  failAll(reason: BridgeError): void {
    for (const { settle } of this.#waiting.splice(0)) settle?.(reason);
  }
}
