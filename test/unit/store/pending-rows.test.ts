import { beforeEach, expect, test } from '@jest/globals';
import { asPbxName } from '../../../src/call/vocabulary.js';
import { batchOf, PendingRows, rowsOf, type Group } from '../../../src/store/pending-rows.js';
import { callRow, postRow, type CallRow, type PostRow } from '../../../src/store/rows.js';
import { OFFICE, openCall, overCall, somePost } from '../../support/store-rows.js';

const author = { pbx: OFFICE, epoch: 1 };
const call = (name: string, answered = false): CallRow => callRow(OFFICE, openCall(name, { answered }), 1);
const post = (seq: number, more: Partial<PostRow> = {}): PostRow => ({ ...postRow(somePost('a'), seq, 1), ...more });

let pending: PendingRows;
beforeEach(() => {
  pending = new PendingRows();
});
const add = (rows: { calls?: CallRow[]; posts?: PostRow[]; taken?: number[] }, by = author): Group =>
  pending.add(by, { calls: rows.calls ?? [], posts: rows.posts ?? [], taken: rows.taken ?? [] }, 0);

test('a post that still waits is replaced by its newer state, and becomes durable with it', () => {
  const first = add({ calls: [call('a')], posts: [post(1)] });
  const other = add({ posts: [post(2)] });
  expect(add({ posts: [post(1, { state: 'sending', attempts: 1 })] })).toBe(first);
  expect(add({ posts: [post(2, { state: 'delivered' })] })).toBe(other);
  expect(pending.size).toBe(3);
  const batch = batchOf(pending.take(100));
  expect(batch.posts.map(({ seq, state }) => [seq, state])).toEqual([
    [1, 'sending'],
    [2, 'delivered'],
  ]);
  expect(pending.size).toBe(0);
});

test('a call’s newer state never comes before the posts that it speaks of', () => {
  const first = add({ calls: [call('a')] });
  // No post: it may take the place of what waits.
  expect(add({ calls: [call('a', true)] })).toBe(first);
  // With a post: both in a group of their own, and later states join that one.
  const second = add({ calls: [callRow(OFFICE, overCall('a'), 2)], posts: [post(1)] });
  expect(second).not.toBe(first);
  expect(add({ calls: [callRow(OFFICE, overCall('a'), 3)] })).toBe(second);
  const [one] = pending.take(1);
  expect(batchOf([one!]).calls.map(({ record }) => record === null)).toEqual([false]);
  const rest = batchOf(pending.take(100));
  expect(rest.calls.map(({ changed_at }) => changed_at)).toEqual([3]);
  expect(rest.posts).toHaveLength(1);
});

test('a group that is under way is not changed any more', () => {
  add({ posts: [post(1)] });
  const flying = pending.take(100);
  add({ posts: [post(1, { state: 'sending' })] });
  expect(batchOf(flying).posts[0]).toMatchObject({ state: 'waiting' });
  expect(batchOf(pending.take(100)).posts[0]).toMatchObject({ state: 'sending' });
});

test('a batch holds so many rows, whole groups, and one lead of a PBX', () => {
  for (let n = 0; n < 10; n += 1) add({ calls: [call(`c${n}`)], posts: [post(n)] });
  expect(rowsOf(pending.take(5))).toBe(4);
  expect(rowsOf(pending.take(1))).toBe(2);
  add({ posts: [post(100)] }, { pbx: OFFICE, epoch: 2 });
  add({ posts: [post(101)] }, { pbx: asPbxName('other'), epoch: 3 });
  expect(batchOf(pending.take(1_000)).epochs).toEqual([{ pbx: OFFICE, epoch: 1 }]);
  expect(batchOf(pending.take(1_000)).epochs).toEqual([
    { pbx: OFFICE, epoch: 2 },
    { pbx: 'other', epoch: 3 },
  ]);
  expect(pending.empty).toBe(true);
});

test('of several states of a row in one batch only the last is written', () => {
  const groups = [add({ calls: [call('a')], posts: [post(1)] })];
  groups.push(add({ calls: [call('a', true)], posts: [post(2)] }));
  const batch = batchOf(groups);
  expect(batch.calls.map(({ record }) => record?.includes('"answered":true'))).toEqual([true]);
  expect(batch.posts).toHaveLength(2);
});

test('what is dropped is gone, for one lead only', () => {
  add({ posts: [post(1)] });
  add({ posts: [post(2)] }, { pbx: asPbxName('other'), epoch: 2 });
  expect(pending.drop(author)).toHaveLength(1);
  expect(pending.size).toBe(1);
  add({ posts: [post(1, { state: 'sending' })] });
  expect(pending.size).toBe(2);
  expect(pending.drop()).toHaveLength(2);
  expect(pending.size).toBe(0);
});

test('very many are dropped in a time that grows with their number only', () => {
  const drop = (count: number): number => {
    for (let n = 0; n < count; n += 1) add({ posts: [post(n)] });
    const began = performance.now();
    expect(pending.drop(author)).toHaveLength(count);
    return performance.now() - began;
  };
  drop(1_000);
  // Compared each with each it takes seconds.
  expect(drop(100_000)).toBeLessThan(1_000);
});
