import type { PbxName } from '../call/vocabulary.js';
import { chunks } from './chunks.js';
import type { Batch, CallRow, PostRow } from './rows.js';
import type { Dialect, Within } from './schema.js';

const ROWS_OF_A_STATEMENT = 50;

/**
 * Writes a batch within the caller's transaction, as far as the leads named in it still hold. Returns the PBXs whose lead another
 * bridge has: nothing was written for these. Repeating it does no harm.
 */
export async function writeBatch(trx: Within, dialect: Dialect, batch: Batch): Promise<readonly PbxName[]> {
  const lost = await lostLeads(trx, dialect, batch);
  const ours = <T extends { readonly pbx: PbxName }>(rows: readonly T[]): readonly T[] =>
    lost.length === 0 ? rows : rows.filter(({ pbx }) => !lost.includes(pbx));
  // First: a row that waits to be taken up is not overwritten by any other write.
  for (const part of chunks(ours(batch.taken), ROWS_OF_A_STATEMENT)) {
    await trx
      .updateTable('zpb_posts')
      .set({ handed_in: 0 })
      .where(
        'seq',
        'in',
        part.map(({ seq }) => seq),
      )
      .execute();
  }
  await putCalls(trx, ours(batch.calls));
  await putPosts(trx, ours(batch.posts));
  return lost;
}

/** The rows as they are, without a look at any lead. */
export async function putCalls(trx: Within, rows: readonly CallRow[]): Promise<void> {
  for (const part of chunks(rows, ROWS_OF_A_STATEMENT)) {
    await trx
      .insertInto('zpb_calls')
      .values([...part])
      .onConflict((conflict) =>
        conflict.column('call_id').doUpdateSet((eb) => ({
          root: eb.ref('excluded.root'),
          ordinal: eb.ref('excluded.ordinal'),
          record: eb.ref('excluded.record'),
          changed_at: eb.ref('excluded.changed_at'),
          ended_at: eb.ref('excluded.ended_at'),
          aftermath: eb.ref('excluded.aftermath'),
        })),
      )
      .execute();
  }
}

/** Only what can change is changed. A post that somebody has handed in again meanwhile stays as he left it. */
export async function putPosts(trx: Within, rows: readonly PostRow[]): Promise<void> {
  for (const part of chunks(rows, ROWS_OF_A_STATEMENT)) {
    await trx
      .insertInto('zpb_posts')
      .values([...part])
      .onConflict((conflict) =>
        conflict
          .column('seq')
          .doUpdateSet((eb) => ({
            state: eb.ref('excluded.state'),
            attempts: eb.ref('excluded.attempts'),
            reason: eb.ref('excluded.reason'),
            changed_at: eb.ref('excluded.changed_at'),
          }))
          .where('zpb_posts.handed_in', '=', 0),
      )
      .execute();
  }
}

/** With the leases locked until the end of the transaction, so that nobody can take one in between. */
async function lostLeads(trx: Within, { locksRows }: Dialect, { epochs }: Batch): Promise<readonly PbxName[]> {
  if (epochs.length === 0) return [];
  const held = await trx
    .selectFrom('zpb_leases')
    .select(['name', 'epoch'])
    .where(
      'name',
      'in',
      epochs.map(({ pbx }) => pbx),
    )
    // One order for everybody: no deadlocks.
    .orderBy('name')
    .$if(locksRows, (query) => query.forShare())
    .execute();
  return epochs
    .filter(({ pbx, epoch }) => !held.some((row) => row.name === pbx && row.epoch === epoch))
    .map(({ pbx }) => pbx);
}
