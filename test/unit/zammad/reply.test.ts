import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseReply } from '../../../src/zammad/reply.js';
import { answer, newCall } from './support/rig.js';

const out = newCall('c1', { direction: 'out', from: '100', to: '4912347114711' });
const inbound = newCall('c1');

test.each(['{}', '', ' ', '{"action":null}', '{"action":""}', '{"other":1}'])('nothing to say: %j', (body) => {
  expect(parseReply(body, inbound)).toEqual({ kind: 'none' });
});

test.each([
  ['{"action":"reject","reason":"busy"}', 'busy'],
  ['{"action":"reject","reason":"notFound"}', 'notFound'],
  ['{"action":"reject","reason":"go away"}', 'busy'],
  ['{"action":"reject","reason":7}', 'busy'],
  ['{"action":"reject"}', 'busy'],
])('reject: %s', (body, reason) => {
  expect(parseReply(body, inbound)).toEqual({ kind: 'reject', reason });
});

test.each([
  '{"action":"dial","caller_id":"4930777000000","number":"4912347114711"}',
  '{"action":"dial","callerId":"4930777000000","number":"4912347114711"}',
  '{"action":"dial","caller_id":"49 (30) 777-000000","number":"4912347114711"}',
  '{"action":"dial","caller_id":4930777000000,"number":4912347114711}',
  '{"action":"dial","caller_id":"4930777000000"}',
])('dial: %s', (body) => {
  expect(parseReply(body, out)).toEqual({ kind: 'dial', callerId: '4930777000000', number: '4912347114711' });
});

test('a leading + of the caller id is kept', () => {
  expect(parseReply('{"action":"dial","caller_id":"+4930777"}', out)).toMatchObject({ callerId: '+4930777' });
});

describe('odd', () => {
  test.each([
    ['no JSON', '<html>', inbound],
    ['cut JSON', '{"action":"re', inbound],
    ['a list', '[]', inbound],
    ['null', 'null', inbound],
    ['an unknown action', '{"action":"transfer"}', inbound],
    ['an action of a wrong type', '{"action":{}}', inbound],
    ['dial without a caller id', '{"action":"dial","number":"4912347114711"}', out],
    ['dial with a name', '{"action":"dial","caller_id":"Support","number":"4912347114711"}', out],
    ['dial with a header in it', '{"action":"dial","caller_id":"49\\r\\nAction: Command"}', out],
    ['dial of another number', '{"action":"dial","caller_id":"4930777","number":"112"}', out],
    ['dial of an inbound call', '{"action":"dial","caller_id":"4930777","number":"4930555200"}', inbound],
    ['an action for an answer', '{"action":"reject"}', answer('c1')],
    ['too long', `{"action":"reject","x":"${'x'.repeat(65_536)}"}`, inbound],
  ])('%s', (_what, body, post) => {
    expect(parseReply(body, post).kind).toBe('odd');
  });
});

test('never throws, and never lets through a caller id that is no number', () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.string().map((id) => JSON.stringify({ action: 'dial', caller_id: id })),
  );
  fc.assert(
    fc.property(body, (text) => {
      const reply = parseReply(text, out);
      if (reply.kind === 'dial') expect(reply.callerId).toMatch(/^\+?\d{2,20}$/u);
    }),
  );
});
