import { describe, expect, test } from '@jest/globals';
import { type FilterFacts, judgeFilter } from '../../../src/call/filters.js';
import { asPbxName } from '../../../src/call/vocabulary.js';

const facts = (change: Partial<FilterFacts> = {}): FilterFacts => ({
  pbx: asPbxName('office'),
  direction: 'in',
  did: '4930555200',
  queues: [],
  agents: [],
  final: false,
  ...change,
});

test('no filter sends everything', () => {
  expect(judgeFilter({}, facts())).toEqual({ kind: 'send' });
});

describe('numbers dialled, with * for anything', () => {
  test.each([
    ['4930555200', true],
    ['+4930555200', true],
    ['4930555*', true],
    ['*5200', true],
    ['49*555*', true],
    ['*', true],
    ['49*30*5200', true],
    ['4930555', false],
    ['30555200', false],
    ['*5201', false],
    ['49*99*', false],
    ['4930555200*0', false],
    ['493055520*00', false],
  ])('%s', (pattern, sent) => {
    expect(judgeFilter({ dids: [pattern] }, facts()).kind).toBe(sent ? 'send' : 'skip');
  });
});

describe('what may still become known is waited for, until the call is over', () => {
  test.each([
    [{ agents: ['100'] }, { agents: ['100', '101'] }, 'agent'],
    [{ queues: ['sales'] }, { queues: ['sales'] }, 'queue'],
  ] as const)('%j', (filter, known, word) => {
    expect(judgeFilter(filter, facts())).toEqual({ kind: 'wait' });
    expect(judgeFilter(filter, facts(known))).toEqual({ kind: 'send' });
    const over = judgeFilter(filter, facts({ final: true }));
    expect(over.kind === 'skip' ? over.why : '').toContain(word);
  });
  test('every list must match', () => {
    const filter = { queues: ['sales'], agents: ['100'] };
    expect(judgeFilter(filter, facts({ queues: ['sales'] })).kind).toBe('wait');
    expect(judgeFilter(filter, facts({ queues: ['sales'], agents: ['100'] })).kind).toBe('send');
  });
});

test('what cannot change is not waited for', () => {
  expect(judgeFilter({ pbx: ['other'] }, facts())).toMatchObject({ kind: 'skip' });
  expect(judgeFilter({ direction: 'out', agents: ['100'] }, facts())).toMatchObject({ kind: 'skip' });
  expect(judgeFilter({ dids: ['1'], agents: ['100'] }, facts())).toMatchObject({ kind: 'skip' });
});
