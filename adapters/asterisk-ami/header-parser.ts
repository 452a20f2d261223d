/**
 * The one file that knows asterisk-manager 0.2.0: text of header lines in, headers out. To use another parser, replace it.
 *
 * The package's parser listens to a socket that the package opens itself (lib/ami.js:73), through a name it takes from
 * `require('net')`. Here the package's own source is compiled with a `require` and a `console` of ours, so that "socket" is
 * a plain emitter without a network behind it. Nothing global is touched, nobody else's `net` is swapped even for a moment,
 * and its console.log (lib/ami.js:238, 324) has no way to stdout.
 *
 * Two habits take the parser's defects away (README.md, "asterisk-manager"):
 * - every header name goes in behind a guard character and comes out without it. So no name meets a special case of the
 *   parser (`Variable`, `ChanVariable`, `Response: Follows`, the greeting) or a property of Object (`__proto__`), and a header
 *   that comes twice is a list, always in the order of the wire;
 * - it gets whole lines and small pieces, each ended by a blank line: nothing is left in it between two calls, and a long
 *   message costs linear time.
 */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compileFunction } from 'node:vm';
import type createManager from 'asterisk-manager';
import type { AmiHeaders } from './message.js';

const GUARD = '~';
/** The parser takes time in the square of a piece's lines; 8 KiB is more than any event has. */
const PIECE_CHARACTERS = 8192;

const nodeRequire = createRequire(import.meta.url);
const SOURCE = 'asterisk-manager/lib/ami.js';
const UTILS = 'asterisk-manager/lib/utils.js';

/** The "socket" that the package is given: it only ever says `data`. */
class TextFeed extends EventEmitter {
  readonly readyState = 'open';
  setKeepAlive(): void {
    // The real socket is the session's.
  }
  setNoDelay(): void {
    // The real socket is the session's.
  }
  setEncoding(): void {
    // It gets text, already decoded.
  }
}

type Compiled = (
  module: { exports: unknown },
  require: (name: string) => unknown,
  console: { log: () => undefined },
) => void;
let compiled: Compiled | undefined;

/** The package's function, with a "net" that gives it `feed`. Compiled once in a process, run once a parser. */
function loadManager(feed: TextFeed): typeof createManager {
  if (compiled === undefined) {
    const filename = nodeRequire.resolve(SOURCE);
    compiled = compileFunction(readFileSync(filename, 'utf8'), ['module', 'require', 'console'], {
      filename,
    }) as Compiled;
  }
  const module = { exports: undefined as unknown };
  const parts: Readonly<Record<string, () => unknown>> = {
    events: () => ({ EventEmitter }),
    net: () => ({ createConnection: () => feed }),
    './utils': () => nodeRequire(UTILS) as unknown,
  };
  const requirePart = (name: string): unknown => {
    const part = parts[name];
    if (part === undefined) throw new Error(`asterisk-manager asks for an unexpected module: ${name}`);
    return part();
  };
  compiled(module, requirePart, { log: () => undefined });
  return module.exports as typeof createManager;
}

/** Parses header lines. Keeps nothing between two calls. */
export class HeaderParser {
  readonly #feed = new TextFeed();
  #headers = new Map<string, string | string[]>();

  constructor() {
    const manager = loadManager(this.#feed)();
    // Its own listener would fire the wire's event names and ActionIDs on one emitter with `close`, `error`, `connect`.
    manager.removeAllListeners('rawevent');
    manager.on('rawevent', (item) => {
      this.#collect(item);
    });
    manager.connect(0, '');
  }

  /** Headers of one message: its lines, each ended by LF or CR LF, without the blank line. Lines without a colon are left out. */
  parse(text: string): AmiHeaders {
    this.#headers = new Map();
    let from = 0;
    while (text.length - from > PIECE_CHARACTERS) {
      const end = text.indexOf('\n', from + PIECE_CHARACTERS);
      if (end < 0) break;
      this.#parsePiece(text.slice(from, end + 1));
      from = end + 1;
    }
    this.#parsePiece(from === 0 ? text : text.slice(from));
    return this.#headers;
  }

  #parsePiece(lines: string): void {
    // Not the m flag: for it U+2028 and a bare CR would start a line too.
    this.#feed.emit('data', `${lines.replace(/(^|\n)([^:\n]*): ?/g, `$1${GUARD}$2: `)}\r\n\r\n`);
  }

  #collect(item: createManager.RawItem): void {
    const headers = this.#headers;
    for (const guarded in item) {
      const value = item[guarded];
      if (!guarded.startsWith(GUARD) || (typeof value !== 'string' && !Array.isArray(value))) continue;
      const name = guarded.slice(GUARD.length);
      const before = headers.get(name);
      if (before === undefined) headers.set(name, value);
      else headers.set(name, [before, value].flat());
    }
  }
}
