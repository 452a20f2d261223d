import { asError, isBridgeError } from '../errors.js';
import { VERSION } from '../version.js';
import { parseOptions, PROGRAM, readRequest, UsageError } from './args.js';
import { EXIT, type CommandContext } from './command.js';
import { COMMANDS, type CommandEntry } from './commands.js';
import { commandHelp, programHelp } from './help.js';

export type ProgramContext = Pick<CommandContext, 'stdout' | 'stderr' | 'env' | 'signal'> & {
  readonly argv: readonly string[];
};

/** Runs what the command line asks for; resolves with the exit status. Whatever is thrown becomes one line on stderr. */
export async function runProgram(
  context: ProgramContext,
  commands: readonly CommandEntry[] = COMMANDS,
): Promise<number> {
  try {
    return await dispatch(context, commands);
  } catch (error) {
    context.stderr.write(`${errorLine(error, context.env)}\n`);
    return exitStatus(error);
  }
}

async function dispatch(context: ProgramContext, commands: readonly CommandEntry[]): Promise<number> {
  const { argv, ...outside } = context;
  const request = readRequest(
    argv,
    commands.map(({ name }) => name),
  );
  if (request.kind === 'version') {
    context.stdout.write(`${VERSION}\n`);
    return EXIT.ok;
  }
  if (request.kind === 'help' && request.command === undefined) {
    context.stdout.write(programHelp(new Map(commands.map(({ name, summary }) => [name, summary]))));
    return EXIT.ok;
  }
  const name = request.command;
  const entry = commands.find((candidate) => candidate.name === name);
  if (name === undefined || entry === undefined) throw new UsageError(`there is no command; see ${PROGRAM} --help`);
  const { command } = await entry.load();
  if (request.kind === 'help') {
    context.stdout.write(commandHelp(command));
    return EXIT.ok;
  }
  return command.run({ ...outside, ...parseOptions(name, command, request.rest) });
}

/** One line for whatever was thrown. A stack only for a fault of this program, and only at log level debug or trace. */
export function errorLine(thrown: unknown, env: CommandContext['env']): string {
  const error = asError(thrown);
  if (isBridgeError(error)) return `${PROGRAM}: ${error.message} [${error.code}]`;
  const level = env['ZPB_LOG_LEVEL'];
  const stack = level === 'debug' || level === 'trace' ? `\n${error.stack ?? ''}` : '';
  return `${PROGRAM}: fault in the program: ${error.name}: ${error.message.split('\n')[0] ?? ''} (please report it)${stack}`;
}

/** By the code and not by the class, of which a bundled command has its own. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['ZPB_USAGE', EXIT.usage],
  ['ZPB_CONFIG', EXIT.config],
  // A person must mend these too: trying again, as a service manager would, does not.
  ['ZPB_STORE_NEWER', EXIT.config],
  ['ZPB_STORE_OPEN', EXIT.config],
  ['ZPB_STORE_SQLITE_MISSING', EXIT.config],
]);

export const exitStatus = (thrown: unknown): number =>
  (isBridgeError(thrown) ? STATUSES.get(thrown.code) : undefined) ?? EXIT.failed;
