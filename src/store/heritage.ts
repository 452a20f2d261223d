/** What a bridge that has just begun to lead reads, and what it reads later on. */
import { sql } from 'kysely';
import type { CallId, LegId, PbxName } from '../call/vocabulary.js';
import { chunks } from './chunks.js';
import type { HeritageRows, KnowledgeRows } from './protocol.js';
import { aftermathIn, type PostRow } from './rows.js';
import type { Database, Within } from './schema.js';

const IDS_OF_A_STATEMENT = 200;

/**
 * @param since roots of calls that changed after that wall time count, and of all open calls.
 * @param justNow legs count that were left by calls that ended after that wall time.
 */
export async function readHeritage(
  trx: Within,
  pbx: PbxName,
  { since, justNow }: { readonly since: number; readonly justNow: number },
): Promise<HeritageRows> {
  const calls = await trx
    .selectFrom('zpb_calls')
    .selectAll()
    .where('pbx', '=', pbx)
    .where('record', 'is not', null)
    .execute();
  const recent = await trx
    .selectFrom('zpb_calls')
    .select(({ fn }) => ['root', fn.max('ordinal').as('count')])
    .where('pbx', '=', pbx)
    .where('changed_at', '>=', since)
    .groupBy('root')
    .execute();
  const counts = new Map<LegId, number>();
  for (const { root, count } of [...recent, ...calls.map(({ root, ordinal }) => ({ root, count: ordinal }))]) {
    counts.set(root, Math.max(count, counts.get(root) ?? 0));
  }
  const left = await trx
    .selectFrom('zpb_calls')
    .select('aftermath')
    .where('pbx', '=', pbx)
    .where('ended_at', '>=', justNow)
    .where('aftermath', 'is not', null)
    .execute();
  return {
    calls,
    roots: [...counts].map(([root, count]) => ({ root, count })),
    aftermath: left.flatMap((row) => aftermathIn(row.aftermath)),
  };
}

export async function readOpenPosts(
  db: Database,
  { pbx, after, limit }: { readonly pbx: PbxName; readonly after: number; readonly limit: number },
): Promise<readonly PostRow[]> {
  return (
    db
      .selectFrom('zpb_posts')
      .selectAll()
      .where('pbx', '=', pbx)
      // In these words, or the index of open posts cannot be used: not with parameters.
      .where(sql<boolean>`state in ('waiting', 'sending')`)
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(limit)
      .execute()
  );
}

export async function readNewCalls(
  db: Database,
  pbx: PbxName,
  callIds: readonly CallId[],
): Promise<readonly PostRow[]> {
  return (await postsOf(db, callIds, 'newCall')).filter((row) => row.pbx === pbx);
}

export async function readHandedIn(db: Database, pbx: PbxName): Promise<readonly PostRow[]> {
  return db
    .selectFrom('zpb_posts')
    .selectAll()
    .where('pbx', '=', pbx)
    .where('handed_in', '=', 1)
    .orderBy('seq')
    .execute();
}

export async function readKnowledge(db: Database, callIds: readonly CallId[]): Promise<KnowledgeRows> {
  const open: CallId[] = [];
  for (const part of chunks(callIds, IDS_OF_A_STATEMENT)) {
    const rows = await db
      .selectFrom('zpb_calls')
      .select('call_id')
      .where('call_id', 'in', part)
      .where('record', 'is not', null)
      .execute();
    open.push(...rows.map(({ call_id }) => call_id));
  }
  return { open, posts: await postsOf(db, callIds) };
}

/** Of which there are open calls or posts. */
export async function readPbxs(db: Database): Promise<readonly PbxName[]> {
  const calls = await db.selectFrom('zpb_calls').select('pbx').distinct().where('record', 'is not', null).execute();
  const posts = await db
    .selectFrom('zpb_posts')
    .select('pbx')
    .distinct()
    .where('state', 'in', ['waiting', 'sending'])
    .execute();
  return [...new Set([...calls, ...posts].map(({ pbx }) => pbx))];
}

async function postsOf(
  db: Database,
  callIds: readonly CallId[],
  event?: PostRow['event'],
): Promise<readonly PostRow[]> {
  const found: PostRow[] = [];
  for (const part of chunks(callIds, IDS_OF_A_STATEMENT)) {
    let query = db.selectFrom('zpb_posts').selectAll().where('call_id', 'in', part);
    if (event !== undefined) query = query.where('event', '=', event);
    found.push(...(await query.execute()));
  }
  return found.sort((a, b) => a.seq - b.seq);
}
