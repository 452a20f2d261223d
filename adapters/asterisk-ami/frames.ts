import { RetriableError } from '../../src/errors.js';

const LF = 10;
const CR = 13;
/** A line's end before an empty line. "\r\n\r\n" is found by the first, "\n\n" by the second. */
const BLANK_CRLF = Buffer.from('\n\r\n');
const BLANK_LF = Buffer.from('\n\n');
/** Longest message, in bytes: Asterisk's are a few KiB; what is longer is no AMI, or a reply nobody should ask for. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** A longer first line is no greeting. */
const MAX_GREETING_BYTES = 1024;
/** Input is taken in pieces of this size, which bounds the buffer. */
const PIECE_BYTES = 64 * 1024;

/** Gets a message's bytes: `buffer` from `start` up to `end`, its last line's LF included. Valid during the call only. */
export type OnFrame = (buffer: Buffer, start: number, end: number) => void;

/**
 * Finds the messages in a byte stream that may be cut anywhere. A message ends at an empty line; lines end in CR LF, or LF.
 * Every byte is looked at a bounded number of times, however small the pieces are in which it comes.
 */
export class FrameSplitter {
  #buffer = Buffer.allocUnsafe(PIECE_BYTES);
  #start = 0;
  #end = 0;
  /** Where each of the two ends was found next, or -1; and from where it must be looked for. */
  readonly #crlf = { found: -1, from: 0 };
  readonly #lf = { found: -1, from: 0 };
  #greeting: string | undefined;
  #greeted = false;
  #failed: RetriableError | undefined;

  /** The stream's first line, where it is no part of a message: `Asterisk Call Manager/11.0.0`. */
  get greeting(): string | undefined {
    return this.#greeting;
  }

  /** @throws RetriableError ZPB_AMI_TOO_LONG: the stream is of no more use, and every later call throws it again. */
  push(chunk: Uint8Array, onFrame: OnFrame): void {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      if (this.#failed !== undefined) break;
      this.#append(chunk.subarray(at, at + PIECE_BYTES));
      this.#take(onFrame);
    }
    if (this.#failed !== undefined) throw this.#failed;
  }

  #append(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#buffer.length) {
      const used = this.#end - this.#start;
      // Doubling keeps the copying of a long message linear.
      const room = used + piece.length;
      const target = room > this.#buffer.length / 2 ? Buffer.allocUnsafe(room * 2) : this.#buffer;
      this.#buffer.copy(target, 0, this.#start, this.#end);
      for (const mark of [this.#crlf, this.#lf]) {
        mark.found = mark.found < 0 ? -1 : mark.found - this.#start;
        mark.from = Math.max(0, mark.from - this.#start);
      }
      this.#buffer = target;
      this.#start = 0;
      this.#end = used;
    }
    this.#buffer.set(piece, this.#end);
    this.#end += piece.length;
  }

  #take(onFrame: OnFrame): void {
    if (!this.#greeted && !this.#takeGreeting()) return;
    for (;;) {
      this.#skipEmptyLines();
      const crlf = this.#next(this.#crlf, BLANK_CRLF);
      const lf = this.#next(this.#lf, BLANK_LF);
      const byLf = lf >= 0 && (crlf < 0 || lf < crlf);
      const last = byLf ? lf : crlf;
      if ((last < 0 ? this.#end - 3 : last) - this.#start > MAX_MESSAGE_BYTES) {
        this.#failed = new RetriableError(
          'ZPB_AMI_TOO_LONG',
          `The Asterisk manager interface sent more than ${MAX_MESSAGE_BYTES} bytes without an empty line. This is no message ` +
            'of Asterisk; check that host and port are those of manager.conf. The connection is closed and opened again.',
        );
        this.#buffer = Buffer.alloc(0);
        return;
      }
      if (last < 0) return;
      const from = this.#start;
      this.#start = last + (byLf ? BLANK_LF : BLANK_CRLF).length;
      onFrame(this.#buffer, from, last + 1);
    }
  }

  /** Position of the next end at or behind the start of the message, or -1. */
  #next(mark: { found: number; from: number }, needle: Buffer): number {
    if (mark.found >= this.#start) return mark.found;
    const from = Math.max(mark.from, this.#start);
    const found = this.#buffer.subarray(0, this.#end).indexOf(needle, from);
    mark.found = found;
    mark.from = found >= 0 ? found + 1 : Math.max(from, this.#end - needle.length + 1);
    return found;
  }

  #skipEmptyLines(): void {
    while (this.#start < this.#end) {
      const byte = this.#buffer[this.#start];
      if (byte !== LF && byte !== CR) return;
      this.#start += 1;
    }
  }

  /** True when it is known whether the stream begins with a greeting. */
  #takeGreeting(): boolean {
    this.#skipEmptyLines();
    const end = this.#buffer.subarray(this.#start, this.#end).indexOf(LF);
    if (end < 0) {
      this.#greeted = this.#end - this.#start > MAX_GREETING_BYTES;
      return this.#greeted;
    }
    this.#greeted = true;
    const line = this.#buffer.toString('utf8', this.#start, this.#start + end).trimEnd();
    if (end <= MAX_GREETING_BYTES && !/^(?:event|response):/i.test(line)) {
      this.#greeting = line;
      this.#start += end + 1;
    }
    return true;
  }
}
