import { expect, test } from '@jest/globals';
import { asCallId } from '../../../src/call/vocabulary.js';
import { RememberedCalls } from '../../../src/zammad/remembered-calls.js';
import { OFFICE, hangup, newCall } from './support/rig.js';

test('keeps the newCall of living calls, the oldest goes first', () => {
  const calls = new RememberedCalls(2);
  for (const id of ['a', 'b', 'c']) calls.remember(OFFICE, newCall(id));
  expect(calls.size).toBe(2);
  expect(calls.newCallOf(hangup('c'))).toEqual(newCall('c'));
  expect(calls.newCallOf(hangup('a'))).toEqual({ ...newCall('a', { user: [] }), queue: undefined });
  calls.forget(asCallId('c'));
  expect(calls.size).toBe(1);
});
