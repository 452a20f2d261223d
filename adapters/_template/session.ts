/**
 * One connection to the PBX, from dialling to its end. It owns the socket and every timer, and knows nothing about legs.
 * A new object for each connection: nothing of an old one can leak into the next.
 */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../src/clock.js';
import { asError, type BridgeError, isBridgeError, PermanentError, RetriableError } from '../../src/errors.js';
import { LineCodec, type Message } from './codec.js';
import type { TemplateConfig } from './config.js';

/** ms for connecting, for the login and for the list, each. */
const ANSWER_TIME = 10_000;
/** ms between two PINGs. Without them a connection that is half open (cable, firewall) looks like a quiet night. */
const PING_EVERY = 15_000;

export interface SessionEvents {
  onMessage(message: Message): void;
  /** Once, after the session was open, and not after `close`. */
  onLost(error: BridgeError): void;
}

export class Session {
  #socket: Socket | undefined;
  #cancelTimer: () => void = () => undefined;
  /** Why it is over; undefined while it is not. */
  #end: BridgeError | undefined;
  #open = false;
  #heardSincePing = true;
  /** What `open` waits for now. */
  #waiting: { readonly wants: (message: Message) => boolean; settle(error?: BridgeError): void } | undefined;

  constructor(
    private readonly config: TemplateConfig,
    private readonly clock: Clock,
    private readonly events: SessionEvents,
  ) {}

  /** Connects, logs in and waits for the whole list. Rejects with what is wrong; the session is closed then. */
  async open(signal: AbortSignal): Promise<void> {
    const abort = (): void => {
      this.#fail(new RetriableError('ZPB_TEMPLATE_STOPPED', `Connecting to ${this.#where()} was given up.`));
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      if (signal.aborted) abort();
      await this.#dial();
      await this.#ask(`LOGIN ${this.config.secret.reveal()}`, (message) => message.type === 'OK');
      await this.#ask('LIST', (message) => message.type === 'END');
      this.#open = true;
      this.#ping();
    } finally {
      signal.removeEventListener('abort', abort);
      if (!this.#open) this.close();
    }
  }

  /** Ends everything at once. No callback comes after it. */
  close(): void {
    this.#fail(new RetriableError('ZPB_TEMPLATE_STOPPED', `The connection to ${this.#where()} was closed.`));
  }

  #dial(): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const { host, port } = this.config;
    const codec = new LineCodec();
    const socket = connect({ host, port, noDelay: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const message of codec.push(chunk)) this.#take(message);
      } catch (thrown) {
        this.#fail(isBridgeError(thrown) ? thrown : this.#lost(asError(thrown).message));
      }
    });
    socket.on('error', (error) => {
      this.#fail(this.#lost(error.message));
    });
    socket.on('close', () => {
      this.#fail(this.#lost('the PBX closed it'));
    });
    const connected = this.#wait(() => false);
    socket.on('connect', () => {
      this.#waiting?.settle();
    });
    return connected;
  }

  #ask(line: string, wants: (message: Message) => boolean): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const answered = this.#wait(wants);
    this.#send(line);
    return answered;
  }

  #wait(wants: (message: Message) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(ANSWER_TIME, () => {
        this.#fail(this.#lost(`no answer within ${ANSWER_TIME / 1000} s`));
      });
      const settle = (error?: BridgeError): void => {
        cancel();
        this.#waiting = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#waiting = { wants, settle };
    });
  }

  #take(message: Message): void {
    if (this.#end !== undefined) return;
    this.#heardSincePing = true;
    if (message.type === 'NO') {
      // A person must mend this: a PermanentError makes the supervisor wait long and says so loudly.
      const told = `The PBX at ${this.#where()} refused the login (${JSON.stringify(message.reason)}). Correct secret.`;
      this.#fail(new PermanentError('ZPB_TEMPLATE_LOGIN', told));
      return;
    }
    // First what it means, then what waits for it: `start` must not resolve before the snapshot is emitted.
    this.events.onMessage(message);
    if (this.#waiting?.wants(message) === true) this.#waiting.settle();
  }

  #ping(): void {
    if (!this.#heardSincePing) {
      this.#fail(this.#lost(`nothing came from it for ${PING_EVERY / 1000} s`));
      return;
    }
    this.#heardSincePing = false;
    this.#send('PING');
    this.#cancelTimer = this.clock.after(PING_EVERY, () => {
      this.#ping();
    });
  }

  #send(line: string): void {
    this.#socket?.write(`${line}\n`);
  }

  /** The one way out: whoever comes first says why. */
  #fail(error: BridgeError): void {
    if (this.#end !== undefined) return;
    const wasOpen = this.#open;
    const ownWish = error.code === 'ZPB_TEMPLATE_STOPPED';
    this.#end = error;
    this.#cancelTimer();
    this.#socket?.destroy();
    this.#waiting?.settle(error);
    if (wasOpen && !ownWish) this.events.onLost(error);
  }

  #lost(why: string): RetriableError {
    return new RetriableError('ZPB_TEMPLATE_LOST', `The connection to ${this.#where()} failed: ${why}.`);
  }
  #where(): string {
    return `${this.config.host}:${this.config.port}`;
  }
}
