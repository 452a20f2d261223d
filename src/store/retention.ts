import type { Within } from './schema.js';

export interface RetentionTerms {
  /** Wall time: delivered posts and calls that ended before it go. */
  readonly done: number;
  /** The same for dead and unknown posts. */
  readonly troubled: number;
  /** Rows removed at most. */
  readonly limit: number;
}

/**
 * Removes what is done with long ago, oldest first; returns how many rows. A delivered post stays as long as its call is open or another
 * post of it is not delivered: Zammad may have to be told of the call anew.
 */
export async function removeOld(trx: Within, { done, troubled, limit }: RetentionTerms): Promise<number> {
  const delivered = await trx
    .selectFrom('zpb_posts as old')
    .select('old.seq')
    .where('old.state', '=', 'delivered')
    .where('old.changed_at', '<', done)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('zpb_calls')
            .select('zpb_calls.call_id')
            .whereRef('zpb_calls.call_id', '=', 'old.call_id')
            .where('zpb_calls.record', 'is not', null),
        ),
      ),
    )
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('zpb_posts as other')
            .select('other.seq')
            .whereRef('other.call_id', '=', 'old.call_id')
            .where('other.state', '<>', 'delivered'),
        ),
      ),
    )
    .orderBy('old.changed_at')
    .limit(limit)
    .execute();
  const dead = await trx
    .selectFrom('zpb_posts')
    .select('seq')
    .where('state', 'in', ['dead', 'unknown'])
    .where('changed_at', '<', troubled)
    .limit(limit - delivered.length)
    .execute();
  const seqs = [...delivered, ...dead].map(({ seq }) => seq);
  if (seqs.length > 0) await trx.deleteFrom('zpb_posts').where('seq', 'in', seqs).execute();
  const calls = await trx
    .selectFrom('zpb_calls')
    .select('call_id')
    .where('record', 'is', null)
    .where('ended_at', '<', done)
    .orderBy('ended_at')
    .limit(limit - seqs.length)
    .execute();
  const ids = calls.map(({ call_id }) => call_id);
  if (ids.length > 0) await trx.deleteFrom('zpb_calls').where('call_id', 'in', ids).execute();
  return seqs.length + ids.length;
}
