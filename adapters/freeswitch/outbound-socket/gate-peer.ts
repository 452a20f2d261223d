import type { Socket } from 'node:net';
import type { Clock } from '../../../src/clock.js';
import { RetriableError } from '../../../src/errors.js';
import { type EslFrame, EslFramer } from '../frames.js';

/** All that one connection may ever say, in bytes. A call is some 10 kB, with many variables and the SDPs of a browser many times that. */
const MAX_BYTES = 512 * 1024;
const BLOCK_MS = 2_000;
const REPLY_MS = 1_000;
/** For FreeSWITCH to close its side: after a hang-up, or when ours is closed. */
const FAREWELL_MS = 1_000;
/**
 * FreeSWITCH lets a call wait for as long as this connection stands, without any limit of its own. The gate answers within its budget;
 * should it not, the call goes on after this.
 */
const LONGEST_MS = 20_000;

/** One connection of FreeSWITCH's outbound socket: the call it is about, then commands and their replies. */
export class GatePeer {
  readonly #framer = new EslFramer();
  readonly #frames: EslFrame[] = [];
  #taken = 0;
  #wake: () => void = () => undefined;
  /** Why nothing more comes. */
  #over: string | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly clock: Clock,
  ) {
    socket.setNoDelay(true);
    const cancel = clock.after(LONGEST_MS, () => {
      this.#end('it took too long');
      socket.destroy();
    });
    socket.on('data', (bytes: Buffer) => {
      this.#take(bytes);
    });
    socket.once('close', () => {
      cancel();
      this.#end('the caller, or FreeSWITCH, has gone');
    });
  }

  /** What call this is. FreeSWITCH says nothing before it is told `connect`, and waits for that for 25 s. */
  async call(): Promise<EslFrame> {
    this.socket.write('connect\n\n');
    return this.#frame(this.clock.monotonic() + BLOCK_MS);
  }

  /**
   * Gives commands in one packet: FreeSWITCH does them in this order, whether or not this program is still there. Resolves with
   * their replies, `-ERR …` included. Rejects with ZPB_GATE_REQUEST when they do not all come in time.
   */
  async give(commands: readonly Buffer[]): Promise<readonly string[]> {
    if (this.#over !== undefined) throw broken(this.#over);
    this.socket.write(Buffer.concat(commands));
    const deadline = this.clock.monotonic() + REPLY_MS;
    const replies: string[] = [];
    while (replies.length < commands.length) {
      const frame = await this.#frame(deadline);
      if (frame.type === 'command/reply') replies.push(frame.headers.get('reply-text') ?? '');
      else if (frame.type === 'api/response') replies.push(frame.body.toString('utf8').trim());
    }
    return replies;
  }

  /** Until FreeSWITCH has closed the connection, which is how it says that the leg is gone. Rejects when it does not in time. */
  async ended(): Promise<void> {
    const deadline = this.clock.monotonic() + FAREWELL_MS;
    while (this.#over === undefined) {
      await this.#news(deadline);
      this.#frames.length = 0;
    }
  }

  /** The call goes on, if it is still there. What does not close its side too is cut off. */
  close(): void {
    this.#end('it has been answered');
    if (this.socket.destroyed) return;
    const cancel = this.clock.after(FAREWELL_MS, () => {
      this.socket.destroy();
    });
    this.socket.once('close', cancel);
    this.socket.end();
  }

  #take(bytes: Buffer): void {
    if (this.#over !== undefined) return;
    this.#taken += bytes.length;
    try {
      if (this.#taken > MAX_BYTES) throw broken('it says too much');
      for (const frame of this.#framer.push(bytes)) {
        if (frame.type === 'text/disconnect-notice') this.#end('FreeSWITCH has let go of the call');
        else this.#frames.push(frame);
      }
    } catch {
      this.#end('it says too much');
      this.socket.destroy();
    }
    this.#wake();
  }

  #end(why: string): void {
    this.#over ??= why;
    this.#wake();
  }

  async #frame(deadline: number): Promise<EslFrame> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#over !== undefined) throw broken(this.#over);
      await this.#news(deadline);
    }
  }

  /** Until something has come, or the end. */
  async #news(deadline: number): Promise<void> {
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

const broken = (why: string): RetriableError =>
  new RetriableError('ZPB_GATE_REQUEST', `A call at the outbound socket was not understood: ${why}. It goes on`);
