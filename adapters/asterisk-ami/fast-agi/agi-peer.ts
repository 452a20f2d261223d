import type { Socket } from 'node:net';
import type { Clock } from '../../../src/clock.js';
import { RetriableError } from '../../../src/errors.js';

/** An Asterisk's request is some 25 lines of under 100 bytes, and one more for each comma in its address. */
const MAX_LINES = 256;
/** All that one connection may ever say, in characters. */
const MAX_TEXT = 64 * 1024;
const REQUEST_MS = 2_000;
const REPLY_MS = 1_000;
/** An Asterisk closes its side at once when the other one is closed. */
const FAREWELL_MS = 1_000;

/** One connection of a dialplan: the request it begins with, then commands and their replies, one at a time. */
export class AgiPeer {
  #buffer = '';
  readonly #lines: string[] = [];
  /** Characters taken. */
  #taken = 0;
  #wake: () => void = () => undefined;
  /** Why nothing more comes. */
  #over: string | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly clock: Clock,
  ) {
    socket.setEncoding('utf8');
    socket.setNoDelay(true);
    socket.on('data', (text: string) => {
      this.#take(text);
    });
    socket.once('close', () => {
      this.#end('the caller, or Asterisk, has gone');
    });
  }

  /** The lines before the first empty one. Rejects with ZPB_AGI_REQUEST when they do not come in time, or never end. */
  async request(): Promise<readonly string[]> {
    const lines: string[] = [];
    const deadline = this.clock.monotonic() + REQUEST_MS;
    for (;;) {
      const line = await this.#line(deadline);
      if (line === '') return lines;
      lines.push(line);
      if (lines.length > MAX_LINES) throw broken('it has no end');
    }
  }

  /** Sends one command; resolves with the reply's text behind `200 `. Rejects with ZPB_AGI_REQUEST for everything else. */
  async command(words: readonly string[]): Promise<string> {
    const text = words.map((word, index) => (index < 2 ? word : quoted(word))).join(' ');
    if (this.#over !== undefined) throw broken(this.#over);
    this.socket.write(`${text}\n`);
    const deadline = this.clock.monotonic() + REPLY_MS;
    for (;;) {
      const line = await this.#line(deadline);
      // Asterisk says so in between when the caller has hung up.
      if (line === 'HANGUP') continue;
      if (line.startsWith('200 ')) return line.slice('200 '.length);
      throw broken(`a command was answered with ${JSON.stringify(line.slice(0, 64))}`);
    }
  }

  /** The dialplan goes on. What does not close its side too is cut off. */
  close(): void {
    this.#end('it has been answered');
    if (this.socket.destroyed) return;
    const cancel = this.clock.after(FAREWELL_MS, () => {
      this.socket.destroy();
    });
    this.socket.once('close', cancel);
    this.socket.end();
  }

  #take(text: string): void {
    if (this.#over !== undefined) return;
    this.#taken += text.length;
    const parts = (this.#buffer + text).split('\n');
    this.#buffer = parts.pop() ?? '';
    if (this.#taken > MAX_TEXT || this.#lines.length + parts.length > MAX_LINES) {
      this.#end('it says too much');
      this.socket.destroy();
      return;
    }
    for (const part of parts) this.#lines.push(part.replace(/\r$/u, ''));
    this.#wake();
  }

  #end(why: string): void {
    this.#over ??= why;
    this.#wake();
  }

  async #line(deadline: number): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#over !== undefined) throw broken(this.#over);
      const left = deadline - this.clock.monotonic();
      if (left <= 0) throw broken('it did not come in time');
      await new Promise<void>((resolve) => {
        const cancel = this.clock.after(left, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
    }
  }
}

/** A value as AGI takes it: in quotes, and of nothing that could end them or the line. */
const quoted = (value: string): string => `"${value.replace(/["\\\u0000-\u001f\u007f]/gu, '')}"`;

const broken = (why: string): RetriableError =>
  new RetriableError('ZPB_AGI_REQUEST', `A request of a dialplan (AGI) was not understood: ${why}. Its call goes on`);
