import type { CallId, Millis, PbxName } from '../call/vocabulary.js';
import { last } from './spilled-rows.js';
import type { Batch, CallRow, PostRow } from './rows.js';

export interface Rows {
  readonly calls: readonly CallRow[];
  readonly posts: readonly PostRow[];
  /** seq of handed-in posts that were taken up. */
  readonly taken: readonly number[];
}

export interface Author {
  readonly pbx: PbxName;
  readonly epoch: number;
}

export interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Rows that become durable together. */
export interface Group {
  readonly author: Author;
  readonly calls: Map<CallId, CallRow>;
  readonly posts: Map<number, PostRow>;
  readonly taken: readonly number[];
  /** When its first row came. */
  readonly since: Millis;
  waiters: Waiter[];
}

const sizeOf = ({ calls, posts, taken }: Group): number => calls.size + posts.size + taken.length;

/**
 * Rows that wait to be written, in their order. A newer version of a row takes the place of the older one that still waits, as far as
 * that cannot part a post from the state of the call it belongs to.
 */
export class PendingRows {
  #groups: Group[] = [];
  readonly #groupOfPost = new Map<number, Group>();
  readonly #groupOfCall = new Map<CallId, Group>();
  #size = 0;

  /** Rows. */
  get size(): number {
    return this.#size;
  }
  get empty(): boolean {
    return this.#groups.length === 0;
  }

  /** seq of the handed-in posts among them. */
  taken(): readonly number[] {
    return this.#groups.flatMap(({ taken }) => taken);
  }

  /** Returns the group with which the rows become durable. */
  add(author: Author, rows: Rows, now: Millis): Group {
    const joined = this.#joined(author, rows);
    if (joined !== undefined) return joined;
    const group: Group = {
      author,
      calls: new Map(rows.calls.map((row) => [row.call_id, row])),
      posts: new Map(rows.posts.map((row) => [row.seq, row])),
      taken: rows.taken,
      since: now,
      waiters: [],
    };
    this.#groups.push(group);
    this.#size += sizeOf(group);
    for (const seq of group.posts.keys()) this.#groupOfPost.set(seq, group);
    for (const callId of group.calls.keys()) this.#groupOfCall.set(callId, group);
    return group;
  }

  /** Takes out the oldest groups: `most` rows, but at least one group; one lead of each PBX. */
  take(most: number): Group[] {
    const epochs = new Map<PbxName, number>();
    let rows = 0;
    let count = 0;
    for (const group of this.#groups) {
      const { pbx, epoch } = group.author;
      rows += sizeOf(group);
      if ((count > 0 && rows > most) || (epochs.get(pbx) ?? epoch) !== epoch) break;
      epochs.set(pbx, epoch);
      count += 1;
    }
    const taken = this.#groups.splice(0, count);
    for (const group of taken) this.#forget(group);
    return taken;
  }

  /** Takes out every group of an author, and all of them where none is named. */
  drop(author?: Author): Group[] {
    const leaves = (group: Group): boolean => author === undefined || group.author.epoch === author.epoch;
    const gone = this.#groups.filter(leaves);
    this.#groups = this.#groups.filter((group) => !leaves(group));
    for (const group of gone) this.#forget(group);
    return gone;
  }

  /** Everybody who waits, taken out. */
  waiters(): Waiter[] {
    return this.#groups.flatMap((group) => group.waiters.splice(0));
  }

  #joined({ epoch }: Author, { calls, posts, taken }: Rows): Group | undefined {
    if (taken.length > 0) return undefined;
    const [post] = posts;
    if (post !== undefined && posts.length === 1 && calls.length === 0) {
      const group = this.#groupOfPost.get(post.seq);
      if (group?.author.epoch !== epoch) return undefined;
      group.posts.set(post.seq, post);
      return group;
    }
    const [call] = calls;
    if (call !== undefined && calls.length === 1 && posts.length === 0) {
      const group = this.#groupOfCall.get(call.call_id);
      if (group?.author.epoch !== epoch) return undefined;
      group.calls.set(call.call_id, call);
      return group;
    }
    return undefined;
  }

  #forget(group: Group): void {
    this.#size -= sizeOf(group);
    for (const seq of group.posts.keys()) if (this.#groupOfPost.get(seq) === group) this.#groupOfPost.delete(seq);
    for (const id of group.calls.keys()) if (this.#groupOfCall.get(id) === group) this.#groupOfCall.delete(id);
  }
}

export const rowsOf = (groups: readonly Group[]): number => groups.reduce((sum, group) => sum + sizeOf(group), 0);

/** Several groups as one batch: of each row the last version. */
export function batchOf(groups: readonly Group[]): Batch {
  const authors = new Map(groups.map(({ author: { pbx, epoch } }) => [pbx, { pbx, epoch }]));
  return {
    epochs: [...authors.values()].sort((a, b) => (a.pbx < b.pbx ? -1 : 1)),
    calls: last(
      groups.flatMap(({ calls }) => [...calls.values()]),
      ({ call_id }) => call_id,
    ),
    posts: last(
      groups.flatMap(({ posts }) => [...posts.values()]),
      ({ seq }) => seq,
    ),
    taken: groups.flatMap(({ author, taken }) => taken.map((seq) => ({ seq, pbx: author.pbx }))),
  };
}
