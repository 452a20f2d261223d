import { expect, test } from '@jest/globals';
import { checkedRecord } from '../../../src/call/record-shape.js';
import type { CallRecord } from '../../../src/call/call-record.js';
import { BrainBench, called, customerIn, ended, joined, phone, snapshot, up } from '../../support/brain-bench.js';

const bench = new BrainBench().say(customerIn('c')).say(phone('a', '100'), called('a', 'c')).until(200);
bench.say(up('a'), up('c'), joined('a', 'x'), joined('c', 'x')).say(phone('b', '101'), ended('b', 17));
const [whole] = bench.heritage().calls;
const keys = Object.keys(whole!) as (keyof CallRecord)[];
const CORE = ['version', 'id', 'from', 'to', 'answered', 'tellings', 'direction', 'root', 'ordinal'];
const STRANGE = [undefined, null, 7.5, -1, 'strange', true, {}, [7], [{}], [null], { length: 1 }, [['a']]] as const;

test('what a brain has written is given back as it is', () => {
  expect(checkedRecord(whole)).toBe(whole);
});

test.each(['', 7, null, [], {}, [whole]])('%j is none', (value) => {
  expect(checkedRecord(value)).toBeUndefined();
});

test.each(keys)('whatever stands as `%s`, a brain can take up what is given back', (key) => {
  for (const value of STRANGE) {
    const checked = checkedRecord({ ...whole, [key]: value });
    if (checked === undefined) {
      expect(CORE).toContain(key);
      continue;
    }
    const next = new BrainBench();
    next.restart({ heritage: { calls: [checked], roots: [], aftermath: [] } });
    next.say(snapshot());
    expect(next.heritage().calls).toEqual([]);
  }
});

test('of one that is not whole, and of one of another version, only what every version has is given', () => {
  const core = { id: whole!.id, answered: true, customers: [], legs: [], phones: [], agents: [], closing: false };
  for (const [strange, version] of [
    [{ phones: [{ leg: 7 }] }, 0],
    [{ legs: [{ ...whole!.legs[0]!, line: { kind: 'agent' } }] }, 0],
    [{ version: 99, customers: 'strange', counterpart: 7 }, 99],
  ] as const) {
    const checked = checkedRecord({ ...whole, ...strange });
    expect(checked).toMatchObject({ ...core, version });
    expect(checked).not.toHaveProperty('counterpart');
  }
  expect(checkedRecord({ ...whole, version: 99, tellings: [{ zammad: 'main' }] })).toBeUndefined();
});
