import { Migrator, sql, type Kysely, type Migration } from 'kysely';
import { asError, PermanentError } from '../errors.js';
import type { Database, Dialect } from './schema.js';

const MIGRATION_TABLE = 'zpb_migrations';
const LOCK_TABLE = 'zpb_migration_lock';

/** In the order of their names. A migration that was ever released is never changed. */
const migrations = ({ integer }: Dialect): Record<string, Migration> => ({
  '001-start': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('zpb_calls')
        .addColumn('call_id', 'text', (column) => column.primaryKey())
        .addColumn('pbx', 'text', (column) => column.notNull())
        .addColumn('root', 'text', (column) => column.notNull())
        .addColumn('ordinal', 'integer', (column) => column.notNull())
        .addColumn('record', 'text')
        .addColumn('changed_at', integer, (column) => column.notNull())
        .addColumn('ended_at', integer)
        .addColumn('aftermath', 'text')
        .execute();
      await db.schema
        .createTable('zpb_posts')
        .addColumn('seq', integer, (column) => column.primaryKey())
        .addColumn('pbx', 'text', (column) => column.notNull())
        .addColumn('zammad', 'text', (column) => column.notNull())
        .addColumn('call_id', 'text', (column) => column.notNull())
        .addColumn('event', 'text', (column) => column.notNull())
        .addColumn('post', 'text', (column) => column.notNull())
        .addColumn('repeatable', 'integer', (column) => column.notNull())
        .addColumn('happened_at', integer, (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('reason', 'text')
        .addColumn('changed_at', integer, (column) => column.notNull())
        .addColumn('handed_in', 'integer', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('zpb_leases')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('holder', 'text', (column) => column.notNull())
        .addColumn('epoch', integer, (column) => column.notNull())
        .addColumn('expires_at', integer, (column) => column.notNull())
        .addColumn('address', 'text')
        .addColumn('wanted_at', integer)
        .execute();
      await db.schema
        .createTable('zpb_counters')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('value', integer, (column) => column.notNull())
        .execute();
      await sql`insert into zpb_counters (name, value) values ('epoch', 0), ('spill', 0)`.execute(db);
      // Small indexes of what is open, however much is kept of what is done with; and one each for the clearing away.
      await sql`create index zpb_calls_open on zpb_calls (pbx) where record is not null`.execute(db);
      await sql`create index zpb_calls_changed on zpb_calls (pbx, changed_at)`.execute(db);
      await sql`create index zpb_calls_ended on zpb_calls (ended_at) where record is null`.execute(db);
      await sql`create index zpb_posts_open on zpb_posts (pbx, seq) where state in ('waiting', 'sending')`.execute(db);
      await sql`create index zpb_posts_handed_in on zpb_posts (pbx, seq) where handed_in = 1`.execute(db);
      await sql`create index zpb_posts_call on zpb_posts (call_id)`.execute(db);
      await sql`create index zpb_posts_done on zpb_posts (state, changed_at)`.execute(db);
    },
  },
  '002-credentials': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('zpb_credentials')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('agent', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('parent', 'text')
        .addColumn('label', 'text')
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer)
        .execute();
      await sql`create index zpb_credentials_parent on zpb_credentials (parent)`.execute(db);
    },
  },
  '003-agent-states': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('zpb_agent_states')
        .addColumn('extension', 'text', (column) => column.notNull())
        .addColumn('pbx', 'text', (column) => column.notNull())
        .addColumn('state', 'text', (column) => column.notNull())
        .addColumn('since', integer, (column) => column.notNull())
        .addColumn('set_by', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('zpb_agent_states_key', ['extension', 'pbx'])
        .execute();
    },
  },
});

/**
 * Brings the database to this program's version. Throws a PermanentError `ZPB_STORE_NEWER` when it is of a later one. The caller sees to
 * it that no other process does the same at once where the database does not (SQLite).
 */
export async function migrate(db: Database, dialect: Dialect): Promise<void> {
  const known = migrations(dialect);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(known) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: LOCK_TABLE,
  });
  const done = await migrationsDone(db);
  const strange = done.filter((name) => !(name in known));
  if (strange.length > 0) {
    throw new PermanentError(
      'ZPB_STORE_NEWER',
      `The store was written by a newer version of this program (${strange.join(', ')}): start that version, or restore the backup from before it`,
    );
  }
  if (done.length === Object.keys(known).length) return;
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw asError(error);
}

async function migrationsDone(db: Database): Promise<readonly string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from zpb_migrations order by name`.execute(db);
    return rows.map(({ name }) => name);
  } catch (thrown) {
    if (isNoTable(asError(thrown))) return [];
    throw thrown;
  }
}

/** SQLite's text, and PostgreSQL's code. */
const isNoTable = (error: Error): boolean =>
  error.message.includes('no such table') || ('code' in error && error.code === '42P01');
