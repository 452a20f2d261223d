/** Where log lines go: a file descriptor that may be slow, full or closed, none of which may harm the bridge. */
import { write, writeSync } from 'node:fs';
import { systemClock, type Clock } from './clock.js';

/** The part of `node:fs` that is used; injected by tests. */
export interface FileWriting {
  write(fd: number, bytes: Uint8Array, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  writeSync(fd: number, bytes: Uint8Array): number;
}

/** What is held when nobody takes the lines; further ones are dropped rather than memory filled or the event loop blocked. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
/** Between two attempts at a pipe that is full, ms. */
const AGAIN_MS = 50;
/** A write that takes longer is stuck: a last write behind it would keep the process from ending. */
const STUCK_MS = 1_000;

/**
 * Writes lines to a file descriptor, one write at a time, without ever throwing. What a full disk or a closed pipe does not
 * take is lost; the next line is tried again. (pino's own destination ends the process on a full disk, and then waits for
 * ever in its last flush.)
 */
export class LogSink {
  readonly #fd: number;
  readonly #fs: FileWriting;
  #held: string[] = [];
  #heldBytes = 0;
  /** Monotonic, when the write under way began. */
  #writingSince: number | undefined;
  #cancelAgain: (() => void) | undefined;
  readonly #clock: Clock;
  readonly #onExit = (): void => {
    this.#flush();
  };

  /** `close` ends it; until then the end of the process writes what is held. */
  constructor(fd: number, clock: Clock = systemClock, fs: FileWriting = { write, writeSync }) {
    this.#fd = fd;
    this.#clock = clock;
    this.#fs = fs;
    process.on('exit', this.#onExit);
  }

  write(line: string): void {
    if (this.#heldBytes > MAX_HELD_BYTES) return;
    this.#held.push(line);
    this.#heldBytes += line.length;
    this.#pump();
  }

  /** Writes out what is still held, if it is taken at once; to be called once, last. */
  close(): void {
    this.#cancelAgain?.();
    process.off('exit', this.#onExit);
    this.#flush();
  }

  #take(): Buffer {
    const bytes = Buffer.from(this.#held.join(''), 'utf8');
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }

  #pump(): void {
    if (this.#writingSince !== undefined || this.#held.length === 0) return;
    this.#writingSince = this.#clock.monotonic();
    this.#send(this.#take());
  }

  #send(bytes: Uint8Array): void {
    this.#fs.write(this.#fd, bytes, (error, written) => {
      const rest = error === null ? bytes.subarray(written) : error.code === 'EAGAIN' ? bytes : undefined;
      if (error !== null && rest !== undefined) {
        // A full pipe: its reader is slow.
        this.#cancelAgain = this.#clock.after(AGAIN_MS, () => {
          this.#send(rest);
        });
      } else if (rest !== undefined && rest.length > 0) {
        this.#send(rest);
      } else {
        this.#writingSince = undefined;
        this.#pump();
      }
    });
  }

  /** At the end there is no later: what is not taken now is lost. */
  #flush(): void {
    const since = this.#writingSince;
    if (since !== undefined && this.#clock.monotonic() - since > STUCK_MS) return;
    let bytes: Uint8Array = this.#take();
    try {
      while (bytes.length > 0) bytes = bytes.subarray(this.#fs.writeSync(this.#fd, bytes));
    } catch {
      // Full or closed: there is nobody to tell.
    }
  }
}
