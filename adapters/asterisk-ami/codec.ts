import { FrameSplitter } from './frames.js';
import { HeaderParser } from './header-parser.js';
import { type AmiMessage, messageOfHeaders } from './message.js';
import { Prefilter, type WantedEvents } from './prefilter.js';

export interface CodecOptions {
  /** Events to parse; the others are dropped as bytes. Responses are always parsed. */
  readonly events: WantedEvents;
  /** Begin of the ActionIDs of our own actions: an event with one is an item of a list we asked for, and always parsed. */
  readonly actionIdPrefix?: string;
}

/** What went through a codec since it was made. */
export interface CodecCounts {
  readonly messages: number;
  /** Messages that nobody wanted; never parsed. */
  readonly dropped: number;
}

const GREETING = 'Asterisk Call Manager';
const FOLLOWS = /^response:[^\n]*follow/i;

/**
 * Bytes of one AMI connection, or of a recording, to messages. It needs no socket and no clock; one codec a connection, so
 * that half a message never meets the next connection's bytes.
 */
export class AmiCodec {
  readonly #frames = new FrameSplitter();
  readonly #parser = new HeaderParser();
  readonly #prefilter: Prefilter;
  #messages = 0;
  #dropped = 0;

  constructor(options: CodecOptions) {
    this.#prefilter = new Prefilter(options.events, options.actionIdPrefix);
  }

  /** The line with which the far end greets, once it has come: `Asterisk Call Manager/11.0.0`. */
  get greeting(): string | undefined {
    return this.#frames.greeting;
  }

  get counts(): CodecCounts {
    return { messages: this.#messages, dropped: this.#dropped };
  }

  /**
   * The messages that are complete with these bytes. The chunk may be cut anywhere and is not kept.
   * @throws RetriableError ZPB_AMI_TOO_LONG when a message exceeds 1 MiB; whatever else comes in, it does not throw.
   */
  push(chunk: Uint8Array): readonly AmiMessage[] {
    const messages: AmiMessage[] = [];
    this.#frames.push(chunk, (buffer, from, end) => {
      const start = behindGreeting(buffer, from, end);
      if (!this.#prefilter.wants(buffer, start, end)) {
        this.#dropped += 1;
        return;
      }
      this.#messages += 1;
      const text = buffer.toString('utf8', start, end);
      messages.push(messageOfHeaders(this.#parser.parse(FOLLOWS.test(text) ? withOutputLines(text) : text)));
    });
    return messages;
  }
}

/** Recordings may hold several connections one after the other: the later greetings stand before a message's first line. */
function behindGreeting(buffer: Buffer, start: number, end: number): number {
  if (buffer[start] !== GREETING.charCodeAt(0)) return start;
  if (buffer.toString('latin1', start, start + GREETING.length) !== GREETING) return start;
  return Math.min(end, buffer.indexOf('\n', start) + 1);
}

/**
 * `Response: Follows`, the reply to Command of Asterisk 13 and older: free text behind one or two headers. It becomes
 * `Output:` headers, as newer ones send it, so that a line of the text is never taken for a header, least of all an ActionID.
 */
function withOutputLines(text: string): string {
  const lines = text.split(/\r?\n/);
  const seen = new Set<string>();
  const output = lines.findIndex((line, index) => {
    const name = /^(?:response|privilege|actionid):/i.exec(line)?.[0].toLowerCase();
    const heads = name !== undefined && !seen.has(name);
    if (heads) seen.add(name);
    return index > 0 && !heads;
  });
  const head = lines.slice(0, output);
  const body = lines.slice(output).filter((line) => line !== '' && !/^--END (?:COMMAND|SMS EVENT)--$/.test(line));
  return [...head, ...body.map((line) => `Output: ${line}`), ''].join('\r\n');
}
