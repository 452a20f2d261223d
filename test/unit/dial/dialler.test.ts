import { beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { asLegId } from '../../../src/call/vocabulary.js';
import { Dialler, type DialAgent, type DiallerOptions, type FoundPbx } from '../../../src/dial/dialler.js';
import { RateLimit } from '../../../src/dial/rate-limit.js';
import type { OriginateOrder, OriginateOutcome, OriginateRefusal } from '../../../src/pbx/orders.js';
import { ManualClock } from '../../support/manual-clock.js';

const AGENTS: readonly DialAgent[] = [
  { extension: '100', devices: ['PJSIP/alice'], autoAnswer: { name: 'Call-Info', value: ';answer-after=0' } },
  { extension: '101', devices: [], pbx: 'other' },
];
let clock: ManualClock;
let orders: { readonly order: OriginateOrder; readonly settle: (outcome: OriginateOutcome) => void }[];
let counted: string[];
let found: FoundPbx;

const here = (): FoundPbx => ({
  kind: 'here',
  pbx: {
    originate: (order) =>
      new Promise((settle) => {
        orders.push({ order, settle });
      }),
    callIdOf: (leg) => `office-${leg}`,
  },
});
const dialler = (options: Partial<DiallerOptions> = {}): Dialler =>
  new Dialler({
    agents: AGENTS,
    pbxs: ['office'],
    find: () => found,
    rules: {
      country: 'DE',
      allow: [],
      deny: [],
      written: 'national',
      outsidePrefix: '0',
      emergency: ['112'],
      outsideLine: ['0'],
    },
    rate: 3,
    ringFor: 20_000,
    clock,
    log: pino({ enabled: false }),
    count: (_name, { outcome }) => counted.push(outcome),
    ...options,
  });
beforeEach(() => {
  clock = new ManualClock();
  orders = [];
  counted = [];
  found = here();
});

describe('dial', () => {
  test('has the PBX ring the agent, and says when he has taken it', async () => {
    const answer = dialler().dial('100', '+49 30 123456,22');
    expect(orders.map(({ order }) => order)).toEqual([
      {
        agent: { extension: '100', devices: ['PJSIP/alice'] },
        number: '0030123456',
        shown: '+4930123456',
        autoAnswer: { name: 'Call-Info', value: ';answer-after=0' },
        ringFor: 20_000,
      },
    ]);
    orders[0]!.settle({ kind: 'done', leg: asLegId('1.5') });
    expect(await answer).toEqual({
      status: 'done',
      reason: 'taken',
      words: 'You have taken it; +4930123456 is being dialled.',
      number: '+4930123456',
      leftOut: '22',
      callId: 'office-1.5',
    });
    expect(counted).toEqual(['taken']);
  });

  test('a colleague is dialled as he is, and that is no call for Zammad', async () => {
    const answer = dialler().dial('100', '101');
    expect(orders[0]!.order.number).toBe('101');
    orders[0]!.settle({ kind: 'done', leg: asLegId('1.5') });
    expect(await answer).toEqual({
      status: 'done',
      reason: 'taken',
      words: 'You have taken it; 101 is being dialled.',
      number: '101',
      leftOut: undefined,
      callId: undefined,
    });
  });

  test.each<[OriginateRefusal, RegExp]>([
    ['not-registered', /^Extension 100 is not registered/],
    ['unknown-extension', /no extension 100/],
    ['busy', /^Extension 100 is busy\.$/],
    ['declined', /declined at extension 100/],
    ['no-answer', /Nobody took the call/],
    ['not-allowed', /does not allow.*write=originate/],
    ['not-heard', /cannot be reached at this moment: write=originate/],
    ['failed', /could not do it: write=originate/],
  ])('what the PBX says comes back in words: %s', async (why, words) => {
    const answer = dialler().dial('100', '030123456');
    orders[0]!.settle({ kind: 'refused', why, reason: 'write=originate', said: '480 Temporarily unavailable' });
    const { status, reason, words: text, said } = await answer;
    expect([status, reason, said]).toEqual(['refused', why, '480 Temporarily unavailable']);
    expect(text).toMatch(words);
  });

  test('a PBX that says nothing is not waited for for ever, and the agent can dial again', async () => {
    const one = dialler();
    const answer = one.dial('100', '030123456');
    await clock.advance(29_999);
    expect(await Promise.race([answer, Promise.resolve('waits')])).toBe('waits');
    await clock.advance(1);
    expect(await answer).toMatchObject({ status: 'refused', reason: 'unknown' });
    void one.dial('100', '030123456');
    expect(orders).toHaveLength(2);
  });

  test('an adapter that throws is told as failed', async () => {
    found = {
      kind: 'here',
      pbx: {
        originate: () => {
          throw new Error('inner workings');
        },
        callIdOf: () => '',
      },
    };
    const answer = await dialler().dial('100', '030123456');
    expect(answer).toMatchObject({ reason: 'failed' });
    expect(JSON.stringify(answer)).not.toContain('inner workings');
  });

  test('one call of an agent at a time; others do not wait for him', async () => {
    const one = dialler({ pbxs: ['office', 'other'], agents: [AGENTS[1]!, { ...AGENTS[0]!, pbx: 'office' }] });
    const first = one.dial('100', '030123456');
    expect(await one.dial('100', '030123457')).toMatchObject({ reason: 'under-way' });
    void one.dial('101', '030123456');
    expect(orders).toHaveLength(2);
    orders[0]!.settle({ kind: 'refused', why: 'busy', reason: 'busy' });
    await first;
    void one.dial('100', '030123456');
    expect(orders).toHaveLength(3);
  });

  test('so many in a minute, then it says when again', async () => {
    const one = dialler();
    for (let n = 0; n < 3; n += 1) {
      const answer = one.dial('100', '030123456');
      orders.at(-1)!.settle({ kind: 'refused', why: 'busy', reason: 'busy' });
      await answer;
    }
    expect(await one.dial('100', '030123456')).toMatchObject({ reason: 'too-often', retryAfter: 20 });
    // What is no number costs nothing.
    expect(await one.dial('100', 'abc')).toMatchObject({ reason: 'bad-number' });
    await clock.advance(20_000);
    void one.dial('100', '030123456');
    expect(orders).toHaveLength(4);
  });

  test('what is refused rings nobody', async () => {
    const one = dialler();
    expect(await one.dial('100', '112')).toMatchObject({ reason: 'emergency', words: expect.stringMatching(/112/) });
    expect(await one.dial('100', '100')).toMatchObject({ reason: 'own-number' });
    expect(await one.dial('999', '101')).toMatchObject({ reason: 'unknown-agent' });
    expect(await dialler({ pbxs: ['a', 'b'] }).dial('100', '101')).toMatchObject({ reason: 'no-pbx' });
    found = { kind: 'elsewhere', address: 'https://two.example.com:9470' };
    expect(await one.dial('100', '101')).toMatchObject({
      reason: 'elsewhere',
      leader: 'https://two.example.com:9470',
      words: expect.stringContaining('https://two.example.com:9470'),
    });
    found = { kind: 'not-yet', reason: 'database gone' };
    expect(await one.dial('100', '101')).toMatchObject({ reason: 'not-yet', retryAfter: 3 });
    found = { kind: 'here', pbx: { originate: () => undefined, callIdOf: () => '' } };
    expect(await one.dial('100', '101')).toMatchObject({ reason: 'cannot' });
    expect(orders).toEqual([]);
  });

  test('words repeat what was typed shortly and without tricks', async () => {
    const { words } = await dialler().dial('100', `\u202e\r\n<b>${'x'.repeat(300)}`);
    expect(words).toMatch(/^<b>x+… is no phone number/);
    expect(words.length).toBeLessThan(200);
    expect(words).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('rate limit', () => {
  test('refills evenly, and never beyond a minute', () => {
    const limit = new RateLimit(2);
    expect([limit.take('a', 0), limit.take('a', 0), limit.take('a', 0), limit.take('b', 0)]).toEqual([0, 0, 30_000, 0]);
    expect(limit.take('a', 15_000)).toBe(15_000);
    expect(limit.take('a', 30_000)).toBe(0);
    expect([limit.take('a', 999_999), limit.take('a', 999_999), limit.take('a', 999_999)]).toEqual([0, 0, 30_000]);
  });
  test('names without end take no memory without end', () => {
    const limit = new RateLimit(1);
    for (let n = 0; n < 25_000; n += 1) limit.take(`n${n}`, 0);
    expect(limit.take('n24999', 0)).toBeGreaterThan(0);
  });
});
