import { describe, expect, test } from '@jest/globals';
import { asLegId } from '../../../src/call/vocabulary.js';
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

const voicemail = { type: 'recorder', leg: asLegId('c'), kind: 'voicemail' } as const;
const users = (bench: BrainBench): unknown[] =>
  bench.told.flatMap(({ post }) => (post.event === 'answer' ? [post.user] : []));

describe('voicemail', () => {
  test('that puts the caller through to an agent is over: the call does not become a missed one again', () => {
    const bench = new BrainBench().say(customerIn('c'), up('c'), voicemail);
    bench.say(phone('a', '100'), called('a', 'c'), up('a'), joined('a', 'x'), joined('c', 'x'));
    bench
      .say(ended('a', 16, 'far'))
      .say(left('c', 'x'))
      .until(5000)
      .say(ended('c', 16, 'far'));
    expect(users(bench)).toEqual(['voicemail', 'Alice Agent']);
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'normalClearing', answeringNumber: '100' });
  });
  test('after an agent is told: somebody must listen to it', () => {
    const bench = new BrainBench().say(
      customerIn('c'),
      phone('a', '100'),
      called('a', 'c'),
      up('a'),
      up('c'),
      joined('a', 'x'),
      joined('c', 'x'),
    );
    bench.say(left('c', 'x'), ended('a', 16)).say(voicemail);
    expect(users(bench)).toEqual(['Alice Agent', 'voicemail']);
  });
});

describe('an outbound call taken up in its middle', () => {
  test('whose caller has gone is told when the snapshot is whole', () => {
    const bench = new BrainBench().say(trunkOut('t', '03012345678', 'gone'), up('t'));
    expect(bench.told).toEqual([]);
    bench.say(snapshot('t'));
    expect(bench.last).toMatchObject({
      event: 'newCall',
      callId: 'pbx-t',
      direction: 'out',
      to: '493012345678',
      user: [],
    });
  });
  test('is that of the agent whom the customer hears', () => {
    const bench = new BrainBench().say(trunkOut('t', '03012345678', 'gone'), up('t'), joined('t', 'x'));
    bench.say(phone('a', '101'), up('a'), joined('a', 'x')).say(snapshot('t', 'a'));
    expect(bench.told.map(({ post }) => post)).toMatchObject([
      { event: 'newCall', user: ['Bob Agent'] },
      { event: 'answer' },
    ]);
  });
  test('is none of its own when it hears another customer: a forward', () => {
    const bench = new BrainBench().say(trunkOut('t', '03012345678', 'gone'), up('t'), joined('t', 'x'));
    bench
      .say(customerIn('c'), up('c'), joined('c', 'x'))
      .say(snapshot('t', 'c'))
      .say(ended('c', 16, 'far'));
    expect(bench.told.map(({ post }) => [post.callId, post.event])).toEqual([
      ['pbx-c', 'newCall'],
      ['pbx-c', 'hangup'],
    ]);
    expect(bench.last).toMatchObject({ cause: 'forwarded' });
  });
});

test('a leg that has ended starts no second call with an id that is used up', () => {
  const bench = new BrainBench()
    .say(phone('a', '100', 'incoming'), trunkOut('t', '03012345678', 'a'), ended('a', 16))
    .say(ended('t', 16));
  bench
    .say(trunkOut('t2', '03099999999', 'a'))
    .say(ended('t2', 16))
    .until(5000);
  expect(bench.told.map(({ post }) => `${post.callId} ${post.event}`)).toEqual([
    'pbx-a newCall',
    'pbx-a hangup',
    'pbx-t2 newCall',
    'pbx-t2 hangup',
  ]);
});

test('a leg taken for a customer, then known to be an old one’s new place, leaves no call behind', () => {
  const bench = new BrainBench().say(customerIn('c')).until(4000).say(customerIn('d')).until(8000);
  bench.say({ type: 'replaced', old: asLegId('c'), new: asLegId('d') }).say(ended('d', 16, 'far'));
  expect([...bench.brain.calls()]).toEqual([]);
  expect(
    bench.told
      .filter(({ post }) => post.event === 'hangup')
      .map(({ post }) => post.callId)
      .sort(),
  ).toEqual(['pbx-c', 'pbx-d']);
});
