import { describe, expect, test } from '@jest/globals';
import { type CallFacts, factsOf } from '../../faults/case-facts.js';
import type { Hearing } from '../../faults/hearing.js';
import { complaintsOf, doneOf, heardWhole, knowledgeOf, knownOf, type ToldCall } from '../../faults/oracle.js';
import { asteriskCases } from '../../support/asterisk-cases.js';

const hearing = (login: number, snapshot: number | undefined, sure: number, to = sure + 100): Hearing => ({
  ...{ bridge: 'bridge', login, snapshot, sure, to, end: 'killed' },
});
/** Messages at 0, 100, 200, … ms. */
const sentAt = Array.from({ length: 11 }, (_, index) => index * 100);
const stretch = { from: 2, to: 6 };

describe('what a bridge may know of something that was so from 200 to 600 ms', () => {
  test.each<[string, readonly Hearing[], string]>([
    ['it was said to a bridge that lived on', [hearing(-50, -40, 300)], 'sure'],
    ['the channels were listed in its midst', [hearing(390, 400, 500)], 'sure'],
    ['it was said in the last instant of a bridge', [hearing(-50, -40, 150, 250)], 'maybe'],
    ['the channels were listed in the last instant of a bridge', [hearing(390, 400, 300, 500)], 'maybe'],
    ['the list came as it was just over', [hearing(300, 595, 900)], 'maybe'],
    ['the list came as it had just begun', [hearing(100, 210, 900)], 'maybe'],
    ['a bridge had logged in, but got no list', [hearing(300, undefined, 900)], 'maybe'],
    ['the bridge had died before', [hearing(-50, -40, 50, 150)], 'no'],
    ['the bridge came too late', [hearing(650, 660, 900)], 'no'],
    ['no bridge was there', [], 'no'],
    [
      'one died before, the next one got its list in its midst',
      [hearing(-50, -40, 50, 150), hearing(300, 310, 900)],
      'sure',
    ],
  ])('%s', (_, hearings, knowledge) => {
    expect(knowledgeOf(stretch, sentAt, hearings)).toBe(knowledge);
  });

  test('what was never played is not known', () => {
    expect(knowledgeOf({ from: 12, to: 14 }, sentAt, [hearing(-50, -40, 9000)])).toBe('no');
  });
});

describe('a call is heard whole', () => {
  test('by one bridge', () => {
    expect(heardWhole(10, sentAt, [hearing(-50, -40, 2000)])).toBe(true);
  });
  test('by two, when nothing was said between them', () => {
    expect(heardWhole(10, sentAt, [hearing(-50, -40, 310), hearing(330, 340, 2000)])).toBe(true);
  });
  test('not when something was said between them', () => {
    expect(heardWhole(10, sentAt, [hearing(-50, -40, 310), hearing(390, 405, 2000)])).toBe(false);
  });
  test('not when something was said before the list came', () => {
    expect(heardWhole(10, sentAt, [hearing(-50, 5, 2000)])).toBe(false);
  });
});

function call(name: string): CallFacts {
  const recorded = asteriskCases.find((one) => one.name === name);
  const [facts] = recorded === undefined ? [] : factsOf(recorded).calls;
  if (facts === undefined) throw new Error(`no ${name}`);
  return facts;
}
const answered = call('asterisk-22/01-inbound-answered-caller-hangs-up');
const missed = call('asterisk-22/03-inbound-no-answer');
const forwarded = call('asterisk-22/17c-forward-external');
const outbound = call('asterisk-22/18-outbound-answered');
const transferred = call('asterisk-22/14-blind-transfer-refer');

describe('off the list of missed calls', () => {
  const done = (facts: CallFacts, ...talks: ('sure' | 'maybe' | 'no')[]): object =>
    doneOf(facts, { call: 'sure', whole: false, talks });
  test.each([
    ['a call whose answer was heard must be', done(answered, 'sure'), { may: true, must: true }],
    ['a call whose answer may have been heard may be', done(answered, 'maybe'), { may: true, must: false }],
    ['a call whose talk nobody heard must not be', done(answered, 'no'), { may: false, must: false }],
    ['a missed call must not be', done(missed), { may: false, must: false }],
    ['a forwarded call whose outside talk was heard must be', done(forwarded, 'sure'), { may: true, must: true }],
    ['an outbound call always is', done(outbound, 'no'), { may: true, must: true }],
    ['one of two talks is enough', done(transferred, 'no', 'sure'), { may: true, must: true }],
  ])('%s', (_, found, rule) => {
    expect(found).toEqual(rule);
  });
});

describe('what was told of a call', () => {
  const known = { call: 'sure', whole: true, talks: ['sure'] } as const;
  const told: ToldCall = {
    ...{ from: '491711234567', to: '49305550100', agents: ['Alice Agent'], answers: ['100'] },
    ...{ cause: 'normalClearing', done: true },
  };
  test('is right when all of it was heard and told so', () => {
    expect(complaintsOf(told, answered, known, true)).toEqual([]);
  });
  test.each<[string, Partial<ToldCall>, string]>([
    ['it is missed', { done: false }, 'it stays on the list of missed calls, but somebody was heard to answer'],
    ['its answer is not told', { answers: [] }, '100 was heard to answer, and it is not told'],
    ['somebody else has answered', { answers: ['100', '101'] }, 'answered by 101, who cannot have been heard to talk'],
    ['the cause is another one', { cause: 'congestion' }, 'cause congestion, was normalClearing'],
    ['the customer is another one', { from: '4930' }, 'customer 4930, was 491711234567'],
    ['other agents are named', { agents: [] }, 'user[] nobody, was Alice Agent'],
  ])('is wrong when %s', (_, change, complaint) => {
    expect(complaintsOf({ ...told, ...change }, answered, known, true)).toContain(complaint);
  });
  test('may lack its answer when only its end was heard, and is missed then', () => {
    const late = { call: 'sure', whole: false, talks: ['no'] } as const;
    expect(complaintsOf({ ...told, answers: [], cause: 'cancel', done: false }, answered, late, true)).toEqual([]);
    expect(complaintsOf(told, answered, late, true)).toEqual([
      'it is off the list of missed calls, but nobody can have been heard to answer',
      'answered by 100, who cannot have been heard to talk',
    ]);
  });
});

test('everything is known of a call that one bridge heard from beginning to end', () => {
  const times = Array.from({ length: transferred.ends + 5 }, (_, index) => index * 50);
  expect(knownOf(transferred, times, [hearing(-100, -90, 60_000)])).toEqual({
    call: 'sure',
    whole: true,
    talks: ['sure', 'sure'],
  });
});
