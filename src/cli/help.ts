import { PROGRAM } from './args.js';
import type { Command, CommandOption } from './command.js';

const HELP: CommandOption = { type: 'boolean', short: 'h', doc: 'Print this.' };
const STATUSES = `Exit statuses: 0 done; 1 it failed, or what was asked for is not well; 64 wrong command line; 78 wrong
configuration; 128 + n ended by a second signal n. Results go to stdout, everything else to stderr.`;

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

/** `zammad-pbx-bridge --help`. */
export function programHelp(commands: ReadonlyMap<string, string>): string {
  return `${PROGRAM} [command] [options]

Tells Zammad the calls of a PBX: newCall, answer, hangup. To see it without PBX and Zammad: ${PROGRAM} demo
How to connect yours: README.md, docs/. What can be set: docs/settings.md. What an error means: docs/errors.md.

Commands (default: run):
${table([...commands])}

Options of all:
${table([
  ['-h, --help', `Print this, or the help of a command: ${PROGRAM} replay --help`],
  ['-V, --version', 'Print the version.'],
])}

${STATUSES}
`;
}

/** `zammad-pbx-bridge COMMAND --help`. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, help: HELP }).map(([name, { short, value, doc }]) => {
    const letter = short === undefined ? '    ' : `-${short}, `;
    return [`${letter}--${name}${value === undefined ? '' : ` ${value}`}`, doc] as const;
  });
  const details = command.details === undefined ? '' : `\n${command.details.trim()}\n`;
  return `${PROGRAM} ${command.usage}

${command.summary}
${details}
Options:
${table(options)}

${STATUSES}
`;
}
