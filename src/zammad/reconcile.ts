/**
 * What is wrong in Zammad's own list of calls, as pure functions: rows that ring or talk for ever because their hangup was lost, and
 * posts of unknown outcome that it settles. Nothing here closes a row at the first look: see `confirmed`.
 */
import type { CallId, HangupPost, PbxName, ZammadName } from '../call/vocabulary.js';
import { asCallId } from '../call/vocabulary.js';
import type { OutboxItem } from '../store/outbox.js';
import type { CallKnowledge } from '../store/store.js';
import type { LoggedCall } from './outcome.js';

export type Finding =
  /** The row is open, and nobody will close it. */
  | {
      readonly kind: 'close';
      readonly callId: CallId;
      /** newCall (rings) or answer (talks). */
      readonly state: string;
      readonly post: HangupPost;
      /** A second hangup does no harm. */
      readonly repeatable: boolean;
      /** In words. */
      readonly why: string;
      /** Dead and unknown hangups of that call, which need nobody any more after it. */
      readonly replaces: readonly number[];
      /** Attempts at posts of that call so far. */
      readonly attempts: number;
    }
  /** Posts whose outcome nobody knew are in Zammad after all. */
  | { readonly kind: 'settled'; readonly callId: CallId; readonly seqs: readonly number[]; readonly why: string };

export interface Evidence {
  readonly pbx: PbxName;
  readonly zammad: ZammadName;
  /** Rows of this PBX, from `rowsOf`. */
  readonly rows: readonly LoggedCall[];
  /** What the store knows of them. */
  readonly knowledge: readonly CallKnowledge[];
  /** The brain knows the call: it is in progress, whatever the store says. */
  readonly isOpen: (callId: CallId) => boolean;
}

/** What a PBX calls its legs, as far as it cannot be taken for the end of another PBX's name: `1700000000.12`, a UUID. */
const PLAIN_ID = /^(?:[^-]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\d+)?)$/iu;

/** The rows whose call id begins with the name of this PBX, and not with a longer one of `names` (`office`, `office-2`). */
export function rowsOf(pbx: PbxName, names: readonly PbxName[], rows: readonly LoggedCall[]): readonly LoggedCall[] {
  const others = names.filter((name) => name.startsWith(`${pbx}-`)).map((name) => `${name}-`);
  return rows.filter(({ callId }) => callId.startsWith(`${pbx}-`) && !others.some((other) => callId.startsWith(other)));
}

export function findings({ pbx, zammad, rows, knowledge, isOpen }: Evidence): readonly Finding[] {
  const known = new Map(knowledge.map((call) => [call.callId, call]));
  return rows.flatMap((row) => {
    const callId = asCallId(row.callId);
    const call = known.get(callId);
    const posts = (call?.posts ?? []).filter((item) => item.zammad === zammad);
    // What the store has lost may also be another bridge's, whose PBX has a longer name that is not known here.
    if (posts.some((item) => item.pbx !== pbx)) return [];
    if (posts.length === 0 && call?.open !== true && !PLAIN_ID.test(row.callId.slice(pbx.length + 1))) return [];
    const found = settledBy(row, callId, posts);
    const inProgress = call?.open === true || isOpen(callId) || posts.some(isUnderWay);
    return inProgress ? found : [...found, ...closing(row, callId, posts)];
  });
}

/** Those of the first look that the second one, a while later, has found in the very same state: nothing was done about them. */
export function confirmed(first: readonly Finding[], second: readonly Finding[]): readonly Finding[] {
  const before = new Set(first.map((finding) => JSON.stringify(finding)));
  // What is settled needs no second look.
  return second.filter((finding) => finding.kind === 'settled' || before.has(JSON.stringify(finding)));
}

const isUnderWay = ({ state }: OutboxItem): boolean => state === 'waiting' || state === 'sending';
const isTroubled = ({ state }: OutboxItem): boolean => state === 'dead' || state === 'unknown';

function settledBy(row: LoggedCall, callId: CallId, posts: readonly OutboxItem[]): readonly Finding[] {
  const seqs = posts
    // An answer after the hangup has no effect any more.
    .filter(({ post }) => post.event === 'newCall' || post.event === row.state || row.state === 'hangup')
    .filter(({ state }) => state === 'unknown')
    .map(({ seq }) => seq);
  if (seqs.length === 0) return [];
  return [{ kind: 'settled', callId, seqs, why: `Zammad shows the call in state ${row.state.slice(0, 32)}` }];
}

function closing(row: LoggedCall, callId: CallId, posts: readonly OutboxItem[]): readonly Finding[] {
  if (row.state !== 'newCall' && row.state !== 'answer') return [];
  const hangups = posts.filter(({ post }) => post.event === 'hangup');
  const own = hangups.at(-1)?.post;
  const base = {
    kind: 'close',
    callId,
    state: row.state,
    attempts: posts.reduce((sum, { attempts }) => sum + attempts, 0),
    replaces: hangups.filter(isTroubled).map(({ seq }) => seq),
  } as const;
  const { direction = own?.direction } = row;
  const harmless = row.state === 'answer' || direction === 'out';
  if (own?.event === 'hangup') {
    const why = `its hangup is ${hangups.at(-1)?.state ?? 'lost'} here, and Zammad has not got it`;
    return [{ ...base, post: own, repeatable: harmless || own.cause === 'forwarded', why }];
  }
  if (direction === undefined) return [];
  const cause = row.state === 'answer' ? 'normalClearing' : 'congestion';
  const post: HangupPost = {
    event: 'hangup',
    callId,
    direction,
    from: row.from ?? '',
    to: row.to ?? '',
    cause,
  };
  return [
    { ...base, post, repeatable: harmless, why: 'nothing here knows of a hangup, and the call is not in progress' },
  ];
}
