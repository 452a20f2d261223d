import { PermanentError } from '../../src/errors.js';

const MAX_COMMAND = 64 * 1024;
// A line break would end the command and begin another one, or a header of it.
const BREAKS = /[\r\n\0]/;

/**
 * A command as bytes. `headers` are lines of their own below it.
 * @throws PermanentError ZPB_ESL_COMMAND for a value that could be read as more than a value. The value is not in the message.
 */
export function encodeCommand(command: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = [command, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)];
  const bytes = Buffer.from(`${lines.join('\n')}\n\n`);
  if (command === '' || lines.some((line) => BREAKS.test(line)) || bytes.length > MAX_COMMAND) {
    throw new PermanentError(
      'ZPB_ESL_COMMAND',
      `The command "${firstWord(command)}" was not sent to FreeSWITCH: a value in it is empty, has a line break, or is longer than ` +
        `${MAX_COMMAND} bytes.`,
    );
  }
  return bytes;
}

/** What a message may say of a command; of a login, nothing else. */
export const firstWord = (command: string): string => /^[\w-]{1,40}/.exec(command)?.[0] ?? '';

/** So `+OK …` begins a reply that is a yes. */
export const isOk = (reply: string): boolean => reply.startsWith('+OK');
export const isError = (reply: string): boolean => reply.startsWith('-ERR') || reply.startsWith('-USAGE');
