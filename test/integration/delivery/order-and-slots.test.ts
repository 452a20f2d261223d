/** Which post goes out when, and over which socket. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { DeliveryBench, MAIN, answer, hangup, newCall } from '../../support/delivery-bench.js';
import { pause, waitFor, within } from '../../support/wait-for.js';

let bench: DeliveryBench;
afterEach(() => bench.close());

test('posts of one call never overlap, those of several go side by side', async () => {
  bench = await DeliveryBench.begin({ standIn: { processingTime: 15 }, settings: { timeout: 5000 } });
  const calls = Array.from({ length: 12 }, (_, i) => `office-${i}`);
  for (const call of calls) await bench.tell([newCall(call), answer(call)]);
  await bench.tell(
    calls.map((call) => hangup(call, { cause: 'normalClearing' })),
    { repeatable: true },
  );
  await bench.idle();
  for (const call of calls) expect(bench.posted(call)).toEqual(['newCall', 'answer', 'hangup']);
  expect(bench.standIn.requests().some(({ overlapped }) => overlapped)).toBe(false);
});

test('live calls go before the backlog', async () => {
  bench = await DeliveryBench.begin({ settings: { parallel: 1 } });
  bench.standIn.faults.add({ kind: 'late-reply', ms: 60, times: 1 });
  const old = Array.from({ length: 10 }, (_, i) => newCall(`office-old${i}`));
  await bench.tell(old, { happenedAt: Date.now() - 5 * 60_000 });
  await bench.tell([newCall('office-live'), hangup('office-live')]);
  await bench.idle();
  const order = bench.standIn.requests().map(({ event, callId }) => `${event} ${callId}`);
  // The first was under way already.
  expect(order.slice(0, 3)).toEqual(['newCall office-old0', 'newCall office-live', 'hangup office-live']);
  expect(order).toHaveLength(12);
});

describe('gated newCalls', () => {
  test('have slots of their own that no backlog can take', async () => {
    bench = await DeliveryBench.begin({
      standIn: { blockList: ['491711234567'] },
      settings: { parallel: 2, urgentParallel: 1, timeout: 5000 },
    });
    bench.standIn.faults.add({ kind: 'late-reply', ms: 3000, times: 2 });
    await bench.tell(Array.from({ length: 20 }, (_, i) => newCall(`office-${i}`, { from: '4930999' })));
    await waitFor('both ordinary slots to be taken', () => bench.standIn.requests().length === 2);
    const [gated] = await bench.commit([newCall('office-gated')]);
    const reply = await within(1000, 'the reply', bench.dispatcher.urgent(gated!));
    expect(reply).toEqual({ kind: 'reply', reply: { kind: 'reject', reason: 'busy' } });
    expect(bench.replies).toMatchObject([{ callId: 'office-gated', live: true, gate: 'told' }]);
    expect(bench.standIn.requests()).toHaveLength(3);
  });

  test('get no reply at once while Zammad is down, and are delivered later', async () => {
    bench = await DeliveryBench.begin();
    await bench.standIn.goDown();
    await bench.tell([newCall('office-1')]);
    await waitFor('it to be down', () => bench.dispatcher.state(MAIN).state === 'down');
    const [gated] = await bench.commit([newCall('office-gated')]);
    const reply = await within(100, 'no reply', bench.dispatcher.urgent(gated!));
    expect(reply).toMatchObject({ kind: 'noReply' });
    await bench.standIn.comeUp();
    await bench.idle();
    expect(bench.standIn.row('office-gated')).toBeDefined();
  });
});

describe('idle sockets', () => {
  test('hangups get a connection of their own: a server that closes idle ones makes no outcome unknown', async () => {
    bench = await DeliveryBench.begin({ maxIdle: 60_000 });
    // nginx closes what has been idle; here in the very moment in which the next request comes.
    bench.standIn.faults.add({ kind: 'reset-before-body', reused: true });
    await bench.tell([newCall('office-1')]);
    await bench.idle();
    await bench.tell([hangup('office-1')]);
    await bench.idle();
    expect(bench.posted()).toEqual(['newCall', 'hangup']);
    expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
    expect(await bench.left('office-1')).toEqual([]);
    expect(bench.counters.get('zammad_unknown_total main hangup')).toBeUndefined();
  });

  test('newCalls use a connection again, but none that has been idle for long', async () => {
    bench = await DeliveryBench.begin({ maxIdle: 100 });
    const reset = bench.standIn.faults.add({ kind: 'reset-before-body', reused: true });
    await bench.tell([newCall('office-1')]);
    await bench.idle();
    await pause(200);
    await bench.tell([newCall('office-2')]);
    await bench.idle();
    expect(bench.standIn.faults.list()).toMatchObject([{ id: reset, hits: 0 }]);
    await bench.tell([newCall('office-3')]);
    await bench.idle();
    // The last one met it, and was sent again over a new one.
    expect(bench.standIn.faults.list()).toMatchObject([{ id: reset, hits: 1 }]);
    expect(bench.standIn.log()).toHaveLength(3);
  });
});
