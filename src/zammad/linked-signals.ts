/** One signal of several. (`AbortSignal.any` keeps what it made alive as long as its sources, which here live for ever.) */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  abort(): void;
  /** Lets go of the sources. To be called when the signal is not needed any more. */
  release(): void;
}

export function linked(sources: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  for (const source of sources) {
    if (source.aborted) abort();
    else source.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: controller.signal,
    abort,
    release() {
      for (const source of sources) source.removeEventListener('abort', abort);
    },
  };
}

/** Settles as `task` does, or resolves with `GIVEN_UP` as soon as the signal is aborted; the task's own end is then nobody's business. */
export function unlessAborted<T>(task: Promise<T>, signal: AbortSignal): Promise<T | typeof GIVEN_UP> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      resolve(GIVEN_UP);
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    task.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  });
}

export const GIVEN_UP = Symbol('given up');
