import { describe, expect, test } from '@jest/globals';
import { asCallId, asZammadName, type NewCallPost } from '../../../src/call/vocabulary.js';
import { createEmergency } from '../../../src/gate/emergency.js';
import { Gate, type GateAnswer, type GateQuestion } from '../../../src/gate/gate.js';
import { Rejects } from '../../../src/gate/rejects.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { silent } from '../../support/whole-bridge.js';

const BUDGET = 500;
const callId = asCallId('office-1');
const post: NewCallPost = { event: 'newCall', callId, direction: 'in', from: '49301', to: '49302', user: [] };
const REJECT: GateAnswer = { kind: 'reject', reason: 'busy' };
const dial = (callerId: string): GateAnswer => ({ kind: 'dial', callerId });
const NONE: GateAnswer = { kind: 'none' };

/** What each Zammad says, and when (ms); never = Infinity. */
type Plan = readonly (readonly [after: number, said: GateAnswer])[];

function rig(remember = 0) {
  const clock = new ManualClock();
  const outcomes: string[] = [];
  const late: string[] = [];
  const gate = new Gate({
    clock,
    log: silent,
    remember,
    count: (_name, labels) => void outcomes.push(Object.values(labels).join()),
    onLateReject: (id, reason) => void late.push(`${id} ${reason}`),
  });
  const ask = async (plan: Plan, committedAfter = 0, more: Partial<NewCallPost> = {}) => {
    const began = clock.monotonic();
    const questions = (): GateQuestion[] =>
      plan.map(([after, said], index) => ({
        zammad: asZammadName(`z${index}`),
        post: { ...post, ...more },
        answer: new Promise((resolve) => {
          if (after === 0) resolve(said);
          else if (after < Infinity)
            clock.after(after, () => {
              resolve(said);
            });
        }),
      }));
    const committed = new Promise<GateQuestion[]>((resolve) => {
      if (committedAfter === 0) resolve(questions());
      else
        clock.after(committedAfter, () => {
          resolve(questions());
        });
    });
    let took = -1;
    const decided = gate.decide({ callId, questions: committed, deadline: began + BUDGET }).then((decision) => {
      took = clock.monotonic() - began;
      return decision;
    });
    await clock.advance(2_000);
    return { decision: await decided, took };
  };
  return { clock, gate, ask, outcomes, late };
}

describe('the gate', () => {
  test.each<[string, Plan, object, number, string]>([
    [
      'nothing is said: the call goes on as soon as all have answered',
      [[30, NONE]],
      { kind: 'continue' },
      30,
      'continue',
    ],
    [
      'a reject from any wins at once',
      [
        [300, NONE],
        [20, REJECT],
      ],
      REJECT,
      20,
      'reject',
    ],
    [
      'a caller id waits for those who may still reject',
      [
        [10, dial('1')],
        [200, REJECT],
      ],
      REJECT,
      200,
      'reject',
    ],
    [
      'the first caller id in configured order wins',
      [
        [90, dial('1')],
        [10, dial('2')],
      ],
      dial('1'),
      90,
      'dial',
    ],
    [
      'at the end of the budget what is there wins',
      [
        [Infinity, NONE],
        [10, dial('2')],
      ],
      dial('2'),
      BUDGET,
      'dial',
    ],
    [
      'no reply at all: the call goes on at the end of the budget',
      [[Infinity, NONE]],
      { kind: 'continue' },
      BUDGET,
      'timeout',
    ],
    [
      'a Zammad that is known to be down does not hold it up',
      [[0, { kind: 'silent', why: 'down' }]],
      { kind: 'continue' },
      0,
      'continue',
    ],
    ['nobody is to be told: the call goes on at once', [], { kind: 'continue' }, 0, 'continue'],
  ])('%s', async (_what, plan, decision, took, outcome) => {
    const { ask, outcomes } = rig();
    expect(await ask(plan)).toEqual({ decision, took });
    expect(outcomes[0]).toBe(outcome);
  });

  test('the commit counts against the budget: a store that hangs delays no call beyond it', async () => {
    const { ask } = rig();
    expect(await ask([[0, REJECT]], 1_000)).toEqual({ decision: { kind: 'continue' }, took: BUDGET });
  });

  test('a reject that comes too late is handed on; a caller id is only counted', async () => {
    const { ask, late, outcomes } = rig();
    await ask([[800, REJECT]]);
    expect(late).toEqual(['office-1 busy']);
    await ask([[900, dial('1')]]);
    expect([late.length, outcomes]).toEqual([1, ['timeout', 'reject', 'timeout', 'dial']]);
  });

  test('a store that refuses the newCall: the call goes on', async () => {
    const { gate, clock } = rig();
    const questions = Promise.reject(new Error('full'));
    const decided = gate.decide({ callId, questions, deadline: clock.monotonic() + BUDGET });
    await settle();
    expect(await decided).toEqual({ kind: 'continue' });
    expect(clock.pending).toBe(0);
  });

  test('whom Zammad rejected lately is rejected while it is silent, where that is wanted', async () => {
    const forgetful = rig();
    await forgetful.ask([[10, REJECT]]);
    expect((await forgetful.ask([[Infinity, NONE]])).decision).toEqual({ kind: 'continue' });

    const { ask, clock, outcomes } = rig(60_000);
    await ask([[10, REJECT]]);
    expect(await ask([[0, { kind: 'silent', why: 'down' }]])).toEqual({ decision: REJECT, took: 0 });
    expect(outcomes.at(-1)).toBe('remembered');
    expect((await ask([[Infinity, NONE]], 0, { from: '49999' })).decision).toEqual({ kind: 'continue' });
    // Taken off the block list meanwhile.
    await ask([[10, NONE]]);
    expect((await ask([[Infinity, NONE]])).decision).toEqual({ kind: 'continue' });
    await ask([[10, REJECT]]);
    await clock.advance(61_000);
    expect((await ask([[Infinity, NONE]])).decision).toEqual({ kind: 'continue' });
  });

  test('each Zammad is remembered by itself: what another one says does not undo its reject', async () => {
    const silent: GateAnswer = { kind: 'silent', why: 'down' };
    const { ask } = rig(60_000);
    for (const other of [5, 20]) {
      await ask([
        [other, NONE],
        [10, REJECT],
      ]);
      expect(
        (
          await ask([
            [0, NONE],
            [0, silent],
          ])
        ).decision,
      ).toEqual(REJECT);
    }
    // The other one has never rejected.
    expect(
      (
        await ask([
          [0, silent],
          [0, NONE],
        ])
      ).decision,
    ).toEqual({ kind: 'continue' });
    expect(
      (
        await ask([
          [0, silent],
          [0, silent],
        ])
      ).decision,
    ).toEqual({ kind: 'continue' });
  });
});

describe('several Zammads', () => {
  const DOWN: GateAnswer = { kind: 'silent', why: 'down' };

  test('one that lets a caller through does not undo what another one says of him', async () => {
    const { ask } = rig(60_000);
    await ask([
      [10, REJECT],
      [20, NONE],
    ]);
    const plan: Plan = [
      [0, DOWN],
      [10, NONE],
    ];
    expect((await ask(plan)).decision).toEqual(REJECT);
  });
  test('nor is what one has said of him taken for the word of another', async () => {
    const { ask } = rig(60_000);
    await ask([
      [10, NONE],
      [20, REJECT],
    ]);
    const plan: Plan = [
      [0, DOWN],
      [10, NONE],
    ];
    expect((await ask(plan)).decision).toEqual({ kind: 'continue' });
  });
  test.each<[string, Plan]>([
    [
      'at another time',
      [
        [10, REJECT],
        [800, REJECT],
      ],
    ],
    [
      'at the same time',
      [
        [10, REJECT],
        [10, REJECT],
      ],
    ],
  ])('a call that was rejected is not rejected again by the next one, %s', async (_when, plan) => {
    const { ask, late, outcomes } = rig();
    expect((await ask(plan)).decision).toEqual(REJECT);
    expect([late, outcomes]).toEqual([[], ['reject']]);
  });
  test('a call that was rejected from memory is not rejected again by the word that confirms it', async () => {
    const { ask, late, outcomes } = rig(60_000);
    await ask([[10, REJECT]]);
    expect((await ask([[800, REJECT]])).decision).toEqual(REJECT);
    expect([late, outcomes]).toEqual([[], ['reject', 'remembered']]);
  });
});

describe('the memory of rejects', () => {
  test('a reply that is not understood is no word for the caller: the call goes on, and nothing is forgotten', async () => {
    const { ask } = rig(60_000);
    await ask([[10, REJECT]]);
    expect(await ask([[10, { kind: 'odd' }]])).toEqual({ decision: { kind: 'continue' }, took: 10 });
    expect((await ask([[Infinity, NONE]])).decision).toEqual(REJECT);
  });
  test('nobody is rejected because another one who withheld his number was', async () => {
    const { ask } = rig(60_000);
    await ask([[10, REJECT]], 0, { from: 'anonymous' });
    expect((await ask([[Infinity, NONE]], 0, { from: 'anonymous' })).decision).toEqual({ kind: 'continue' });
  });
  test('is bounded, and forgets the oldest first', () => {
    const rejects = new Rejects(60_000);
    const zammad = asZammadName('main');
    for (let number = 0; number <= 10_000; number += 1) rejects.learn(zammad, String(number), 'busy', number);
    expect(rejects.size).toBe(10_000);
    expect([rejects.recall(zammad, '0', 10_000), rejects.recall(zammad, '1', 10_000)]).toEqual([undefined, 'busy']);
  });
});

test('emergency numbers are known as dialled, also behind the prefix of an outside line', () => {
  const isEmergency = createEmergency(['112', '110'], ['0', '9']);
  for (const dialled of ['112', '0112', '9-110', '0 112', '110'])
    expect([dialled, isEmergency(dialled)]).toEqual([dialled, true]);
  // With a code before it that hides the caller's number, or shows it, and with the key that ends a number.
  for (const dialled of ['*31#112', '#31#0112', '112#'])
    expect([dialled, isEmergency(dialled)]).toEqual([dialled, true]);
  for (const dialled of ['0049112', '1120', '02112', '', undefined])
    expect([dialled, isEmergency(dialled)]).toEqual([dialled, false]);
});
