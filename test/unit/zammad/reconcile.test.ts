import { describe, expect, test } from '@jest/globals';
import { asCallId, asPbxName, asZammadName } from '../../../src/call/vocabulary.js';
import type { Post } from '../../../src/call/vocabulary.js';
import type { DeliveryState, OutboxItem } from '../../../src/store/outbox.js';
import type { LoggedCall } from '../../../src/zammad/outcome.js';
import { confirmed, findings, rowsOf } from '../../../src/zammad/reconcile.js';
import type { Evidence, Finding } from '../../../src/zammad/reconcile.js';
import { MAIN, OFFICE, answer, hangup, newCall } from './support/rig.js';

const row = (callId: string, state: string, more: Partial<LoggedCall> = {}): LoggedCall => ({
  callId,
  state,
  done: false,
  direction: 'in',
  from: '491711234567',
  to: '4930555200',
  ...more,
});
let seq = 0;
const item = (post: Post, state: DeliveryState, more: Partial<OutboxItem> = {}): OutboxItem => ({
  pbx: OFFICE,
  zammad: MAIN,
  callId: post.callId,
  post,
  repeatable: false,
  happenedAt: 0,
  seq: (seq += 1),
  state,
  attempts: 1,
  ...more,
});
const look = (
  rows: readonly LoggedCall[],
  posts: readonly OutboxItem[] = [],
  more: Partial<Evidence> & { readonly open?: readonly string[] } = {},
): readonly Finding[] =>
  findings({
    pbx: OFFICE,
    zammad: MAIN,
    rows,
    knowledge: rows.map(({ callId }) => ({
      callId: asCallId(callId),
      open: more.open?.includes(callId) === true,
      posts: posts.filter((post) => post.callId === callId),
    })),
    isOpen: () => false,
    ...more,
  });

describe('whose row it is', () => {
  test('a longer name of another PBX is not ours', () => {
    const names = ['office', 'office-2', 'off'].map(asPbxName);
    const rows = ['office-1.2', 'office-2-1.2', 'off-9.9', 'offic-1.1', 'office'].map((id) => row(id, 'newCall'));
    const ids = (pbx: string) => rowsOf(asPbxName(pbx), names, rows).map(({ callId }) => callId);
    expect(ids('office')).toEqual(['office-1.2']);
    expect(ids('office-2')).toEqual(['office-2-1.2']);
    expect(ids('off')).toEqual(['off-9.9']);
  });

  test.each([
    ['office-1700000000.12', 1],
    ['office-1700000000.12.2', 1],
    ['office-5ad3c2a0-8e2f-4b7e-9d57-d8c1d6b0c0f1', 1],
    // It may be 1.2 of a PBX office-2 that another bridge has.
    ['office-2-1.2', 0],
  ])('%s, of which the store knows nothing', (callId, found) => {
    expect(look([row(callId, 'newCall')])).toHaveLength(found);
  });

  test('what the store knows as ours is ours, however it looks; what it knows as another PBX’s is not', () => {
    const callId = 'office-2-1.2';
    expect(look([row(callId, 'newCall')], [item(newCall(callId), 'delivered')])).toHaveLength(1);
    const theirs = item(newCall(callId), 'delivered', { pbx: asPbxName('office-2') });
    expect(look([row(callId, 'newCall')], [theirs])).toEqual([]);
  });
});

describe('what is closed', () => {
  test.each(['waiting', 'sending'] as const)('nothing that has a post %s', (state) => {
    expect(look([row('office-1', 'newCall')], [item(hangup('office-1'), state)])).toEqual([]);
  });

  test('nothing that is in progress, by the brain or by the journal', () => {
    expect(look([row('office-1', 'answer')], [], { isOpen: (callId) => callId === 'office-1' })).toEqual([]);
    expect(look([row('office-1', 'answer')], [], { open: ['office-1'] })).toEqual([]);
  });

  test('nothing that is over', () => {
    expect(look([row('office-1', 'hangup')])).toEqual([]);
  });

  test('another Zammad’s posts say nothing about this one', () => {
    const other = item(hangup('office-1'), 'waiting', { zammad: asZammadName('other') });
    expect(look([row('office-1', 'newCall')], [other])).toHaveLength(1);
  });

  test.each(['dead', 'unknown', 'delivered'] as const)('with the cause of its own hangup, which is %s', (state) => {
    const lost = item(hangup('office-1', { cause: 'busy' }), state);
    expect(look([row('office-1', 'newCall')], [item(newCall('office-1'), 'delivered'), lost])).toEqual([
      expect.objectContaining({
        kind: 'close',
        post: hangup('office-1', { cause: 'busy' }),
        repeatable: false,
        replaces: state === 'delivered' ? [] : [lost.seq],
      }),
    ]);
  });

  test.each([
    ['newCall', 'in', 'congestion', false],
    ['newCall', 'out', 'congestion', true],
    ['answer', 'in', 'normalClearing', true],
    ['answer', 'out', 'normalClearing', true],
  ] as const)(
    'a row in state %s, direction %s, of which no hangup is known: %s',
    (state, direction, cause, repeatable) => {
      expect(look([row('office-1', state, { direction })])).toEqual([
        expect.objectContaining({
          post: { event: 'hangup', callId: 'office-1', direction, from: '491711234567', to: '4930555200', cause },
          repeatable,
        }),
      ]);
    },
  );

  test('a row that does not say its direction, of which nothing is known, stays', () => {
    expect(look([row('office-1', 'newCall', { direction: undefined })])).toEqual([]);
    expect(
      look([row('office-1', 'newCall', { direction: undefined })], [item(hangup('office-1'), 'dead')]),
    ).toHaveLength(1);
  });
});

describe('what is settled', () => {
  const unknown = (post: Post) => item(post, 'unknown');
  test.each([
    ['hangup', hangup('office-1'), true],
    ['hangup', answer('office-1'), true],
    ['answer', answer('office-1'), true],
    ['answer', newCall('office-1'), true],
    ['newCall', newCall('office-1'), true],
    ['newCall', answer('office-1'), false],
    ['newCall', hangup('office-1'), false],
    ['answer', hangup('office-1'), false],
  ] as const)('a row in state %s and %j of unknown outcome', (state, post, settled) => {
    const found = look([row('office-1', state)], [unknown(post)]);
    expect(found.some(({ kind }) => kind === 'settled')).toBe(settled);
  });

  test('dead posts are not: they surely were not taken', () => {
    expect(look([row('office-1', 'hangup')], [item(answer('office-1'), 'dead')])).toEqual([]);
  });
});

test('only what the second look finds unchanged is closed', () => {
  const dead = item(hangup('office-1'), 'dead');
  const first = look([row('office-1', 'newCall'), row('office-2', 'newCall'), row('office-3', 'newCall')], [dead]);
  expect(first).toHaveLength(3);
  const second = look(
    [row('office-1', 'newCall'), row('office-2', 'answer'), row('office-4', 'newCall')],
    [{ ...dead, attempts: 2 }],
  );
  expect(confirmed(first, second)).toEqual([]);
  expect(confirmed(first, first)).toEqual(first);
});
