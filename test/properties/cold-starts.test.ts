import { describe, expect, test } from '@jest/globals';
import { trueCallOf } from '../faults/call-ids.js';
import { AGENTS, type CallFacts, factsOf, LEFT_OUT, TRUNKS } from '../faults/case-facts.js';
import { complaintsOf, knownOf } from '../faults/oracle.js';
import { messagesOf, type PlayMessage } from '../faults/recorded-play.js';
import { type AsteriskCase, asteriskCases } from '../support/asterisk-cases.js';
import { playWithCuts } from '../support/asterisk-resync.js';
import { callerLogOf, type JudgedRow } from '../support/caller-log-judge.js';

/** In a shorter gap between two messages the PBX is in the midst of a change. */
const CALM_MS = 60;
const played = asteriskCases.filter(({ name }) => !LEFT_OUT.has(name.replace(/^[^/]*\//, '')));

/** The places at which a bridge may start: after so many messages. */
const calmPlaces = (messages: readonly PlayMessage[]): readonly number[] =>
  [...messages.keys()].filter((index) => (messages[index]?.at ?? 0) - (messages[index - 1]?.at ?? Infinity) >= CALM_MS);

const customerOf = ({ row }: JudgedRow): string => (row.direction === 'in' ? row.from : row.to);

function callOf(row: JudgedRow, calls: readonly CallFacts[]): CallFacts | undefined {
  const parts = /^lab-((?:[a-z]+-)?\d{10}\.\d+)(?:\.(\d+))?$/.exec(row.row.callId);
  const id = { tag: '', leg: parts?.[1] ?? '', ordinal: Number(parts?.[2] ?? 1) };
  return trueCallOf(id, { direction: row.row.direction, customer: customerOf(row) }, calls);
}

/** What is wrong with what a bridge tells that starts before message `at`. */
function coldStart(calls: readonly CallFacts[], messages: readonly PlayMessage[], at: number): readonly string[] {
  const started = (messages[at - 1]?.at ?? 0) + CALM_MS / 2;
  const hearing = {
    bridge: 'b',
    login: started,
    snapshot: started,
    to: Infinity,
    sure: Infinity,
    end: 'over',
  } as const;
  const sentAt = messages.map((message) => message.at);
  const { rows } = callerLogOf(playWithCuts({ trunks: TRUNKS, agents: AGENTS }, messages, [{ from: 0, to: at }]));
  const wrong = rows.filter((row) => callOf(row, calls) === undefined).map(({ row }) => `never was: ${row.callId}`);
  for (const call of calls) {
    const known = knownOf(call, sentAt, [hearing]);
    const [row, ...more] = rows.filter((one) => callOf(one, calls) === call);
    if (more.length > 0) wrong.push('told twice');
    if (row === undefined) {
      if (known.call === 'sure') wrong.push(`${call.truth.direction} ${call.truth.customer.join(' or ')} is not told`);
      continue;
    }
    const answers = row.answers.map(({ by }) => by ?? 'customer').filter((who, index, all) => who !== all[index - 1]);
    const { from, to, done, comment } = row.row;
    wrong.push(
      ...complaintsOf({ from, to, done, answers, agents: row.agents, cause: comment ?? undefined }, call, known, true),
    );
  }
  return wrong;
}

describe('a bridge that starts in the middle of a call tells whatever can be known of it', () => {
  test.each(played)('$name', (one: AsteriskCase) => {
    const messages = messagesOf(one.bytes());
    const { calls } = factsOf(one);
    for (const at of calmPlaces(messages))
      expect({ at, wrong: coldStart(calls, messages, at) }).toEqual({ at, wrong: [] });
  });
});
