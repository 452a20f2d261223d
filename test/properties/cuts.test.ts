import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { TimedPost } from '../support/asterisk-bench.js';
import { type AsteriskCase, asteriskCases } from '../support/asterisk-cases.js';
import type { TimedMessage } from '../support/asterisk-recording.js';
import { type Cut, playWithCuts } from '../support/asterisk-resync.js';
import { AsteriskState } from '../support/asterisk-state.js';
import { callerLogOf, type JudgedRow } from '../support/caller-log-judge.js';
import { customerOf, expectWhole, seen } from '../support/caller-log-picture.js';

type Recorded = Omit<AsteriskCase, 'messages'> & { readonly messages: readonly TimedMessage[] };
const recorded: readonly Recorded[] = asteriskCases.map((one) => ({ ...one, messages: one.messages() }));
const play = (one: Recorded, ...cuts: Cut[]): readonly TimedPost[] => playWithCuts(one, one.messages, cuts);

const uncutOf = new Map<string, readonly JudgedRow[]>();
function uncutRows(one: Recorded): readonly JudgedRow[] {
  const rows = uncutOf.get(one.name) ?? callerLogOf(play(one)).rows;
  uncutOf.set(one.name, rows);
  return rows;
}

describe.each([
  { what: 'the connection is lost', crash: false },
  { what: 'the bridge crashes and goes on from its journal', crash: true },
])('$what in the middle of calls', ({ crash }) => {
  test('and nothing happens meanwhile: the caller log is the same, wherever it is cut', () => {
    for (const one of recorded) {
      const uncut = uncutRows(one).map(seen).sort();
      for (let at = 0; at <= one.messages.length; at += 1) {
        const where = `${one.name}, cut before message ${at}`;
        const rows = expectWhole(play(one, { from: at, to: at, crash }), where);
        expect({ where, rows: rows.map(seen).sort() }).toEqual({ where, rows: uncut });
      }
    }
  });

  test('and something happens meanwhile: one newCall and one hangup for each call', () => {
    const cut = fc.constantFrom(...recorded).chain((one) =>
      fc.record({
        one: fc.constant(one),
        places: fc.uniqueArray(fc.nat(one.messages.length), { minLength: 2, maxLength: 6 }),
      }),
    );
    fc.assert(
      fc.property(cut, ({ one, places }) => {
        const sorted = places.toSorted((a, b) => a - b);
        const cuts = sorted.flatMap((from, index) => {
          const to = sorted[index + 1];
          return index % 2 === 0 && to !== undefined ? [{ from, to, crash }] : [];
        });
        const where = `${one.name}, not heard: ${cuts.map(({ from, to }) => `${from}-${to}`).join(', ')}`;
        const rows = expectWhole(play(one, ...cuts), where);
        const customers = new Set(uncutRows(one).map(customerOf));
        for (const row of rows.filter(isKnowable))
          expect({ where, customers }).toEqual({ where, customers: customers.add(customerOf(row)) });
      }),
      { seed: 20261123, numRuns: 800 },
    );
  });
});

/** The number of a leg that an Originate made is said by its DialBegin alone. */
const isKnowable = ({ row }: JudgedRow): boolean => row.to !== 'trunk' && row.to !== 'trunk-b';

describe('the bridge starts in the middle of calls', () => {
  /** Messages of one teardown follow each other within a few ms; a leg whose customer has just gone is nobody's. */
  const TEARDOWN_MS = 30;

  const isTeardown = ({ messages }: Recorded, at: number): boolean => {
    const now = messages[at]?.at ?? 0;
    return messages
      .slice(0, at + 3)
      .some((one) => one.message.event === 'HangupRequest' && Math.abs(one.at - now) < TEARDOWN_MS);
  };

  test('those that are there come out right, as far as it can be known, and who talks then has answered', () => {
    let compared = 0;
    for (const one of recorded) {
      const uncut = uncutRows(one);
      const truth = new Set(uncut.map(customerOf));
      const state = new AsteriskState();
      for (let at = 1; at <= one.messages.length; at += 1) {
        const before = one.messages[at - 1];
        if (before !== undefined) state.push(before.message, before.at);
        const where = `${one.name}, started before message ${at}`;
        const rows = expectWhole(play(one, { from: 0, to: at }), where);
        if (isTeardown(one, at)) continue;
        const told = rows.filter(isKnowable).map(customerOf);
        expect({ where, strange: told.filter((customer) => !truth.has(customer)) }).toEqual({ where, strange: [] });
        const dids = rows.filter(({ row }) => row.direction === 'in').map(({ row }) => row.to);
        for (const did of dids) expect(uncut.map(({ row }) => row.to)).toContain(did);
        expect({ where, missing: missingCustomers(one, state, rows) }).toEqual({ where, missing: [] });
        for (const row of rows) expectAnswersOf(row, uncut, state, one, at);
        compared += rows.length;
      }
    }
    expect(compared).toBeGreaterThan(1000);
  });
});

/** The agent who talks at the moment of the start, and those after him. */
function expectAnswersOf(
  row: JudgedRow,
  uncut: readonly JudgedRow[],
  state: AsteriskState,
  one: Recorded,
  at: number,
): void {
  const before = uncut.find((other) => other.row.callId === row.row.callId);
  if (before === undefined || row.row.direction === 'out') return;
  const now = one.messages[at]?.at ?? Infinity;
  const talking = before.answers.findLast(({ t }) => t < now - 1);
  if (talking === undefined || !isStillThere(one, state, talking.by, row.row.callId)) return;
  const who = ({ by }: { by: string | undefined }): string | undefined => by;
  const where = `${one.name}, started before message ${at}`;
  const later = before.answers.slice(before.answers.indexOf(talking));
  expect({ where, answers: row.answers.map(who) }).toEqual({ where, answers: later.map(who) });
}

/** Trunk channels that came in, are still there and are told nobody of. */
function missingCustomers(one: Recorded, state: AsteriskState, rows: readonly JudgedRow[]): readonly string[] {
  const told = new Set(rows.map(({ row }) => row.callId));
  return state
    .status()
    .filter(
      ({ Channel = '', DNID }) => one.trunks.some((trunk) => Channel.startsWith(`PJSIP/${trunk}-0`)) && DNID !== '',
    )
    .map(({ Uniqueid }) => `lab-${String(Uniqueid)}`)
    .filter((callId) => !told.has(callId));
}

/** The phone of this agent is the only one of his, and both he and the customer are in a bridge. */
function isStillThere(one: Recorded, state: AsteriskState, extension: string | undefined, callId: string): boolean {
  const channels = state.status();
  const phones = channels.filter(({ Channel = '' }) => Channel.startsWith(`PJSIP/${String(extension)}-`));
  const customer = channels.find(({ Uniqueid }) => callId === `lab-${String(Uniqueid)}`);
  const connected = [...phones, customer].every((channel) => (channel?.['BridgeID'] ?? '') !== '');
  return phones.length === 1 && connected && onlyTalk(one);
}

/** Nobody is transferred, parked or conferenced: whoever is in a bridge is with the customer. */
const onlyTalk = ({ messages }: Recorded): boolean =>
  !messages.some(({ message }) => ['BlindTransfer', 'AttendedTransfer', 'ParkedCall'].includes(message.event ?? '')) &&
  messages.filter(({ message }) => message.event === 'Newchannel').length <= 5;
