import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { asCallId } from '../../../src/call/vocabulary.js';
import type { NewCallPost } from '../../../src/call/vocabulary.js';
import { encodePost } from '../../../src/zammad/encode.js';
import { cleanText } from '../../../src/zammad/text.js';
import { answer, hangup, newCall } from './support/rig.js';

test('a form as in Zammad’s documentation', () => {
  expect(encodePost(newCall('c1', { user: ['Alice', 'Bob'] }), 'form')).toEqual({
    contentType: 'application/x-www-form-urlencoded',
    body: 'event=newCall&from=491711234567&to=4930555200&direction=in&callId=c1&user[]=Alice&user[]=Bob&queue=sales',
  });
  expect(encodePost(answer('c1', { user: 'Alice' }), 'form').body).toBe(
    'event=answer&from=491711234567&to=4930555200&direction=in&callId=c1&user=Alice&answeringNumber=100',
  );
  expect(encodePost(hangup('c1'), 'form').body).toBe(
    'event=hangup&from=491711234567&to=4930555200&direction=in&callId=c1&cause=cancel',
  );
});

test('JSON: user is a list on newCall and one string on answer', () => {
  const body = (text: string): unknown => JSON.parse(text);
  expect(body(encodePost(newCall('c1'), 'json').body)).toMatchObject({ user: ['Alice Agent', 'Bob'] });
  expect(body(encodePost(answer('c1'), 'json').body)).toMatchObject({ user: 'Alice Agent' });
});

describe('values', () => {
  test('empty ones are left out; from and to are what Zammad asks for', () => {
    const post = newCall('c1', { from: ' \u0000', to: '', user: ['', '\n'], queue: ' ' });
    expect(JSON.parse(encodePost(post, 'json').body)).toEqual({
      event: 'newCall',
      from: 'anonymous',
      to: 'unknown',
      direction: 'in',
      callId: 'c1',
    });
  });

  test('characters that a form would read otherwise', () => {
    const user = 'A&B=C+D %41 ü 😀 [x]';
    const { body } = encodePost(answer('c1', { user }), 'form');
    expect(new URLSearchParams(body).get('user')).toBe(user);
  });

  test('lengths are counted in characters, and no character is cut in two', () => {
    expect(cleanText('😀'.repeat(120), 100)).toBe('😀'.repeat(100));
    expect(cleanText('x'.repeat(1_000_000), 100)).toBe('x'.repeat(100));
  });

  test('any post: strings only, none empty, no control character, valid UTF-8, as long as Zammad’s columns', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 400 }),
      fc.string({ maxLength: 400 }),
      fc.constant('\ud800x\udc00'),
    );
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 8 }), text, (from, to, user, queue) => {
        const post: NewCallPost = { event: 'newCall', callId: asCallId('c1'), direction: 'in', from, to, user, queue };
        const json = JSON.parse(encodePost(post, 'json').body) as Record<string, string | string[]>;
        const users = (json['user'] ?? []) as string[];
        const values = [json['from'], json['to'], json['queue'] ?? 'x', ...users] as string[];
        for (const value of values) {
          expect(value).not.toBe('');
          expect(value).not.toMatch(/[\p{Cc}\p{Cs}]/u);
        }
        expect(Array.from(values[0]!).length).toBeLessThanOrEqual(100);
        expect(Array.from(values[1]!).length).toBeLessThanOrEqual(100);
        expect(Array.from(users.join(', ')).length).toBeLessThanOrEqual(250);
        // The form says the same.
        const form = new URLSearchParams(encodePost(post, 'form').body);
        expect(form.get('from')).toBe(values[0]);
        expect(form.getAll('user[]')).toEqual(users);
      }),
    );
  });
});
