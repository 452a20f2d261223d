import type { AdapterRegistry } from '../pbx/registry.js';
import type { ExpandContext } from './expand.js';

/** What the parts of the loader share while one file is read. */
export interface LoadContext extends ExpandContext {
  readonly adapters: AdapterRegistry;
}

/** An entry that was read, or undefined after its problems were told; the index is kept for messages. */
export type Entries<Entry> = readonly (Entry | undefined)[];
