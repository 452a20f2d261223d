/** The judge of the live scenarios: it must see every kind of wrong caller log. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startStandIn } from '../../src/stand-in/server.js';
import type { StandIn } from '../../src/stand-in/stand-in.js';
import { judgeScenario } from './live/judge-scenario.js';
import { inbound, outbound, type Scenario } from './live/scenario.js';

type Fields = Readonly<Record<string, string | readonly string[]>>;

const call = { callId: 'office-1', direction: 'in', from: '491711234567', to: '49305550100' };
const newCall: Fields = { ...call, event: 'newCall', user: ['Alice Agent'] };
const answer: Fields = { ...call, event: 'answer', user: 'Alice Agent', answeringNumber: '100' };
const hangup: Fields = { ...call, event: 'hangup', cause: 'normalClearing', answeringNumber: '100' };
const answered = [inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing' })];
const missed = [inbound(100, { named: ['100'], cause: 'cancel' })];

describe('the judge of live scenarios', () => {
  let zammad: StandIn;
  beforeEach(async () => {
    zammad = await startStandIn();
  });
  afterEach(async () => {
    await zammad.stop();
  });

  async function verdict(posts: readonly Fields[], calls: Scenario['calls'], secretNumber = ''): Promise<string> {
    for (const fields of posts) {
      await fetch(zammad.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(fields),
      });
    }
    const scenario: Scenario = {
      name: '',
      calls,
      play: () => Promise.resolve(),
      ...(secretNumber === '' ? {} : { secretNumber }),
    };
    return judgeScenario(scenario, { rows: () => zammad.log(), posts: () => zammad.requests() }).join('; ');
  }

  test('is content with a right one', async () => {
    expect(await verdict([newCall, answer, hangup], answered)).toBe('');
  });

  test('is content with an outbound one', async () => {
    const out = { ...call, direction: 'out', from: '49305550100', to: '493012345678' };
    const posts = [
      { ...out, event: 'newCall', user: ['Alice Agent'] },
      { ...out, event: 'answer' },
      { ...out, event: 'hangup', cause: 'normalClearing' },
    ];
    expect(await verdict(posts, [outbound('100', { answered: true, cause: 'normalClearing' })])).toBe('');
  });

  test('is content with what a restart repeats', async () => {
    expect(await verdict([newCall, answer, newCall, answer, hangup], answered)).toBe('');
  });

  test.each<[string, readonly Fields[], Scenario['calls'], string]>([
    ['no call at all', [], answered, 'no row for'],
    ['a call too many', [newCall, answer, hangup], [], 'a row too many'],
    ['a call that rings for ever', [newCall], missed, 'its state'],
    ['a wrong cause', [newCall, { ...hangup, cause: 'busy' }], missed, 'its cause'],
    [
      'a missed call that vanished',
      [newCall, { ...hangup, cause: 'cancel' }, { ...hangup, cause: 'cancel' }],
      missed,
      'its place among the missed',
    ],
    ['a second hangup', [newCall, answer, hangup, hangup], answered, 'the number of hangups'],
    ['an agent who is not named', [{ ...newCall, user: [] }, answer, hangup], answered, 'user[] of newCall'],
    [
      'a wrong agent',
      [newCall, { ...answer, user: 'Bob Agent', answeringNumber: '101' }, hangup],
      answered,
      'the answers',
    ],
    ['no answer', [newCall, hangup], answered, 'the answers'],
    ['a wrong number', [{ ...newCall, to: '49305550101' }, answer, hangup], answered, 'no row for'],
    [
      'a hangup without answeringNumber',
      [newCall, answer, { ...call, event: 'hangup', cause: 'normalClearing' }],
      answered,
      'answeringNumber',
    ],
  ])('sees %s', async (_name, posts, calls, complaint) => {
    expect(await verdict(posts, calls)).toContain(complaint);
  });

  test('sees a withheld number in any field', async () => {
    expect(await verdict([newCall, answer, { ...hangup, queue: '+491711234567' }], answered, '1711234567')).toContain(
      'the withheld number went out with hangup',
    );
  });
});
