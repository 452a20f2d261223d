import { describe, expect, test } from '@jest/globals';
import { asZammadName } from '../../../src/call/vocabulary.js';
import {
  BrainBench,
  called,
  customerIn,
  ended,
  joined,
  phone,
  snapshot,
  trunkOut,
  up,
} from '../../support/brain-bench.js';

/** A customer (c) rings at 100 (a). */
const ringing = (bench = new BrainBench()): BrainBench =>
  bench.say(customerIn('c')).say(phone('a', '100'), called('a', 'c')).until(200);
/** … and talks with 100. */
const talking = (bench?: BrainBench): BrainBench =>
  ringing(bench).say(up('a'), up('c'), joined('a', 'x'), joined('c', 'x'));
/** What a snapshot tells of the two who talk. */
const stillTalking = [
  customerIn('c'),
  phone('a', '100'),
  up('c'),
  up('a'),
  joined('a', 'x'),
  joined('c', 'x'),
  snapshot('c', 'a'),
];

describe('after a restart of the bridge', () => {
  test('a call that is still there goes on: nothing is told twice, its end is told once', () => {
    const bench = talking().restart();
    bench.say(...stillTalking).until(5_000);
    expect(bench.events).toEqual(['newCall', 'answer']);
    bench.say(ended('c', 16, 'far'), ended('a', 16));
    expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
    expect(bench.last).toMatchObject({ callId: 'pbx-c', cause: 'normalClearing', answeringNumber: '100' });
    expect(bench.heritage().calls).toEqual([]);
  });

  test('a call that is gone is closed: by who had talked, else by congestion', () => {
    const talked = talking().restart().say(snapshot());
    expect(talked.last).toMatchObject({ event: 'hangup', cause: 'normalClearing' });
    const rang = ringing().restart().say(snapshot());
    expect(rang.last).toMatchObject({ event: 'hangup', cause: 'congestion' });
  });

  test('a call that was heard but not told is told, also when it is over: newCall and hangup', () => {
    const bench = new BrainBench().say(customerIn('c')).restart().say(snapshot());
    expect(bench.events).toEqual(['newCall', 'hangup']);
    const alive = new BrainBench().say(customerIn('c')).restart();
    alive.say(customerIn('c'), snapshot('c')).until(alive.now + 3_100);
    expect(alive.events).toEqual(['newCall']);
  });

  test('as long as the PBX is not heard, nothing is closed; after calls.maxSilence everything is', () => {
    const bench = talking(new BrainBench({ calls: { maxSilence: 60_000 } })).restart();
    bench.until(bench.now + 59_000);
    expect(bench.events).toEqual(['newCall', 'answer']);
    bench.until(bench.now + 2_000);
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'normalClearing' });
  });

  test('several restarts in a row change nothing', () => {
    const bench = talking().restart().restart();
    bench
      .say(...stillTalking)
      .restart()
      .say(...stillTalking);
    bench.say(ended('c', 16, 'far'));
    expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
  });

  test('an agent who answers after it is the first to answer', () => {
    const bench = ringing().restart();
    bench.say(customerIn('c'), phone('a', '100'), snapshot('c', 'a'));
    bench.say(up('a'), up('c'), joined('a', 'x'), joined('c', 'x'));
    expect(bench.last).toMatchObject({ event: 'answer', user: 'Alice Agent' });
  });

  test('a second outside call of a leg gets .2 though the first was over before the restart', () => {
    const bench = new BrainBench()
      .say(phone('a', '100', 'incoming'))
      .say(trunkOut('t1', '+4930111', 'a'))
      .until(10);
    bench.say(up('t1'), joined('a', 'x'), joined('t1', 'x'), up('a')).say(ended('t1', 16));
    bench
      .restart()
      .say(phone('a', '100', 'incoming'), snapshot('a'))
      .say(trunkOut('t2', '+4930222', 'a'))
      .until(50);
    expect(bench.told.map(({ post }) => post.callId)).toEqual(['pbx-a', 'pbx-a', 'pbx-a', 'pbx-a.2']);
  });

  test('an outbound call that was looking for another way out finds it, or is over', () => {
    const seeking = (): BrainBench =>
      new BrainBench()
        .say(phone('a', '100', 'incoming'))
        .say(trunkOut('t1', '+4930111', 'a'))
        .until(10)
        .say(ended('t1', 34));
    const found = seeking()
      .restart()
      .say(phone('a', '100', 'incoming'), trunkOut('t2', '+4930111', 'a'), snapshot('a', 't2'));
    found.until(found.now + 20_000);
    expect(found.events).toEqual(['newCall']);
    const lost = seeking()
      .restart()
      .say(phone('a', '100', 'incoming'), snapshot('a'));
    lost.until(lost.now + 300);
    expect(lost.events).toEqual(['newCall', 'hangup']);
    const unheard = seeking().restart();
    unheard.until(unheard.now + 11_000);
    expect(unheard.events).toEqual(['newCall', 'hangup']);
  });

  test('an outside leg that a finished call has left behind is no call of its own', () => {
    const bench = talking();
    bench.say(trunkOut('f', '+491719990001', 'c')).say(ended('c', 16, 'far'));
    bench.restart().say(trunkOut('f', '+491719990001'), up('f'), snapshot('f')).until(5_000);
    expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
    bench.say(ended('f', 16));
    expect(bench.brain.calls().next().done).toBe(true);
  });

  test('a leg that a snapshot names before it is told of is not taken for gone', () => {
    const bench = ringing().restart().say(customerIn('c'), snapshot('c', 'a'));
    bench.say(up('a'), up('c'), joined('a', 'x'), joined('c', 'x'));
    expect(bench.events).toEqual(['newCall', 'answer']);
  });

  test('what was heard of an outgoing leg as it began counts more than what a snapshot guesses', () => {
    const bench = new BrainBench()
      .say(customerIn('c'))
      .say(trunkOut('m', '+491711111111', 'c'), called('m', 'c'))
      .until(200);
    expect(bench.last).toMatchObject({ event: 'newCall', user: ['Alice Agent'] });
    bench.restart().say(customerIn('c'), trunkOut('m', '+4930555200'), snapshot('c', 'm'));
    bench.say(up('m'), up('c'), joined('m', 'x'), joined('c', 'x'));
    expect(bench.last).toMatchObject({ event: 'answer', user: 'Alice Agent' });
  });

  test('a Zammad that is new in the configuration hears only of calls that nobody was told of', () => {
    const both = [asZammadName('main'), asZammadName('second')].map((name) => ({ name, filter: {} }));
    const told = ringing().restart({ destinations: both }).say(snapshot());
    expect(told.told.at(-1)).toMatchObject({ to: ['main'], post: { event: 'hangup' } });
    const untold = new BrainBench().say(customerIn('c')).restart({ destinations: both }).say(snapshot());
    expect(untold.told.map(({ to }) => to)).toEqual([
      ['main', 'second'],
      ['main', 'second'],
    ]);
  });

  test('a call whose record is of another version is closed with what it says', () => {
    const bench = talking();
    const { calls } = bench.heritage();
    bench.restart({
      heritage: {
        calls: calls.map((call) => ({ ...call, version: 99, customers: 'strange' as never })),
        roots: [],
        aftermath: [],
      },
    });
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'normalClearing', callId: 'pbx-c' });
  });

  test('nothing is left behind: of what was restored and is over, nothing is kept', () => {
    const bench = talking().restart();
    bench.say(...stillTalking).say(ended('c', 16, 'far'), ended('a', 16));
    bench.until(bench.now + 120_000).say(snapshot());
    bench.until(bench.now + 120_000).say(snapshot());
    expect(bench.brain.size).toBe(0);
  });
});

test('a number that its caller withholds is not kept', () => {
  const bench = new BrainBench().say(customerIn('c', '+4930123456', '+4930555200', { withheld: true }));
  expect(JSON.stringify(bench.heritage())).not.toContain('30123456');
  bench.restart().say(snapshot());
  expect(bench.told.map(({ post }) => post.from)).toEqual(['anonymous', 'anonymous']);
});

test('an outside leg that an agent talks with is his consultation, though its story began with his customer', () => {
  const consulted = talking().restart();
  const outside = trunkOut('o', '+491719990001', 'c');
  const there = [customerIn('c'), phone('a', '100'), up('c'), up('a'), up('o')];
  consulted.say(...there, joined('a', 'y'), joined('o', 'y'), outside, snapshot('c', 'a', 'o'));
  expect(consulted.told.at(-2)?.post).toMatchObject({ event: 'newCall', direction: 'out', to: '491719990001' });
  expect(consulted.last).toMatchObject({ event: 'answer', direction: 'out' });

  const transferred = talking().restart();
  const moved = [customerIn('c'), up('c'), up('o'), joined('c', 'y'), joined('o', 'y')];
  transferred.say(...moved, outside, snapshot('c', 'o'));
  expect(transferred.events).toEqual(['newCall', 'answer']);
  transferred.say(ended('c', 16, 'far'));
  expect(transferred.last).toMatchObject({ event: 'hangup', cause: 'forwarded' });
});

test('closeAll closes every call with the best known cause', () => {
  const bench = talking();
  bench.say(customerIn('d', '+4930999'));
  const outcomes = bench.brain.closeAll(bench.now);
  expect(outcomes.flatMap((one) => (one.kind === 'post' ? [[one.post.callId, one.post.event]] : []))).toEqual([
    ['pbx-c', 'hangup'],
    ['pbx-d', 'newCall'],
    ['pbx-d', 'hangup'],
  ]);
});
