/** From the spill file into a SQLite database: each generation once, whoever does it. */
import { counterOf, setCounter } from './leases.js';
import type { Batch } from './rows.js';
import type { Database, Within } from './schema.js';
import type { SpillFile } from './spill-file.js';
import { merged } from './spilled-rows.js';
import { putCalls, putPosts } from './write-batch.js';

/**
 * Puts into the database what an earlier owner has left, and makes the spill file ours. Returns how many batches that were. Only for
 * who leads, or where nobody does.
 */
export async function takeOver(db: Database, spill: SpillFile): Promise<number> {
  const count = await db.transaction().execute(async (trx) => {
    const batches = spill.use((await counterOf(trx, 'spill')) + 1);
    if (batches.length > 0) await put(trx, batches, spill.generation);
    return batches.length;
  });
  if (count > 0) spill.restart();
  return count;
}

/** Puts into the database what we have spilled. Returns how many batches that were; undefined: another process has taken over. */
export async function putBack(db: Database, spill: SpillFile): Promise<number | undefined> {
  const { generation } = spill;
  const batches = spill.use(generation);
  const ours = await db.transaction().execute(async (trx) => {
    if ((await counterOf(trx, 'spill')) >= generation) return false;
    await put(trx, batches, generation);
    return true;
  });
  if (!ours) return undefined;
  spill.restart();
  return batches.length;
}

async function put(trx: Within, batches: readonly Batch[], generation: number): Promise<void> {
  const { calls, posts, taken } = merged(batches);
  for (const { seq } of taken)
    await trx.updateTable('zpb_posts').set({ handed_in: 0 }).where('seq', '=', seq).execute();
  await putCalls(trx, calls);
  await putPosts(trx, posts);
  await setCounter(trx, 'spill', generation);
}
