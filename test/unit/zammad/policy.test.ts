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
  notSent: { kind: 'notSent', message: 'm' },
} as const satisfies Record<string, Outcome>;
type Name = keyof typeof outcomes;

const cases = {
  newCall: { event: 'newCall', repeatable: false, canReadBack: false, unknowns: 0, unsure: false },
  'newCall, tried before': { event: 'newCall', repeatable: false, canReadBack: true, unknowns: 5, unsure: true },
  answer: { event: 'answer', repeatable: false, canReadBack: true, unknowns: 0, unsure: false },
  'answer, resent': { event: 'answer', repeatable: false, canReadBack: true, unknowns: 7, unsure: true },
  'answer, resent often': { event: 'answer', repeatable: false, canReadBack: true, unknowns: 8, unsure: true },
  'hangup, missed': { event: 'hangup', repeatable: false, canReadBack: false, unknowns: 0, unsure: false },
  'hangup, missed, token': { event: 'hangup', repeatable: false, canReadBack: true, unknowns: 0, unsure: false },
  'hangup, repeatable': { event: 'hangup', repeatable: true, canReadBack: false, unknowns: 9, unsure: true },
  'hangup, repeatable, token': { event: 'hangup', repeatable: true, canReadBack: true, unknowns: 9, unsure: true },
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
  'notSent',
];

const flatten = (rows: readonly Row[]): [Case, Name, Next['do']][] =>
  rows.flatMap(([of, ...next]) => next.map((wanted, i): [Case, Name, Next['do']] => [of, columns[i]!, wanted]));

describe('after the post', () => {
  test.each(
    flatten([
      // After: delivered, exists, unknownCall, held, refused, notProcessed, silent, error, notSent
      ['newCall', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'resend', 'resend', 'later'],
      [
        'newCall, tried before',
        'delivered',
        'delivered',
        'recreate',
        'again',
        // A duplicate that is said in words we do not know looks like this.
        'unknown',
        'again',
        'resend',
        'resend',
        'later',
      ],
      ['answer', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'resend', 'resend', 'later'],
      [
        'answer, resent',
        'delivered',
        'delivered',
        'recreate',
        'again',
        'unknown',
        'again',
        'resend',
        'resend',
        'later',
      ],
      [
        'answer, resent often',
        'delivered',
        'delivered',
        'recreate',
        'again',
        'unknown',
        'again',
        'unknown',
        'unknown',
        'later',
      ],
      ['hangup, missed', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'unknown', 'unknown', 'later'],
      ['hangup, missed, token', 'delivered', 'delivered', 'recreate', 'again', 'dead', 'again', 'readBack', 'readBack'],
      ['hangup, repeatable', 'delivered', 'delivered', 'recreate', 'again', 'unknown', 'again', 'resend', 'resend'],
      [
        'hangup, repeatable, token',
        'delivered',
        'delivered',
        'recreate',
        'again',
        'unknown',
        'again',
        'readBack',
        'readBack',
      ],
    ]),
  )('%s: %s → %s', (of, outcome, wanted) => {
    expect(afterPost(outcomes[outcome], cases[of]).do).toBe(wanted);
  });
});

describe('after the call was told anew', () => {
  test.each(
    flatten([
      ['answer', 'send', 'resend', 'recreate', 'recreate', 'dead', 'recreate', 'recreate', 'recreate', 'later'],
      ['answer, resent', 'send', 'resend', 'recreate', 'recreate', 'dead', 'recreate', 'recreate', 'recreate', 'later'],
      [
        'hangup, missed',
        'send',
        'unknown',
        'recreate',
        'recreate',
        'dead',
        'recreate',
        'recreate',
        'recreate',
        'later',
      ],
      [
        'hangup, missed, token',
        'send',
        'readBack',
        'recreate',
        'recreate',
        'dead',
        'recreate',
        'recreate',
        'recreate',
        'later',
      ],
      [
        'hangup, repeatable',
        'send',
        'resend',
        'recreate',
        'recreate',
        'dead',
        'recreate',
        'recreate',
        'recreate',
        'later',
      ],
    ]),
  )('%s: %s → %s', (of, outcome, wanted) => {
    expect(afterRecreation(outcomes[outcome], cases[of]).do).toBe(wanted);
  });
});

describe('after a look into the caller log', () => {
  const row = (state: string, callId = 'a') => ({ callId, state, done: false });
  test.each([
    ['hung up', { kind: 'calls', calls: [row('newCall', 'b'), row('hangup')] }, 'delivered', 'delivered'],
    ['still ringing', { kind: 'calls', calls: [row('newCall')] }, 'lookAgain', 'again'],
    ['still answered', { kind: 'calls', calls: [row('answer')] }, 'lookAgain', 'again'],
    ['not in the list', { kind: 'calls', calls: [row('hangup', 'b')] }, 'unknown', 'unknown'],
    ['no right', { kind: 'denied', message: 'm' }, 'unknown', 'unknown'],
    ['no answer', { kind: 'failed', message: 'm' }, 'readBack', 'readBack'],
  ] as const)('%s', (_what, result, early, final) => {
    expect(afterReadBack(result, 'a', false, false).do).toBe(early);
    expect(afterReadBack(result, 'a', true, false).do).toBe(final);
    // Where a second hangup does no harm, it is sent again instead of being left to a person.
    const repeated = final === 'unknown' ? 'resend' : final;
    expect(afterReadBack(result, 'a', true, true).do).toBe(repeated);
  });
});
