import { PermanentError } from '../errors.js';
import type { DurableLead } from './durable-lead.js';
import type { DeliveryState, OutboxItem } from './outbox.js';
import { isOpen, itemOf, type PostRow } from './rows.js';

interface OpenPost {
  readonly lead: DurableLead;
  readonly row: PostRow;
}

/** The posts not yet delivered of the PBXs that are led here, as they were last written. */
export class OpenPosts {
  readonly #posts = new Map<number, OpenPost>();

  get size(): number {
    return this.#posts.size;
  }
  has(seq: number): boolean {
    return this.#posts.has(seq);
  }
  put(lead: DurableLead, rows: readonly PostRow[]): void {
    for (const row of rows) this.#posts.set(row.seq, { lead, row });
  }
  /** Throws a PermanentError `ZPB_OUTBOX_NO_SUCH_POST`. */
  get(seq: number): OpenPost {
    const post = this.#posts.get(seq);
    if (post !== undefined) return post;
    throw new PermanentError('ZPB_OUTBOX_NO_SUCH_POST', `The outbox has no open post ${seq}: it was settled before`);
  }

  /** The row as it stands after an attempt was begun. */
  attempt(seq: number, now: number): PostRow {
    const { lead, row } = this.get(seq);
    const changed: PostRow = { ...row, state: 'sending', attempts: row.attempts + 1, changed_at: now };
    this.#posts.set(seq, { lead, row: changed });
    return changed;
  }
  /** The same after it came out. What is not open any more is forgotten. */
  settle(seq: number, state: DeliveryState, reason: string | undefined, now: number): PostRow {
    const { lead, row } = this.get(seq);
    const changed: PostRow = { ...row, state, reason: reason ?? null, changed_at: now };
    if (isOpen(changed)) this.#posts.set(seq, { lead, row: changed });
    else this.#posts.delete(seq);
    return changed;
  }

  of(lead: DurableLead): readonly PostRow[] {
    return [...this.#posts.values()].filter((post) => post.lead === lead).map(({ row }) => row);
  }
  /** Those of leads that have ended are kept until then, so that who asks learns why they cannot be written. */
  forgetEnded(pbx: string): void {
    for (const [seq, { lead }] of this.#posts) if (lead.pbx === pbx && lead.ended.aborted) this.#posts.delete(seq);
  }
  clear(): void {
    this.#posts.clear();
  }
}

/** @throws nothing: a row that cannot be read is left out; a damaged file may have held it. */
export function readableItems(rows: readonly PostRow[]): readonly OutboxItem[] {
  return rows.flatMap((row) => {
    try {
      return [itemOf(row)];
    } catch {
      return [];
    }
  });
}
