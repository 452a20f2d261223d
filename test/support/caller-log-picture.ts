import { expect } from '@jest/globals';
import { callerLogOf, type JudgedRow } from './caller-log-judge.js';
import type { TimedPost } from './leg-bench.js';

/** What a person sees of a row at the end. */
export const seen = ({ row, answers }: JudgedRow): string =>
  [row.direction, row.from, row.to, answers.map(({ by }) => by ?? 'customer').join(' '), row.state, row.done].join('|');

export const customerOf = ({ row }: JudgedRow): string =>
  `${row.direction} ${row.direction === 'in' ? row.from : row.to}`;

/** No post too many, none missing. */
export function expectWhole(posts: readonly TimedPost[], where: string): readonly JudgedRow[] {
  const { rows, faults } = callerLogOf(posts);
  expect({ where, faults }).toEqual({ where, faults: [] });
  expect({ where, open: rows.filter(({ row }) => row.state !== 'hangup').map(seen) }).toEqual({ where, open: [] });
  return rows;
}
