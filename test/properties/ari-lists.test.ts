import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../adapters/asterisk-ari/event.js';
import { type AriCase, ariCases, playWithLists } from '../support/ari-resync.js';
import { AsteriskBench, type TimedPost } from '../support/asterisk-bench.js';
import type { JudgedRow } from '../support/caller-log-judge.js';
import { expectWhole, seen } from '../support/caller-log-picture.js';

const played = ariCases.filter(({ lists }) => lists.length > 0);
/** The lists come over a connection of their own: so many events may overtake them. */
const LATE = [0, 1, 2, 5, 8];
/** A large PBX takes seconds for them: whole calls go by meanwhile. */
const MUCH_LATER = [14, 16, 19, 23, 28];

function uncut({ trunks, agents, messages }: AriCase): readonly TimedPost[] {
  const bench = new AsteriskBench({ trunks, agents });
  for (const { at, message } of messages) {
    bench.until(at);
    if (message !== undefined) bench.tell(bench.legs.push(message));
  }
  return bench.finish().posts;
}
/** Which number an outbound call shows is not in the lists. */
const callOf = ({ row }: JudgedRow): string => (row.direction === 'in' ? `in ${row.from} ${row.to}` : `out ${row.to}`);
const isTrunk = (channel: JsonObject): boolean => String(channel['name']).startsWith('PJSIP/trunk-');

describe('lists that are taken up in the middle of calls change nothing, however many events overtake them', () => {
  test.each(played)('$name', async (one) => {
    const expected = expectWhole(uncut(one), one.name).map(seen).sort();
    for (const lists of one.lists) {
      for (const late of [...LATE, ...MUCH_LATER]) {
        const where = `after event ${lists.heard}, overtaken by ${late}`;
        const rows = expectWhole(await playWithLists(one, lists, { cold: false, late }), where);
        expect({ where, rows: rows.map(seen).sort() }).toEqual({ where, rows: expected });
      }
    }
  });
});

describe('lists tell a bridge that just starts of the calls there are, and of each one once', () => {
  test.each(played)('$name', async (one) => {
    const real = new Set(expectWhole(uncut(one), one.name).map(callOf));
    for (const lists of one.lists) {
      const behind = one.messages.slice(lists.heard);
      const ended = behind.findIndex(({ message }) => message?.event === 'Hangup');
      // What is left of a call whose customer has gone may look like another one.
      for (const late of LATE.filter((count) => count <= ended)) {
        const where = `started after event ${lists.heard}, overtaken by ${late}`;
        const rows = expectWhole(await playWithLists(one, lists, { cold: true, late }), where);
        const never = rows.map(callOf).filter((call) => !real.has(call));
        const missed = rows.length === 0 && lists.channels.some(isTrunk);
        expect({ where, never, missed }).toEqual({ where, never: [], missed: false });
      }
    }
  });
});
