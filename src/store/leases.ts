/** The lease table: who leads which PBX. */
import { sql } from 'kysely';
import type { Millis, PbxName } from '../call/vocabulary.js';
import { judgeHolder, shortHolder, type Verdict } from './holder.js';
import type { Acquired, Renewed } from './protocol.js';
import type { Database, Dialect, LeaseRow, Within } from './schema.js';

export interface LeaseTerms {
  readonly dialect: Dialect;
  /** Our own holder text. */
  readonly holder: string;
  readonly address: string | null;
  readonly ttl: Millis;
}

/** A waiting bridge says so at most this often; a wish is believed for a while longer. */
const WANTED_EVERY_MS = 2_000;
const WANTED_COUNTS_MS = 5_000;

type Held = LeaseRow & { readonly verdict: Verdict };

/**
 * Takes the lead of a PBX if it is free, in the caller's transaction. On PostgreSQL a lead is free when it was released, has run out, or
 * its holder surely is gone. A SQLite file belongs to one process as a whole: it is free unless some lead in it is held by another
 * living process of this machine, or by one of another machine and has not run out.
 */
export async function acquire(trx: Within, terms: LeaseTerms, pbx: PbxName): Promise<Acquired> {
  const { dialect } = terms;
  const inTheWay = await blocking(trx, terms, pbx);
  if (inTheWay !== undefined) return refuse(trx, terms, inTheWay);
  // Whoever takes a lead holds the counter: two that saw it free at once come one after the other.
  const counter = await trx
    .selectFrom('zpb_counters')
    .select('value')
    .where('name', '=', 'epoch')
    .$if(dialect.locksRows, (query) => query.forUpdate())
    .executeTakeFirst();
  if (dialect.locksRows) {
    // Locked: its holder must not believe that he has renewed it while we take it.
    const meanwhile = await blocking(trx, terms, pbx, true);
    if (meanwhile !== undefined) return refuse(trx, terms, meanwhile);
  }
  const epoch = (counter?.value ?? 0) + 1;
  await setCounter(trx, 'epoch', epoch);
  const now = await databaseTime(trx, dialect);
  const changed = {
    holder: terms.holder,
    epoch,
    expires_at: now + terms.ttl,
    address: terms.address,
    wanted_at: null,
  };
  await trx
    .insertInto('zpb_leases')
    .values({ name: pbx, ...changed })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(changed))
    .execute();
  return { epoch };
}

/** The lease that keeps us from leading. */
async function blocking(
  trx: Within,
  { dialect, holder }: LeaseTerms,
  pbx: PbxName,
  lock = false,
): Promise<Held | undefined> {
  const rows = await trx
    .selectFrom('zpb_leases')
    .selectAll()
    .where('holder', '<>', '')
    .$if(dialect.name === 'postgres', (query) => query.where('name', '=', pbx))
    .$if(lock, (query) => query.forUpdate())
    .orderBy('name')
    .execute();
  // After the wait for the lock.
  const now = await databaseTime(trx, dialect);
  return rows
    .map((row): Held => ({ ...row, verdict: judgeHolder(row.holder, holder) }))
    .find(({ verdict, expires_at }) => {
      if (verdict === 'self' || verdict === 'gone') return false;
      if (verdict === 'alive' && dialect.name === 'sqlite') return true;
      return expires_at > now;
    });
}

async function refuse(trx: Within, { dialect }: LeaseTerms, { name, epoch, holder, address }: Held): Promise<Acquired> {
  await trx
    .updateTable('zpb_leases')
    .set({ wanted_at: dialect.now })
    .where('name', '=', name)
    .where('epoch', '=', epoch)
    .where((eb) =>
      eb.or([eb('wanted_at', 'is', null), eb('wanted_at', '<', sql<number>`${dialect.now} - ${WANTED_EVERY_MS}`)]),
    )
    .execute();
  return { holder: shortHolder(holder), address };
}

/** Makes the leads of `leads` last; those that another bridge has by now are not kept. */
export async function renew(
  db: Database,
  { dialect, ttl }: LeaseTerms,
  leads: readonly { readonly pbx: PbxName; readonly epoch: number }[],
): Promise<readonly Renewed[]> {
  const renewed: Renewed[] = [];
  for (const { pbx, epoch } of leads) {
    const row = await db
      .updateTable('zpb_leases')
      .set({ expires_at: sql<number>`${dialect.now} + ${ttl}` })
      .where('name', '=', pbx)
      .where('epoch', '=', epoch)
      .returning(['wanted_at', dialect.now.as('now')])
      .executeTakeFirst();
    const wantedAt = row?.wanted_at ?? undefined;
    renewed.push({
      pbx,
      epoch,
      kept: row !== undefined,
      wanted: row !== undefined && wantedAt !== undefined && wantedAt > row.now - WANTED_COUNTS_MS,
    });
  }
  return renewed;
}

/** Lets others lead at once. Nothing happens if another leads already. */
export async function release(db: Database, pbx: PbxName, epoch: number): Promise<void> {
  await db
    .updateTable('zpb_leases')
    .set({ holder: '', expires_at: 0, wanted_at: null })
    .where('name', '=', pbx)
    .where('epoch', '=', epoch)
    .execute();
}

/** A holder that is not us and lives, or may live: then the file and what stands beside it are his. */
export async function livingOwner(db: Database, terms: LeaseTerms): Promise<string | undefined> {
  const rows = await db.selectFrom('zpb_leases').selectAll().execute();
  return livingOwnerIn(rows, terms.holder, await databaseTime(db, terms.dialect));
}

/** @param holder our own text. */
export function livingOwnerIn(leases: readonly LeaseRow[], holder: string, now: number): string | undefined {
  const owner = leases.find((lease) => {
    if (lease.holder === '') return false;
    const verdict = judgeHolder(lease.holder, holder);
    return verdict === 'alive' || (verdict === 'elsewhere' && lease.expires_at > now);
  });
  return owner === undefined ? undefined : shortHolder(owner.holder);
}

export async function setCounter(trx: Within, name: string, value: number): Promise<void> {
  await trx
    .insertInto('zpb_counters')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

export async function counterOf(db: Database, name: string): Promise<number> {
  const row = await db.selectFrom('zpb_counters').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value ?? 0;
}

async function databaseTime(db: Database, { now }: Dialect): Promise<number> {
  const { now: value } = await db.selectNoFrom(now.as('now')).executeTakeFirstOrThrow();
  return value;
}
