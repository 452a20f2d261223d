import { pino, type DestinationStream, type Logger } from 'pino';
import { prettyLine } from './log-pretty.js';
import { LogSink } from './log-sink.js';

export interface LogSettings {
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** Lines for people instead of JSON. */
  readonly pretty: boolean;
}

export interface Log {
  readonly logger: Logger;
  /** Writes out what is still held; to be called once, last. */
  close(): void;
}

const STDERR = 2;
const MAX_DEPTH = 4;
const MAX_CAUSES = 3;

/**
 * The program's log: JSON lines on stderr. Always stderr, so that stdout holds results and nothing else with every command;
 * systemd and Docker keep both alike. An error goes under the key `error`.
 *
 * Secrets are kept out by construction: a `Secret` prints as `[secret]`, and of an Error, wherever it stands, only name, code,
 * message, stack and causes are written (an axios error carries the request, whose URL holds Zammad's token).
 *
 * @param output instead of stderr, e.g. a test's; its lines come at once.
 */
export function createLog({ level, pretty }: LogSettings, output?: DestinationStream): Log {
  const stderr = output === undefined ? new LogSink(STDERR) : undefined;
  const sink = output ?? stderr;
  const target: DestinationStream = {
    write: (line) => sink?.write(pretty ? prettyLine(line) : line),
  };
  const logger = pino(
    {
      level,
      base: null,
      errorKey: 'error',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => plainFields(fields) as Record<string, unknown>,
      },
      serializers: { error: plainError, err: plainError },
    },
    target,
  );
  return {
    logger,
    close: () => {
      stderr?.close();
    },
  };
}

/** What of an error may be written. */
function plainError(thrown: unknown, causes = 0): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message, stack } = thrown;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? { code: thrown.code } : {};
  const cause =
    thrown.cause instanceof Error && causes < MAX_CAUSES ? { cause: plainError(thrown.cause, causes + 1) } : {};
  return { name, ...code, message, stack, ...cause };
}

/** Errors at any depth of plain data become plain; everything else stays what it is (a Secret prints itself masked). */
function plainFields(value: unknown, depth = 0): unknown {
  if (value instanceof Error) return plainError(value);
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((item) => plainFields(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainFields(inner, depth + 1)]));
}
