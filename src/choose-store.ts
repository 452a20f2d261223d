import type { StoreConfig } from './config/model.js';
import { isBridgeError } from './errors.js';
import type { HealthProblem } from './http/health.js';
import { createMemoryStore } from './store/memory-store.js';
import { openStore } from './store/open-store.js';
import type { StoreContext } from './store/settings.js';
import type { Store } from './store/store.js';

export interface ChosenStore {
  readonly store: Store;
  /** What the admin should know of the choice. */
  readonly problem?: HealthProblem | undefined;
}

/**
 * Opens the store of the configuration. Where better-sqlite3 could not be installed and nobody has named a file, the bridge goes on
 * in memory, and says what that means; everything else that is wrong rejects, as `openStore` does.
 */
export async function chooseStore(config: StoreConfig, context: StoreContext): Promise<ChosenStore> {
  try {
    return { store: await openStore(config, context) };
  } catch (thrown) {
    const missing = isBridgeError(thrown) && thrown.code === 'ZPB_STORE_SQLITE_MISSING';
    if (!missing || config.kind !== 'sqlite' || config.chosen) throw thrown;
    const message =
      'calls and posts are kept in memory only, because better-sqlite3 is not installed: a crash or restart loses what was not delivered. ' +
      'Install it (npm install better-sqlite3), use PostgreSQL (store.url), or say that memory is enough (store.path: memory)';
    context.log.warn(message);
    return { store: createMemoryStore(), problem: { code: thrown.code, message, severity: 'warning' } };
  }
}
