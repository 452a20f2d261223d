import { describe, expect, test } from '@jest/globals';
import { causeOf, type EndFacts } from '../../../src/call/causes.js';

const facts = (change: Partial<EndFacts>): EndFacts => ({
  direction: 'in',
  outside: false,
  answered: false,
  pbxStopped: false,
  customer: { q850: 16, by: 'far' },
  phones: [],
  ...change,
});

test('the order of the questions', () => {
  const all = { outside: true, answered: true, rejected: 'busy', pbxStopped: true } as const;
  expect(causeOf(facts(all))).toBe('forwarded');
  expect(causeOf(facts({ ...all, outside: false }))).toBe('normalClearing');
  expect(causeOf(facts({ ...all, outside: false, answered: false }))).toBe('busy');
  expect(causeOf(facts({ pbxStopped: true }))).toBe('congestion');
  expect(causeOf(facts({ customer: { by: 'pbx', lost: true } }))).toBe('congestion');
  expect(causeOf(facts({}))).toBe('cancel');
});

describe('inbound, ended by the PBX', () => {
  const ended = (q850: number | undefined, ...phones: (number | undefined)[]): string =>
    causeOf(
      facts({
        customer: { q850, by: 'pbx' },
        phones: phones.map((end) => (end === undefined ? undefined : { q850: end, by: 'far' })),
      }),
    );
  test.each([
    [17, [], 'busy'],
    [17, [17, 17], 'busy'],
    [17, [undefined], 'busy'],
    [17, [17, 0], 'noAnswer'],
    [1, [], 'notFound'],
    [20, [20], 'notFound'],
    [20, [21], 'noAnswer'],
    [34, [], 'congestion'],
    [34, [undefined], 'noAnswer'],
    [19, [0], 'noAnswer'],
    [undefined, [], 'noAnswer'],
    [9999, [], 'noAnswer'],
  ] as const)('cause %s, phones %j: %s', (q850, phones, cause) => {
    expect(ended(q850, ...phones)).toBe(cause);
  });
});

describe('outbound', () => {
  test.each([
    [17, 'far', 'busy'],
    [1, 'far', 'notFound'],
    [34, 'far', 'congestion'],
    [127, 'far', 'cancel'],
    [0, 'far', 'cancel'],
    [16, 'pbx', 'noAnswer'],
    [0, undefined, 'noAnswer'],
  ] as const)('cause %s, the agent’s end by %s: %s', (q850, by, cause) => {
    const caller = by === undefined ? undefined : { q850: 16, by };
    expect(causeOf(facts({ direction: 'out', customer: { q850, by: 'pbx' }, caller }))).toBe(cause);
  });
});
