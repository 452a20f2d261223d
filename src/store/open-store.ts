import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { PermanentError } from '../errors.js';
import { DurableDesk } from './durable-desk.js';
import { DurableStore } from './durable-store.js';
import { holderText } from './holder.js';
import { createMemoryStore } from './memory-store.js';
import { within } from './patience.js';
import type { WorkerSettings } from './protocol.js';
import {
  DEFAULT_TUNING,
  type DurableSettings,
  type StoreContext,
  type StoreSettings,
  type StoreTuning,
} from './settings.js';
import type { Desk, Store } from './store.js';
import { WorkerLink } from './worker-link.js';

/**
 * Opens the store. Rejects with a PermanentError where a person must help first: `ZPB_STORE_SQLITE_MISSING` (the package is not
 * there), `ZPB_STORE_OPEN` (the file or its directory cannot be used), `ZPB_STORE_NEWER` (written by a later version). A database that is
 * locked or not reachable now, or does not answer within `tuning.open`, is waited for: until then the store's state says so, and leads
 * cannot be had. Rejects with a RetriableError `ZPB_STOPPED` as soon as `context.signal` is aborted.
 */
export async function openStore(settings: StoreSettings, context: StoreContext): Promise<Store> {
  if (settings.kind === 'memory') return createMemoryStore();
  const tuning = { ...DEFAULT_TUNING, ...context.tuning };
  const store = new DurableStore(settings, workerSettings(settings, context, tuning, false), context, tuning);
  await store.start(context.signal);
  return store;
}

/** Opens the store of a bridge, which may be running, for a look from outside. Rejects when it cannot be had now. */
export async function openDesk(settings: StoreSettings, context: StoreContext): Promise<Desk> {
  if (settings.kind === 'memory') {
    throw new PermanentError(
      'ZPB_STORE_MEMORY',
      'The store of this configuration lives in the memory of the bridge, where nobody else can see it: give store.path or store.url',
    );
  }
  const tuning = { ...DEFAULT_TUNING, ...context.tuning };
  const { clock, random, log, metrics } = context;
  const link = new WorkerLink({
    settings: workerSettings(settings, context, tuning, true),
    clock,
    random,
    log,
    metrics,
    stuck: tuning.stuck,
    onEvent: () => undefined,
  });
  try {
    await within(clock, tuning.open, link.call('open', undefined));
  } catch (thrown) {
    await link.close(0);
    throw thrown;
  }
  return new DurableDesk(link, clock);
}

function workerSettings(
  settings: DurableSettings,
  { holder, address }: StoreContext,
  { ttl, retry, patience, spillBytes }: StoreTuning,
  visitor: boolean,
): WorkerSettings {
  // Not the injected randomness: two stores must never be taken for one.
  const nonce = randomBytes(6).toString('hex');
  return {
    database:
      settings.kind === 'sqlite'
        ? { kind: 'sqlite', path: resolve(settings.path), visitor, patience, spillBytes }
        : { kind: 'postgres', url: settings.url.reveal() },
    durability: settings.durability,
    holder: holderText(holder ?? hostname(), nonce),
    address: address ?? null,
    ttl,
    retry,
  };
}
