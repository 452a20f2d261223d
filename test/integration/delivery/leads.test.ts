/** What happens on the wire when the lead of a PBX runs out, grows, or ends. */
import { Socket } from 'node:net';
import { afterEach, expect, jest, test } from '@jest/globals';
import { DeliveryBench, MAIN, OFFICE, hangup, newCall } from '../../support/delivery-bench.js';
import { pause, waitFor, within } from '../../support/wait-for.js';

let bench: DeliveryBench;
afterEach(() => bench.close());
const inMs = (ms: number): number => performance.now() + ms;

test('the lead runs out: nothing is sent; it grows again: everything goes out', async () => {
  bench = await DeliveryBench.begin();
  bench.view.until = inMs(1000);
  await bench.tell([newCall('office-1'), hangup('office-1')]);
  await pause(600);
  expect(bench.standIn.requests()).toEqual([]);
  expect(await bench.left('office-1')).toEqual([
    ['newCall', 'waiting'],
    ['hangup', 'waiting'],
  ]);
  bench.view.until = inMs(60_000);
  await bench.idle();
  expect(bench.posted()).toEqual(['newCall', 'hangup']);
});

test('a request under way is cut when the lead runs out; with a token the caller log says later how it came out', async () => {
  bench = await DeliveryBench.begin({ token: true, settings: { timeout: 1500, lateness: 1500 } });
  await bench.tell([newCall('office-1')]);
  await bench.idle();
  bench.standIn.faults.add({ kind: 'silent', processed: true, event: 'hangup', times: 1 });
  bench.view.until = inMs(1200);
  await bench.tell([hangup('office-1')]);
  await waitFor('the request to be cut', () => bench.standIn.requests().some(({ state }) => state === 'client-gone'));
  expect(performance.now()).toBeGreaterThanOrEqual(bench.view.until);
  expect(performance.now() - bench.view.until).toBeLessThan(200);
  await pause(300);
  expect(bench.standIn.requests()).toHaveLength(2);
  expect(bench.dispatcher.state(MAIN).state).toBe('ok');
  bench.view.until = Infinity;
  await bench.idle();
  expect(bench.posted()).toEqual(['newCall', 'hangup']);
  expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
});

test('drop in the middle of a request: it is cut, nothing is written, nothing more is sent', async () => {
  bench = await DeliveryBench.begin({ settings: { timeout: 5000 } });
  bench.standIn.faults.add({ kind: 'silent', times: 1 });
  await bench.tell([newCall('office-1'), hangup('office-1')]);
  await waitFor('the request', () => bench.standIn.requests().length === 1);
  await within(200, 'the drop', bench.dispatcher.drop(OFFICE));
  await bench.idle();
  await waitFor('the cut', () => bench.standIn.requests()[0]?.state === 'client-gone');
  expect(await bench.left('office-1')).toEqual([
    ['newCall', 'sending'],
    ['hangup', 'waiting'],
  ]);
  // The next lead goes on from there.
  await bench.lead.release();
  const next = await bench.store.lead(OFFICE);
  if ('holder' in next) throw new Error('nobody else can lead');
  const { posts, newCalls } = await next.load();
  bench.dispatcher.take(next, posts, newCalls);
  await bench.idle();
  expect(bench.posted()).toEqual(['newCall', 'newCall', 'hangup']);
  expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
});

test.each([
  ['less than a second before the end of its lead', 600],
  ['after its lead', 1500],
])(
  'a process that stood still while a connection was made, and goes on %s, sends nothing',
  async (_when, standstill) => {
    bench = await DeliveryBench.begin({ settings: { timeout: 20_000 } });
    bench.view.until = inMs(1300);
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the socket it belongs to
    const connect = Socket.prototype.connect;
    let stood = false;
    const spy = jest.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...args: unknown[]) {
      const made = Reflect.apply(connect, this, args) as Socket;
      // After Node has handed it to the kernel, which makes the connection while this process stands still.
      process.nextTick(() => {
        const until = inMs(standstill);
        while (performance.now() < until);
        stood = this.connecting;
      });
      return made;
    });
    await bench.tell([newCall('office-1')]);
    await waitFor('the end of the standstill', () => stood);
    spy.mockRestore();
    await pause(300);
    expect(bench.posted()).toEqual([]);
    bench.view.until = Infinity;
    await bench.idle();
    expect(bench.posted()).toEqual(['newCall']);
  },
);

test('a PBX whose lead has ended holds up no other', async () => {
  bench = await DeliveryBench.begin({ settings: { parallel: 1 } });
  const shop = await bench.store.lead('shop' as typeof OFFICE);
  if ('holder' in shop) throw new Error('nobody else can lead');
  const ended = new AbortController();
  bench.dispatcher.take({ pbx: shop.pbx, epoch: shop.epoch, until: Infinity, ended: ended.signal }, [], []);
  ended.abort();
  const posts = Array.from({ length: 30 }, (_, i) => newCall(`shop-${i}`));
  const theirs = posts.map((post) => ({
    pbx: shop.pbx,
    zammad: MAIN,
    callId: post.callId,
    post,
    repeatable: false,
    happenedAt: Date.now(),
  }));
  bench.dispatcher.notify(await shop.commit({ calls: [], posts: theirs }));
  await bench.tell([newCall('office-1'), hangup('office-1')]);
  await waitFor('the call', () => bench.standIn.row('office-1')?.state === 'hangup');
  expect(bench.standIn.log()).toHaveLength(1);
  await waitFor('nothing but theirs to wait', () => bench.dispatcher.state(MAIN).depth === 30);
});
