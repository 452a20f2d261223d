import { describe, expect, test } from '@jest/globals';
import { RetriableError, type BridgeError } from '../../../src/errors.js';
import { Condition } from '../../../src/store/condition.js';
import type { Committed } from '../../../src/store/protocol.js';
import { postRow, type Batch } from '../../../src/store/rows.js';
import { DEFAULT_TUNING } from '../../../src/store/settings.js';
import { WriteQueue } from '../../../src/store/write-queue.js';
import { ManualClock } from '../../support/manual-clock.js';
import { OFFICE, seenContext, somePost } from '../../support/store-rows.js';

const DATABASE: Committed = { where: 'database', lost: [] };
const author = { pbx: OFFICE, epoch: 1 };

/** A queue whose commits the test answers. */
function rig(shared: boolean) {
  const clock = new ManualClock();
  const { context, lines, counts } = seenContext({}, { clock, random: () => 0.5 });
  const sent: {
    readonly batch: Batch;
    readonly answer: (committed: Committed) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const lost: number[] = [];
  const condition = new Condition({ kind: shared ? 'postgres' : 'sqlite', ...context });
  const queue = new WriteQueue({
    ...context,
    send: (batch) =>
      new Promise((answer, fail) => {
        sent.push({ batch, answer, fail });
      }),
    shared,
    condition,
    onLost: (_, epoch) => lost.push(epoch),
    tuning: { ...DEFAULT_TUNING, rows: 6 },
  });
  const put = (seq: number) => {
    const state = { settled: '' };
    queue.put(author, { calls: [], posts: [postRow(somePost('a'), seq, 0)], taken: [] }).then(
      () => (state.settled = 'safe'),
      (thrown: unknown) => (state.settled = (thrown as BridgeError).code),
    );
    return state;
  };
  const seqs = (): readonly (readonly number[])[] => sent.map(({ batch }) => batch.posts.map(({ seq }) => seq));
  return { clock, queue, condition, sent, seqs, put, lost, lines, counts };
}

test('one commit is under way; the next takes all that has gathered', async () => {
  const { clock, put, sent, seqs, queue } = rig(false);
  const first = put(1);
  const sameTurn = put(2);
  await clock.advance(0);
  const third = put(3);
  put(4);
  await clock.advance(0);
  expect(seqs()).toEqual([[1, 2]]);
  expect(queue.unwritten).toBe(4);
  sent[0]!.answer(DATABASE);
  await clock.advance(0);
  expect([first, sameTurn, third].map(({ settled }) => settled)).toEqual(['safe', 'safe', '']);
  expect(seqs()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  sent[1]!.answer(DATABASE);
  await clock.advance(0);
  expect(third.settled).toBe('safe');
  expect(queue.unwritten).toBe(0);
  expect(clock.pending).toBe(0);
});

describe('a disk that does not answer', () => {
  test('of one machine: it goes on from memory, says so, and what comes late counts', async () => {
    const { clock, put, sent, condition, queue, lines } = rig(false);
    const first = put(1);
    await clock.advance(DEFAULT_TUNING.answer - 1);
    expect(first.settled).toBe('');
    await clock.advance(1);
    expect(first.settled).toBe('safe');
    expect(condition.state).toMatchObject({ state: 'memory' });
    const second = put(2);
    await clock.advance(60_000);
    expect(second.settled).toBe('safe');
    // Nothing else may be sent while it is not known what became of the first.
    expect(sent).toHaveLength(1);
    expect(queue.unwritten).toBe(2);
    sent[0]!.answer(DATABASE);
    await clock.advance(0);
    sent[1]!.answer(DATABASE);
    await clock.advance(0);
    expect(condition.state).toEqual({ state: 'ok' });
    expect(lines.map(({ level }) => level)).toEqual(['error', 'info']);
  });

  test('of several machines: nothing counts as safe', async () => {
    const { clock, put, condition, lines } = rig(true);
    const first = put(1);
    await clock.advance(60_000);
    expect(first.settled).toBe('');
    expect(condition.state).toMatchObject({ state: 'gone' });
    // An attempt cannot be written from now on: that does not wait for the end of the lead.
    expect(lines.at(-1)).toMatchObject({ msg: expect.stringContaining('nothing new is sent until') as unknown });
  });
});

test('what nobody took is sent again as it was, before anything newer, at growing intervals', async () => {
  const { clock, put, sent, seqs, condition } = rig(false);
  put(1);
  await clock.advance(0);
  const times: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    put(2);
    sent.at(-1)!.answer({ where: 'nowhere', reason: 'the disk is full', lost: [] });
    const from = clock.monotonic();
    const before = sent.length;
    await clock.advance(0);
    if (sent.length === before) await clock.until(() => sent.length > before);
    times.push(clock.monotonic() - from);
  }
  expect(seqs()).toEqual(Array.from({ length: 6 }, () => [1]));
  expect(condition.state).toMatchObject({ state: 'memory', reason: 'the disk is full' });
  expect(times).toEqual([0, 75, 150, 300, 375]);
});

test('a worker that died is asked again at once, and that is no trouble', async () => {
  const { clock, put, sent, condition, lines } = rig(true);
  const first = put(1);
  await clock.advance(0);
  sent[0]!.fail(new RetriableError('ZPB_STORE_WORKER', 'died'));
  await clock.advance(0);
  expect(sent).toHaveLength(2);
  sent[1]!.answer(DATABASE);
  await clock.advance(0);
  expect(first.settled).toBe('safe');
  expect(condition.state).toEqual({ state: 'ok' });
  expect(lines).toEqual([]);
});

test('who has lost the lead is told, also of what still waits behind', async () => {
  const { clock, put, sent, queue, lost, counts } = rig(true);
  const first = put(1);
  await clock.advance(0);
  const second = put(2);
  sent[0]!.answer({ where: 'database', lost: [OFFICE] });
  await clock.advance(0);
  expect(lost).toEqual([1]);
  expect(first.settled).toBe('ZPB_STORE_NOT_LEADING');
  queue.discard(author);
  await clock.advance(0);
  expect(second.settled).toBe('ZPB_STORE_NOT_LEADING');
  expect(queue.unwritten).toBe(0);
  expect(counts.get('store_discarded_rows_total office')).toBe(2);
});

test('bounded; a newer state of what waits needs no room', async () => {
  const { clock, put, queue } = rig(true);
  put(0);
  await clock.advance(0);
  for (let seq = 1; seq < 6; seq += 1) put(seq);
  expect(() => {
    queue.reserve(1);
  }).toThrow('memory holds all it may (6 rows)');
  put(5);
  expect(queue.unwritten).toBe(6);
});

test('a flush ends when all is written, or with its time; a stop tells who waits', async () => {
  const { clock, put, sent, queue } = rig(true);
  expect(await queue.flush(100)).toBe(true);
  const first = put(1);
  const results: boolean[] = [];
  void queue.flush(100).then((done) => results.push(done));
  await clock.advance(100);
  expect(results).toEqual([false]);
  void queue.flush(100).then((done) => results.push(done));
  sent[0]!.answer(DATABASE);
  await clock.advance(0);
  expect(results).toEqual([false, true]);
  expect(first.settled).toBe('safe');
  const second = put(2);
  await clock.advance(0);
  expect(queue.stop()).toBe(1);
  await clock.advance(0);
  expect(second.settled).toBe('ZPB_OUTBOX_CLOSED');
});
