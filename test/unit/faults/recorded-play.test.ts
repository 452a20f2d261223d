import { describe, expect, test } from '@jest/globals';
import { AsteriskState } from '../../support/asterisk-state.js';
import { asteriskCases } from '../../support/asterisk-cases.js';
import { LEFT_OUT, playableCases } from '../../faults/case-facts.js';
import { messagesOf, type PlayMessage, playOf } from '../../faults/recorded-play.js';

const NAMED = /^(?!.*Timestamp).*(?:Unique[iI]d|Linkedid|BridgeUniqueid|Channel)$/;

/** Everything by which a message says what it speaks of. */
function names(messages: readonly PlayMessage[]): Set<string> {
  const found = new Set<string>();
  for (const { message, bytes } of messages)
    for (const line of bytes.toString('latin1').split('\r\n')) {
      const name = line.slice(0, line.indexOf(':'));
      const value = message.get(name) ?? '';
      // OriginateResponse of a call that never was names a device only.
      if (NAMED.test(name) && /\d{10}\.\d|-[0-9a-f]{8}/.test(value)) found.add(value);
    }
  return found;
}

describe('a play of a recording', () => {
  test.each(asteriskCases)('$name has names of its own and stays the same otherwise', (one) => {
    const bytes = one.bytes();
    const recorded = messagesOf(bytes);
    const first = playOf(bytes, 'r1p1', 1);
    const other = playOf(bytes, 'r1p2', 2);
    expect(first.length).toBe(recorded.length);
    expect(first.map(({ at }) => at)).toEqual(recorded.map(({ at }) => at));
    expect(first.map(({ message }) => message.event)).toEqual(recorded.map(({ message }) => message.event));
    const [mine, others] = [names(first), names(other)];
    expect([...mine].filter((name) => others.has(name))).toEqual([]);
    expect(mine.size).toBe(names(recorded).size);
  });

  test('a name that leaves no room for the number of the play is refused', () => {
    const bytes = Buffer.from('Event: Newchannel\r\nChannel: PJSIP/trunk-0a000001\r\n\r\n');
    expect(() => playOf(bytes, 'r1p1', 1)).toThrow('leaves no room');
  });
});

describe('the cases that are played', () => {
  const cases = playableCases();

  test('are all but those that are left out', () => {
    expect(cases.length).toBe(asteriskCases.length - 2 * LEFT_OUT.size);
  });
  test('end with no channel left behind, and every true call has its beginning before its end', () => {
    for (const { name, bytes, calls } of cases) {
      const state = new AsteriskState();
      for (const { message, at } of messagesOf(bytes)) state.push(message, at);
      expect({ name, left: state.channels() }).toEqual({ name, left: [] });
      for (const { begins, known, ends, talks } of calls) {
        expect(begins).toBeLessThanOrEqual(known);
        expect(known).toBeLessThan(ends);
        for (const { from, to } of talks)
          expect([from < to, from >= known, to <= ends + 1]).toEqual([true, true, true]);
      }
    }
  });
  test('say who talked with the customer as the truth does, from the state of the PBX alone', () => {
    for (const { name, calls } of cases)
      for (const { truth, talks } of calls) {
        if (truth.direction === 'out') continue;
        const heard = talks.map(({ who }) => who).filter((who, index, all) => who !== all[index - 1]);
        const people = (list: readonly string[]): readonly string[] => list.filter((who) => who !== 'outside');
        expect({ name, heard: people(heard) }).toEqual({ name, heard: people(truth.talked ?? []) });
        expect({ name, forwarded: heard.at(-1) === 'outside' }).toEqual({
          name,
          forwarded: truth.causes.includes('forwarded'),
        });
      }
  });
});
