import { parseArgs } from 'node:util';
import { PermanentError } from '../errors.js';
import type { Command, CommandContext } from './command.js';

/** The command line is wrong: exit status 64. */
export class UsageError extends PermanentError {
  constructor(message: string) {
    super('ZPB_USAGE', message);
  }
}

export const PROGRAM = 'zammad-pbx-bridge';

/** What a command line asks for, before the command's own options are looked at. */
export type Request =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly command?: string }
  | { readonly kind: 'command'; readonly command: string; readonly rest: readonly string[] };

const isHelp = (arg: string | undefined): boolean => arg === '--help' || arg === '-h';

/**
 * Finds the command: the first word; without one (nothing, or options only) it is `run`.
 * Throws UsageError for an unknown command.
 */
export function readRequest(argv: readonly string[], commands: readonly string[]): Request {
  const [first, ...others] = argv;
  if (first === '--version' || first === '-V') return { kind: 'version' };
  if (isHelp(first)) return { kind: 'help' };
  if (first === 'help') {
    const [topic] = others;
    return topic === undefined ? { kind: 'help' } : { kind: 'help', command: known(topic, commands) };
  }
  const named = first !== undefined && !first.startsWith('-');
  const command = named ? known(first, commands) : 'run';
  const rest = named ? others : argv;
  const end = rest.indexOf('--');
  const before = end === -1 ? rest : rest.slice(0, end);
  return before.some(isHelp) ? { kind: 'help', command } : { kind: 'command', command, rest };
}

function known(name: string, commands: readonly string[]): string {
  if (commands.includes(name)) return name;
  throw new UsageError(
    `there is no command ${JSON.stringify(name)}; there are ${commands.join(', ')} (see ${PROGRAM} --help)`,
  );
}

/** Reads a command's options and arguments. Throws UsageError with one line. */
export function parseOptions(
  name: string,
  command: Pick<Command, 'options' | 'args'>,
  rest: readonly string[],
): Pick<CommandContext, 'args' | 'options'> {
  const fail = (what: string): never => {
    throw new UsageError(`${name}: ${what}; see ${PROGRAM} ${name} --help`);
  };
  const options = Object.fromEntries(
    Object.entries(command.options).map(([key, { type, short }]) => [
      key,
      short === undefined ? { type } : { type, short },
    ]),
  );
  // Not strict: Node's own messages are paragraphs. The tokens say all that is needed.
  const { values, positionals, tokens } = parseArgs({
    args: [...rest],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
    if (option === undefined) return fail(`there is no option ${token.rawName}`);
    if (seen.has(token.name)) return fail(`${token.rawName} stands there twice`);
    seen.add(token.name);
    if (option.type === 'boolean' && token.value !== undefined) return fail(`${token.rawName} takes no value`);
    // "--config --json": the value was forgotten.
    const forgotten =
      token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('-'));
    if (option.type === 'string' && forgotten && token.value !== '-') {
      return fail(`${token.rawName} needs a value (${option.value ?? 'TEXT'})`);
    }
  }
  const { min, max } = command.args ?? { min: 0, max: 0 };
  if (positionals.length < min) return fail('an argument is missing');
  const extra = positionals[max];
  if (extra !== undefined) return fail(`${JSON.stringify(extra)} is one argument too many`);
  return { args: positionals, options: values };
}
