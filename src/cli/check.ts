import { configFile, configOption, EXIT, jsonOption, type Command } from './command.js';

export const command: Command = {
  summary: 'Validate the configuration and print it as it takes effect.',
  usage: 'check [options]',
  options: {
    config: configOption,
    json: jsonOption,
    quiet: { type: 'boolean', short: 'q', doc: 'Print only what is wrong, and warnings.' },
  },
  details: `Reads the file, its variables and its secret files as "run" would, connects to nothing, and prints the effective
configuration with its secrets masked. Status 78 if it cannot be used; every line then names one setting to mend.`,
  async run(context) {
    const { stdout, stderr, env, options } = context;
    const file = configFile(context);
    const [
      { loadConfig },
      { ConfigError },
      { systemSources },
      { AdapterRegistry },
      { ADAPTERS },
      { printConfig, redact },
    ] = await Promise.all([
      import('../config/load.js'),
      import('../config/problems.js'),
      import('../config/sources.js'),
      import('../pbx/registry.js'),
      import('../../adapters/index.js'),
      import('../config/print.js'),
    ]);
    try {
      const { config, warnings } = await loadConfig(file, {
        sources: systemSources(env),
        needSecrets: true,
        adapters: new AdapterRegistry(ADAPTERS),
      });
      if (options['json'] === true) {
        stdout.write(
          `${JSON.stringify({ file, ok: true, problems: [], warnings, config: redact(config) }, null, 2)}\n`,
        );
        return EXIT.ok;
      }
      for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
      if (options['quiet'] !== true) {
        stdout.write(
          `# ${file}: the configuration as it takes effect, durations in milliseconds\n${printConfig(config)}`,
        );
        stderr.write(`${file}: this configuration can be used\n`);
      }
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (options['json'] === true) {
        stdout.write(`${JSON.stringify({ file, ok: false, problems: error.problems, warnings: [] }, null, 2)}\n`);
      } else for (const problem of error.problems) stderr.write(`${file}: ${problem}\n`);
      return EXIT.config;
    }
  },
};
