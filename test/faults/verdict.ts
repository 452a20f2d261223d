/** Holds what the stand-in saw of one play against what truly happened and what could be heard. Pure. */
import type { CallRow } from '../../src/stand-in/call-row.js';
import { readCallId, trueCallOf } from './call-ids.js';
import type { CallFacts } from './case-facts.js';
import type { SeenPost } from './evidence.js';
import type { Hearing } from './hearing.js';
import { complaintsOf, knownOf, type Known } from './oracle.js';
import type { Play } from './theatre.js';

export interface PlayEvidence {
  /** Of this play, in the order in which they came. */
  readonly posts: readonly SeenPost[];
  readonly rows: readonly CallRow[];
  readonly hearings: readonly Hearing[];
  /** Posts that the bridge lists as of unknown outcome. */
  readonly unknown: readonly { readonly callId: string; readonly event: string }[];
  /** The bridge can read Zammad's log back, so everything must be exact. */
  readonly canReadBack: boolean;
  /** When a bridge died: what it had sent and not yet settled is of unknown outcome to its heir. */
  readonly deaths: readonly number[];
}

export type Fault = 'lost' | 'doubled' | 'ringing' | 'wrong';

export interface CallVerdict {
  readonly facts: CallFacts | undefined;
  readonly callIds: readonly string[];
  readonly known: Known | undefined;
  /** What is wrong, in words. */
  readonly wrong: readonly { readonly fault: Fault; readonly text: string }[];
  /** It began and ended without being heard, or was heard in the last instant of a bridge only, and is not told. */
  readonly unheard: boolean;
  /** A post of it is of unknown outcome. */
  readonly unknown: boolean;
  /** Hangups that were taken twice without harm: the first one's reply was lost. */
  readonly repeated: number;
}

export function judgePlay(play: Play, evidence: PlayEvidence): readonly CallVerdict[] {
  const callIds = [
    ...new Set([...evidence.posts.map(({ callId }) => callId), ...evidence.rows.map(({ callId }) => callId)]),
  ];
  const claimed = new Map<CallFacts, string[]>();
  const strangers: CallVerdict[] = [];
  for (const callId of callIds) {
    const id = readCallId(callId);
    const posts = evidence.posts.filter((post) => post.callId === callId);
    const party = partyOf(posts);
    const facts = id === undefined ? undefined : trueCallOf(id, party, play.facts.calls);
    if (facts !== undefined) claimed.set(facts, [...(claimed.get(facts) ?? []), callId]);
    else if (posts.some(({ entry }) => entry.accepted))
      strangers.push({
        ...{ facts: undefined, callIds: [callId], known: undefined, unheard: false, unknown: false, repeated: 0 },
        wrong: [{ fault: 'wrong', text: `a call that never was: ${party.direction} ${callId} with ${party.customer}` }],
      });
  }
  const verdicts = play.facts.calls.map((facts) => judgeCall(facts, claimed.get(facts) ?? [], play, evidence));
  return [...verdicts, ...strangers];
}

function partyOf([post]: readonly SeenPost[]): { readonly direction: 'in' | 'out'; readonly customer: string } {
  const params = post?.entry.params;
  const direction = params?.['direction'] === 'out' ? 'out' : 'in';
  return { direction, customer: text(params?.[direction === 'in' ? 'from' : 'to']) ?? '' };
}
const taken = (posts: readonly SeenPost[], event: SeenPost['event']): readonly SeenPost[] =>
  posts.filter((post) => post.event === event && post.entry.accepted);

function judgeCall(facts: CallFacts, callIds: readonly string[], play: Play, evidence: PlayEvidence): CallVerdict {
  const known = knownOf(facts, play.sentAt, evidence.hearings);
  const posts = evidence.posts.filter(({ callId }) => callIds.includes(callId));
  const newCalls = taken(posts, 'newCall');
  const hangups = taken(posts, 'hangup');
  const wrong: { fault: Fault; text: string }[] = [];
  const add = (fault: Fault, text: string): void => void wrong.push({ fault, text });
  const listed = evidence.unknown.filter(({ callId }) => callIds.includes(callId));
  const unknown = listed.length > 0;
  if (unknown && evidence.canReadBack)
    add('wrong', `${listed.map(({ event }) => event).join(', ')} of unknown outcome, though Zammad can be read back`);
  const base = { facts, callIds, known, unknown };
  if (newCalls.length === 0) {
    if (known.call === 'sure') add('lost', 'it was heard, and Zammad took no newCall of it');
    return { ...base, wrong, unheard: known.call !== 'sure', repeated: 0 };
  }
  if (known.call === 'no') add('wrong', 'it is told, but cannot have been heard');
  if (newCalls.length > 1) add('doubled', `${newCalls.length} newCalls were taken (${callIds.join(', ')})`);
  const rows = evidence.rows.filter(({ callId }) => callIds.includes(callId));
  for (const row of rows) {
    const hangupUnknown = listed.some(({ callId, event }) => callId === row.callId && event === 'hangup');
    if (row.state !== 'hangup' && !hangupUnknown) add('ringing', `${row.callId} is left in state ${row.state}`);
  }
  const repeated = hangups.length - 1;
  for (let index = 1; index < hangups.length; index += 1) {
    const first = hangups[index - 1];
    if (first !== undefined && !mayRepeat(first, posts, evidence)) add('doubled', 'a second hangup was taken');
  }
  for (const text of orderComplaints(posts)) add('wrong', text);
  const [row] = rows;
  const [newCall] = newCalls;
  if (row !== undefined && newCall !== undefined && rows.length === 1) {
    const told = toldOf(row, newCall, posts);
    // Nobody can say of an answer of unknown outcome what Zammad made of it.
    const answerUnknown = listed.some(({ event }) => event === 'answer');
    const over = row.state === 'hangup' && !answerUnknown;
    for (const text of complaintsOf(told, facts, known, over)) add('wrong', text);
  }
  return { ...base, wrong, unheard: false, repeated: Math.max(0, repeated) };
}

/** A bridge that dies needs so long to write down that a reply came, ms. */
const SETTLE_MS = 400;
/** A death is written down before the signal is sent, and a process does not end in that instant, ms. */
const KILL_MS = 50;

/**
 * Without a way to read back, a hangup of a call that somebody had taken, or of an outbound one, is sent again when the bridge
 * cannot know that the first one arrived: its reply was lost, or the bridge died before it had written the reply down.
 */
function mayRepeat(first: SeenPost, posts: readonly SeenPost[], { canReadBack, deaths }: PlayEvidence): boolean {
  if (canReadBack) return false;
  const harmless =
    first.entry.params?.['direction'] === 'out' ||
    first.entry.params?.['cause'] === 'forwarded' ||
    posts.some(({ event }) => event === 'answer');
  const replied = first.entry.state === 'replied' && first.entry.status === 200;
  const ended = first.arrived + (first.entry.took ?? 0);
  const died = deaths.some((at) => at >= first.arrived - KILL_MS && at <= ended + SETTLE_MS);
  return harmless && (!replied || died);
}

function orderComplaints(posts: readonly SeenPost[]): readonly string[] {
  const wrong: string[] = [];
  const [newCall] = taken(posts, 'newCall');
  const [hangup] = taken(posts, 'hangup');
  for (const post of posts) {
    if (!post.entry.accepted || newCall === undefined) continue;
    if (post.seq < newCall.seq) wrong.push(`${post.event} came before its newCall`);
    if (post.event === 'answer' && hangup !== undefined && post.seq > hangup.seq)
      wrong.push('an answer came after the hangup');
    for (const key of ['from', 'to', 'direction'])
      if (post.entry.params?.[key] !== newCall.entry.params?.[key])
        wrong.push(`${post.event} has another ${key} than its newCall`);
  }
  return [...new Set(wrong)];
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const list = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(String) : typeof value === 'string' && value !== '' ? [value] : [];

function toldOf(row: CallRow, newCall: SeenPost, posts: readonly SeenPost[]): Parameters<typeof complaintsOf>[0] {
  const answers = taken(posts, 'answer').map(({ entry: { params } }) => {
    if (row.direction === 'out') return 'customer';
    return params?.['user'] === 'voicemail' ? 'voicemail' : (text(params?.['answeringNumber']) ?? '?');
  });
  return {
    from: row.from,
    to: row.to,
    agents: list(newCall.entry.params?.['user']),
    answers: answers.filter((who, index) => who !== answers[index - 1]),
    cause: row.comment ?? undefined,
    done: row.done,
  };
}
