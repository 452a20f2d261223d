import { expect, test } from '@jest/globals';
import { createDirectory } from '../../../src/call/directory.js';

const directory = createDirectory(
  [
    { extension: '100', name: 'Alice Agent', devices: ['PJSIP/Alice'], phones: ['0171 1111111'] },
    { extension: '1234567', name: 'Bob Agent', devices: [], phones: [] },
  ],
  [{ number: '+49 30 555200', agents: ['100'], queue: 'sales' }],
  'DE',
);
const alice = { extension: '100', name: 'Alice Agent' };

test('an agent is found by extension, by device in any case, and by an outside phone in any form', () => {
  expect(directory.agentAt({ kind: 'agent', extension: '100', device: 'PJSIP/100' })).toEqual(alice);
  expect(directory.agentAt({ kind: 'agent', extension: 'alice', device: 'pjsip/alice' })).toEqual(alice);
  expect(['+491711111111', '01711111111', '491711111111'].map((phone) => directory.agentByPhone(phone))).toEqual([
    alice,
    alice,
    alice,
  ]);
  expect(directory.agent('100')).toEqual(alice);
});
test('nobody is invented', () => {
  expect(directory.agentAt({ kind: 'agent', extension: '107', device: 'PJSIP/107' })).toEqual({
    extension: '107',
    name: '107',
  });
  expect([
    directory.agentByPhone('01712222222'),
    directory.agentByPhone(undefined),
    directory.agentByPhone(''),
  ]).toEqual([undefined, undefined, undefined]);
});
test('a long extension is no outside number', () => {
  expect(directory.numbers.clean('1234567')).toBe('1234567');
});
test('numbers dialled are found in any form', () => {
  expect(directory.did('4930555200')?.queue).toBe('sales');
  expect(directory.did('030 555200')?.queue).toBe('sales');
  expect(directory.did('4930555201')).toBeUndefined();
  expect(directory.did(undefined)).toBeUndefined();
});
