import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/zammad/outcome.js';
import { afterPost, afterReadBack, afterRecreation } from '../../../src/zammad/policy.js';
import type { Circumstances, Next } from '../../../src/zammad/policy.js';

const outcomes = {
  delivered: { kind: 'delivered', reply: { kind: 'none' } },
  exists: { kind: 'exists' },
  unknownCall: { kind: 'unknownCall', message: 'm' },
  held: { kind: 'held', message: 'm' },
  refused: { kind: 'refused', message: 'm' },
  notProcessed: { kind: 'notProcessed', message: 'm' },
  silent: { kind: 'unknownOutcome', cause: 'silent', message: 'm' },
  error: { kind: 'unknownOutcome', cause: 'error', message: 'm' },
} as const satisfies Record<string, Outcome>;
type Name = keyof typeof outcomes;

const cases = {
  newCall: { event: 'newCall', repeatable: false, canReadBack: false, unknowns: 0 },
  'newCall, tried before': { event: 'newCall', repeatable: false, canReadBack: true, unknowns: 5 },
  answer: { event: 'answer', repeatable: false, canReadBack: true, unknowns: 0 },
  'answer, resent': { event: 'answer', repeatable: false, canReadBack: true, unknowns: 1 },
  'hangup, missed': { event: 'hangup', repeatable: false, canReadBack: false, unknowns: 0 },
  'hangup, missed, token': { event: 'hangup', repeatable: false, canReadBack: true, unknowns: 0 },
  'hangup, repeatable': { event: 'hangup', repeatable: true, canReadBack: true, unknowns: 9 },
} as const satisfies Record<string, Circumstances>;
type Case = keyof typeof cases;

type Row = readonly [of: Case, ...next: Next['do'][]];
const columns: readonly Name[] = [
  'delivered',
  'exists',
  'unknownCall',
  'held',
  'refused',
  'notProcessed',
  'silent',
  'error',
];

const flatten = (rows: readonly Row[]): [Case, Name, Next['do']][] =>
  rows.flatMap(([of, ...next]) => next.map((wanted, i): [Case, Name, Next['do']] => [of, columns[i]!, wanted]));

describe('after the post', () => {
  test.each(
    flatten([
      //                          delivered    exists       unknownCall held     refused notProcessed silent    error
      ['newCall', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'resend', 'resend'],
      ['newCall, tried before', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'resend', 'resend'],
      ['answer', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'resend', 'resend'],
      ['answer, resent', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'unknown', 'unknown'],
      ['hangup, missed', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'unknown', 'unknown'],
      ['hangup, missed, token', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'readBack', 'readBack'],
      ['hangup, repeatable', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'resend', 'resend'],
    ]),
  )('%s: %s → %s', (of, outcome, wanted) => {
    expect(afterPost(outcomes[outcome], cases[of]).do).toBe(wanted);
  });
});

describe('after the call was told anew', () => {
  test.each(
    flatten([
      ['answer', 'send', 'resend', 'recreate', 'recreate', 'dead', 'recreate', 'recreate', 'recreate'],
      ['answer, resent', 'send', 'unknown', 'recreate', 'recreate', 'dead', 'recreate', 'recreate', 'recreate'],
      ['hangup, missed', 'send', 'unknown', 'recreate', 'recreate', 'dead', 'recreate', 'recreate', 'recreate'],
      ['hangup, missed, token', 'send', 'readBack', 'recreate', 'recreate', 'dead', 'recreate', 'recreate', 'recreate'],
      ['hangup, repeatable', 'send', 'resend', 'recreate', 'recreate', 'dead', 'recreate', 'recreate', 'recreate'],
    ]),
  )('%s: %s → %s', (of, outcome, wanted) => {
    expect(afterRecreation(outcomes[outcome], cases[of]).do).toBe(wanted);
  });
});

describe('after a look into the caller log', () => {
  const row = (state: string, callId = 'a') => ({ callId, state, done: false });
  test.each([
    ['hung up', { kind: 'calls', calls: [row('newCall', 'b'), row('hangup')] }, 'delivered'],
    ['still ringing', { kind: 'calls', calls: [row('newCall')] }, 'again'],
    ['still answered', { kind: 'calls', calls: [row('answer')] }, 'again'],
    ['not in the list', { kind: 'calls', calls: [row('hangup', 'b')] }, 'unknown'],
    ['no right', { kind: 'denied', message: 'm' }, 'unknown'],
    ['no answer', { kind: 'failed', message: 'm' }, 'readBack'],
  ] as const)('%s', (_what, result, wanted) => {
    expect(afterReadBack(result, 'a').do).toBe(wanted);
  });
});
