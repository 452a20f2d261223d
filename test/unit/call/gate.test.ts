import { describe, expect, test } from '@jest/globals';
import type { GateRequest } from '../../../src/call/gate.js';
import { asLegId } from '../../../src/call/vocabulary.js';
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

const customer = (more: Partial<GateRequest> = {}): GateRequest => ({
  leg: asLegId('c'),
  line: { kind: 'trunk', name: 'trunk' },
  from: '+4930123456',
  dialled: '+4930555200',
  withheld: false,
  ...more,
});
const agent = (more: Partial<GateRequest> = {}): GateRequest => ({
  leg: asLegId('a'),
  line: { kind: 'agent', extension: '100', device: 'PJSIP/100' },
  from: '100',
  dialled: '03012345678',
  withheld: false,
  ...more,
});

describe('a customer waits at the gate', () => {
  test('newCall goes out at once, gated, with whom the PBX is going to call', () => {
    const bench = new BrainBench();
    const opening = bench.ask(customer({ users: ['100', '101', '777'], queue: 'sales' }));
    expect(opening).toMatchObject({ kind: 'ask', callId: 'pbx-c', direction: 'in' });
    expect(bench.told.map(({ post, gated }) => [post, gated])).toEqual([
      [
        {
          event: 'newCall',
          callId: 'pbx-c',
          direction: 'in',
          from: '4930123456',
          to: '4930555200',
          user: ['Alice Agent', 'Bob Agent', '777'],
          queue: 'sales',
        },
        true,
      ],
    ]);
  });

  test('where nobody says whom, the configuration of the number does', () => {
    const bench = new BrainBench({ dids: [{ number: '+4930555200', agents: ['102'], queue: 'support' }] });
    bench.ask(customer());
    expect(bench.last).toMatchObject({ user: ['Carol Agent'], queue: 'support' });
  });

  test('what the PBX says goes before the configuration of the number, and an empty word says nothing', () => {
    const dids = [{ number: '+4930555200', agents: ['102'], queue: 'support' }];
    const said = new BrainBench({ dids });
    said.ask(customer({ users: ['100'], queue: 'sales' }));
    expect(said.last).toMatchObject({ user: ['Alice Agent'], queue: 'sales' });
    const unsaid = new BrainBench({ dids });
    unsaid.ask(customer({ users: [], queue: '' }));
    expect(unsaid.last).toMatchObject({ user: ['Carol Agent'], queue: 'support' });
  });

  test('one call is one call, whether the gate or the events see it first', () => {
    const first = new BrainBench();
    first.ask(customer({ users: ['100'] }));
    first.say(customerIn('c', '+4930123456', '+4930555200', { withheld: 'asked' })).until(1_000);
    const second = new BrainBench().say(customerIn('c', '+4930123456', '+4930555200', { withheld: 'asked' }));
    second.ask(customer({ users: ['100'] }));
    for (const bench of [first, second]) {
      bench.say(phone('a', '100'), called('a', 'c')).until(bench.now + 5_000);
      bench.say(up('a'), up('c'), joined('a', 'x'), joined('c', 'x'));
      bench.say(ended('c', 16, 'far'));
      expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
    }
  });

  test.each([true, false])(
    'where calls are told on arrival, one that waits is told by its gate (known before: %s)',
    (known) => {
      const bench = new BrainBench({ calls: { newCall: 'arrival' } });
      if (known) bench.say(customerIn('c', '+4930123456', '+4930555200', { withheld: 'asked' })).until(5);
      expect(bench.ask(customer({ users: ['100'] }))).toMatchObject({ kind: 'ask' });
      expect(bench.told.map(({ post, gated }) => [post.event, 'user' in post && post.user, gated])).toEqual([
        ['newCall', ['Alice Agent'], true],
      ]);
      bench.until(5_000);
      expect(bench.events).toEqual(['newCall']);
    },
  );

  test('calls that are told on arrival: it is waited a moment whether the gate asks', () => {
    const arrival = { calls: { newCall: 'arrival' }, hasGate: true } as const;
    const asked = new BrainBench(arrival).say(customerIn('c')).until(100);
    expect(asked.told).toEqual([]);
    asked.ask(customer({ users: ['100', '101'] }));
    expect(asked.told.map(({ at, gated }) => [at, gated])).toEqual([[100, true]]);
    expect(asked.last).toMatchObject({ user: ['Alice Agent', 'Bob Agent'] });

    const unasked = new BrainBench(arrival).say(customerIn('c')).until(1_000);
    expect(unasked.told.map(({ at, gated }) => [at, gated])).toEqual([[250, false]]);
    const noGate = new BrainBench({ ...arrival, hasGate: false }).say(customerIn('c')).until(1_000);
    expect(noGate.told.map(({ at }) => at)).toEqual([0]);
  });
  test('a number that is known to be withheld stays so, whatever the gate sees of it', () => {
    const bench = new BrainBench().say(customerIn('c', '+4930123456', '+4930555200', { withheld: true }));
    bench.ask(customer());
    expect(bench.last).toMatchObject({ from: 'anonymous' });
  });

  test('a withheld number is not told', () => {
    const bench = new BrainBench();
    bench.ask(customer({ withheld: true }));
    expect(bench.last).toMatchObject({ from: 'anonymous' });
  });

  test('a call that was told already is not asked about', () => {
    const bench = new BrainBench().say(customerIn('c')).until(4_000);
    expect(bench.ask(customer())).toMatchObject({ kind: 'pass' });
    expect(bench.events).toEqual(['newCall']);
    expect(bench.ask(customer())).toMatchObject({ kind: 'pass' });
  });

  test('after a reject its hangup has the cause that is wanted', () => {
    for (const cause of ['busy', 'forwarded'] as const) {
      const bench = new BrainBench();
      bench.ask(customer());
      bench.brain.rejectAtGate(bench.told[0]!.post.callId, cause);
      bench.say(ended('c', 17));
      expect(bench.last).toMatchObject({ event: 'hangup', cause });
      expect(bench.events).toEqual(['newCall', 'hangup']);
    }
  });

  test('a call that rings although it was rejected goes on, and ends for a reason of its own', () => {
    const rings = [
      [phone('a', '100'), called('a', 'c')],
      [trunkOut('f', '01719990001', 'c'), called('f', 'c')],
    ];
    for (const events of rings) {
      const bench = new BrainBench();
      bench.ask(customer());
      bench.brain.rejectAtGate(bench.told[0]!.post.callId, 'busy');
      bench.restart().say(customerIn('c'), snapshot('c'));
      bench.say(...events).say(ended('c', 127, 'far'));
      expect(bench.last).toMatchObject({ event: 'hangup', cause: 'cancel' });
    }
  });

  test('a caller who gives up while he waits is a cancelled call', () => {
    const bench = new BrainBench();
    bench.ask(customer());
    bench.say(ended('c', 0, 'far'));
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'cancel' });
  });
});

describe('an agent who calls waits at the gate', () => {
  test('the outbound call is told before a trunk is dialled, and the trunk’s leg is its own', () => {
    const bench = new BrainBench();
    expect(bench.ask(agent())).toMatchObject({ kind: 'ask', callId: 'pbx-a', direction: 'out' });
    expect(bench.last).toMatchObject({ event: 'newCall', from: '100', to: '493012345678', user: ['Alice Agent'] });
    bench
      .say(phone('a', '100', 'incoming'))
      .say(trunkOut('t', '+493012345678', 'a', '+4930555100'))
      .until(50);
    bench.say(up('t'), up('a'), joined('a', 'x'), joined('t', 'x')).say(ended('t', 16, 'far'), ended('a', 16));
    expect(bench.events).toEqual(['newCall', 'answer', 'hangup']);
    expect(new Set(bench.told.map(({ post }) => `${post.callId} ${post.from} ${post.to}`))).toEqual(
      new Set(['pbx-a 100 493012345678']),
    );
  });

  test('whatever the dialplan makes of the number, the first trunk is that of the call', () => {
    const bench = new BrainBench();
    bench.ask(agent({ dialled: '603012345678' }));
    bench.say(trunkOut('t', '03012345678', 'a')).until(50);
    expect(bench.events).toEqual(['newCall']);
    bench.say(ended('t', 17), ended('a', 17));
    expect(bench.events).toEqual(['newCall', 'hangup']);
  });

  test('a call that is rejected, or given up, before a trunk is dialled is over with the agent’s leg', () => {
    const rejected = new BrainBench();
    rejected.ask(agent());
    rejected.brain.rejectAtGate(rejected.told[0]!.post.callId, 'busy');
    rejected.say(ended('a', 0, 'far'));
    expect(rejected.last).toMatchObject({ event: 'hangup', cause: 'busy', direction: 'out' });
    const given = new BrainBench();
    given.ask(agent());
    given.say(ended('a', 0, 'far'));
    expect(given.events).toEqual(['newCall', 'hangup']);
    expect(given.brain.calls().next().done).toBe(true);
  });

  test('a call that is dialled although it was rejected ends for a reason of its own', () => {
    const bench = new BrainBench();
    bench.ask(agent());
    bench.brain.rejectAtGate(bench.told[0]!.post.callId, 'busy');
    bench.say(phone('a', '100', 'incoming'), trunkOut('t', '+493012345678', 'a')).until(50);
    bench.say(ended('t', 34), ended('a', 34));
    expect(bench.last).toMatchObject({ event: 'hangup', cause: 'congestion' });
  });

  test('internal calls are not asked about', () => {
    const bench = new BrainBench();
    expect(bench.ask(agent({ dialled: '101' }))).toMatchObject({ kind: 'pass' });
    expect(bench.ask(agent({ dialled: undefined }))).toMatchObject({ kind: 'pass' });
    expect(bench.told).toEqual([]);
  });

  test('it survives a restart, and is over when the agent’s leg is gone', () => {
    const bench = new BrainBench();
    bench.ask(agent());
    bench.restart().say(phone('a', '100', 'incoming'), snapshot('a'));
    expect(bench.events).toEqual(['newCall']);
    bench.say(trunkOut('t', '+493012345678', 'a')).until(bench.now + 50);
    expect(bench.events).toEqual(['newCall']);
    const gone = new BrainBench();
    gone.ask(agent());
    gone.restart().say(snapshot());
    expect(gone.events).toEqual(['newCall', 'hangup']);
  });
});
