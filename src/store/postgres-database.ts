/** Connections to a PostgreSQL, with Kysely over them. Lives in the worker. */
import { readFileSync } from 'node:fs';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import type { Database, Schema } from './schema.js';
import { connectionIsSound, unreadableFile } from './postgres-trouble.js';
import type { Durability } from './settings.js';

/** One for commits, one for leases, and two for what is read. */
const CONNECTIONS = 4;
const CONNECT_MS = 5_000;
/** The server gives up a statement after this; and a transaction whose other end is silent, so that a stopped bridge blocks nobody. */
const STATEMENT_MS = 3_000;
const IDLE_IN_TRANSACTION_MS = 3_000;
/** This end gives up a little later. */
const ANSWER_MS = 4_000;
const IDLE_MS = 30_000;
const KEEP_ALIVE_MS = 10_000;
/** The type of our large numbers: PostgreSQL's driver would give texts. All of them are safe integers. */
const INT8: number = 20;

export interface OpenPostgres {
  readonly db: Database;
  close(): Promise<void>;
}

/** Connects with the first query. Throws a RetriableError `ZPB_STORE_GONE` when a certificate's file cannot be read. */
export async function openPostgres(url: string, durability: Durability): Promise<OpenPostgres> {
  mustReadFiles(url);
  const { default: pg } = await import('pg');
  const standard = pg.types.getTypeParser as (oid: number, format?: string) => (value: never) => unknown;
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: 'zammad-pbx-bridge',
    types: { getTypeParser: (oid: number, format?: string) => (oid === INT8 ? Number : standard(oid, format)) },
  });
  // An idle connection broke; the pool has taken it out already.
  pool.on('error', () => undefined);
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: new CarefulPool(pool, durability) }) });
  return {
    db,
    close: () => pool.end(),
  };
}

/** Sets every new connection up, and gives none back of which is not sure that it can go on being used. */
class CarefulPool implements PostgresPool {
  readonly #clients = new WeakMap<PoolClient, PostgresPoolClient>();

  constructor(
    private readonly pool: Pool,
    private readonly durability: Durability,
  ) {}

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.pool.connect();
    const known = this.#clients.get(client);
    if (known !== undefined) return known;
    try {
      await client.query(setUp(this.durability));
    } catch (thrown) {
      client.release(true);
      throw thrown;
    }
    const careful = new CarefulClient(client);
    this.#clients.set(client, careful);
    return careful;
  }

  end(): Promise<void> {
    return this.pool.end();
  }
}

class CarefulClient implements PostgresPoolClient {
  /** What broke it. */
  #broken: unknown;

  constructor(private readonly client: PoolClient) {
    // Between two queries nobody else listens, and an error without a listener would end the worker.
    client.on('error', (error) => {
      this.#broken ??= error;
    });
  }

  query = (async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (this.#broken !== undefined) throw this.#broken as Error;
    try {
      return await this.client.query(sql, [...parameters]);
    } catch (thrown) {
      if (!connectionIsSound(thrown)) this.#broken = thrown;
      throw thrown;
    }
  }) as PostgresPoolClient['query'];

  release(): void {
    this.client.release(this.#broken !== undefined);
  }
}

/** One statement, so that a new connection costs one way there and back. Set here and not in the URL: poolers in between refuse that. */
function setUp(durability: Durability): string {
  const settings: Readonly<Record<string, string>> = {
    statement_timeout: `'${STATEMENT_MS}'`,
    idle_in_transaction_session_timeout: `'${IDLE_IN_TRANSACTION_MS}'`,
    // `full` never weakens what the server is set to.
    synchronous_commit:
      durability === 'normal'
        ? `'off'`
        : `case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end`,
  };
  const calls = Object.entries(settings).map(([name, value]) => `set_config('${name}', ${value}, false)`);
  return `select ${calls.join(', ')}`;
}

/** Files that the URL names. The driver reads them too, but what it says names neither the file nor what it is for. */
function mustReadFiles(url: string): void {
  if (!URL.canParse(url)) return;
  const { searchParams } = new URL(url);
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
    const file = searchParams.get(name) ?? '';
    if (file === '') continue;
    try {
      readFileSync(file);
    } catch (thrown) {
      throw unreadableFile(name, file, thrown);
    }
  }
}
