import { expect, test } from '@jest/globals';
import { Orders } from '../../../adapters/asterisk-ari/orders.js';
import type { AriReply, AriRequest } from '../../../adapters/asterisk-ari/rest-contract.js';
import { asLegId } from '../../../src/call/vocabulary.js';
import { RetriableError } from '../../../src/errors.js';

const LEG = asLegId('1700000000.1');

function rig(answer: AriReply | Error | 'not connected') {
  const asked: AriRequest[] = [];
  const marks: boolean[] = [];
  const request = (one: AriRequest): Promise<AriReply> => {
    asked.push(one);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as AriReply);
  };
  const orders = new Orders({
    rest: () => (answer === 'not connected' ? undefined : { request, close: () => undefined }),
    markOurs: (_leg, ours) => void marks.push(ours),
  });
  return { orders, asked, marks };
}

const NO_CONTENT = { status: 204, body: undefined };

test.each([
  [17, { reason: 'busy' }],
  [19, { reason: 'no_answer' }],
  [34, { reason: 'congestion' }],
  [1, { reason: 'unallocated' }],
  [21, { reason: 'rejected' }],
  [27, { reason_code: 27 }],
])('hang up with cause %i: ARI’s word for it, and its number where there is none', async (q850, query) => {
  const { orders, asked, marks } = rig(NO_CONTENT);
  expect(await orders.hangUp(LEG, q850)).toEqual({ kind: 'done' });
  expect(asked).toEqual([{ method: 'DELETE', path: ['channels', LEG], query, timeout: 2_000 }]);
  expect(marks).toEqual([true]);
});

test('a caller id is set on the channel', async () => {
  const { orders, asked } = rig(NO_CONTENT);
  expect(await orders.setCallerId(LEG, '+4930')).toEqual({ kind: 'done' });
  expect(asked[0]).toMatchObject({
    path: ['channels', LEG, 'variable'],
    query: { variable: 'CALLERID(num)', value: '+4930' },
  });
});

test.each(['', '+', '1\r\nX: 1', '"Evil" <1>', '1'.repeat(41)])('%j is no caller id', async (number) => {
  const { orders, asked } = rig(NO_CONTENT);
  expect(await orders.setCallerId(LEG, number)).toMatchObject({ kind: 'refused' });
  expect(asked).toEqual([]);
});

test.each([
  [{ status: 404, body: { message: 'Channel not found' } }, { kind: 'gone' }],
  [
    { status: 409, body: { message: 'Channel not in Stasis application' } },
    { kind: 'refused', reason: 'Channel not in Stasis application' },
  ],
  [
    { status: 403, body: undefined },
    { kind: 'refused', reason: expect.stringContaining('read_only = no') },
  ],
  [
    { status: 500, body: undefined },
    { kind: 'refused', reason: 'the PBX answered with status 500' },
  ],
  ['not connected', { kind: 'refused', reason: 'the PBX is not connected' }],
] as const)('what the PBX says, in words: %j', async (answer, outcome) => {
  const { orders, marks } = rig(answer);
  expect(await orders.hangUp(LEG, 17)).toEqual(outcome);
  // An end that is not our doing must not be taken for it.
  expect(marks).toEqual(answer === 'not connected' ? [] : [true, false]);
});

test('whether it was done is not known when no answer came: said so, and its end is whose it is', async () => {
  const late = new RetriableError('ZPB_ARI_TIMEOUT', 'it did not answer');
  const { orders, marks } = rig(late);
  await expect(orders.hangUp(LEG, 17)).rejects.toBe(late);
  expect(marks).toEqual([true, false]);
  expect(await orders.setCallerId(LEG, '4930')).toEqual({ kind: 'refused', reason: 'it did not answer' });
});
