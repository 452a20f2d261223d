/** What Zammad makes of a post that comes again, and of one whose call it does not know. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { DeliveryBench, answer, hangup, newCall } from '../../support/delivery-bench.js';
import type { BenchOptions } from '../../support/delivery-bench.js';

let bench: DeliveryBench;
const begin = async (options?: BenchOptions): Promise<void> => {
  bench = await DeliveryBench.begin(options);
};
afterEach(() => bench.close());

test('a call from ring to hangup: three posts, one after the other, and nothing is left', async () => {
  await begin({ standIn: { processingTime: 20 } });
  await bench.tell([newCall('office-1'), answer('office-1')]);
  await bench.tell([hangup('office-1', { cause: 'normalClearing' })], { repeatable: true });
  await bench.idle();
  expect(bench.posted()).toEqual(['newCall', 'answer', 'hangup']);
  expect(bench.standIn.requests().some(({ overlapped }) => overlapped)).toBe(false);
  expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: true, comment: 'normalClearing' });
  expect(await bench.left('office-1')).toEqual([]);
});

test('a newCall that Zammad has already is delivered, and the call goes on', async () => {
  await begin();
  bench.standIn.faults.add({ kind: 'reset-after-processing', event: 'newCall', times: 1 });
  await bench.tell([newCall('office-1'), hangup('office-1')]);
  await bench.idle();
  expect(bench.posted()).toEqual(['newCall', 'newCall', 'hangup']);
  expect(bench.standIn.log()).toHaveLength(1);
  expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
  expect(bench.counters.get('zammad_posts_total main newCall exists')).toBe(1);
  expect(await bench.left('office-1')).toEqual([]);
});

test('a duplicate that is refused in words nobody knows dooms neither the newCall nor what follows', async () => {
  await begin();
  bench.standIn.faults.add({ kind: 'reset-after-processing', event: 'newCall', times: 1 });
  // As a translated "already exists", or one that a proxy has replaced.
  bench.standIn.faults.add({ kind: 'status', status: 409, event: 'newCall', skip: 0, times: 1 });
  await bench.tell([newCall('office-1'), hangup('office-1')]);
  await bench.idle();
  expect(bench.posted('office-1')).toEqual(['newCall', 'newCall', 'hangup']);
  expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
  expect(await bench.left('office-1')).toEqual([['newCall', 'unknown']]);
});

describe('500 on an answer or hangup', () => {
  test.each([
    ['answer', answer('office-1'), 'answer'],
    ['hangup', hangup('office-1'), 'hangup'],
  ] as const)('%s of a call that Zammad does not know: told anew, then sent', async (event, post, state) => {
    await begin();
    await bench.tell([post]);
    await bench.idle();
    expect(bench.posted()).toEqual([event, 'newCall', event]);
    expect(bench.standIn.row('office-1')).toMatchObject({ state });
    expect(bench.counters.get('zammad_recreated_total main')).toBe(1);
    expect(await bench.left('office-1')).toEqual([]);
  });

  test('the newCall of an earlier run, told anew with its agents and its queue', async () => {
    bench = await DeliveryBench.open();
    const [told] = await bench.commit([newCall('office-1', { user: ['Alice', 'Bob'], queue: 'sales' })]);
    const [left] = await bench.commit([hangup('office-1')]);
    bench.dispatcher.take(bench.view, [left!], [{ ...told!, state: 'delivered' }]);
    bench.dispatcher.start();
    await bench.idle();
    expect(bench.posted()).toEqual(['hangup', 'newCall', 'hangup']);
    expect(bench.standIn.row('office-1')).toMatchObject({ toComment: 'Alice, Bob', queue: 'sales', state: 'hangup' });
  });

  test('a newCall that Zammad had refused in an earlier run: its hangup is given up with it', async () => {
    bench = await DeliveryBench.open();
    const [refused, left] = await bench.commit([newCall('office-1'), hangup('office-1')]);
    bench.dispatcher.take(bench.view, [left!], [{ ...refused!, state: 'dead', reason: 'status 400' }]);
    bench.dispatcher.start();
    await bench.idle();
    expect(bench.standIn.requests()).toEqual([]);
    expect(await bench.left('office-1')).toContainEqual(['hangup', 'dead']);
  });

  test.each([false, true])('after the hangup was saved, with a token: %s', async (token) => {
    await begin({ token });
    bench.standIn.faults.add({ kind: 'status', status: 500, event: 'hangup', processed: true, times: 1 });
    await bench.tell([newCall('office-1'), hangup('office-1')]);
    await bench.idle();
    // A second hangup would take the missed call off the list.
    expect(bench.posted()).toEqual(['newCall', 'hangup', 'newCall']);
    expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
    expect(bench.looks).toBe(token ? 1 : 0);
    expect(await bench.left('office-1')).toEqual(token ? [] : [['hangup', 'unknown']]);
  });

  test.each([false, true])(
    'before anything was saved, of a call that Zammad knows, with a token: %s',
    async (token) => {
      await begin({ token });
      bench.standIn.faults.add({ kind: 'status', status: 500, event: 'hangup', times: 1 });
      await bench.tell([newCall('office-1'), hangup('office-1')]);
      await bench.idle();
      // The answer came: nothing of the first hangup can come late, so one look is enough.
      expect(bench.posted()).toEqual(
        token ? ['newCall', 'hangup', 'newCall', 'hangup'] : ['newCall', 'hangup', 'newCall'],
      );
      expect(bench.looks).toBe(token ? 1 : 0);
      expect(await bench.left('office-1')).toEqual(token ? [] : [['hangup', 'unknown']]);
      expect(bench.standIn.row('office-1')?.state).toBe(token ? 'hangup' : 'newCall');
    },
  );

  test('an answer saved before the 500 is sent until there is a 200, and the hangup follows', async () => {
    await begin();
    bench.standIn.faults.add({ kind: 'status', status: 500, event: 'answer', processed: true, times: 2 });
    await bench.tell([newCall('office-1'), answer('office-1')]);
    await bench.tell([hangup('office-1', { cause: 'normalClearing' })], { repeatable: true });
    await bench.idle();
    expect(bench.posted()).toEqual(['newCall', 'answer', 'newCall', 'answer', 'newCall', 'answer', 'hangup']);
    expect(await bench.left('office-1')).toEqual([]);
    expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: true });
  });

  test('the answer to the newCall that was told anew is lost: without a token the hangup is unknown, with one it goes out', async () => {
    for (const token of [false, true]) {
      await begin({ token });
      bench.standIn.faults.add({ kind: 'reset-after-processing', event: 'newCall', times: 1 });
      await bench.tell([hangup('office-1')]);
      await bench.idle();
      expect(bench.standIn.row('office-1')?.state).toBe(token ? 'hangup' : 'newCall');
      expect(await bench.left('office-1')).toEqual(token ? [] : [['hangup', 'unknown']]);
      if (!token) await bench.close();
    }
  });
});
