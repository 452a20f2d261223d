/** The rows of the database, and what they mean. */
import type { CallRecord } from '../call/call-record.js';
import { checkedRecord } from '../call/record-shape.js';
import type { CallId, LegId, PbxName, Post, ZammadName } from '../call/vocabulary.js';
import type { DeliveryState, NewOutboxItem, OutboxItem } from './outbox.js';
import type { CallChange } from './store.js';

export interface CallRow {
  readonly call_id: CallId;
  readonly pbx: PbxName;
  readonly root: LegId;
  readonly ordinal: number;
  /** JSON of a CallRecord; null: it is over. */
  readonly record: string | null;
  /** Wall clock of the bridge that wrote it, ms since 1970. */
  readonly changed_at: number;
  readonly ended_at: number | null;
  /** JSON of the ids of the legs that had a part in a call that is over, and lived on. */
  readonly aftermath: string | null;
}

export interface PostRow {
  readonly seq: number;
  readonly pbx: PbxName;
  readonly zammad: ZammadName;
  readonly call_id: CallId;
  readonly event: Post['event'];
  /** JSON of a Post. */
  readonly post: string;
  /** 0 or 1: SQLite has no truth values. */
  readonly repeatable: number;
  readonly happened_at: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly reason: string | null;
  readonly changed_at: number;
  /** 1: put here from outside; the bridge that leads has not taken it up yet. */
  readonly handed_in: number;
}

/** Rows that are written together, all or nothing for each PBX. */
export interface Batch {
  /** The lead under which each PBX of the batch is written for. */
  readonly epochs: readonly { readonly pbx: PbxName; readonly epoch: number }[];
  readonly calls: readonly CallRow[];
  readonly posts: readonly PostRow[];
  /** Handed-in posts that the bridge has taken up: seq and PBX. */
  readonly taken: readonly { readonly seq: number; readonly pbx: PbxName }[];
}

export const callRow = (pbx: PbxName, change: CallChange, now: number): CallRow => ({
  call_id: change.callId,
  pbx,
  root: change.root,
  ordinal: change.ordinal,
  record: change.record === undefined ? null : JSON.stringify(change.record),
  changed_at: now,
  ended_at: change.record === undefined ? now : null,
  aftermath: change.aftermath === undefined ? null : JSON.stringify(change.aftermath),
});

export const postRow = (item: NewOutboxItem, seq: number, now: number, handedIn = false): PostRow => ({
  seq,
  pbx: item.pbx,
  zammad: item.zammad,
  call_id: item.callId,
  event: item.post.event,
  post: JSON.stringify(item.post),
  repeatable: item.repeatable ? 1 : 0,
  happened_at: item.happenedAt,
  state: 'waiting',
  attempts: 0,
  reason: null,
  changed_at: now,
  handed_in: handedIn ? 1 : 0,
});

export const itemOf = (row: PostRow): OutboxItem =>
  Object.freeze({
    pbx: row.pbx,
    zammad: row.zammad,
    callId: row.call_id,
    post: JSON.parse(row.post) as Post,
    repeatable: row.repeatable === 1,
    happenedAt: row.happened_at,
    seq: row.seq,
    state: row.state,
    attempts: row.attempts,
    ...(row.reason === null ? {} : { reason: row.reason }),
  });

/** Undefined when the row holds no record of its call (it may come out of a damaged file); see `checkedRecord`. */
export function recordIn({ call_id, record }: Pick<CallRow, 'call_id' | 'record'>): CallRecord | undefined {
  try {
    const checked = checkedRecord(JSON.parse(record ?? ''));
    return checked?.id === call_id ? checked : undefined;
  } catch {
    return undefined;
  }
}

/** The legs of a call row's `aftermath`; none when it cannot be read. */
export function aftermathIn(text: string | null): readonly LegId[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter((id): id is LegId => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

export const isOpen = ({ state }: Pick<PostRow, 'state'>): boolean => state === 'waiting' || state === 'sending';
