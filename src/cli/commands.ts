import type { Command } from './command.js';

export interface CommandEntry {
  readonly name: string;
  /** Stands here too, so that the list of commands needs no command to be loaded; a test holds the two together. */
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

/** Every command, in the order of `--help`. Only the one that is asked for is loaded. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'run', summary: 'Listen to the PBXs and tell Zammad: the daemon.', load: () => import('./run.js') },
  {
    name: 'demo',
    summary: 'Show it all in one process: recorded calls, the bridge, a stand-in for Zammad.',
    load: () => import('./demo.js'),
  },
  {
    name: 'check',
    summary: 'Validate the configuration and print it as it takes effect.',
    load: () => import('./check.js'),
  },
  { name: 'replay', summary: 'Show what a recording of a PBX would tell Zammad.', load: () => import('./replay.js') },
  { name: 'record', summary: 'Record what a PBX says, as bytes that replay reads.', load: () => import('./record.js') },
  {
    name: 'outbox',
    summary: 'List posts that Zammad has not taken; send them again, or drop them.',
    load: () => import('./outbox.js'),
  },
  {
    name: 'reconcile',
    summary: 'Find calls that ring or talk for ever in Zammad, and have them closed.',
    load: () => import('./reconcile.js'),
  },
  {
    name: 'dial',
    summary: "Ring an agent's phone and dial a number for him.",
    load: () => import('./dial.js'),
  },
  {
    name: 'token',
    summary: 'Make, list and revoke the tokens by which agents sign in.',
    load: () => import('./token.js'),
  },
  {
    name: 'dnd',
    summary: 'Say, or set, whether an agent wishes to be disturbed.',
    load: () => import('./dnd.js'),
  },
  { name: 'health', summary: 'Ask a running bridge whether it is well.', load: () => import('./health.js') },
];
