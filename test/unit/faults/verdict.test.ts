import { describe, expect, test } from '@jest/globals';
import type { CallRow } from '../../../src/stand-in/call-row.js';
import { factsOf } from '../../faults/case-facts.js';
import type { SeenPost } from '../../faults/evidence.js';
import { messagesOf } from '../../faults/recorded-play.js';
import type { Play } from '../../faults/theatre.js';
import { judgePlay, type CallVerdict, type PlayEvidence } from '../../faults/verdict.js';
import { asteriskCases } from '../../support/asterisk-cases.js';

const recorded = asteriskCases.find(({ name }) => name === 'asterisk-22/01-inbound-answered-caller-hangs-up');
if (recorded === undefined) throw new Error('the case is gone');
const facts = factsOf(recorded);
const leg = /^lab-(.*)$/.exec(facts.calls[0]?.told.row.callId ?? '')?.[1] ?? '';
const callId = `office-r1p1-${leg}`;
const play: Play = { tag: 'r1p1', facts, began: 0, sentAt: messagesOf(facts.bytes).map(({ at }) => at) };

interface PostWords {
  readonly accepted?: boolean;
  readonly replied?: boolean;
  readonly callId?: string;
  readonly cause?: string;
  readonly from?: string;
}
let seq = 0;
function post(event: SeenPost['event'], at: number, words: PostWords = {}): SeenPost {
  const { accepted = true, replied = true, from = '491711234567', cause = 'normalClearing' } = words;
  const own = {
    newCall: { user: ['Alice Agent'] },
    answer: { user: 'Alice Agent', answeringNumber: '100' },
    hangup: { cause },
  }[event];
  seq += 1;
  return {
    ...{ seq, event, callId: words.callId ?? callId, arrived: at, processed: at },
    entry: {
      ...{ seq, at, method: 'POST', path: '', event, overlapped: false, processed: true, accepted, reply: '', took: 5 },
      params: { event, callId, direction: 'in', from, to: '49305550100', ...own },
      ...(replied ? { state: 'replied', status: accepted ? 200 : 500 } : { state: 'cut', status: null }),
    },
  };
}
const row = (patch: Partial<CallRow> = {}): CallRow => ({
  ...{ id: 1, callId, direction: 'in', state: 'hangup', from: '491711234567', fromComment: null, to: '49305550100' },
  ...{ toComment: null, queue: null, comment: 'normalClearing', done: true, initializedAt: 0, startAt: 0, endAt: 0 },
  ...{ durationWaitingTime: 0, durationTalkingTime: 0, updatedAt: 0, ...patch },
});
const whole = (): SeenPost[] => [post('newCall', 300), post('answer', 710), post('hangup', 2300)];

function judged(change: Partial<PlayEvidence>): CallVerdict {
  const hearings = [{ bridge: 'b', login: -90, snapshot: -80, to: 9_000, sure: 9_000, end: 'over' as const }];
  const [verdict] = judgePlay(play, {
    ...{ posts: whole(), rows: [row()], hearings, unknown: [], canReadBack: true, deaths: [], ...change },
  });
  if (verdict === undefined) throw new Error('nothing was judged');
  return verdict;
}
const faults = (change: Partial<PlayEvidence>): readonly string[] => judged(change).wrong.map(({ fault }) => fault);

describe('a call in the log of Zammad', () => {
  test('is right with one newCall, its answer and one hangup', () => {
    expect(judged({})).toMatchObject({ wrong: [], unheard: false, unknown: false, repeated: 0 });
  });
  test('is right when a repeated newCall was refused', () => {
    expect(
      faults({ posts: [post('newCall', 300), post('newCall', 500, { accepted: false }), ...whole().slice(1)] }),
    ).toEqual([]);
  });
  test('is lost when nothing of it was taken', () => {
    expect(faults({ posts: [], rows: [] })).toEqual(['lost']);
  });
  test('is unheard when it lived while nobody listened', () => {
    const hearings = [{ bridge: 'b', login: 5_000, snapshot: 5_010, to: 9_000, sure: 9_000, end: 'over' as const }];
    expect(judged({ posts: [], rows: [], hearings })).toMatchObject({ wrong: [], unheard: true });
    expect(faults({ hearings })).toContain('wrong');
  });
  test('is doubled when it has two rows', () => {
    const second = `${callId}.2`;
    const posts = [...whole(), post('newCall', 800, { callId: second }), post('hangup', 2301, { callId: second })];
    expect(faults({ posts, rows: [row(), row({ id: 2, callId: second })] })).toContain('doubled');
  });
  test('is left ringing, unless the fate of its hangup is listed as unknown', () => {
    const posts = whole().slice(0, 2);
    const rows = [row({ state: 'answer', comment: null })];
    expect(faults({ posts, rows })).toEqual(['ringing']);
    const unknown = [{ callId, event: 'hangup' }];
    expect(judged({ posts, rows, unknown, canReadBack: false })).toMatchObject({ wrong: [], unknown: true });
    expect(faults({ posts, rows, unknown })).toEqual(['wrong']);
  });
  test('is wrong when its posts came in another order, or with other parties', () => {
    expect(faults({ posts: [post('answer', 200), post('newCall', 300), post('hangup', 2300)] })).toContain('wrong');
    expect(faults({ posts: [...whole(), post('answer', 2400)] })).toContain('wrong');
    expect(faults({ posts: [...whole().slice(0, 2), post('hangup', 2300, { from: '1' })] })).toContain('wrong');
  });
  test('never was when no true call bears its id', () => {
    const verdicts = judgePlay(play, {
      posts: [...whole(), post('newCall', 100, { callId: 'office-r1p1-1000000000.1' })],
      ...{ rows: [row()], unknown: [], canReadBack: true, deaths: [] },
      hearings: [{ bridge: 'b', login: -90, snapshot: -80, to: 9_000, sure: 9_000, end: 'over' }],
    });
    expect(verdicts.map(({ wrong }) => wrong.map(({ fault }) => fault))).toEqual([[], ['wrong']]);
  });
});

describe('a second hangup that was taken', () => {
  const twice = (first: PostWords): SeenPost[] => [
    ...whole().slice(0, 2),
    post('hangup', 2300, first),
    post('hangup', 2400, first.replied === false ? {} : first),
  ];
  test('is a double where the bridge can read back', () => {
    expect(faults({ posts: twice({ replied: false }) })).toEqual(['doubled']);
  });
  test('is none where it cannot, when the reply to the first one was lost', () => {
    expect(judged({ posts: twice({ replied: false }), canReadBack: false })).toMatchObject({ wrong: [], repeated: 1 });
  });
  test('is none where it cannot, when the bridge died before it had written the reply down', () => {
    expect(faults({ posts: twice({}), canReadBack: false, deaths: [2310] })).toEqual([]);
    expect(faults({ posts: twice({}), canReadBack: false, deaths: [5000] })).toEqual(['doubled']);
  });
  test('is a double for a missed call, whatever became of the first reply', () => {
    const posts = [
      post('newCall', 300),
      post('hangup', 2300, { replied: false, cause: 'cancel' }),
      post('hangup', 2400),
    ];
    expect(faults({ posts, canReadBack: false })).toContain('doubled');
  });
});
