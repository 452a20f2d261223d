import { describe, expect, test } from '@jest/globals';
import { asLegId, asZammadName, type LegEvent } from '../../../src/call/vocabulary.js';
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

/** A customer (c) whom 100 (a) has answered. */
const answered = (bench = new BrainBench()): BrainBench =>
  bench
    .say(customerIn('c'))
    .say(phone('a', '100'), called('a', 'c'))
    .until(200)
    .say(up('a'), up('c'))
    .say(joined('a', 'b1'), joined('c', 'b1'));

describe('an inbound call', () => {
  test('is told when the first phone has been called and the ring group was waited for', () => {
    const bench = new BrainBench().say(customerIn('c')).until(1000);
    expect(bench.told).toEqual([]);
    bench.say(phone('a', '100'), called('a', 'c')).until(1100).say(phone('b', '101'), called('b', 'c')).until(1149);
    expect(bench.told).toEqual([]);
    bench.until(5000);
    expect(bench.told).toHaveLength(1);
    expect(bench.told[0]).toMatchObject({
      at: 1150,
      post: {
        event: 'newCall',
        callId: 'pbx-c',
        direction: 'in',
        from: '4930123456',
        to: '4930555200',
        user: ['Alice Agent', 'Bob Agent'],
      },
    });
    expect(bench.last).not.toHaveProperty('queue');
  });

  test('that reaches no phone is told after 3 s', () => {
    expect(new BrainBench().say(customerIn('c')).until(10_000).told).toMatchObject([
      { at: 3000, post: { event: 'newCall', user: [] } },
    ]);
  });

  test('with newCall: arrival is told at once', () => {
    const bench = new BrainBench({ calls: { newCall: 'arrival' } }).say(customerIn('c')).until(1000);
    expect(bench.told).toMatchObject([{ at: 0, post: { from: '4930123456' } }]);
  });

  test('is kept back while it is asked whether the number is withheld, however soon it is answered', () => {
    const asked = customerIn('c', '+4930123456', '+4930555200', { withheld: 'asked' });
    const picked: LegEvent[] = [
      phone('a', '100'),
      called('a', 'c'),
      up('a'),
      up('c'),
      joined('a', 'b'),
      joined('c', 'b'),
    ];
    const bench = new BrainBench({ calls: { newCall: 'arrival' } })
      .say(asked)
      .say(...picked)
      .until(10);
    expect(bench.told).toEqual([]);
    bench.say(customerIn('c', '+4930123456', '+4930555200', { withheld: true }));
    expect(bench.told).toMatchObject([
      { at: 10, post: { event: 'newCall', from: 'anonymous' } },
      { at: 10, post: { event: 'answer', from: 'anonymous' } },
    ]);
    const unanswered = new BrainBench()
      .say(asked)
      .say(...picked)
      .until(1000);
    expect(unanswered.told).toMatchObject([
      { at: 250, post: { event: 'newCall', from: '4930123456' } },
      { at: 250, post: { event: 'answer' } },
    ]);
    const over = new BrainBench().say(asked).until(5).say(ended('c', 1));
    expect(over.events).toEqual(['newCall', 'hangup']);
  });

  test('is answered by the person who hears the customer, once', () => {
    const bench = answered();
    bench.say(joined('a', 'b1'), joined('c', 'b1'), up('a'));
    expect(bench.events).toEqual(['newCall', 'answer']);
    expect(bench.last).toEqual({
      event: 'answer',
      callId: 'pbx-c',
      direction: 'in',
      from: '4930123456',
      to: '4930555200',
      user: 'Alice Agent',
      answeringNumber: '100',
    });
    bench.say(ended('c', 16, 'far'));
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'normalClearing', answeringNumber: '100' });
  });

  test('answered by the PBX alone is not answered', () => {
    const bench = new BrainBench()
      .say(customerIn('c'))
      .say(up('c'))
      .until(4000)
      .say(ended('c', 16, 'pbx'));
    expect(bench.events).toEqual(['newCall', 'hangup']);
    expect(bench.last).toMatchObject({ cause: 'noAnswer' });
  });

  test('that ends before it was told is told first', () => {
    expect(new BrainBench().say(customerIn('c')).say(ended('c', 1)).events).toEqual(['newCall', 'hangup']);
  });

  test('answered and ended in one batch is told whole', () => {
    const bench = new BrainBench().say(
      customerIn('c'),
      phone('a', '100'),
      called('a', 'c'),
      up('a'),
      up('c'),
      joined('a', 'b'),
      joined('c', 'b'),
      ended('c', 16, 'far'),
    );
    expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
  });

  test('a transferred call is answered again by the next agent, never twice in a row by the same', () => {
    const bench = answered();
    bench.say(left('a', 'b1'), left('c', 'b1')).say(ended('a', 16));
    bench.say(phone('b', '101'), called('b', 'c')).say(up('b')).say(joined('b', 'b2')).say(joined('c', 'b2'));
    bench.say(phone('b3', '101', 'incoming'), up('b3')).say(joined('b3', 'b2'), left('b', 'b2'));
    expect(
      bench.told.filter(({ post }) => post.event === 'answer').map(({ post }) => 'user' in post && post.user),
    ).toEqual(['Alice Agent', 'Bob Agent']);
    bench.say(ended('c', 16, 'far'));
    expect(bench.last).toMatchObject({ cause: 'normalClearing', answeringNumber: '101' });
  });

  test('with answerAgain: false the first agent stays', () => {
    const bench = answered(new BrainBench({ calls: { answerAgain: false } }));
    bench.say(ended('a', 16)).say(phone('b', '101'), up('b'), joined('b', 'b1'));
    expect(bench.events).toEqual(['newCall', 'answer']);
  });

  test('as long as the one who talks is there, he is the one, whoever joins', () => {
    const bench = answered().say(phone('b', '101', 'incoming'), up('b'), joined('b', 'b1'));
    expect(bench.events).toEqual(['newCall', 'answer']);
    bench.say(left('a', 'b1'));
    expect(bench.last).toMatchObject({ event: 'answer', user: 'Bob Agent' });
  });

  test('forwarded outside, answered there: no answer, forwarded, and no call of its own', () => {
    const bench = new BrainBench().say(customerIn('c')).say(trunkOut('f', '01719990001', 'c'), called('f', 'c'));
    bench
      .until(500)
      .say(up('f'), up('c'), joined('f', 'b'), joined('c', 'b'))
      .say(ended('f', 16, 'pbx'))
      .say(ended('c', 16, 'far'));
    expect(bench.events).toEqual(['newCall', 'hangup']);
    expect(bench.last).toMatchObject({ callId: 'pbx-c', cause: 'forwarded' });
  });

  test('forwarded outside, not answered there: still a missed call', () => {
    const bench = new BrainBench()
      .say(customerIn('c'))
      .say(trunkOut('f', '01719990001', 'c'), called('f', 'c'))
      .until(500);
    bench.say(ended('f', 17, 'far')).say(ended('c', 17, 'pbx'));
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'busy' });
  });

  test('an agent’s mobile is the agent, not an outside party', () => {
    const bench = new BrainBench()
      .say(customerIn('c'))
      .say(trunkOut('m', '0171 1111111', 'c'), called('m', 'c'))
      .until(500);
    expect(bench.last).toMatchObject({ event: 'newCall', user: ['Alice Agent'] });
    bench.say(up('m'), up('c'), joined('m', 'b'), joined('c', 'b')).say(ended('c', 16, 'far'));
    expect(bench.told.map(({ post }) => post)).toMatchObject([
      {},
      { event: 'answer', user: 'Alice Agent', answeringNumber: '100' },
      { cause: 'normalClearing' },
    ]);
  });

  test('two customers in a room without an agent have not been answered', () => {
    const bench = new BrainBench()
      .say(customerIn('c'), up('c'), joined('c', 'room'))
      .say(customerIn('d', '+4930777777'), up('d'), joined('d', 'room'));
    bench
      .until(4000)
      .say(ended('c', 16, 'far'))
      .say(ended('d', 16, 'far'));
    expect(
      bench.told.filter(({ post }) => post.event === 'hangup').map(({ post }) => 'cause' in post && post.cause),
    ).toEqual(['cancel', 'cancel']);
  });

  test('voicemail is told as voicemail, and the call stays a missed one', () => {
    const bench = new BrainBench()
      .say(customerIn('c'))
      .say(up('c'))
      .say({ type: 'recorder', leg: asLegId('c'), kind: 'voicemail' });
    expect(bench.last).toMatchObject({ event: 'answer', user: 'voicemail' });
    bench.say(ended('c', 16, 'far'));
    expect(bench.last).toMatchObject({ cause: 'cancel' });
    expect(bench.last).not.toHaveProperty('answeringNumber');
  });

  test('a device and an unknown extension have names', () => {
    const bench = new BrainBench()
      .say(customerIn('c'))
      .say(phone('a', 'alice', 'outgoing', 'PJSIP/alice'), called('a', 'c'))
      .say(phone('x', '107'), called('x', 'c'))
      .until(500);
    expect(bench.last).toMatchObject({ user: ['Alice Agent', '107'] });
  });

  test('the queue goes out where it is configured', () => {
    const queued = { type: 'queued', leg: asLegId('c'), queue: 'support' } as const;
    expect(new BrainBench().say(customerIn('c'), queued).until(4000).last).not.toHaveProperty('queue');
    expect(new BrainBench({ calls: { sendQueue: true } }).say(customerIn('c'), queued).until(4000).last).toMatchObject({
      queue: 'support',
    });
    const dids = [{ number: '+49 30 555200', agents: [], queue: 'sales' }];
    expect(new BrainBench({ dids }).say(customerIn('c')).until(4000).last).toMatchObject({ queue: 'sales' });
  });
});

describe('an outbound call', () => {
  const dialling = (bench = new BrainBench()): BrainBench =>
    bench.say(phone('a', '100', 'incoming')).say(trunkOut('t', '03012345678', 'a', '+4930555100'));

  test('is told when the trunk is dialled, is the caller’s, and has one answer without a user', () => {
    const bench = dialling();
    expect(bench.told).toMatchObject([
      {
        at: 0,
        post: {
          event: 'newCall',
          callId: 'pbx-a',
          direction: 'out',
          from: '4930555100',
          to: '493012345678',
          user: ['Alice Agent'],
        },
      },
    ]);
    bench.say(up('t'), up('a'), joined('a', 'b'), joined('t', 'b'));
    expect(bench.last).toEqual({
      event: 'answer',
      callId: 'pbx-a',
      direction: 'out',
      from: '4930555100',
      to: '493012345678',
    });
    bench.say(ended('t', 16, 'far'), ended('a', 16));
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'normalClearing' });
    expect(bench.last).not.toHaveProperty('answeringNumber');
  });

  test('goes on when the caller hands the customer to a colleague', () => {
    const bench = dialling()
      .say(up('t'), up('a'), joined('a', 'b'), joined('t', 'b'))
      .say(left('t', 'b'), ended('a', 16));
    bench.say(phone('z', '101'), called('z', 't'), up('z'), joined('z', 'b2'), joined('t', 'b2')).until(60_000);
    expect(bench.events).toEqual(['newCall', 'answer']);
    expect(bench.say(ended('t', 16, 'far')).last).toMatchObject({ cause: 'normalClearing' });
  });

  test.each([
    ['busy', ended('t', 17, 'far'), ended('a', 17), 'busy'],
    ['refused', ended('t', 21, 'far'), ended('a', 21), 'noAnswer'],
    ['unknown', ended('t', 1, 'far'), ended('a', 1), 'notFound'],
    ['no circuit', ended('t', 34, 'far'), ended('a', 34), 'congestion'],
    ['given up', ended('a', 127, 'far'), ended('t', 127), 'cancel'],
    ['rung out', ended('t', 0, 'pbx'), ended('a', 19), 'noAnswer'],
    ['busy tone heard, then hung up', ended('t', 17, 'far'), ended('a', 16, 'far'), 'busy'],
  ])('%s', (_, first, second, cause) => {
    const bench = dialling().say(first).say(second).until(5000);
    expect(bench.events).toEqual(['newCall', 'hangup']);
    expect(bench.last).toMatchObject({ cause });
  });

  test('another trunk after a failed one is the same call', () => {
    const bench = dialling()
      .until(1000)
      .say(ended('t', 38, 'far'))
      .until(1100)
      .say(trunkOut('t2', '03012345678', 'a'))
      .until(5000);
    expect(bench.events).toEqual(['newCall']);
    bench.say(up('t2'), up('a'), joined('a', 'b'), joined('t2', 'b')).say(ended('t2', 16, 'far'));
    expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
  });

  test('no other way out: over when the window has passed', () => {
    expect(
      dialling()
        .until(1000)
        .say(ended('t', 38, 'far'))
        .until(5000)
        .told.at(-1),
    ).toMatchObject({ at: 1250, post: { event: 'hangup', cause: 'congestion' } });
  });

  test('a second number from the same leg is a second call', () => {
    const bench = dialling()
      .say(ended('t', 17, 'far'))
      .until(2000)
      .say(trunkOut('t2', '03099999999', 'a'));
    expect(bench.last).toMatchObject({ event: 'newCall', callId: 'pbx-a.2', to: '493099999999' });
  });

  test('dialled before its caller is known', () => {
    const bench = new BrainBench().say(trunkOut('t', '03012345678', 'a'));
    expect(bench.told).toEqual([]);
    expect(bench.say(phone('a', '100', 'incoming')).last).toMatchObject({
      event: 'newCall',
      callId: 'pbx-a',
      user: ['Alice Agent'],
    });
  });

  test('a phone that was busy before its caller is known is named', () => {
    const bench = new BrainBench().say(phone('a', '100'), called('a', 'c')).say(ended('a', 17)).until(3);
    bench.say(customerIn('c')).say(ended('c', 17));
    expect(bench.told.map(({ post }) => post)).toMatchObject([
      { event: 'newCall', user: ['Alice Agent'] },
      { event: 'hangup', cause: 'busy' },
    ]);
    expect(bench.brain.size).toBe(2); // the two tombstones
  });

  test('dialled and refused before its caller is known', () => {
    const bench = new BrainBench()
      .say(trunkOut('t', '03012345678', 'a'))
      .say(ended('t', 17, 'far'))
      .until(3);
    expect(bench.told).toEqual([]);
    bench.say(phone('a', '100', 'incoming')).say(ended('a', 17));
    expect(bench.told.map(({ post }) => post)).toMatchObject([
      { event: 'newCall', callId: 'pbx-a', user: ['Alice Agent'] },
      { event: 'hangup', cause: 'busy' },
    ]);
    expect(
      new BrainBench()
        .say(trunkOut('t', '03012345678', 'a'))
        .say(ended('t', 17))
        .until(5000)
        .say(phone('a', '100', 'incoming')).told,
    ).toEqual([]);
  });

  test('originated to the customer first names the agent it is for', () => {
    const bench = new BrainBench().say({ ...trunkOut('t', '03012345678'), onBehalfOf: '101' } as never);
    expect(bench.last).toMatchObject({ callId: 'pbx-t', direction: 'out', from: '101', user: ['Bob Agent'] });
  });

  test('a consultation while a customer waits is a call of its own, or none, as configured', () => {
    const consult = (bench: BrainBench): BrainBench =>
      answered(bench)
        .say(phone('a2', '100', 'incoming'))
        .say(trunkOut('x', '03088888888', 'a2'));
    expect(consult(new BrainBench()).last).toMatchObject({ event: 'newCall', callId: 'pbx-a2' });
    const quiet = consult(new BrainBench({ calls: { reportConsultations: false } }));
    expect(quiet.events).toEqual(['newCall', 'answer']);
    // Put through to the outside, the customer's call is forwarded.
    quiet
      .say(up('x'), joined('x', 'b2'), joined('c', 'b2'), ended('a', 16), ended('a2', 16))
      .say(ended('c', 16, 'far'));
    expect(quiet.last).toMatchObject({ callId: 'pbx-c', cause: 'forwarded' });
  });
});

test('calls between agents, and to an agent’s own mobile, are not told', () => {
  const bench = new BrainBench()
    .say(phone('a', '100', 'incoming'))
    .say(phone('b', '101'), called('b', 'a'))
    .say(up('a'), up('b'), joined('a', 'x'), joined('b', 'x'));
  bench
    .say(ended('a', 16, 'far'), ended('b', 16))
    .say(phone('c', '101', 'incoming'))
    .say(trunkOut('m', '+491711111111', 'c'))
    .until(20_000);
  expect(bench.told).toEqual([]);
});

describe('why an inbound call ended', () => {
  const rung = (...ends: [id: string, q850: number][]): BrainBench => {
    const bench = new BrainBench().say(customerIn('c'));
    for (const [id] of ends) bench.say(phone(id, id), called(id, 'c'));
    bench.until(500);
    for (const [id, q850] of ends) bench.say(ended(id, q850));
    return bench;
  };
  test.each([
    ['all busy', [['100', 17]], ended('c', 17), 'busy'],
    [
      'one busy, one declined',
      [
        ['100', 17],
        ['101', 21],
      ],
      ended('c', 17),
      'noAnswer',
    ],
    ['declined, dialplan says absent', [['100', 21]], ended('c', 20), 'noAnswer'],
    ['rang out, dialplan says congestion', [['100', 0]], ended('c', 42), 'noAnswer'],
    ['nobody registered', [], ended('c', 20), 'notFound'],
    ['unknown number', [], ended('c', 1), 'notFound'],
    ['no circuit', [], ended('c', 34), 'congestion'],
    ['given up', [['100', 26]], ended('c', 127, 'far'), 'cancel'],
  ] as const)('%s', (_, phones, end, cause) => {
    expect(rung(...(phones as unknown as [string, number][])).say(end).last).toMatchObject({ event: 'hangup', cause });
  });
  test('stopped PBX', () => {
    expect(rung().say({ type: 'stopping' }).say(ended('c', 16)).last).toMatchObject({ cause: 'congestion' });
    expect(answered().say({ type: 'stopping' }).say(ended('c', 16)).last).toMatchObject({ cause: 'normalClearing' });
  });
});

describe('after a reconnect', () => {
  test('what the snapshot lacks is over, with the best known cause', () => {
    const bench = answered().say(customerIn('d', '+4930777777')).until(4000).say(snapshot());
    expect(bench.told.slice(-2).map(({ post }) => post)).toMatchObject([
      { callId: 'pbx-c', event: 'hangup', cause: 'normalClearing' },
      { callId: 'pbx-d', event: 'hangup', cause: 'congestion' },
    ]);
    expect([...bench.brain.calls()]).toEqual([]);
  });
  test('what it has goes on, and is told once', () => {
    const bench = answered().say(
      customerIn('c'),
      up('c'),
      phone('a', '100'),
      called('a', 'c'),
      up('a'),
      joined('a', 'b1'),
      joined('c', 'b1'),
      snapshot('a', 'c'),
    );
    expect(bench.events).toEqual(['newCall', 'answer']);
  });
  test('a call in progress is taken up from nothing', () => {
    const bench = new BrainBench().say(
      joined('a', 'b1'),
      up('a'),
      called('a', 'c'),
      joined('c', 'b1'),
      phone('a', '100'),
      up('c'),
      customerIn('c'),
      snapshot('a', 'c'),
    );
    expect(bench.events).toEqual(['newCall', 'answer']);
    expect(bench.told[0]?.post).toMatchObject({ user: ['Alice Agent'] });
  });
  test('an ended leg does not come back', () => {
    const bench = answered()
      .say(ended('c', 16, 'far'))
      .say(customerIn('c'), up('c'), joined('c', 'b1'))
      .until(59_000)
      .say(customerIn('c'));
    expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
  });
  test('what is not heard of for longer than maxSilence after the PBX was lost is closed', () => {
    const bench = new BrainBench({ calls: { maxSilence: 10_000 } }).say(customerIn('c')).until(5000);
    bench.brain.deaf(5000);
    // Heard again without a list of its legs: one call goes on, of the other nothing is known.
    bench.until(6000).say(customerIn('d', '+4930777777')).until(14_999);
    expect(bench.events).toEqual(['newCall', 'newCall']);
    bench.until(20_000);
    expect(bench.told.at(-1)).toMatchObject({
      at: 15_000,
      post: { callId: 'pbx-c', event: 'hangup', cause: 'congestion' },
    });
    expect([...bench.brain.calls()].map(({ id }) => id)).toEqual(['pbx-d']);
  });
});

describe('several Zammads', () => {
  const [a, b] = [asZammadName('a'), asZammadName('b')];
  test('a filter on agents waits until one is known, and the others do not wait for it', () => {
    const bench = new BrainBench({
      destinations: [
        { name: a, filter: {} },
        { name: b, filter: { agents: ['101'] } },
      ],
    })
      .say(customerIn('c'))
      .until(3500);
    expect(bench.told.map(({ to }) => to)).toEqual([[a]]);
    bench.say(phone('x', '101'), called('x', 'c')).until(3650);
    expect(bench.told.at(-1)).toMatchObject({ to: [b], post: { event: 'newCall', user: ['Bob Agent'] } });
    bench.say(up('x'), up('c'), joined('x', 'r'), joined('c', 'r'), ended('c', 16, 'far'));
    expect(bench.told.slice(2).map(({ to, post }) => [post.event, to])).toEqual([
      ['answer', [a, b]],
      ['hangup', [a, b]],
    ]);
  });
  test('a call that is told nobody says why', () => {
    const bench = new BrainBench({
      destinations: [{ name: b, filter: { agents: ['101'] } }],
      filter: { direction: 'in' },
    })
      .say(customerIn('c'))
      .say(ended('c', 1));
    expect(bench.told).toEqual([]);
    expect(bench.notes.join('\n')).toContain('not sent to b: no agent of filter.agents');
  });
  test('numbers are matched by pattern', () => {
    const bench = new BrainBench({
      destinations: [
        { name: a, filter: { dids: ['+4930555*'] } },
        { name: b, filter: { dids: ['4930556*'] } },
      ],
    });
    expect(
      bench
        .say(customerIn('c'))
        .say(ended('c', 1))
        .told.map(({ to }) => to),
    ).toEqual([[a], [a]]);
  });
});

test('the leg a call hangs on may be replaced', () => {
  const bench = answered()
    .say({ type: 'replaced', old: asLegId('c'), new: asLegId('c2') })
    .say(joined('c2', 'b1'))
    .say(ended('c2', 16, 'far'));
  expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
  expect(bench.last).toMatchObject({ callId: 'pbx-c', cause: 'normalClearing' });
});

test('a call id is never longer than 250 characters', () => {
  const id = 'x'.repeat(400);
  expect(new BrainBench().say(customerIn(id)).say(ended(id, 1)).last?.callId).toHaveLength(250);
});
