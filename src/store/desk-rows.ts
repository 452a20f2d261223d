/** What people and other programs do to the posts from outside; see `Desk`. */
import { chunks } from './chunks.js';
import { counterOf, setCounter } from './leases.js';
import type { DeliveryState } from './outbox.js';
import type { PostRow } from './rows.js';
import type { Database, Dialect, Within } from './schema.js';
import { seqOf } from './seq.js';

const SEQS_OF_A_STATEMENT = 200;
const TROUBLED: readonly DeliveryState[] = ['dead', 'unknown'];

/** Newest first. */
export async function listPosts(
  db: Database,
  states: readonly DeliveryState[],
  limit: number,
): Promise<readonly PostRow[]> {
  if (states.length === 0) return [];
  return db
    .selectFrom('zpb_posts')
    .selectAll()
    .where('state', 'in', [...states])
    .orderBy('seq', 'desc')
    .limit(limit)
    .execute();
}

export async function resendPosts(trx: Within, seqs: readonly number[], now: number): Promise<readonly PostRow[]> {
  const resent: PostRow[] = [];
  for (const part of chunks(seqs, SEQS_OF_A_STATEMENT)) {
    const rows = await trx
      .updateTable('zpb_posts')
      .set({ state: 'waiting', reason: null, handed_in: 1, changed_at: now })
      .where('seq', 'in', [...part])
      .where('state', 'in', TROUBLED)
      .returningAll()
      .execute();
    resent.push(...rows);
  }
  return inOrder(resent);
}

export async function dropPosts(trx: Within, seqs: readonly number[]): Promise<readonly PostRow[]> {
  const dropped: PostRow[] = [];
  for (const part of chunks(seqs, SEQS_OF_A_STATEMENT)) {
    const rows = await trx
      .deleteFrom('zpb_posts')
      .where('seq', 'in', [...part])
      .where('state', 'in', TROUBLED)
      .returningAll()
      .execute();
    dropped.push(...rows);
  }
  return inOrder(dropped);
}

/** Gives them numbers under an epoch of their own, which no lead has. */
export async function handInPosts(
  trx: Within,
  dialect: Dialect,
  rows: readonly PostRow[],
): Promise<readonly PostRow[]> {
  if (rows.length === 0) return [];
  if (dialect.locksRows) {
    await trx.selectFrom('zpb_counters').select('value').where('name', '=', 'epoch').forUpdate().execute();
  }
  const epoch = (await counterOf(trx, 'epoch')) + 1;
  await setCounter(trx, 'epoch', epoch);
  const numbered = rows.map((row, index): PostRow => ({ ...row, seq: seqOf(epoch, index + 1) }));
  for (const part of chunks(numbered, 50)) {
    await trx
      .insertInto('zpb_posts')
      .values([...part])
      .execute();
  }
  return numbered;
}

const inOrder = (rows: readonly PostRow[]): readonly PostRow[] => [...rows].sort((a, b) => a.seq - b.seq);
