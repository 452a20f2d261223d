import type { Command } from './command.js';

export interface CommandEntry {
  readonly name: string;
  /** Stands here too, so that the list of commands needs no command to be loaded; a test holds the two together. */
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

/** A command's file bears its name. */
const entry = (name: string, summary: string): CommandEntry => ({
  name,
  summary,
  load: async () => (await import(`./${name}.js`)) as { readonly command: Command },
});

/** Every command, in the order of `--help`. Only the one that is asked for is loaded. */
export const COMMANDS: readonly CommandEntry[] = [
  entry('run', 'Listen to the PBXs and tell Zammad their calls.'),
  entry('demo', 'Show everything at work in one process, without a PBX and without a Zammad.'),
  entry('check', 'Validate the configuration and print it as it takes effect.'),
  entry('replay', 'Print the posts that a recording of a PBX leads to.'),
  entry('record', 'Write what a PBX sends to a file.'),
  entry('health', 'Ask a running bridge whether it is well.'),
];
