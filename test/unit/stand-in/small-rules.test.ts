import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../../../src/clock.js';
import { Faults } from '../../../src/stand-in/faults.js';
import { Journal } from '../../../src/stand-in/journal.js';
import { Lane } from '../../../src/stand-in/lane.js';
import { extractNumbers, PhoneBook, prettyNumber } from '../../../src/stand-in/phone-book.js';
import { errorId, wantsJson } from '../../../src/stand-in/reply.js';
import { routeOf, shownPath } from '../../../src/stand-in/routes.js';

describe('numbers, as Zammad looks people up', () => {
  test.each([
    '+4912347114711',
    '4912347114711',
    '004912347114711',
    '012347114711',
    '+49 (0) 1234-7114711',
    'sip:4912347114711@pbx',
    '"Max" <4912347114711>',
  ])('%s', (text) => {
    expect(extractNumbers(text)).toEqual(['4912347114711']);
    expect(new PhoneBook([{ name: 'Max', phones: ['+49 1234 7114711'] }]).commentFor(text)).toBe('Max');
  });
  test.each(['43', '12345', 'anonymous', ''])('%j is looked up nowhere', (text) => {
    expect(extractNumbers(text)).toEqual([]);
  });
  test('several people: the newest first', () => {
    const book = new PhoneBook(['A', 'B'].map((name) => ({ name, phones: ['4912347114711'] })));
    expect(book.commentFor('4912347114711')).toBe('B,A');
    expect(book.commentFor('4912347114712')).toBeNull();
  });
  test.each([
    ['4930600000000', '+49 30 600000000'],
    ['+4930600000000', '+49 30 600000000'],
    ['004930600000000', '004930600000000'],
    ['030600000000', '030600000000'],
    ['43', '43'],
    ['anonymous', ''],
  ])('%s is shown as %j', (text, shown) => {
    expect(prettyNumber(text)).toBe(shown);
  });
});

describe('errors as JSON or as a page', () => {
  test.each([
    ['*/*', undefined, true],
    ['application/json', undefined, true],
    [undefined, undefined, false],
    ['text/html', undefined, false],
    ['application/json, text/plain, */*', undefined, false],
    [undefined, 'json', true],
    ['text/html', 'json', true],
    ['application/json', 'html', false],
  ])('Accept %s, extension %s: %s', (accept, format, expected) => {
    expect(wantsJson(accept, format)).toBe(expected);
  });
  test('the error id comes from the random source', () => {
    expect(JSON.parse(errorId(500, true, () => 0).body)).toEqual({
      error: 'Error ID AAAAAAAA: Please contact your administrator.',
    });
  });
});

describe('routes', () => {
  test.each([
    ['POST', '/api/v1/cti/tok-en_1', { kind: 'push', token: 'tok-en_1' }],
    ['POST', '/api/v1/cti/token.json', { kind: 'push', token: 'token', format: 'json' }],
    ['POST', '/api/v1/cti/token/', { kind: 'push', token: 'token' }],
    ['POST', '/api/v1/cti/token.json/', { kind: 'push', token: 'token', format: 'json' }],
    ['POST', '/api/v1/cti/log', { kind: 'push', token: 'log' }],
    ['GET', '/api/v1/cti/log', { kind: 'agent', request: { kind: 'log' } }],
    ['POST', '/api/v1/cti/done/12', { kind: 'agent', request: { kind: 'done', id: '12' } }],
    ['POST', '/api/v1/cti/done/bulk', { kind: 'agent', request: { kind: 'done-bulk' } }],
    ['GET', '/api/v1/cti/token', { kind: 'none' }],
    ['PUT', '/api/v1/cti/token', { kind: 'none' }],
    ['POST', '/api/v1/cti', { kind: 'none' }],
    ['POST', '/api/v1/cti/', { kind: 'none' }],
    ['POST', '/api/v1/cti/a/b', { kind: 'none' }],
    ['POST', '/api/v1/integration/cti/token', { kind: 'none' }],
    ['POST', '/', { kind: 'none' }],
  ])('%s %s', (method, path, expected) => {
    expect(routeOf(method, path)).toMatchObject(expected);
  });
  test('a token is not shown, not even in a mistyped URL', () => {
    for (const path of [
      '/api/v1/cti/secretsecret',
      '/api/v1/cti/secretsecret.json',
      '/api/v1/integration/cti/secretsecret',
    ]) {
      expect(shownPath(path, routeOf('POST', path))).not.toContain('secret');
    }
  });
});

describe('faults', () => {
  const faultsWith = (random = (): number => 0) => {
    let changes = 0;
    const faults = new Faults(random, () => {
      changes += 1;
    });
    return { faults, changes: () => changes };
  };
  const hangup = { event: 'hangup', callId: 'a', direction: 'in', reused: false };

  test('the first rule that matches meets the request, and is used up', () => {
    const { faults, changes } = faultsWith();
    faults.add({ kind: 'slow', ms: 5, event: 'answer' });
    faults.add({ kind: 'status', status: 503, event: 'hangup', skip: 1, times: 2 });
    const id = faults.add({ kind: 'silent', callId: 'a' });
    const kinds = Array.from({ length: 4 }, () => faults.take('body', hangup)?.kind);
    expect(kinds).toEqual(['silent', 'status', 'status', 'silent']);
    expect(faults.list().map(({ hits }) => hits)).toEqual([0, 2, 2]);
    expect(faults.remove(id)).toBe(true);
    expect(faults.remove(id)).toBe(false);
    expect(faults.take('body', hangup)).toBeUndefined();
    faults.clear();
    expect(faults.list()).toEqual([]);
    expect(changes()).toBe(6);
  });
  test.each([
    [{ event: 'newCall' }, false],
    [{ callId: 'b' }, false],
    [{ direction: 'out' }, false],
    [{ reused: true }, false],
    [{ reused: false, direction: 'in', callId: 'a', event: 'hangup' }, true],
  ] as const)('%j matches: %s', (match, expected) => {
    const { faults } = faultsWith();
    faults.add({ kind: 'half-reply', ...match });
    expect(faults.take('body', hangup) !== undefined).toBe(expected);
  });
  test('probability comes from the random source', () => {
    const draws = [0.2, 0.5, 0.4];
    const { faults } = faultsWith(() => draws.shift() ?? 1);
    faults.add({ kind: 'half-reply', probability: 0.5 });
    expect([1, 2, 3].map(() => faults.take('body', hangup) !== undefined)).toEqual([true, false, true]);
  });
  test('each kind belongs to its own stage', () => {
    const { faults } = faultsWith();
    faults.add({ kind: 'accept-and-close' });
    faults.add({ kind: 'reset-before-body' });
    faults.add({ kind: 'idle-close', ms: 7 });
    expect(faults.take('body', hangup)).toBeUndefined();
    expect(faults.take('connection', { reused: false })?.kind).toBe('accept-and-close');
    expect(faults.take('head', { reused: false })?.kind).toBe('reset-before-body');
    expect(faults.idleLimit()).toBe(7);
  });
  test('a rule that makes no sense is refused', () => {
    const { faults } = faultsWith();
    expect(() => faults.add({ kind: 'slow', ms: -1 })).toThrow(/ms/);
    // @ts-expect-error what a post is about is not known before its body is read
    expect(() => faults.add({ kind: 'reset-before-body', event: 'hangup' })).toThrow(/event/);
  });
  test('there is a limit', () => {
    const { faults } = faultsWith();
    for (let i = 0; i < 1000; i += 1) faults.add({ kind: 'silent' });
    expect(() => faults.add({ kind: 'silent' })).toThrow(/1000 faults/);
  });
});

/** A clock whose time passes only when told to. */
function handClock(): Clock & { pass(ms: number): void } {
  let now = 0;
  let tasks: { at: number; task: () => void }[] = [];
  return {
    monotonic: () => now,
    wall: () => 1000 + now,
    after: (ms, task) => {
      const entry = { at: now + ms, task };
      tasks.push(entry);
      return () => {
        tasks = tasks.filter((other) => other !== entry);
      };
    },
    pass: (ms) => {
      now += ms;
      const due = tasks.filter(({ at }) => at <= now);
      tasks = tasks.filter(({ at }) => at > now);
      for (const { task } of due) task();
    },
  };
}
const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
};

describe('the lane', () => {
  test('works on one after another, each for its time', async () => {
    const clock = handClock();
    const lane = new Lane(clock, 30, new AbortController().signal);
    const done: string[] = [];
    void lane.run(() => done.push('a'));
    void lane.run(() => done.push('b'));
    await settle();
    expect(done).toEqual([]);
    clock.pass(30);
    await settle();
    expect(done).toEqual(['a']);
    clock.pass(29);
    await settle();
    expect(done).toEqual(['a']);
    clock.pass(1);
    await settle();
    expect(done).toEqual(['a', 'b']);
  });
  test('does nothing more once it is closed', async () => {
    const closing = new AbortController();
    const lane = new Lane(handClock(), 30, closing.signal);
    const turn = lane.run(() => 'done');
    closing.abort();
    expect(await turn).toBeUndefined();
    expect(await lane.run(() => 'done')).toBeUndefined();
  });
  test('is full at 1000', () => {
    const lane = new Lane(handClock(), 30, new AbortController().signal);
    for (let i = 0; i < 1000; i += 1) void lane.run(() => i);
    expect(lane.full).toBe(true);
  });
});

test('the journal keeps the newest, with times by the clock', () => {
  const clock = handClock();
  const seen: number[] = [];
  const journal = new Journal(2, clock, (entry) => {
    seen.push(entry.seq);
  });
  const open = () => journal.open({ method: 'POST', path: '/' });
  open();
  clock.pass(5);
  const second = open();
  open();
  clock.pass(7);
  journal.note(1, { event: 'gone' });
  journal.close(1, 'replied', 200, '');
  journal.note(second, { params: { big: 'x'.repeat(17_000) }, event: 'answer' });
  journal.close(second, 'replied', 200, 'y'.repeat(2000));
  expect(journal.list().map(({ seq }) => seq)).toEqual([2, 3]);
  expect(journal.list()[0]).toMatchObject({
    at: 1005,
    took: 7,
    state: 'replied',
    event: 'answer',
    reply: 'y'.repeat(1024),
  });
  expect(journal.list()[0]?.params).toBeUndefined();
  expect(seen).toEqual([1, 2, 3, 2, 2]);
});
