export type HaFault = 'kill -9' | 'SIGSTOP' | 'database restart' | 'SIGTERM';

/** How long it took until a bridge heard the PBX again: from the fault to the login. ms. */
export interface Takeover {
  readonly fault: HaFault;
  readonly took: number;
}

/** One line for each kind of fault: how many, longest, median. */
export function takeoverLines(takeovers: readonly Takeover[]): readonly string[] {
  const kinds = [...new Set(takeovers.map(({ fault }) => fault))];
  return kinds.map((kind) => {
    const times = takeovers.filter(({ fault }) => fault === kind).map(({ took }) => took);
    return `take-over after ${kind}: ${times.length}, longest ${seconds(Math.max(...times))}, median ${seconds(median(times))}`;
  });
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
