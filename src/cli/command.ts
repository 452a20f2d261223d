/** How a file of src/cli/ that is a command looks: it exports `command: Command`. */

/** One option of a command, for parsing and for `--help`. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  /** One letter: `-c`. */
  readonly short?: string;
  /** What its value is called in the help: `FILE`. */
  readonly value?: string;
  readonly doc: string;
}

/** Something that is written to: process.stdout and process.stderr, or a test's. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface CommandContext {
  /** What stands behind the command and is no option. */
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  /** Results only: another program may read them. */
  readonly stdout: Output;
  /** Everything for people: warnings, progress, logs. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first SIGTERM or SIGINT, or when nobody reads stdout any more. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What follows the program's name: `replay [options] FILE`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** How many arguments it takes; none when left out. */
  readonly args?: { readonly min: number; readonly max: number };
  /** More lines for its `--help`. */
  readonly details?: string;
  /**
   * Does it. Resolves with the exit status; rejects with a BridgeError that is shown in one line. Heavy rooms are imported in
   * here, not at the top of the file: `--help` and `replay` must not wait for them.
   */
  run(context: CommandContext): Promise<number>;
}

/** Exit statuses, as scripts see them (64 and 78 as in sysexits.h). */
export const EXIT = { ok: 0, failed: 1, usage: 64, config: 78 } as const;

const DEFAULT_CONFIG_FILE = '/etc/zammad-pbx-bridge/config.yaml';

/** `--config FILE`, for every command that reads the configuration. */
export const configOption = {
  type: 'string',
  short: 'c',
  value: 'FILE',
  doc: `Configuration file. Default: $ZPB_CONFIG, else ${DEFAULT_CONFIG_FILE}.`,
} as const satisfies CommandOption;

/** `--json`, for every command that prints a result. */
export const jsonOption = { type: 'boolean', doc: 'Print the result as JSON.' } as const satisfies CommandOption;

/** The file that `configOption`, the environment or the default names. */
export function configFile({ options, env }: Pick<CommandContext, 'options' | 'env'>): string {
  const { config } = options;
  if (typeof config === 'string') return config;
  const fromEnv = env['ZPB_CONFIG'];
  return fromEnv === undefined || fromEnv === '' ? DEFAULT_CONFIG_FILE : fromEnv;
}
