/**
 * What must stand in Zammad's log of one true call, given what of it a bridge could hear. Pure.
 *
 * The rule, strict wherever something was surely heard:
 * - A call of which a moment was surely heard has exactly one newCall and one hangup. One that lived unheard may not be told; one
 *   that was heard only in the last instant before the bridge died may be told or not.
 * - Whoever surely was heard to talk with an inbound customer has answered, so the call is not missed. Whoever may have been
 *   heard may have answered. Nobody else has: without a moment of talk that could be heard, an inbound call is missed.
 *   A talk with an outside party (a forward, a transfer) does the same by its cause, if it was the last one.
 * - A call that was heard from beginning to end, restarts between two of its messages included, is told as the truth says: customer,
 *   agents called, answers in their order, cause.
 */
import type { CallFacts } from './case-facts.js';
import type { Hearing } from './hearing.js';

export type Knowledge = 'sure' | 'maybe' | 'no';

/** A list of channels taken so close to a change may show what was before or after it, ms. */
const EDGE_MS = 20;

/** Whether something that was so from message `from` until message `to` of a play was heard. */
export function knowledgeOf(
  { from, to }: { readonly from: number; readonly to: number },
  sentAt: readonly number[],
  hearings: readonly Hearing[],
): Knowledge {
  const begin = sentAt[from];
  const end = sentAt[Math.min(to, sentAt.length - 1)];
  if (begin === undefined || end === undefined) return 'no';
  let knowledge: Knowledge = 'no';
  for (const { login, snapshot, sure, to: until } of hearings) {
    if (login > end || until < begin) continue;
    knowledge = 'maybe';
    if (snapshot === undefined) continue;
    const told = snapshot <= begin && begin <= sure;
    const listed = snapshot >= begin + EDGE_MS && snapshot <= end - EDGE_MS && snapshot <= sure;
    if (told || listed) return 'sure';
  }
  return knowledge;
}

/** Every message until the call's end was surely heard, each by a bridge that had its list of channels. */
export function heardWhole(ends: number, sentAt: readonly number[], hearings: readonly Hearing[]): boolean {
  return sentAt
    .slice(0, ends + 1)
    .every((at) => hearings.some(({ snapshot, sure }) => snapshot !== undefined && snapshot <= at && at <= sure));
}

/** What a bridge may know of a call. */
export interface Known {
  readonly call: Knowledge;
  readonly whole: boolean;
  /** Of each of its talks. */
  readonly talks: readonly Knowledge[];
}

export function knownOf(facts: CallFacts, sentAt: readonly number[], hearings: readonly Hearing[]): Known {
  const lived = knowledgeOf({ from: facts.begins, to: facts.ends }, sentAt, hearings);
  const told = knowledgeOf({ from: facts.known, to: facts.tellable }, sentAt, hearings);
  return {
    call: lived === 'no' ? 'no' : told === 'sure' ? 'sure' : 'maybe',
    whole: heardWhole(facts.ends, sentAt, hearings),
    talks: facts.talks.map((talk) => knowledgeOf(talk, sentAt, hearings)),
  };
}

/** Inbound: may it be, must it be off the list of missed calls? */
export function doneOf(facts: CallFacts, known: Known): { readonly may: boolean; readonly must: boolean } {
  if (facts.truth.direction === 'out') return { may: true, must: true };
  const last = facts.talks.length - 1;
  const may = known.talks.some((knowledge) => knowledge !== 'no');
  const must = facts.talks.some(
    ({ who }, index) => known.talks[index] === 'sure' && (who !== 'outside' || index === last),
  );
  return { may, must };
}

/** What Zammad's log has of a call. */
export interface ToldCall {
  readonly from: string;
  readonly to: string;
  /** user[] of newCall. */
  readonly agents: readonly string[];
  /** Who answered, without repetitions: extension, `voicemail`, or `customer` (outbound). */
  readonly answers: readonly string[];
  readonly cause: string | undefined;
  readonly done: boolean;
}

/** What is wrong with what was told; nothing when all is well. `over`: its hangup arrived. */
export function complaintsOf(told: ToldCall, facts: CallFacts, known: Known, over: boolean): readonly string[] {
  const wrong: string[] = [];
  const hold = (ok: boolean, text: string): void => {
    if (!ok) wrong.push(text);
  };
  const { truth } = facts;
  const list = (items: readonly string[]): string => items.join(', ') || 'nobody';
  if (over) {
    const { may, must } = doneOf(facts, known);
    hold(may || !told.done, 'it is off the list of missed calls, but nobody can have been heard to answer');
    hold(!must || told.done, 'it stays on the list of missed calls, but somebody was heard to answer');
  }
  const talkers = new Set(
    facts.talks
      .filter((_, index) => known.talks[index] !== 'no')
      .map(({ who }) => (truth.direction === 'out' ? 'customer' : who)),
  );
  if (truth.voicemail === true) talkers.add('voicemail');
  for (const who of told.answers) hold(talkers.has(who), `answered by ${who}, who cannot have been heard to talk`);
  const answers = new Set(told.answers);
  for (const [index, { who }] of facts.talks.entries()) {
    if (known.talks[index] !== 'sure') continue;
    if (who === 'outside') continue;
    if (truth.direction === 'out') hold(answers.size > 0, 'the answer was heard, and is not told');
    else hold(answers.has(who), `${who} was heard to answer, and it is not told`);
  }
  if (!known.whole) return wrong;
  const expected = facts.told;
  const customer = truth.direction === 'in' ? told.from : told.to;
  hold(truth.customer.includes(customer), `customer ${customer}, was ${truth.customer.join(' or ')}`);
  hold(truth.did === undefined || told.to === truth.did, `to ${told.to}, was ${String(truth.did)}`);
  const order = expected.answers.map(({ by }) => by ?? 'customer');
  hold(told.answers.join() === order.join(), `answered by ${list(told.answers)}, was ${list(order)}`);
  const same = [...told.agents].sort().join() === [...expected.agents].sort().join();
  hold(same, `user[] ${list(told.agents)}, was ${list(expected.agents)}`);
  if (over)
    hold(truth.causes.includes(told.cause ?? ''), `cause ${String(told.cause)}, was ${truth.causes.join(' or ')}`);
  return wrong;
}
