/** A request was sent and no answer came: what is done about each kind of post, with and without an API token. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Post } from '../../../src/call/vocabulary.js';
import type { FaultInput } from '../../../src/stand-in/fault-rules.js';
import { DeliveryBench, answer, hangup, hangupOut, newCall, newCallOut } from '../../support/delivery-bench.js';

let bench: DeliveryBench;
afterEach(() => bench.close());

type Fault = 'silent' | 'reset' | '504';
const faultOf = (fault: Fault, processed: boolean, event: Post['event']): FaultInput => {
  if (fault === 'silent') return { kind: 'silent', processed, event, times: 1 };
  if (fault === '504') return { kind: 'status', status: 504, processed, event, times: 1 };
  return { kind: processed ? 'reset-after-processing' : 'reset-before-processing', event, times: 1 };
};
const FAULTS: readonly Fault[] = ['silent', 'reset', '504'];

interface Case {
  readonly what: string;
  readonly before: readonly Post[];
  readonly post: Post;
  readonly repeatable: boolean;
  /** How the row ends. */
  readonly row: { readonly state: string; readonly done: boolean };
}
const ringing = { state: 'newCall', done: false };
const over = { state: 'hangup', done: true };
const repeatedOnce: readonly Case[] = [
  { what: 'newCall', before: [], post: newCall('office-1'), repeatable: false, row: ringing },
  {
    what: 'answer',
    before: [newCall('office-1')],
    post: answer('office-1'),
    repeatable: false,
    row: { state: 'answer', done: true },
  },
  {
    what: 'hangup of an answered call',
    before: [newCall('office-1'), answer('office-1')],
    post: hangup('office-1', { cause: 'normalClearing', answeringNumber: '100' }),
    repeatable: true,
    row: over,
  },
  {
    what: 'hangup of an outbound call',
    before: [newCallOut('office-1')],
    post: hangupOut('office-1'),
    repeatable: true,
    row: over,
  },
  {
    what: 'hangup of a forwarded call',
    before: [newCall('office-1')],
    post: hangup('office-1', { cause: 'forwarded' }),
    repeatable: true,
    row: over,
  },
];
const ways = FAULTS.flatMap((fault) =>
  [true, false].flatMap((processed) => [true, false].map((token) => ({ fault, processed, token }))),
);
const words = ({ fault, processed, token }: (typeof ways)[number]): string =>
  `${fault}, ${processed ? 'processed' : 'not processed'}, ${token ? 'with' : 'without'} a token`;

describe.each(repeatedOnce)('$what, which may be sent twice', ({ before, post, repeatable, row }) => {
  test.each(ways.map((way) => [words(way), way] as const))('%s', async (_words, { fault, processed, token }) => {
    bench = await DeliveryBench.begin({ token });
    await bench.tell(before);
    await bench.idle();
    bench.standIn.faults.add(faultOf(fault, processed, post.event));
    await bench.tell([post], { repeatable });
    await bench.idle();
    // With a token it is looked first, and what was carried out is not sent again.
    const looks = token && post.event === 'hangup';
    const sent = looks && processed ? [post] : [post, post];
    expect(bench.posted()).toEqual([...before, ...sent].map(({ event }) => event));
    expect(bench.standIn.log()).toMatchObject([row]);
    expect(await bench.left('office-1')).toEqual([]);
    expect(bench.looks > 0).toBe(looks);
  });
});

describe('hangup of a missed call', () => {
  test.each(ways.map((way) => [words(way), way] as const))('%s', async (_words, { fault, processed, token }) => {
    bench = await DeliveryBench.begin({ token });
    await bench.tell([newCall('office-1')]);
    await bench.idle();
    bench.standIn.faults.add(faultOf(fault, processed, 'hangup'));
    await bench.tell([hangup('office-1')]);
    await bench.idle();
    const again = token && !processed;
    expect(bench.posted()).toEqual(again ? ['newCall', 'hangup', 'hangup'] : ['newCall', 'hangup']);
    // In every case it stays on the list of missed calls.
    expect(bench.standIn.log()).toMatchObject([{ state: processed || token ? 'hangup' : 'newCall', done: false }]);
    expect(await bench.left('office-1')).toEqual(token ? [] : [['hangup', 'unknown']]);
    expect(bench.counters.get('zammad_unknown_total main hangup') ?? 0).toBe(token ? 0 : 1);
  });

  test('the caller log is not read before the deadline of the request, and not believed before nothing can come late', async () => {
    bench = await DeliveryBench.begin({ token: true, settings: { timeout: 200, lateness: 1000 } });
    await bench.tell([newCall('office-1')]);
    await bench.idle();
    // Nobody waits any more, and Zammad carries it out all the same.
    bench.standIn.faults.add({ kind: 'slow', ms: 550, event: 'hangup', times: 1 });
    await bench.tell([hangup('office-1')]);
    await bench.idle();
    expect(bench.posted()).toEqual(['newCall', 'hangup']);
    expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
    const [sent, ...looks] = bench.standIn.requests().slice(1);
    expect(looks.length).toBeGreaterThanOrEqual(2);
    // Its 200 ms count from when it was sent, which a busy machine may see arrive late.
    expect(looks[0]!.at - sent!.at).toBeGreaterThanOrEqual(150);
    expect(await bench.left('office-1')).toEqual([]);
  });

  test.each([
    [
      'a token that may not read the caller log',
      { apiToken: 'another', weakApiToken: 'api-token-of-an-agent' },
      'cti.agent',
    ],
    ['a row that is not among the newest', { viewLimit: 1 }, 'newest rows'],
  ])('%s leaves it unknown, and says why', async (_what, standIn, why) => {
    bench = await DeliveryBench.begin({ token: true, standIn });
    await bench.tell([newCall('office-1'), newCall('office-2')]);
    await bench.idle();
    bench.standIn.faults.add({ kind: 'silent', event: 'hangup', times: 1 });
    await bench.tell([hangup('office-1')]);
    await bench.idle();
    expect(await bench.left('office-1')).toEqual([['hangup', 'unknown']]);
    expect(bench.lines.filter(({ level, msg }) => level === 50 && msg.includes(why))).toHaveLength(1);
  });

  test('a caller log that cannot be read now is read again', async () => {
    bench = await DeliveryBench.begin({ token: true });
    bench.standIn.faults.add({ kind: 'status', status: 502, event: 'log', times: 2 });
    bench.standIn.faults.add({ kind: 'reset-after-processing', event: 'hangup', times: 1 });
    await bench.tell([newCall('office-1'), hangup('office-1')]);
    await bench.idle();
    expect(bench.looks).toBe(3);
    expect(bench.posted()).toEqual(['newCall', 'hangup']);
    expect(await bench.left('office-1')).toEqual([]);
  });
});

test('an answer of unknown outcome is sent until there is an answer to it: lost, it would make the call a missed one', async () => {
  bench = await DeliveryBench.begin();
  bench.standIn.faults.add({ kind: 'silent', processed: true, event: 'answer', times: 2 });
  await bench.tell([newCall('office-1'), answer('office-1')]);
  await bench.tell([hangup('office-1', { cause: 'normalClearing' })], { repeatable: true });
  await bench.idle();
  expect(bench.posted()).toEqual(['newCall', 'answer', 'answer', 'answer', 'hangup']);
  expect(await bench.left('office-1')).toEqual([]);
  expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: true });
});

describe('taken over from a run that was killed in the middle of a request', () => {
  const takeOver = async (post: Post, repeatable: boolean, token: boolean, carriedOut: boolean): Promise<void> => {
    bench = await DeliveryBench.open({ token });
    const timeout = 1000;
    await bench.client.post(newCall('office-1'), { timeout });
    if (carriedOut) await bench.client.post(post, { timeout });
    const [item] = await bench.commit([post], { repeatable });
    await bench.store.outbox.attempt(item!.seq);
    const { posts, newCalls } = await bench.lead.load();
    expect(posts).toMatchObject([{ state: 'sending' }]);
    bench.dispatcher.take(bench.view, posts, newCalls);
    bench.dispatcher.start();
    await bench.idle();
  };

  test.each([true, false])('the hangup of a missed call, with a token, carried out: %s', async (carriedOut) => {
    await takeOver(hangup('office-1'), false, true, carriedOut);
    expect(bench.posted()).toEqual(['newCall', 'hangup']);
    expect(bench.standIn.row('office-1')).toMatchObject({ state: 'hangup', done: false });
    expect(await bench.left('office-1')).toEqual([]);
  });

  test('the hangup of a missed call, without a token', async () => {
    await takeOver(hangup('office-1'), false, false, true);
    expect(bench.posted()).toEqual(['newCall', 'hangup']);
    expect(await bench.left('office-1')).toEqual([['hangup', 'unknown']]);
  });

  test('the newCall, and a hangup that may be repeated', async () => {
    await takeOver(newCall('office-1'), false, false, false);
    expect(bench.posted()).toEqual(['newCall', 'newCall']);
    await bench.close();
    await takeOver(hangup('office-1', { cause: 'forwarded' }), true, false, true);
    expect(bench.posted()).toEqual(['newCall', 'hangup', 'hangup']);
    expect(bench.standIn.log()).toMatchObject([over]);
    expect(await bench.left('office-1')).toEqual([]);
  });
});
