import type { Config, PbxConfig } from '../config/model.js';
import { PermanentError } from '../errors.js';
import type { AdapterDefinition } from '../pbx/adapter.js';
import { UsageError } from './args.js';
import { configFile, type CommandContext } from './command.js';

/** The configuration with the adapters that it names. */
export interface Settings {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly adapterOf: (pbx: PbxConfig) => AdapterDefinition;
}

/** Reads the configuration that `--config` names. Rejects with ConfigError. */
export async function readSettings(
  context: CommandContext,
  { needSecrets }: { readonly needSecrets: boolean },
): Promise<Settings> {
  const [{ loadConfig }, { systemSources }, { AdapterRegistry }, { ADAPTERS }] = await Promise.all([
    import('../config/load.js'),
    import('../config/sources.js'),
    import('../pbx/registry.js'),
    import('../../adapters/index.js'),
  ]);
  const file = configFile(context);
  const adapters = new AdapterRegistry(ADAPTERS);
  const { config, warnings } = await loadConfig(file, { sources: systemSources(context.env), needSecrets, adapters });
  const directory = (await import('node:path')).dirname(file);
  const definitions = new Map(
    await Promise.all(
      config.pbx.map(async (pbx) => [pbx.adapter, await adapters.load(pbx.adapter, directory)] as const),
    ),
  );
  return {
    config,
    warnings,
    adapterOf: ({ adapter }) => {
      const definition = definitions.get(adapter);
      if (definition === undefined) throw new PermanentError('ZPB_ADAPTER', `the adapter ${adapter} is not loaded`);
      return definition;
    },
  };
}

/** The PBX that `--pbx` names, or the only one. */
export function choosePbx(config: Config, name: string | boolean | undefined): PbxConfig {
  const names = config.pbx.map((pbx) => pbx.name).join(', ') || 'none';
  if (typeof name !== 'string') {
    const [only, ...others] = config.pbx;
    if (only !== undefined && others.length === 0) return only;
    throw new UsageError(`say which PBX with --pbx NAME; configured are ${names}`);
  }
  const chosen = config.pbx.find((pbx) => pbx.name === name);
  if (chosen === undefined) throw new UsageError(`there is no PBX "${name}"; configured are ${names}`);
  return chosen;
}

export const pbxOption = {
  type: 'string',
  value: 'NAME',
  doc: 'Which PBX of the configuration. May be left out when there is one.',
} as const;
