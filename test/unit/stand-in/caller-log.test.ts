import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CallRules } from '../../../src/stand-in/call-rules.js';
import { statusText } from '../../../src/stand-in/call-row.js';
import { CallerLog, type Outcome } from '../../../src/stand-in/caller-log.js';
import type { ParamMap } from '../../../src/stand-in/parameters.js';
import { PhoneBook, type Person } from '../../../src/stand-in/phone-book.js';

const NOON = Date.UTC(2026, 10, 23, 12);
const noRules: CallRules = { blockList: [], routingTable: [], defaultCallerId: '', callerIdKey: 'caller_id' };
const people: Person[] = [
  { name: 'Max Customer', phones: ['+49 (0) 1234-7114711'] },
  { name: 'Alice Agent', login: 'alice@example.com', phones: ['43', '+49 30 555200 10'] },
];

/** A log that is told posts one second apart. */
function setUp(rules: Partial<CallRules> = {}, limit = 100) {
  const log = new CallerLog(limit);
  const book = new PhoneBook(people);
  let now = NOON;
  const post = (params: ParamMap): Outcome => {
    const outcome = log.process(params, { ...noRules, ...rules }, book, now);
    now += 1000;
    return outcome;
  };
  const newCall = (extra: ParamMap = {}): Outcome =>
    post({ event: 'newCall', direction: 'in', callId: 'c1', from: '4912347114711', to: '4930600000000', ...extra });
  const answer = (extra: ParamMap = {}): Outcome => post({ event: 'answer', direction: 'in', callId: 'c1', ...extra });
  const hangup = (extra: ParamMap = {}): Outcome => post({ event: 'hangup', direction: 'in', callId: 'c1', ...extra });
  return { log, post, newCall, answer, hangup, row: () => log.byCallId('c1') };
}
const failed = (status: number) => ({ kind: 'failed', status });

describe('who stays on the list of open calls', () => {
  const causes = ['normalClearing', 'busy', 'cancel', 'noAnswer', 'congestion', 'notFound', 'forwarded', null];
  const handlings = ['nobody', 'agent', 'voicemail'] as const;
  const combinations = (['in', 'out'] as const).flatMap((direction) =>
    handlings.flatMap((by) => causes.map((cause) => ({ direction, by, cause }))),
  );
  test('there are 48 combinations', () => {
    expect(combinations).toHaveLength(48);
  });
  test.each(combinations)('$direction, answered by $by, cause $cause', ({ direction, by, cause }) => {
    const { newCall, answer, hangup, row } = setUp();
    newCall({ direction });
    expect(row()?.done).toBe(direction === 'out');
    if (by !== 'nobody') {
      answer({ direction, user: by === 'voicemail' ? 'voicemail' : 'Alice Agent' });
      expect(row()?.done).toBe(true);
    }
    hangup({ direction, cause });
    const open = { nobody: cause !== 'forwarded', agent: false, voicemail: true }[by];
    expect(row()).toMatchObject({ state: 'hangup', comment: cause, done: direction === 'out' || !open });
  });

  test.each(['normalClearing', 'busy', 'noAnswer'])('a second hangup (%s) hides a missed call', (cause) => {
    const { newCall, hangup, row } = setUp();
    newCall();
    hangup({ cause: 'cancel' });
    expect(row()?.done).toBe(false);
    expect(hangup({ cause })).toMatchObject({ kind: 'accepted' });
    expect(row()).toMatchObject({ done: true, comment: cause });
  });
  test('a second hangup leaves a voicemail open', () => {
    const { newCall, answer, hangup, row } = setUp();
    newCall();
    answer({ user: 'voicemail' });
    hangup({ cause: 'normalClearing' });
    hangup({ cause: 'normalClearing' });
    expect(row()?.done).toBe(false);
  });
  test('a hangup with the wrong direction hides a missed call, or makes an outbound one missed', () => {
    const inbound = setUp();
    inbound.newCall();
    inbound.hangup({ direction: 'out', cause: 'cancel' });
    expect(inbound.row()?.done).toBe(true);
    const outbound = setUp();
    outbound.newCall({ direction: 'out' });
    outbound.hangup({ direction: 'in', cause: 'cancel' });
    expect(outbound.row()?.done).toBe(false);
  });
});

describe('newCall', () => {
  test('inbound: agents, customer, queue', () => {
    const { newCall, row } = setUp();
    expect(newCall({ user: ['Alice Agent', 'Bob Agent'], queue: 'sales', cause: 'why' })).toMatchObject({ reply: {} });
    expect(row()).toEqual({
      id: 1,
      callId: 'c1',
      direction: 'in',
      state: 'newCall',
      from: '4912347114711',
      fromComment: 'Max Customer',
      to: '4930600000000',
      toComment: 'Alice Agent, Bob Agent',
      queue: 'sales',
      comment: 'why',
      done: false,
      initializedAt: NOON,
      startAt: null,
      endAt: null,
      durationWaitingTime: null,
      durationTalkingTime: null,
      updatedAt: NOON,
    });
  });
  test.each([
    [{ queue: 'sales' }, { toComment: 'sales', queue: 'sales' }],
    [
      { user: '', queue: 'sales' },
      { toComment: 'sales', queue: 'sales' },
    ],
    [{}, { toComment: null, queue: '4930600000000' }],
    [{ queue: ['a', 'b'] }, { toComment: '["a", "b"]', queue: '["a", "b"]' }],
    [{ users: 'Eve', caller: 'Eve' }, { toComment: null }],
    [{ from: 'anonymous' }, { from: 'anonymous', fromComment: null }],
    [{ from: 4912347114711 }, { from: '4912347114711', fromComment: null }],
  ])('inbound %j', (extra, expected) => {
    const { newCall, row } = setUp();
    newCall(extra);
    expect(row()).toMatchObject(expected);
  });
  test('outbound: the agent is at from, the customer at to, done from the start', () => {
    const { newCall, row } = setUp();
    newCall({ direction: 'out', from: '43', to: '012347114711', user: ['Alice Agent'] });
    expect(row()).toMatchObject({ fromComment: 'Alice Agent', toComment: 'Max Customer', queue: '43', done: true });
  });
  test('a call id that is there already is refused, in any state and any direction', () => {
    const { newCall, hangup } = setUp();
    newCall();
    const refused = { kind: 'refused', status: 500, message: 'This object already exists.' };
    expect(newCall()).toEqual(refused);
    hangup({ cause: 'cancel' });
    expect(newCall({ direction: 'out' })).toEqual(refused);
  });
  test.each([
    ['from', 'from'],
    ['to', 'to'],
    ['callId', 'call_id'],
  ])('without %s', (name, column) => {
    const message = `Attribute '${column}" of relation "cti_logs' required!`;
    expect(setUp().newCall({ [name]: null })).toEqual({ kind: 'refused', status: 422, message });
  });
  test('empty texts are values', () => {
    const { newCall, log } = setUp();
    expect(newCall({ callId: '', from: '', to: '' }).kind).toBe('accepted');
    expect(log.rows()).toHaveLength(1);
    expect(newCall({ callId: '' })).toMatchObject({ kind: 'refused', status: 500 });
  });
  test('an empty callId hides call_id; an absent one does not', () => {
    const { post, log } = setUp();
    const base = { event: 'newCall', direction: 'in', from: '1', to: '2' };
    post({ ...base, callId: '', call_id: 'x' });
    post({ ...base, call_id: 'y' });
    post({ ...base, callId: 'first', call_id: 'z' });
    post({ ...base, callId: 7 });
    expect(log.rows().map((row) => row.callId)).toEqual(['', 'y', 'first', '7']);
  });
  test('too long a call id is cut and never found again', () => {
    const { newCall, answer, hangup, log } = setUp();
    const callId = 'x'.repeat(251);
    expect(newCall({ callId }).kind).toBe('accepted');
    expect(log.rows()[0]?.callId).toBe('x'.repeat(250));
    expect(answer({ callId })).toEqual(failed(500));
    expect(hangup({ callId })).toEqual(failed(500));
    expect(newCall({ callId })).toMatchObject({ kind: 'refused', status: 500 });
    expect(hangup({ callId: 'x'.repeat(250) }).kind).toBe('accepted');
  });
  test('from and to are cut at 100 characters, the other texts at their own width', () => {
    const { newCall, row } = setUp();
    newCall({
      from: 'f'.repeat(101),
      to: 't'.repeat(101),
      user: 'u'.repeat(251),
      queue: 'q'.repeat(251),
      cause: 'c'.repeat(501),
    });
    expect(row()).toMatchObject({
      from: 'f'.repeat(100),
      to: 't'.repeat(100),
      toComment: 'u'.repeat(250),
      queue: 'q'.repeat(250),
      comment: 'c'.repeat(500),
    });
  });
});

describe('the block list', () => {
  const rules = { blockList: ['491715000000'] };
  test('the exact number is rejected, and its row rings on', () => {
    const { newCall, row } = setUp(rules);
    expect(newCall({ from: '491715000000' })).toMatchObject({ reply: { action: 'reject', reason: 'busy' } });
    expect(row()).toMatchObject({ state: 'newCall', done: false, comment: null });
    expect(newCall({ from: '491715000000' })).toMatchObject({ kind: 'refused', status: 500 });
  });
  test.each(['+491715000000', '00491715000000', '01715000000', '491715000000 ', 491715000000])(
    '%j is let through',
    (from) => {
      expect(setUp(rules).newCall({ from })).toMatchObject({ kind: 'accepted', reply: {} });
    },
  );
  test('an outbound call is not rejected', () => {
    expect(setUp(rules).newCall({ direction: 'out', from: '491715000000' })).toMatchObject({ reply: {} });
  });
});

describe('the caller id of outbound calls', () => {
  const routingTable = [
    { dest: '4112*', callerId: '41100' },
    { dest: '41*', callerId: '41200' },
    { dest: '49(30|40)*', callerId: '49300' },
  ];
  const out = { direction: 'out', from: '43' };
  test.each([
    ['41124', '41100'],
    ['4147', '41200'],
    ['49401', '49300'],
  ])('to %s: %s, in the reply and in the row', (to, callerId) => {
    const { newCall, row } = setUp({ routingTable });
    expect(newCall({ ...out, to })).toMatchObject({ reply: { action: 'dial', caller_id: callerId, number: to } });
    expect(row()).toMatchObject({ from: callerId, queue: callerId });
  });
  test.each(['+4147', '004147', '41', '48999'])('to %s matches no row', (to) => {
    const { newCall, row } = setUp({ routingTable });
    expect(newCall({ ...out, to })).toMatchObject({ reply: {} });
    expect(row()?.from).toBe('43');
  });
  test('the default is for what no row matches', () => {
    const { newCall } = setUp({ routingTable, defaultCallerId: '4930777000000' });
    expect(newCall({ ...out, to: '48999' })).toMatchObject({
      reply: { action: 'dial', caller_id: '4930777000000', number: '48999' },
    });
  });
  test('with a caller id set, from may be absent; the queue sent stays', () => {
    const { newCall, row } = setUp({ defaultCallerId: '4930777000000' });
    expect(newCall({ direction: 'out', from: null, queue: 'sales' }).kind).toBe('accepted');
    expect(row()).toMatchObject({ from: '4930777000000', queue: 'sales' });
  });
  test('`+41*` matches 4147, not +4147', () => {
    const rules = { routingTable: [{ dest: '+41*', callerId: '1' }] };
    expect(setUp(rules).newCall({ ...out, to: '4147' })).toMatchObject({ reply: { action: 'dial' } });
    expect(setUp(rules).newCall({ ...out, to: '+4147' })).toMatchObject({ reply: {} });
  });
  test('a broken pattern fails every outbound newCall and leaves no row', () => {
    const { newCall, log } = setUp({ routingTable: [{ dest: '(41', callerId: '1' }] });
    expect(newCall({ ...out, to: '4147' })).toEqual(failed(500));
    expect(log.rows()).toHaveLength(0);
    expect(newCall().kind).toBe('accepted');
  });
  test('a JSON number in to fails', () => {
    expect(setUp().newCall({ ...out, to: 4147 })).toEqual(failed(500));
  });
  test('the spelling of the public documentation can be had', () => {
    const { newCall } = setUp({ defaultCallerId: '49', callerIdKey: 'callerId' });
    expect(newCall({ ...out, to: '41' })).toMatchObject({ reply: { action: 'dial', callerId: '49', number: '41' } });
  });
  test('inbound calls are not touched', () => {
    expect(setUp({ defaultCallerId: '49' }).newCall()).toMatchObject({ reply: {} });
  });
});

describe('answer', () => {
  test('times, agent and comment', () => {
    const { newCall, answer, row } = setUp();
    newCall({ cause: 'x', user: ['Alice Agent', 'Bob Agent'] });
    answer({ user: 'Bob Agent' });
    expect(row()).toMatchObject({
      state: 'answer',
      startAt: NOON + 1000,
      durationWaitingTime: 1,
      toComment: 'Bob Agent',
      comment: null,
      done: true,
    });
  });
  test('a second answer moves the start and names the other agent', () => {
    const { newCall, answer, row } = setUp();
    newCall();
    answer({ user: 'Alice Agent' });
    answer({ user: 'Bob Agent' });
    expect(row()).toMatchObject({ startAt: NOON + 2000, durationWaitingTime: 2, toComment: 'Bob Agent' });
  });
  test('user overwrites also on an outbound call, and when it is empty', () => {
    const { newCall, answer, row } = setUp();
    newCall({ direction: 'out', to: '4912347114711' });
    answer({ direction: 'out' });
    expect(row()?.toComment).toBe('Max Customer');
    answer({ direction: 'out', user: 'Alice Agent' });
    expect(row()?.toComment).toBe('Alice Agent');
    answer({ direction: 'out', user: '' });
    expect(row()?.toComment).toBe('');
  });
  test('after the hangup it changes nothing', () => {
    const { newCall, answer, hangup, row } = setUp();
    newCall();
    hangup({ cause: 'cancel' });
    const before = row();
    expect(answer({ user: 'Alice Agent', answeringNumber: '43' })).toEqual({
      kind: 'accepted',
      reply: {},
      row: before,
    });
    expect(row()).toBe(before);
  });
  test.each([{ callId: 'other' }, { callId: null }])('%j is unknown: 500', (extra) => {
    const { newCall, answer, hangup } = setUp();
    newCall();
    expect(answer(extra)).toEqual(failed(500));
    expect(hangup(extra)).toEqual(failed(500));
  });
  test.each([[['Bob Agent', 'X']], [7], [true]])('user %j, nobody found by number: saved, then 500', (user) => {
    const { newCall, answer, row } = setUp();
    newCall();
    expect(answer({ user })).toMatchObject({ kind: 'failed', status: 500, row: { state: 'answer' } });
    expect(row()?.state).toBe('answer');
  });
  test('a list is harmless where answeringNumber finds the agent, and on an outbound call', () => {
    const { newCall, answer, row } = setUp();
    newCall();
    expect(answer({ user: ['A', 'B'], answeringNumber: '43' }).kind).toBe('accepted');
    expect(answer({ user: ['A', 'B'], direction: 'out' }).kind).toBe('accepted');
    expect(row()?.toComment).toBe('A, B');
  });
  test.each([
    [{ answeringNumber: '43' }, 'Alice Agent'],
    [{ answeringNumber: '+493055520010' }, 'Alice Agent'],
    [{ user: 'ALICE@example.com' }, 'Alice Agent'],
    [{ user: 'Alice Agent' }, undefined],
    [{ answeringNumber: 'alice@example.com' }, undefined],
    [{ answeringNumber: '4912347114711' }, undefined],
    [{ answeringNumber: '44' }, undefined],
  ])('%j opens the ticket screen of %s', (extra, name) => {
    const { newCall, answer } = setUp();
    newCall();
    const outcome = answer(extra);
    expect(outcome.kind === 'accepted' ? outcome.screen?.name : 'not accepted').toBe(name);
  });
});

describe('hangup', () => {
  test('of an answered call: talking time', () => {
    const { newCall, answer, hangup, row } = setUp();
    newCall();
    answer();
    hangup({ cause: 'normalClearing', user: 'Eve' });
    expect(row()).toMatchObject({
      endAt: NOON + 2000,
      durationWaitingTime: 1,
      durationTalkingTime: 1,
      comment: 'normalClearing',
      toComment: null,
    });
    hangup();
    expect(row()).toMatchObject({ endAt: NOON + 3000, durationTalkingTime: 2, comment: null, done: true });
  });
  test('of a call nobody answered: waiting time', () => {
    const { newCall, hangup, row } = setUp();
    newCall();
    hangup({ cause: 'cancel' });
    expect(row()).toMatchObject({ endAt: NOON + 1000, durationWaitingTime: 1, durationTalkingTime: null });
  });
});

describe('what is refused before or beside all that', () => {
  test.each([null, '', 'In', 'inbound', ['in']])('direction %j, for every event', (direction) => {
    const { newCall, answer, hangup, post } = setUp();
    const invalid = { kind: 'invalid-direction' };
    expect([newCall({ direction }), answer({ direction }), hangup({ direction }), post({ direction })]).toEqual([
      invalid,
      invalid,
      invalid,
      invalid,
    ]);
  });
  test.each([null, '', 'NewCall', 'newcall', 'transfer'])('event %j', (event) => {
    expect(setUp().newCall({ event })).toEqual(failed(422));
  });
  test.each(['callId', 'from', 'to', 'user', 'queue', 'cause'])('a NUL byte in %s', (name) => {
    const { newCall, log } = setUp();
    expect(newCall({ [name]: 'a\0b' })).toEqual(failed(422));
    expect(log.rows()).toHaveLength(0);
  });
  test.each([[['a']], [{ a: 'b' }]])('callId %j', (callId) => {
    expect(setUp().newCall({ callId })).toEqual(failed(500));
  });
});

test('the words of the caller log', () => {
  const word = (comment: string | null) => statusText({ state: 'hangup', comment });
  expect(statusText({ state: 'newCall', comment: null })).toBe('ringing');
  expect(statusText({ state: 'answer', comment: 'busy' })).toBe('connected');
  expect(['cancel', 'noAnswer', 'congestion'].map(word)).toEqual(['not reached', 'not reached', 'not reached']);
  expect(['busy', 'notFound', 'normalClearing', null, 'forwarded', 'free text'].map(word)).toEqual([
    'busy',
    'does not exist',
    '',
    '',
    'forwarded',
    'free text',
  ]);
});

test('the oldest rows go when there are too many, and their ids are free again', () => {
  const { newCall, hangup, log } = setUp({}, 3);
  for (const callId of ['a', 'b', 'c', 'd']) newCall({ callId });
  expect(log.rows().map((row) => row.callId)).toEqual(['b', 'c', 'd']);
  expect(hangup({ callId: 'a' })).toEqual(failed(500));
  expect(newCall({ callId: 'a' }).kind).toBe('accepted');
});

test('whatever is sent: no exception, ids unique, never more rows than the limit', () => {
  const value = fc.oneof(fc.constantFrom('in', 'out', 'newCall', 'answer', 'hangup', 'a', '', '\0'), fc.jsonValue());
  const names = fc.constantFrom(
    'event',
    'direction',
    'callId',
    'call_id',
    'from',
    'to',
    'user',
    'queue',
    'cause',
    '__proto__',
  );
  const params = fc.dictionary(names, value);
  fc.assert(
    fc.property(fc.array(params, { maxLength: 30 }), (posts) => {
      const { post, log } = setUp({ defaultCallerId: '49' }, 5);
      for (const one of posts) post(one as ParamMap);
      const ids = log.rows().map((row) => row.callId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.length).toBeLessThanOrEqual(5);
    }),
  );
});
