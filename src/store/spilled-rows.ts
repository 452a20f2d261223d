import type { Batch } from './rows.js';

/** Of each row the last one; in the order of the first. */
export function merged(batches: readonly Batch[]): Pick<Batch, 'calls' | 'posts' | 'taken'> {
  return {
    calls: last(
      batches.flatMap(({ calls }) => calls),
      ({ call_id }) => call_id,
    ),
    posts: last(
      batches.flatMap(({ posts }) => posts),
      ({ seq }) => seq,
    ),
    taken: batches.flatMap(({ taken }) => taken),
  };
}

export function last<T>(rows: readonly T[], keyOf: (row: T) => unknown): readonly T[] {
  return [...new Map(rows.map((row) => [keyOf(row), row])).values()];
}

/** Of each row the one that was changed last. */
export function newest<T extends { readonly changed_at: number }>(
  rows: readonly T[],
  keyOf: (row: T) => unknown,
): readonly T[] {
  return last(
    [...rows].sort((a, b) => a.changed_at - b.changed_at),
    keyOf,
  );
}
