import type { Post } from '../../src/call/vocabulary.js';
import { CallerLog } from '../../src/stand-in/caller-log.js';
import type { CallRow } from '../../src/stand-in/call-row.js';
import type { ParamMap } from '../../src/stand-in/parameters.js';
import { PhoneBook } from '../../src/stand-in/phone-book.js';
import type { TimedPost } from './leg-bench.js';

/** What truly happened in one call. Extensions name agents; times are ms from the recording's zero. */
export interface TrueCall {
  readonly direction: 'in' | 'out';
  /** The customer's number; any of these. */
  readonly customer: readonly string[];
  /** Inbound: the number the customer dialled. */
  readonly did?: string;
  /** Outbound: who called. */
  readonly agent?: string;
  /** Outbound: the number the customer saw. */
  readonly shown?: string;
  /** The agents who talked with the customer, in order; `outside`: a party outside took the call. None: nobody did. */
  readonly talked?: readonly string[];
  /** Inbound: it stays on the list of missed calls. */
  readonly missed?: boolean;
  readonly causes: readonly string[];
  /** Inbound: whose phones were called before newCall had to go out; others than `may` were not. */
  readonly rang?: { readonly must: readonly string[]; readonly may: readonly string[] };
  /** First phone called, answered, over. */
  readonly at?: { readonly rang?: number; readonly answered?: number; readonly ended?: number };
  readonly voicemail?: boolean;
  /** It may be told or not. */
  readonly optional?: boolean;
  /** Whether an agent answered depends on how one looks at it. */
  readonly maybeAnswered?: boolean;
}

/** A row of the caller log with what Zammad itself does not keep: each answer, and when. */
export interface JudgedRow {
  readonly row: CallRow;
  /** user[] of newCall. */
  readonly agents: readonly string[];
  /** Extension, `voicemail`, or undefined (outbound). */
  readonly answers: readonly { readonly t: number; readonly by: string | undefined }[];
  readonly began: number;
  readonly ended: number | undefined;
}
export interface JudgedLog {
  readonly rows: readonly JudgedRow[];
  /** What Zammad would have answered with an error, or what would harm it although it says 200. */
  readonly faults: readonly string[];
}

const RULES = { blockList: [], routingTable: [], defaultCallerId: '', callerIdKey: 'caller_id' } as const;
const CAUSES = new Set(['normalClearing', 'busy', 'cancel', 'noAnswer', 'congestion', 'notFound', 'forwarded']);
const TOLERANCE_MS = 400;
const RING_TOLERANCE_MS = 500;
const LATEST_NEW_CALL_MS = 3_700;

interface OpenRow {
  agents: readonly string[];
  answers: { t: number; by: string | undefined }[];
  began: number;
  ended: number | undefined;
}

/** Puts posts into a caller log as real Zammad keeps it. */
export function callerLogOf(posts: readonly TimedPost[]): JudgedLog {
  const log = new CallerLog(10_000);
  const people = new PhoneBook([]);
  const open = new Map<string, OpenRow>();
  const faults: string[] = [];
  for (const { t, post } of posts) {
    const fault = (text: string): void => {
      faults.push(`${post.event} ${post.callId} at ${t} ms: ${text}`);
    };
    const before = log.byCallId(post.callId);
    if (before !== undefined && post.event !== 'newCall') {
      if (before.direction !== post.direction) fault(`direction changed to ${post.direction}`);
      if (before.from !== post.from || before.to !== post.to) fault('from or to is not that of its newCall');
      if (before.state === 'hangup') fault('after its hangup');
    }
    if (post.callId.length > 250) fault('callId longer than 250');
    const outcome = log.process(paramsOf(post), RULES, people, t);
    if (outcome.kind !== 'accepted') {
      fault(outcome.kind === 'refused' ? outcome.message : outcome.kind);
      continue;
    }
    const row = open.get(post.callId);
    if (post.event === 'newCall') {
      open.set(post.callId, { agents: post.user, answers: [], began: t, ended: undefined });
      if (post.from === '' || post.to === '') fault('from or to is empty');
    } else if (row === undefined) fault('no newCall');
    else if (post.event === 'answer') noteAnswer(post, row, t, fault);
    else {
      row.ended ??= t;
      if (!CAUSES.has(post.cause)) fault(`Zammad has no word for cause ${post.cause}`);
    }
    if (row !== undefined && t < row.began) fault('before its newCall');
  }
  const rows = log.rows().map((row): JudgedRow => ({ row, ...(open.get(row.callId) as OpenRow) }));
  return { rows, faults };
}

type Answer = Extract<Post, { event: 'answer' }>;

function noteAnswer(post: Answer, row: OpenRow, t: number, fault: (text: string) => void): void {
  if (post.direction === 'out' && post.user !== undefined)
    fault('user on an outbound answer overwrites the customer’s name');
  const by = post.user === 'voicemail' ? 'voicemail' : post.answeringNumber;
  const last = row.answers.at(-1);
  if (last !== undefined && last.by === by) fault('answered twice in a row by the same one');
  row.answers.push({ t, by });
}

const paramsOf = (post: Post): ParamMap => JSON.parse(JSON.stringify(post)) as ParamMap;

/** Holds a caller log against the truth; returns what is wrong, nothing when all is well. */
export function judge(
  posts: readonly TimedPost[],
  calls: readonly TrueCall[],
  names: ReadonlyMap<string, string>,
): readonly string[] {
  const { rows, faults } = callerLogOf(posts);
  const wrong = [...faults];
  const left = new Set(rows);
  for (const call of calls) {
    const best = [...left]
      .map((row) => ({ row, complaints: complaints(row, call, names) }))
      .sort((a, b) => a.complaints.length - b.complaints.length)[0];
    if (best === undefined) {
      if (call.optional !== true) wrong.push(`not told: ${call.direction} ${call.customer.join(' or ')}`);
      continue;
    }
    if (call.optional === true && best.complaints.length > 0) continue;
    left.delete(best.row);
    wrong.push(...best.complaints.map((text) => `${best.row.row.callId}: ${text}`));
  }
  for (const { row } of left) wrong.push(`a call that never was: ${row.direction} ${row.from} -> ${row.to}`);
  return wrong;
}

/** What is wrong with a row, if it is that true call's. */
export function complaints(judged: JudgedRow, call: TrueCall, names: ReadonlyMap<string, string>): readonly string[] {
  const { row } = judged;
  const bad: string[] = [];
  const hold = (ok: boolean, text: string): void => {
    if (!ok) bad.push(text);
  };
  const list = (items: readonly string[]): string => items.join(', ') || 'nobody';
  const name = (extension: string): string => names.get(extension) ?? extension;
  hold(row.state === 'hangup', `left in state ${row.state}`);
  hold(row.direction === call.direction, `direction ${row.direction}`);
  const customer = call.direction === 'in' ? row.from : row.to;
  hold(call.customer.includes(customer), `customer ${customer}, was ${call.customer.join(' or ')}`);
  hold(call.did === undefined || row.to === call.did, `to ${row.to}, was ${String(call.did)}`);
  if (call.agent !== undefined) {
    hold(
      row.from === call.agent || /^\d{10,15}$/.test(row.from),
      `from ${row.from}: neither an extension nor a number shown`,
    );
    hold(!call.customer.includes(row.from), `from ${row.from} is the customer`);
    hold(judged.agents.includes(name(call.agent)), `user[] ${list(judged.agents)}, was ${name(call.agent)}`);
  }
  hold(
    call.shown === undefined || !/^\d{10,15}$/.test(row.from) || row.from === call.shown,
    `from ${row.from}, shown was ${String(call.shown)}`,
  );
  if (call.rang !== undefined) {
    const must = call.rang.must.map(name);
    const may = call.rang.may.map(name);
    hold(
      must.every((agent) => judged.agents.includes(agent)) && judged.agents.every((agent) => may.includes(agent)),
      `user[] ${list(judged.agents)}, rang ${list(must)}`,
    );
  }
  if (row.state === 'hangup')
    hold(call.causes.includes(row.comment ?? ''), `cause ${String(row.comment)}, was ${call.causes.join(' or ')}`);
  bad.push(...timeComplaints(judged, call), ...answerComplaints(judged, call));
  return bad;
}

function timeComplaints({ answers, began, ended }: JudgedRow, { at, direction }: TrueCall): readonly string[] {
  const bad: string[] = [];
  const near = (t: number | undefined, truth: number | undefined, what: string): void => {
    if (t !== undefined && truth !== undefined && Math.abs(t - truth) > TOLERANCE_MS)
      bad.push(`${what} at ${t} ms, was at ${truth}`);
  };
  near(ended, at?.ended, 'hangup');
  near(answers.find(({ by }) => by !== 'voicemail')?.t, at?.answered, 'answer');
  const latest = Math.min((at?.rang ?? Infinity) + RING_TOLERANCE_MS, LATEST_NEW_CALL_MS);
  if (direction === 'in' && at !== undefined && began > latest) bad.push(`newCall at ${began} ms, latest ${latest}`);
  return bad;
}

function answerComplaints({ row, answers }: JudgedRow, call: TrueCall): readonly string[] {
  const bad: string[] = [];
  const people = answers.filter(({ by }) => by !== 'voicemail');
  if (call.voicemail !== true && people.length < answers.length) bad.push('voicemail answered, but it did not');
  if (call.voicemail === true && people.length === answers.length) bad.push('voicemail answered, and is not told');
  if (call.maybeAnswered === true) return bad;
  const talked = call.talked ?? [];
  if (talked.length === 0 && people.length > 0) bad.push(`answered by ${String(people[0]?.by)}, but nobody did`);
  if (talked.length > 0 && people.length === 0 && row.comment !== 'forwarded') bad.push('answered, and not told');
  if (call.direction === 'in') {
    const agents = talked.filter((who) => who !== 'outside').join(', ');
    const told = people.map(({ by }) => String(by)).join(', ');
    if (told !== agents) bad.push(`answered by ${told || 'nobody'}, was ${agents || 'nobody'}`);
    if (row.state === 'hangup' && call.missed !== undefined && row.done === call.missed)
      bad.push(call.missed ? 'a missed call is marked as done' : 'it stays on the list of missed calls');
  }
  return bad;
}
