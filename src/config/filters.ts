import { createNumbers } from '../call/numbers.js';
import type { Filter } from '../call/settings.js';
import type { Entries } from './load-context.js';
import type { AgentConfig, Config, PbxConfig, ZammadConfig } from './model.js';
import type { PbxEntry } from './pbx-entries.js';

const present = <Entry>(entries: Entries<Entry>): readonly Entry[] => entries.filter((entry) => entry !== undefined);

/**
 * The entries as the program uses them. Numbers in filters are brought into the form that calls have (E.164 digits), so that
 * `030 555200` in a filter means what it means on a phone; patterns stay as they are.
 */
export function numberFilters(
  zammad: Entries<ZammadConfig>,
  pbx: Entries<PbxEntry>,
  agents: Entries<AgentConfig>,
  country: string,
): Pick<Config, 'zammad' | 'pbx' | 'agents'> {
  const known = present(agents);
  const extensions = new Set(known.map((agent) => agent.extension));
  const numbers = createNumbers(country, (digits) => extensions.has(digits));
  const clean = (filter: Filter): Filter =>
    filter.dids === undefined
      ? filter
      : { ...filter, dids: filter.dids.map((did) => (did.includes('*') ? did : (numbers.clean(did) ?? did))) };
  return {
    zammad: present(zammad).map((entry) => ({ ...entry, filter: clean(entry.filter) })),
    pbx: present(pbx).map(
      ({ name, adapter, filter, calls, settings }): PbxConfig => ({
        name,
        adapter,
        filter: clean(filter),
        calls,
        settings,
      }),
    ),
    agents: known,
  };
}
