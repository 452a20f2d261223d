/** How long a condition of a live test may take before the test fails, unless it says otherwise. */
export const PATIENCE_MS = 10_000;

export interface WaitOptions {
  /** Deadline, ms. */
  readonly within?: number;
  /** Between two looks, ms. */
  readonly every?: number;
}

/**
 * Looks again and again until `look` gives something that is neither `undefined` nor `false`, and returns that.
 * Throws an error that names `what` when the deadline passes; an error thrown by `look` passes through at once.
 */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { within = PATIENCE_MS, every = 15 }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + within;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() >= deadline) throw new Error(`waited ${within} ms in vain for ${what}`);
    await pause(every);
  }
}

/** A person's pause, or a gap between two looks. Never a way to wait for something that could be seen. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Settles as `promise` does, or rejects with an error that names `what` when the deadline passes first. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`waited ${ms} ms in vain for ${what}`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
