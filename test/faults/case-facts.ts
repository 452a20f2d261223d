import { AsteriskBench } from '../support/asterisk-bench.js';
import { type AsteriskCase, asteriskCases } from '../support/asterisk-cases.js';
import { AsteriskState } from '../support/asterisk-state.js';
import { callerLogOf, complaints, type JudgedRow, type TrueCall } from '../support/caller-log-judge.js';
import { messagesOf } from './recorded-play.js';
import { whoHears } from './who-hears.js';

/** The one configuration under which all cases are played: the union of what they need. */
export const TRUNKS: readonly string[] = ['trunk', 'trunk-b'];
const MOBILE = '1711111111';
export const AGENTS = [
  { extension: '100', name: 'Alice Agent', devices: ['PJSIP/alice'], phones: [`+49${MOBILE}`] },
  { extension: '101', name: 'Bob Agent', devices: [], phones: [] },
  { extension: '102', name: 'Carol Agent', devices: [], phones: [] },
  { extension: '103', name: 'Dave Agent', devices: [], phones: [] },
  { extension: '104', name: 'Erin Agent', devices: [], phones: [] },
  { extension: '105', name: 'Frank Agent', devices: [], phones: [] },
  { extension: '106', name: 'Grace Agent', devices: [], phones: [] },
] as const;
const NAMES = new Map<string, string>(AGENTS.map(({ extension, name }) => [extension, name]));

/** A stretch of a call in which the customer hears the same party. */
export interface Talk {
  /** Extension, or `outside`. */
  readonly who: string;
  /** From this message on … */
  readonly from: number;
  /** … until this one. */
  readonly to: number;
}

/** One true call of a case. Messages are meant by their place in the recording, from 0; legs by their recorded unique ids. */
export interface CallFacts {
  readonly truth: TrueCall;
  /**
   * Of the legs that its call id may be made of: those of the customer, and the one that started it; of an outbound call also those of
   * the agents who talk, for whoever hears of it only after a transfer cannot know who began it.
   */
  readonly legs: readonly string[];
  /** The first message that speaks of it. */
  readonly begins: number;
  /** The message from which on it can be told: an outbound call when its trunk is dialled. */
  readonly known: number;
  /**
   * Until then it can be told by somebody who hears of it for the first time. An outbound call whose agent has gone, and who left it to
   * another outside party, looks like a forward of that party's call.
   */
  readonly tellable: number;
  /** The message that ends the customer's last leg. */
  readonly ends: number;
  readonly talks: readonly Talk[];
  /** What a bridge tells that hears all of it. */
  readonly told: JudgedRow;
}

export interface CaseFacts {
  readonly name: string;
  readonly bytes: Buffer;
  readonly calls: readonly CallFacts[];
  /** Its caller withholds his number; the PBX says so when it is asked. */
  readonly withheld: boolean;
}

/** Left out, and why. */
export const LEFT_OUT: ReadonlyMap<string, string> = new Map([
  ['41-pbx-stopped-mid-call', 'it says that the PBX stops, which ends the calls of every other play too'],
]);

/** Every case that can be played beside others. */
export function playableCases(): readonly CaseFacts[] {
  return asteriskCases.filter(({ name }) => !LEFT_OUT.has(name.replace(/^[^/]*\//, ''))).map(factsOf);
}

/** @throws Error when the truth does not say enough, or the uncut replay is not true to it. */
export function factsOf(recorded: AsteriskCase): CaseFacts {
  const bench = new AsteriskBench({ trunks: TRUNKS, agents: AGENTS });
  const state = new AsteriskState();
  const lives = new Map<string, Life>();
  /** The number that each channel was dialled by. */
  const dialled = new Map<string, string>();
  const messages = messagesOf(recorded.bytes());
  for (const [index, { at, message }] of messages.entries()) {
    state.push(message, at);
    if (message.event === 'DialBegin') dialled.set(message.get('DestUniqueid') ?? '', message.get('DialString') ?? '');
    bench.hear(message, at);
    for (const call of bench.brain.calls()) {
      const life = lives.get(call.id) ?? {
        known: index,
        root: call.root,
        customers: new Set(),
        partners: [],
        agents: new Set(),
      };
      lives.set(call.id, life);
      for (const leg of call.customers) life.customers.add(leg);
    }
    for (const life of lives.values()) life.partners.push(partnerOf(state, life, dialled));
  }
  const { rows, faults } = callerLogOf(bench.finish().posts);
  if (faults.length > 0) throw new Error(`${recorded.name}: ${faults.join('; ')}`);
  const left = new Set(rows);
  const calls = recorded.truth.calls.map((truth): CallFacts => {
    const told = [...left].find((row) => complaints(row, truth, NAMES).length === 0);
    if (told === undefined) throw new Error(`${recorded.name}: a true call is not told`);
    left.delete(told);
    const life = lives.get(told.row.callId);
    if (life === undefined) throw new Error(`${recorded.name}: ${told.row.callId} never lived`);
    const speaks = (event: string | undefined, index: number): boolean => {
      const message = messages[index]?.message;
      return life.customers.has(message?.get('Uniqueid') ?? '') && (event === undefined || message?.event === event);
    };
    const indexes = [...messages.keys()];
    const ends = indexes.findLast((index) => speaks('Hangup', index)) ?? messages.length;
    const talks = talksOf(life, messages.length);
    const gone = messages.findIndex(
      ({ message }) => message.event === 'Hangup' && message.get('Uniqueid') === life.root,
    );
    const talked = talks.findLast(({ who }) => who !== 'outside')?.to ?? 0;
    return {
      truth,
      legs: [...new Set([life.root, ...life.customers, ...(truth.direction === 'out' ? life.agents : [])])],
      begins: indexes.find((index) => speaks(undefined, index)) ?? life.known,
      known: life.known,
      tellable: truth.direction === 'out' ? Math.min(ends, Math.max(gone, talked)) : ends,
      ends,
      talks,
      told,
    };
  });
  if (left.size > 0) throw new Error(`${recorded.name}: more is told than the truth knows`);
  return {
    name: recorded.name,
    bytes: recorded.bytes(),
    calls,
    withheld: rows.some(({ row }) => row.from === 'anonymous'),
  };
}

interface Life {
  readonly known: number;
  readonly root: string;
  readonly customers: Set<string>;
  /** Legs of agents who heard the customer. */
  readonly agents: Set<string>;
  /** Who hears the customer after each message, from `known` on. */
  readonly partners: string[];
}

/** Who hears the customer; '' = nobody but the PBX and other customers. */
function partnerOf(state: AsteriskState, { customers, agents }: Life, dialled: ReadonlyMap<string, string>): string {
  let outside = '';
  for (const customer of customers) {
    for (const party of whoHears(state, customer)) {
      if (customers.has(party.uniqueid)) continue;
      const extension = extensionOf(party.device, dialled.get(party.uniqueid) ?? '');
      if (extension !== undefined) {
        agents.add(party.uniqueid);
        return extension;
      }
      // Who called in himself is another customer.
      if (!state.cameIn(party.uniqueid)) outside = 'outside';
    }
  }
  return outside;
}

function extensionOf(device: string, dialled: string): string | undefined {
  const name = device.replace(/^[^/]*\//, '');
  if (TRUNKS.includes(name)) return dialled.includes(MOBILE) ? '100' : undefined;
  const agent = AGENTS.find(
    ({ extension, devices }) => extension === name || (devices as readonly string[]).includes(device),
  );
  return agent?.extension;
}

function talksOf({ known, partners }: Life, messages: number): readonly Talk[] {
  const talks: Talk[] = [];
  let begun = 0;
  for (const [offset, who] of [...partners, ''].entries()) {
    const before = partners[offset - 1] ?? '';
    if (offset > 0 && who === before) continue;
    if (before !== '') talks.push({ who: before, from: known + begun, to: Math.min(known + offset, messages) });
    begun = offset;
  }
  return talks;
}
