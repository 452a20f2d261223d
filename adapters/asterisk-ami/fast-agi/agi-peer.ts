import type { Socket } from 'node:net';
import type { Clock } from '../../../src/clock.js';
import { RetriableError } from '../../../src/errors.js';

/** An Asterisk's request is some 40 lines of under 100 bytes. */
const MAX_LINES = 128;
const MAX_BYTES = 32 * 1024;
const REQUEST_MS = 2_000;
const REPLY_MS = 1_000;

/** One connection of a dialplan: the request it begins with, then commands and their replies, one at a time. */
export class AgiPeer {
  #buffer = '';
  #lines: string[] = [];
  #wake: () => void = () => undefined;
  #over = false;

  constructor(
    private readonly socket: Socket,
    private readonly clock: Clock,
  ) {
    socket.setEncoding('utf8');
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      this.#take(text);
    });
    socket.once('close', () => {
      this.#end();
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
    if (this.#over) throw broken('the caller has gone');
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

  /** The dialplan goes on. */
  close(): void {
    this.socket.end();
    this.#end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(text: string): void {
    this.#buffer += text;
    const parts = this.#buffer.split('\n');
    this.#buffer = parts.pop() ?? '';
    this.#lines.push(...parts.map((line) => line.replace(/\r$/u, '')));
    if (this.#buffer.length > MAX_BYTES || this.#lines.length > 2 * MAX_LINES) this.socket.destroy();
    this.#wake();
  }

  #end(): void {
    this.#over = true;
    this.#wake();
  }

  async #line(deadline: number): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      if (this.#over) throw broken('the connection was closed');
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
