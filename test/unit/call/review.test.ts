/** Turns that calls take on real PBXs and under trouble; each was told wrongly once. */
import { describe, expect, test } from '@jest/globals';
import { createNumbers } from '../../../src/call/numbers.js';
import { asCallId, asLegId, asZammadName, type LegEvent } from '../../../src/call/vocabulary.js';
import {
  BrainBench,
  called,
  customerIn,
  ended,
  joined,
  left,
  phone,
  snapshot,
  trunkOut,
  up,
} from '../../support/brain-bench.js';

const CALL = asCallId('pbx-c');
const voicemail = { type: 'recorder', leg: asLegId('c'), kind: 'voicemail' } as const;
const talk = (bench: BrainBench, agent: string, extension: string, conversation = 'x'): BrainBench =>
  bench.say(
    phone(agent, extension),
    called(agent, 'c'),
    up(agent),
    up('c'),
    joined(agent, conversation),
    joined('c', conversation),
  );

describe('a reject', () => {
  test('that the PBX refuses is no reason for the end of the call', () => {
    const bench = new BrainBench().say(customerIn('c'), phone('a', '100'), called('a', 'c')).until(500);
    expect(bench.brain.reject(CALL, 'busy')).toBe('c');
    bench.brain.rejectRefused(CALL);
    expect(bench.say(ended('c', 127, 'far')).last).toMatchObject({ cause: 'cancel' });
  });
  test.each<[string, LegEvent, string]>([
    ['the caller gives up later', ended('c', 127, 'far'), 'cancel'],
    ['it rings out later', ended('c', 19), 'noAnswer'],
    ['it ends as it was ordered', ended('c', 17), 'forwarded'],
    ['it ends without a cause', { type: 'ended', leg: asLegId('c'), by: 'pbx' }, 'forwarded'],
    ['nobody saw how it ended', snapshot(), 'forwarded'],
  ])('that got no answer counts if the end fits it: %s', (_, end, cause) => {
    const bench = new BrainBench().say(customerIn('c'), phone('a', '100'), called('a', 'c')).until(500);
    bench.brain.reject(CALL, 'forwarded');
    bench.brain.rejectUnsure(CALL);
    bench.say(up('c')).restart().say(customerIn('c'), phone('a', '100'), snapshot('c', 'a'));
    expect(bench.say(end).last).toMatchObject({ event: 'hangup', cause });
  });
  test('that got no answer, and is asked for again, is done', () => {
    const bench = new BrainBench().say(customerIn('c'), phone('a', '100'), called('a', 'c')).until(500);
    bench.brain.reject(CALL, 'forwarded');
    bench.brain.rejectUnsure(CALL);
    bench.brain.reject(CALL, 'busy');
    expect(bench.say(ended('c', 0, 'far')).last).toMatchObject({ cause: 'busy' });
  });
  test('comes too late when an outside party has answered', () => {
    const bench = new BrainBench().say(customerIn('c'), trunkOut('f', '01719990001', 'c'), called('f', 'c'));
    bench.say(up('f'), up('c'), joined('f', 'x'), joined('c', 'x'));
    expect(bench.brain.reject(CALL, 'busy')).toBeUndefined();
  });
});

describe('a PBX that stopped and came back without a list of its legs', () => {
  test('does not make every later end a congestion', () => {
    const bench = new BrainBench().say({ type: 'stopping' });
    bench.brain.deaf(0);
    bench
      .until(1000)
      .say(customerIn('c'))
      .until(5000)
      .say(ended('c', 127, 'far'));
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'cancel' });
  });
});

describe('a connection that is lost again and again, without a list', () => {
  const HOUR = 3_600_000;
  test('does not let a call ring for ever', () => {
    const bench = new BrainBench({ calls: { maxSilence: 4 * HOUR } }).say(customerIn('c')).until(5000);
    for (let at = 1; at <= 4; at += 1) bench.brain.deaf(bench.until(at * HOUR).now);
    bench.until(5 * HOUR);
    expect(bench.told.at(-1)).toMatchObject({ at: 5 * HOUR, post: { event: 'hangup', cause: 'congestion' } });
  });
  test('closes what ended while it was lost the second time', () => {
    const bench = new BrainBench({ calls: { maxSilence: 4 * HOUR } }).say(customerIn('c')).until(5000);
    bench.brain.deaf(HOUR);
    // Heard of between the two.
    bench.until(2 * HOUR).say(phone('a', '100'), called('a', 'c'));
    bench.brain.deaf(bench.until(3 * HOUR).now);
    bench.until(7 * HOUR);
    expect(bench.told.at(-1)).toMatchObject({ at: 7 * HOUR, post: { event: 'hangup', cause: 'congestion' } });
    expect(bench.brain.nextTick()).toBeUndefined();
  });
  test('a list in between sets all right', () => {
    const bench = new BrainBench({ calls: { maxSilence: 4 * HOUR } }).say(customerIn('c')).until(5000);
    bench.brain.deaf(HOUR);
    bench
      .until(2 * HOUR)
      .say(snapshot('c'))
      .until(20 * HOUR);
    expect(bench.events).toEqual(['newCall']);
  });
});

describe('a filter decides once', () => {
  const [all, bobs, sales] = [asZammadName('all'), asZammadName('bobs'), asZammadName('sales')];
  const bench = (newCall: 'ringing' | 'arrival' = 'ringing'): BrainBench =>
    new BrainBench({
      calls: { newCall },
      destinations: [
        { name: all, filter: {} },
        { name: bobs, filter: { agents: ['101'] } },
        { name: sales, filter: { queues: ['sales'] } },
      ],
    });
  const toldTo = (one: BrainBench, name: string): string[] =>
    one.told.filter(({ to }) => (to as readonly string[]).includes(name)).map(({ post }) => post.event);

  test('and a later transfer takes the call to no other Zammad', () => {
    const one = talk(bench().say(customerIn('c')), 'a', '100').until(5000);
    one.say(left('c', 'x'), ended('a', 16));
    talk(one, 'b', '101', 'y')
      .until(9000)
      .say(ended('c', 16, 'far'));
    expect(toldTo(one, 'all')).toEqual(['newCall', 'answer', 'answer', 'hangup']);
    expect(toldTo(one, 'bobs')).toEqual([]);
    expect(one.notes.filter((note) => note.includes('not sent to bobs'))).toHaveLength(1);
  });
  test.each(['ringing', 'arrival'] as const)('when the whole ring group is known (%s)', (newCall) => {
    const one = bench(newCall).say(customerIn('c')).until(4000);
    expect(toldTo(one, 'all')).toEqual(['newCall']);
    one.say(phone('a', '100'), called('a', 'c')).until(4100).say(phone('b', '101'), called('b', 'c')).until(4149);
    expect(toldTo(one, 'bobs')).toEqual([]);
    one.until(5000);
    expect(one.told.at(-1)).toMatchObject({
      at: 4150,
      to: [bobs],
      post: { event: 'newCall', user: ['Alice Agent', 'Bob Agent'] },
    });
    expect(one.notes.some((note) => note.includes('not sent to sales'))).toBe(true);
    expect(one.brain.nextTick()).toBeUndefined();
  });
  test('a queue that a long menu leads to is waited for', () => {
    const one = bench().say(customerIn('c'), up('c')).until(20_000);
    one.say({ type: 'queued', leg: asLegId('c'), queue: 'sales' });
    expect(toldTo(one, 'sales')).toEqual(['newCall']);
  });
  test('an answer that nobody’s phone was called for decides at once', () => {
    const one = bench().say(customerIn('c')).until(4000);
    one.say(phone('b', '101', 'incoming'), up('b'), up('c'), joined('b', 'x'), joined('c', 'x'));
    expect(toldTo(one, 'bobs')).toEqual(['newCall', 'answer']);
  });
});

test('with answerAgain: false an agent who takes the call from voicemail is still the first to answer', () => {
  const bench = new BrainBench({ calls: { answerAgain: false } }).say(customerIn('c'), up('c'), voicemail);
  talk(bench, 'a', '100');
  expect(bench.last).toMatchObject({ event: 'answer', user: 'Alice Agent' });
});

test('a huge number is not kept', () => {
  const numbers = createNumbers('DE', () => false);
  const digits = '9'.repeat(100_000);
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 2000; index += 1) expect(numbers.clean(`${digits}${index}`)).toHaveLength(100);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
});
