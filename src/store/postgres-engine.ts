/** The store in a PostgreSQL, in the worker. What fails is tried again by the main thread, which knows what it is worth. */
import type { LeaseTerms } from './leases.js';
import { migrate } from './migrations.js';
import { ROW_OPERATIONS, rowOperations } from './perform.js';
import { openPostgres, type OpenPostgres } from './postgres-database.js';
import { postgresError } from './postgres-trouble.js';
import type { Committed, Engine, Input, OperationName, Output, WorkerSettings } from './protocol.js';
import type { Batch } from './rows.js';
import { POSTGRES, type Database } from './schema.js';

export interface PostgresEngineSettings extends WorkerSettings {
  readonly database: Extract<WorkerSettings['database'], { kind: 'postgres' }>;
}

export class PostgresEngine implements Engine {
  readonly #operations: Record<OperationName, (input: never) => Promise<unknown>>;
  #open: Promise<OpenPostgres> | undefined;

  constructor(private readonly settings: PostgresEngineSettings) {
    const { holder, address, ttl } = settings;
    const terms: LeaseTerms = { dialect: POSTGRES, holder, address, ttl };
    const run = <T>(task: (db: Database) => Promise<T>): Promise<T> => this.#run(task);
    this.#operations = {
      ...rowOperations(run, terms),
      open: () => run(() => Promise.resolve(undefined)),
      commit: (batch: Batch) =>
        run(
          async (db): Promise<Committed> => ({
            where: 'database',
            lost: await ROW_OPERATIONS.commit(db, terms, batch),
          }),
        ),
      close: () => this.#close(),
    };
  }

  async perform<Name extends OperationName>(name: Name, input: Input<Name>): Promise<Output<Name>> {
    return (await this.#operations[name](input as never)) as Output<Name>;
  }

  async #run<T>(task: (db: Database) => Promise<T>): Promise<T> {
    try {
      this.#open ??= this.#opened();
      const { db } = await this.#open;
      return await task(db);
    } catch (thrown) {
      throw postgresError(thrown);
    }
  }

  async #opened(): Promise<OpenPostgres> {
    let open: OpenPostgres | undefined;
    try {
      open = await openPostgres(this.settings.database.url, this.settings.durability);
      await migrate(open.db, POSTGRES);
      return open;
    } catch (thrown) {
      // The next question tries anew.
      this.#open = undefined;
      void open?.close().catch(() => undefined);
      throw thrown;
    }
  }

  async #close(): Promise<undefined> {
    const open = await this.#open?.catch(() => undefined);
    await open?.close();
    return undefined;
  }
}
