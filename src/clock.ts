/** Time, injected. Everything that waits or measures takes one of these, so that tests own the time. */
export interface Clock {
  /** Milliseconds that never go back. Only differences mean anything. */
  monotonic(): number;
  /** Milliseconds since 1970, as the machine believes. For people and files, never for decisions. */
  wall(): number;
  /** Runs `task` once after `ms`. The returned function cancels it; after that it never runs. */
  after(ms: number, task: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, task) => {
    const timer = setTimeout(task, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Waits until a task has settled, but not longer than `ms`. How it came out is its owner's business. Never rejects. */
export function inTime(clock: Clock, ms: number, task: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    const done = (): void => {
      cancel();
      resolve();
    };
    task.then(done, done);
  });
}

/** Resolves after `ms`, or at once when the signal is aborted. Never rejects. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
