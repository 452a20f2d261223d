import { describe, expect, test } from '@jest/globals';
import { type Leg, LegTable, TOMBSTONE_MS } from '../../../src/call/leg-table.js';
import { asLegId, type LegEvent } from '../../../src/call/vocabulary.js';
import { called, customerIn, ended, joined, left, phone, snapshot, up } from '../../support/brain-bench.js';

/** A table, the ends it reported, and the legs it says to hear each other. */
class Table {
  readonly ends: string[] = [];
  readonly moves: string[] = [];
  readonly legs = new LegTable(
    (leg) => {
      this.ends.push(leg.id);
    },
    (old, current) => {
      this.moves.push(`${old}>${current}`);
    },
  );
  say(at: number, ...events: LegEvent[]): this {
    for (const event of events) this.legs.apply(event, at);
    return this;
  }
  get(id: string): Leg | undefined {
    return this.legs.get(asLegId(id));
  }
  heardBy(id: string): string[] {
    const leg = this.get(id);
    return leg === undefined ? [] : [...this.legs.others(leg)].map((other) => other.id);
  }
}
const replaced = (old: string, to: string): LegEvent => ({ type: 'replaced', old: asLegId(old), new: asLegId(to) });
const voicemail = (id: string): LegEvent => ({ type: 'recorder', leg: asLegId(id), kind: 'voicemail' });

test('who shares a conversation hears each other, in any order of events', () => {
  const table = new Table().say(0, joined('a', 'x'), up('a'), customerIn('a'), phone('b', '100'), joined('b', 'x'));
  expect([table.heardBy('a'), table.heardBy('b')]).toEqual([['b'], ['a']]);
  table.say(0, joined('b', 'y'));
  expect(table.heardBy('a')).toEqual([]);
  table.say(0, left('b', 'x'));
  expect(table.get('b')?.conversation).toBe('y');
});

describe('a leg that has ended', () => {
  test('does not come back for a minute, and is remembered as long', () => {
    const table = new Table().say(0, customerIn('a'), ended('a', 16)).say(1000, up('a'), customerIn('a'), called('a'));
    expect([table.get('a'), table.ends]).toEqual([undefined, ['a']]);
    expect(table.legs.remembered(asLegId('a'))?.line?.kind).toBe('trunk');
    table.legs.prune(TOMBSTONE_MS);
    expect(table.legs.remembered(asLegId('a'))).toBeUndefined();
    expect(table.legs.size).toBe(0);
  });
  test('is remembered although its end is told again', () => {
    const table = new Table().say(0, customerIn('a'), ended('a', 16)).say(10, ended('a', 16));
    expect(table.legs.remembered(asLegId('a'))?.from).toBe('+4930123456');
    expect(table.ends).toEqual(['a']);
  });
  test('may end before it is known', () => {
    const table = new Table().say(0, ended('a')).say(1, customerIn('a'));
    expect(table.get('a')).toBeUndefined();
  });
});

describe('a leg that is replaced', () => {
  test('is reached by its old ids, over several replacements', () => {
    const table = new Table().say(0, customerIn('a'), replaced('a', 'b'), replaced('b', 'c'), up('a'));
    expect([table.get('a')?.id, table.get('b')?.id, table.get('c')?.up]).toEqual(['c', 'c', true]);
    expect(table.get('c')?.from).toBe('+4930123456');
    table.say(1, ended('a'));
    table.legs.prune(1 + TOMBSTONE_MS);
    expect(table.legs.size).toBe(0);
  });
  test('by what has ended already, has ended', () => {
    const table = new Table().say(0, customerIn('a'), phone('b', '100'), ended('b'), replaced('a', 'b'));
    expect(table.ends).toEqual(['b', 'a']);
  });
  test('by itself, there and back, is not lost', () => {
    const table = new Table().say(0, customerIn('a'), replaced('a', 'b'), replaced('b', 'a'));
    expect(table.get('a')?.id).toBe('b');
    expect(table.get('b')?.from).toBe('+4930123456');
  });
});

test('a snapshot ends what it lacks', () => {
  const table = new Table().say(0, customerIn('a'), phone('b', '100'), snapshot('b'));
  expect([table.ends, table.get('b')?.id]).toEqual([['a'], 'b']);
});

test('who hears somebody is with the voicemail no more', () => {
  const table = new Table().say(0, customerIn('a'), up('a'), voicemail('a'));
  expect(table.get('a')?.voicemail).toBe(true);
  expect(table.say(1, joined('a', 'x')).get('a')?.voicemail).toBe(false);
  expect(table.say(2, left('a', 'x')).get('a')?.voicemail).toBe(false);
});
