import type { CallSettings } from '../call/settings.js';
import { asPbxName } from '../call/vocabulary.js';
import { BridgeError } from '../errors.js';
import type { AdapterDefinition, PbxIdentity } from '../pbx/adapter.js';
import { pbxSchema } from './entries.js';
import { expandGroup, expandTree } from './expand.js';
import type { Entries, LoadContext } from './load-context.js';
import type { PbxConfig } from './model.js';
import { parsePart } from './parse.js';
import type { Path } from './problems.js';
import { settingsOf, soundScalars } from './scalars.js';
import { secretKeysOf } from './secrets.js';
import { suggestion } from './suggest.js';
import { overlayCalls } from './to-settings.js';
import { isTreeMap, type Tree, type TreeMap } from './yaml-source.js';

/** A PBX entry and what only the checks across entries want to know. */
export interface PbxEntry extends PbxConfig {
  readonly identity?: PbxIdentity | undefined;
}

const COMMON = ['name', 'adapter', 'filter', 'calls'];

/** Reads the `pbx` list: the common keys here, the rest by the schema of the adapter that each entry names. */
export async function readPbxEntries(
  entries: readonly Tree[],
  calls: CallSettings,
  context: LoadContext,
): Promise<Entries<PbxEntry>> {
  const result: (PbxEntry | undefined)[] = [];
  for (const [index, tree] of entries.entries()) {
    const path: Path = ['pbx', index];
    if (isTreeMap(tree)) result.push(await readEntry(tree, path, calls, context));
    else {
      context.problem(path, 'must be a group of settings: { name: …, adapter: … }');
      result.push(undefined);
    }
  }
  return result;
}

async function readEntry(
  tree: TreeMap,
  path: Path,
  calls: CallSettings,
  context: LoadContext,
): Promise<PbxEntry | undefined> {
  const pick = (keys: readonly string[]): TreeMap =>
    Object.fromEntries(Object.entries(tree).filter(([key]) => keys.includes(key)));
  const common = parsePart(pbxSchema, expandTree(pick(['name', 'adapter', 'filter']), path, context), path, context);
  const own = soundScalars(
    settingsOf('calls'),
    expandTree(tree['calls'] ?? null, [...path, 'calls'], context),
    [...path, 'calls'],
    context.problem,
  );
  const adapter = common?.adapter ?? tree['adapter'];
  if (typeof adapter !== 'string' || adapter === '') return undefined;
  const definition = await loadDefinition(adapter, path, context);
  if (definition === undefined) return undefined;

  const rest = pick(Object.keys(tree).filter((key) => !COMMON.includes(key)));
  const group = expandGroup(rest, path, secretKeysOf(definition.configSchema), context);
  const settings: unknown = parsePart(definition.configSchema, group, path, context, COMMON);
  if (common === undefined || settings === undefined) return undefined;
  return {
    name: asPbxName(common.name),
    adapter,
    filter: common.filter ?? {},
    calls: overlayCalls(calls, own),
    settings,
    identity: definition.identity?.(settings),
  };
}

async function loadDefinition(
  adapter: string,
  path: Path,
  context: LoadContext,
): Promise<AdapterDefinition | undefined> {
  try {
    return await context.adapters.load(adapter, context.directory);
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    const meant = error.code === 'ZPB_ADAPTER_UNKNOWN' ? suggestion(adapter, context.adapters.types()) : '';
    context.problem([...path, 'adapter'], `${error.message}${meant}`);
    return undefined;
  }
}
