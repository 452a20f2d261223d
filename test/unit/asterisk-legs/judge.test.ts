import { expect, test } from '@jest/globals';
import type { Post } from '../../../src/call/vocabulary.js';
import { AsteriskBench, LAB_AGENTS, type TimedPost } from '../../support/asterisk-bench.js';
import { asteriskCases } from '../../support/asterisk-cases.js';
import { judge } from '../../support/caller-log-judge.js';

const one = asteriskCases.find(({ name }) => name === 'asterisk-22/14-blind-transfer-refer')!;
const bench = new AsteriskBench();
for (const { at, message } of one.messages()) bench.hear(message, at);
const posts = bench.finish().posts;
const names = new Map(LAB_AGENTS.map(({ extension, name }) => [extension, name]));
const wrong = (changed: readonly TimedPost[]): string => judge(changed, one.truth.calls, names).join('; ');
const change = (index: number, fields: object): TimedPost[] =>
  posts.map((timed, at) => (at === index ? { t: timed.t, post: { ...timed.post, ...fields } } : timed));

test('the judge lets the truth pass, and nothing else', () => {
  expect(posts.map(({ post }) => post.event)).toEqual(['newCall', 'answer', 'answer', 'hangup']);
  expect(wrong(posts)).toBe('');
  expect(wrong([])).toContain('not told');
  expect(wrong(posts.slice(0, 3))).toContain('left in state answer');
  expect(wrong(posts.slice(1))).toContain('no');
  expect(wrong([...posts, posts[3]!])).toContain('after its hangup');
  expect(wrong([posts[0]!, ...posts])).toContain('exists');
  expect(wrong(posts.filter((_, index) => index !== 2))).toContain('answered by 100, was 100, 101');
  expect(wrong([posts[0]!, posts[3]!])).toContain('answered, and not told');
  expect(wrong(change(0, { user: ['Carol Agent'] }))).toContain('user[]');
  expect(wrong(posts.map(({ t, post }) => ({ t, post: { ...post, from: '4930' } })))).toContain('customer');
  expect(wrong(posts.map(({ t, post }) => ({ t, post: { ...post, to: '4930' } })))).toContain('to 4930');
  expect(wrong(change(3, { cause: 'busy' }))).toContain('cause busy');
  expect(wrong(change(1, { user: 'voicemail' }))).toContain('voicemail');
  expect(wrong(posts.map(({ t, post }) => ({ t: t + 1000, post })))).toContain('was at');
  expect(wrong([...posts, { t: 1, post: { ...posts[0]!.post, callId: 'lab-x' as Post['callId'] } }])).toContain(
    'never was',
  );
});
