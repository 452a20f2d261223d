/** Zammad is down, slow, or somebody must mend something: everything waits, and goes on by itself. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { FaultInput } from '../../../src/stand-in/fault-rules.js';
import type { Settings } from '../../../src/stand-in/push-endpoint.js';
import { DeliveryBench, MAIN, OFFICE, hangup, newCall } from '../../support/delivery-bench.js';
import { waitFor } from '../../support/wait-for.js';

let bench: DeliveryBench;
afterEach(() => bench.close());

describe('somebody must mend something', () => {
  const off: Partial<Settings> = { enabled: false };
  const blank: Partial<Settings> = { configured: false };
  const cases: readonly (readonly [string, FaultInput | Partial<Settings>, RegExp])[] = [
    ['the token is wrong', { kind: 'status', status: 401 }, /token/],
    ['the feature is switched off', off, /switched off/],
    ['the feature is not configured', blank, /not configured/],
    ['http is redirected to https', { kind: 'status', status: 301 }, /redirects to https:/],
    ['a proxy forbids it', { kind: 'status', status: 403 }, /forbids/],
    ['there is no endpoint at that path', { kind: 'status', status: 404 }, /no CTI endpoint/],
    ['a captive portal answers', { kind: 'garbage' }, /not like Zammad/],
  ];
  test.each(cases)('%s: said once, loudly; all is held; mended, it goes on', async (_what, trouble, words) => {
    bench = await DeliveryBench.begin();
    const fault = 'kind' in trouble ? bench.standIn.faults.add(trouble) : undefined;
    if (fault === undefined) bench.standIn.change(trouble as Partial<Settings>);
    await bench.tell([newCall('office-1'), hangup('office-1'), newCall('office-2')]);
    await waitFor('it to be held', () => bench.dispatcher.state(MAIN).state === 'held');
    await waitFor('some more looks', () => bench.standIn.requests().length >= 6);
    expect(bench.dispatcher.state(MAIN)).toMatchObject({ state: 'held', depth: 3 });
    expect(bench.dispatcher.state(MAIN).reason).toMatch(words);
    // What is sent meanwhile is a probe, which tells no call.
    expect(bench.posted().filter((event) => event === 'hangup')).toEqual([]);
    expect(bench.posted().length).toBeLessThanOrEqual(2);
    expect(bench.lines.filter(({ level }) => level === 50)).toHaveLength(1);
    if (fault !== undefined) bench.standIn.faults.remove(fault);
    else bench.standIn.change({ enabled: true, configured: true });
    await bench.idle();
    expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
    expect(bench.standIn.row('office-2')).toMatchObject({ state: 'newCall' });
    expect(bench.dispatcher.state(MAIN)).toMatchObject({ state: 'ok', depth: 0 });
    expect(await bench.left('office-1')).toEqual([]);
  });
});

test('a Zammad that comes back is not flooded: one at a time first, never more than the limit', async () => {
  bench = await DeliveryBench.begin({ standIn: { processingTime: 5 }, settings: { parallel: 4, timeout: 2000 } });
  await bench.standIn.goDown();
  const calls = Array.from({ length: 60 }, (_, i) => `office-${i}`);
  await bench.tell(calls.map((call) => newCall(call)));
  await waitFor('it to be down', () => bench.dispatcher.state(MAIN).state === 'down');
  let open = 0;
  const side: number[] = [];
  const seen = new Map<number, string>();
  bench.standIn.subscribe((change) => {
    if (change.type !== 'request' || seen.get(change.entry.seq) === change.entry.state) return;
    if (!seen.has(change.entry.seq)) side.push((open += 1));
    if (change.entry.state !== 'open') open -= 1;
    seen.set(change.entry.seq, change.entry.state);
  });
  await bench.standIn.comeUp();
  await bench.idle();
  expect(bench.standIn.log()).toHaveLength(60);
  // The first alone, then as many more as have succeeded.
  expect(side.slice(0, 2)).toEqual([1, 1]);
  expect(Math.max(...side)).toBeLessThanOrEqual(4);
  expect(Math.max(...side)).toBeGreaterThan(2);
  expect(bench.lines.filter(({ msg }) => msg.includes('takes posts again'))).toHaveLength(1);
});

test('while it is down few requests are made, and nothing is lost or doubled', async () => {
  bench = await DeliveryBench.begin({ settings: { backoff: { first: 40, max: 80 } } });
  bench.standIn.faults.add({ kind: 'status', status: 502 });
  await bench.tell(Array.from({ length: 30 }, (_, i) => newCall(`office-${i}`)));
  await waitFor('it to be down', () => bench.dispatcher.state(MAIN).state === 'down');
  const before = bench.standIn.requests().length;
  const began = Date.now();
  await waitFor('some trials', () => bench.standIn.requests().length >= before + 4);
  // Between two trials at least half of the wait.
  expect(Date.now() - began).toBeGreaterThan(3 * 20);
  bench.standIn.faults.clear();
  await bench.idle();
  expect(bench.standIn.log()).toHaveLength(30);
});

test('after a request without an answer no post is sent before a probe was answered', async () => {
  bench = await DeliveryBench.begin({ settings: { timeout: 150 } });
  await bench.tell([newCall('office-1')]);
  await bench.idle();
  bench.standIn.faults.add({ kind: 'silent' });
  await bench.tell([hangup('office-1')]);
  await waitFor('it to be down', () => bench.dispatcher.state(MAIN).state === 'down');
  await bench.tell([newCall('office-2')]);
  await waitFor('two probes', () => bench.standIn.requests().length >= 4);
  expect(bench.posted()).toEqual(['newCall', 'hangup']);
  bench.standIn.faults.clear();
  await bench.idle();
  expect(bench.standIn.row('office-2')).toMatchObject({ state: 'newCall' });
});

describe('dead letters', () => {
  test('a post that Zammad refuses is listed with its call; handed in again it is sent', async () => {
    bench = await DeliveryBench.begin();
    bench.standIn.faults.add({ kind: 'status', status: 400, event: 'newCall', times: 1 });
    await bench.tell([newCall('office-1'), hangup('office-1')]);
    await bench.idle();
    expect(await bench.left('office-1')).toEqual([
      ['newCall', 'dead'],
      ['hangup', 'dead'],
    ]);
    const said = bench.lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
    expect(said).toHaveLength(2);
    expect(said[0]).toContain('Gave up newCall of call office-1');
    // As the store hands them in: the memory store has nobody outside.
    const again = await bench.commit([newCall('office-1'), hangup('office-1')], {
      happenedAt: Date.now() - 7 * 86_400_000,
    });
    bench.dispatcher.handedIn(again);
    await bench.idle();
    expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
  });

  test('what has become too old is listed, not sent; handed in it is sent', async () => {
    bench = await DeliveryBench.begin({ settings: { maxAge: 3_600_000 } });
    const old = { happenedAt: Date.now() - 3_700_000 };
    await bench.tell([newCall('office-1'), hangup('office-1')], old);
    await bench.idle();
    expect(bench.standIn.requests()).toEqual([]);
    expect(await bench.left('office-1')).toEqual([
      ['newCall', 'dead'],
      ['hangup', 'dead'],
    ]);
    bench.dispatcher.handedIn(await bench.commit([newCall('office-1'), hangup('office-1')], old));
    await bench.idle();
    expect(bench.posted()).toEqual(['newCall', 'hangup']);
  });

  test('an unknown hangup that a person hands in is sent, whatever the caller log says', async () => {
    bench = await DeliveryBench.begin();
    bench.standIn.faults.add({ kind: 'silent', event: 'hangup', times: 1 });
    await bench.tell([newCall('office-1'), hangup('office-1')]);
    await bench.idle();
    expect(await bench.left('office-1')).toEqual([['hangup', 'unknown']]);
    bench.dispatcher.handedIn(await bench.commit([hangup('office-1')]));
    await bench.idle();
    expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
  });
});

test('PBXs and Zammads that are gone: posts for a Zammad that is not configured any more are given up', async () => {
  bench = await DeliveryBench.open();
  const [item] = await bench.commit([newCall('office-1')], { zammad: 'gone' as typeof MAIN });
  bench.dispatcher.take(bench.view, [item!], []);
  bench.dispatcher.start();
  await waitFor('it to be given up', async () => (await bench.left('office-1')).some(([, state]) => state === 'dead'));
  expect(item!.pbx).toBe(OFFICE);
});
