/**
 * The outbox: the list of posts not yet delivered. Asynchronous and commit-before-send, so that the durable store and the
 * one in memory are the same to everybody who uses them.
 */
import type { CallId, PbxName, Post, ZammadName } from '../call/vocabulary.js';

/** What is known about the delivery of one post. */
export type DeliveryState =
  /** Not sent, or surely not processed. */
  | 'waiting'
  /** An attempt was written; its outcome is not. After a restart this means: outcome unknown. */
  | 'sending'
  | 'delivered'
  /** Refused or too old: listed for a person, never sent again by itself. */
  | 'dead'
  /** Sent, and nobody can say whether Zammad processed it; sending it again could do harm. */
  | 'unknown';

export interface NewOutboxItem {
  readonly pbx: PbxName;
  readonly zammad: ZammadName;
  readonly callId: CallId;
  readonly post: Post;
  /** The call was in an agent's or an outside party's hands, or is outbound: a second hangup does no harm then. */
  readonly repeatable: boolean;
  /** Wall clock, ms since 1970, when the event happened. */
  readonly happenedAt: number;
}

export interface OutboxItem extends NewOutboxItem {
  /** Unique, and the order of commitment within one PBX; posts of one call and Zammad are sent in this order. */
  readonly seq: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Why the last attempt failed, in words; without secrets. */
  readonly reason?: string | undefined;
}

/** What the dispatcher needs of the store. */
export interface Outbox {
  /**
   * Writes that an attempt is about to be made. Resolves when that is safe (or the store goes on without its disk and has said
   * so); only then may the request be sent. Rejects with ZPB_STORE_NOT_LEADING when another bridge leads the post's PBX by now.
   */
  attempt(seq: number): Promise<void>;
  /** Writes how it came out. `waiting` = surely not processed, to be tried again. */
  settle(seq: number, state: Exclude<DeliveryState, 'sending'>, reason?: string): Promise<void>;
}
