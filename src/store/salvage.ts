/** A damaged SQLite file: what can still be read is read, the file is set aside, and a new one begins with that. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { PbxName } from '../call/vocabulary.js';
import type { AgentStateRow } from './agent-state-rows.js';
import { setCounter, type LeaseTerms } from './leases.js';
import { isOpen, type CallRow, type PostRow } from './rows.js';
import type { CounterRow, CredentialRow, Database, LeaseRow } from './schema.js';
import { epochOf } from './seq.js';
import { openSqlite, type Sqlite } from './sqlite-database.js';
import { putAgentStates } from './write-agent-states.js';
import { putCalls, putPosts } from './write-batch.js';

export interface Salvaged {
  readonly calls: readonly CallRow[];
  readonly posts: readonly PostRow[];
  readonly leases: readonly LeaseRow[];
  readonly counters: readonly CounterRow[];
  readonly credentials: readonly CredentialRow[];
  readonly agentStates: readonly AgentStateRow[];
}

/** Calls that are over matter for a day: their ids must not be used again. */
const RECENT_MS = 24 * 3_600_000;
const FRESH = '.mended';
/** A database, and what SQLite keeps beside it. */
const PARTS = ['', '-wal', '-shm'];

export function salvage(Sqlite: Sqlite, path: string, now: number): Salvaged {
  const recent = now - RECENT_MS;
  const read = <T>(
    table: string,
    where: string,
    key: string,
    keyOf: (row: T) => unknown,
    sound: (row: T) => boolean,
  ): T[] => {
    const rows = new Map<unknown, T>();
    // From both ends: a broken page hides only what lies behind it.
    for (const order of ['asc', 'desc']) {
      const query = `select * from ${table} not indexed where ${where} order by ${key} ${order}`;
      for (const row of readable<T>(Sqlite, path, query)) if (sound(row)) rows.set(keyOf(row), row);
    }
    return [...rows.values()];
  };
  // One that was revoked has no row, so it cannot come back by this; a session whose token cannot be read ends.
  const credentials = read<CredentialRow>('zpb_credentials', 'true', 'rowid', ({ id }) => id, soundCredential);
  const tokens = new Set(credentials.map(({ id }) => id));
  return {
    calls: read<CallRow>(
      'zpb_calls',
      `record is not null or changed_at > ${recent}`,
      'rowid',
      ({ call_id }) => call_id,
      soundCall,
    ),
    posts: read<PostRow>(
      'zpb_posts',
      `state <> 'delivered' or changed_at > ${recent}`,
      'seq',
      ({ seq }) => seq,
      soundPost,
    ),
    leases: read<LeaseRow>(
      'zpb_leases',
      'true',
      'rowid',
      ({ name }) => name,
      ({ name, epoch }) => isText(name) && isNumber(epoch),
    ),
    counters: read<CounterRow>(
      'zpb_counters',
      'true',
      'rowid',
      ({ name }) => name,
      ({ name, value }) => isText(name) && isNumber(value),
    ),
    credentials: credentials.filter(({ parent }) => parent === null || tokens.has(parent)),
    agentStates: read<AgentStateRow>(
      'zpb_agent_states',
      'true',
      'rowid',
      ({ extension, pbx }) => `${extension} ${pbx}`,
      ({ extension, pbx, state, since, set_by }) => [extension, pbx, state, set_by].every(isText) && isNumber(since),
    ),
  };
}

/** Our own leads go on, whatever became of their rows. */
export function withLeads(
  found: Salvaged,
  leads: ReadonlyMap<PbxName, number>,
  { holder, address, ttl, now }: Omit<LeaseTerms, 'dialect'> & { readonly now: number },
): Salvaged {
  const known = new Map(found.leases.map((lease) => [lease.name, lease]));
  for (const [name, epoch] of leads) {
    if ((known.get(name)?.epoch ?? 0) >= epoch) continue;
    known.set(name, { name, holder, epoch, expires_at: now + ttl, address, wanted_at: null });
  }
  return { ...found, leases: [...known.values()] };
}

/**
 * Makes a new database of what was salvaged and puts it in the place of the damaged one; returns where that is now. The new one is whole before
 * the old one is moved, so that a failure or the end of the process in between loses nothing (see `finishReplacing`).
 */
export async function replaceFile(Sqlite: Sqlite, path: string, whole: Salvaged, now: number): Promise<string> {
  const fresh = path + FRESH;
  const aside = `${path}.corrupt-${new Date(now).toISOString().replace(/[:.]/g, '-')}`;
  for (const part of PARTS) rmSync(fresh + part, { force: true });
  const open = await openSqlite(Sqlite, fresh, { durability: 'full', mustExist: false, check: false });
  try {
    await putSalvaged(open.db, whole);
  } finally {
    // The last connection puts everything into the one file.
    open.close();
  }
  for (const part of PARTS) if (existsSync(path + part)) renameSync(path + part, aside + part);
  renameSync(fresh, path);
  return aside;
}

/** If a process ended between the renames, there is only the new file, and perhaps the log of the old one, which must not meet it. */
export function finishReplacing(path: string): void {
  if (existsSync(path) || !existsSync(path + FRESH)) return;
  for (const part of ['-wal', '-shm']) rmSync(path + part, { force: true });
  renameSync(path + FRESH, path);
}

/** Puts it into a new database. The epoch never goes back, also when its counter could not be read. */
async function putSalvaged(
  db: Database,
  { calls, posts, leases, counters, credentials, agentStates }: Salvaged,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await putCalls(trx, calls);
    await putPosts(trx, posts);
    for (const lease of leases) await trx.insertInto('zpb_leases').values(lease).execute();
    for (const { name, value } of counters) await setCounter(trx, name, value);
    for (const credential of credentials) await trx.insertInto('zpb_credentials').values(credential).execute();
    await putAgentStates(trx, agentStates);
    const epochs = [
      ...counters.filter(({ name }) => name === 'epoch').map(({ value }) => value),
      ...leases.map(({ epoch }) => epoch),
      ...posts.map(({ seq }) => epochOf(seq)),
    ];
    await setCounter(
      trx,
      'epoch',
      epochs.reduce((a, b) => Math.max(a, b), 0),
    );
  });
}

/** How many of its posts are still to be delivered, and calls not over. */
export const openOf = ({ calls, posts }: Salvaged): { readonly calls: number; readonly posts: number } => ({
  calls: calls.filter(({ record }) => record !== null).length,
  posts: posts.filter(isOpen).length,
});

/** Rows until the first that cannot be read. */
function readable<T>(Sqlite: Sqlite, path: string, query: string): T[] {
  const rows: T[] = [];
  try {
    const raw = new Sqlite(path, { timeout: 200, readonly: true, fileMustExist: true });
    try {
      // Or a file that was cut short would not be read at all.
      raw.unsafeMode();
      raw.pragma('writable_schema = on');
      for (const row of raw.prepare<[], T>(query).iterate()) rows.push(row);
    } finally {
      raw.close();
    }
  } catch {
    // What came until here is what there is.
  }
  return rows;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value);
const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
};
const soundCall = (row: CallRow): boolean =>
  [row.call_id, row.pbx, row.root].every(isText) &&
  [row.ordinal, row.changed_at].every(isNumber) &&
  (row.record === null || isJson(row.record));
const soundCredential = (row: CredentialRow): boolean =>
  [row.id, row.kind, row.agent, row.hash].every(isText) && isNumber(row.created_at);
const soundPost = (row: PostRow): boolean =>
  [row.pbx, row.zammad, row.call_id, row.event, row.post, row.state].every(isText) &&
  [row.seq, row.happened_at, row.attempts, row.changed_at].every(isNumber) &&
  isJson(row.post);
