/** How long is waited for what may never come. */
import type { Millis } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import { RetriableError } from '../errors.js';

/** The task's outcome, or a RetriableError `ZPB_STORE_UNAVAILABLE` after `ms`. */
export function within<T>(clock: Clock, ms: Millis, task: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      reject(new RetriableError('ZPB_STORE_UNAVAILABLE', `The store did not answer within ${Math.round(ms)} ms`));
    });
    task.then(resolve, reject).finally(cancel);
  });
}

/** The task's outcome, or a RetriableError `ZPB_STOPPED` as soon as the signal is aborted; then it may not even begin. */
export async function beforeAbort<T>(signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
  if (signal === undefined) return task();
  if (signal.aborted) throw stopped();
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(stopped());
    };
    signal.addEventListener('abort', abort, { once: true });
    task()
      .then(resolve, reject)
      .finally(() => {
        signal.removeEventListener('abort', abort);
      });
  });
}

const stopped = (): RetriableError => new RetriableError('ZPB_STOPPED', 'The store was not opened: the bridge stops');
