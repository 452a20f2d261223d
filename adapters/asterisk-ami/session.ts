import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { asError, BridgeError, RetriableError } from '../../src/errors.js';
import { AmiCodec } from './codec.js';
import { openSocket } from '../../src/pbx/open-socket.js';
import { KeepAlive } from '../../src/pbx/keep-alive.js';
import { isSuccess, logIn } from './login.js';
import type { AmiMessage } from './message.js';
import type { WantedEvents } from './prefilter.js';
import { MAX_PENDING, Replies } from './replies.js';
import {
  closedError,
  connectError,
  loginTimeoutError,
  notAmiError,
  silentError,
  stoppedError,
} from './session-errors.js';
import {
  type AmiSession,
  type ListOptions,
  type SendOptions,
  SESSION_TIMEOUTS,
  type SessionCounts,
  type SessionOptions,
  type SessionTimeouts,
} from './session-contract.js';
import { type AmiAction, encodeAction } from './writer.js';

export type {
  AmiSession,
  ListOptions,
  SendOptions,
  SessionCounts,
  SessionOptions,
  SessionTimeouts,
} from './session-contract.js';
export { SESSION_TIMEOUTS } from './session-contract.js';

/** Bytes written and not yet taken by the network. */
const MAX_BACKLOG_BYTES = 1024 * 1024;
const GREETING = 'Asterisk Call Manager';

/**
 * Connects and logs in.
 * @throws PermanentError ZPB_AMI_AUTH, ZPB_AMI_LOGIN, ZPB_AMI_TLS, ZPB_AMI_PROTOCOL; RetriableError ZPB_AMI_CONNECT,
 * ZPB_AMI_LOGIN_TIMEOUT, ZPB_AMI_IN_USE, ZPB_AMI_CLOSED, ZPB_AMI_STOPPED
 */
export async function openSession(options: SessionOptions): Promise<AmiSession> {
  const timeouts = { ...SESSION_TIMEOUTS, ...options.timeouts };
  const { host, port, tls, clock, signal } = options;
  const socket = await openSocket({
    host,
    port,
    tls,
    clock,
    signal,
    timeout: timeouts.connect,
    failed: (cause) => connectError(options, tls !== undefined, cause),
    stopped: stoppedError,
  });
  const session = new LiveSession(options, timeouts, socket);
  await session.logIn();
  return session;
}

class LiveSession implements AmiSession {
  readonly closed: Promise<BridgeError>;
  readonly #options: SessionOptions;
  readonly #timeouts: SessionTimeouts;
  readonly #socket: Socket;
  readonly #socketClosed: Promise<void>;
  readonly #codec: AmiCodec;
  readonly #replies: Replies;
  readonly #idPrefix: string;
  readonly #wanted: WantedEvents;
  #lastId = 0;
  #keepAlive: KeepAlive | undefined;
  #loginId: string | undefined;
  #loggedIn = false;
  #fullyBooted = false;
  #greetingChecked = false;
  #bytes = 0;
  #unmatched = 0;
  #handlerErrors = 0;
  #ended: BridgeError | undefined;
  #settleClosed: (reason: BridgeError) => void = () => undefined;
  #socketError: Error | undefined;

  constructor(options: SessionOptions, timeouts: SessionTimeouts, socket: Socket) {
    this.#options = options;
    this.#timeouts = timeouts;
    this.#socket = socket;
    this.#idPrefix = options.actionIdPrefix ?? `zpb-${randomBytes(4).toString('hex')}-`;
    this.#wanted = options.wanted === 'all' ? 'all' : new Set([...options.wanted, 'FullyBooted', 'Shutdown']);
    this.#codec = new AmiCodec({ events: this.#wanted, actionIdPrefix: this.#idPrefix });
    this.#replies = new Replies(options.clock);
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    socket.on('error', (error) => {
      this.#socketError = error;
    });
    this.#socketClosed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#end(closedError(options, this.#socketError));
        resolve();
      });
      if (socket.closed) resolve();
    });
    socket.on('data', this.#onData);
    if (options.signal.aborted) this.#end(stoppedError());
    else if (socket.destroyed) this.#end(closedError(options));
  }

  get banner(): string | undefined {
    return this.#codec.greeting;
  }

  get fullyBooted(): boolean {
    return this.#fullyBooted;
  }

  get counts(): SessionCounts {
    const counted = { bytes: this.#bytes, unmatched: this.#unmatched, handlerErrors: this.#handlerErrors };
    return { ...counted, ...this.#codec.counts };
  }

  async logIn(): Promise<void> {
    const { clock } = this.#options;
    const { login, pingEvery, pingTimeout } = this.#timeouts;
    const cancel = clock.after(login, () => {
      this.#end(loginTimeoutError(this.#options, login, this.banner !== undefined));
    });
    try {
      const request = async (action: AmiAction): Promise<AmiMessage> => {
        // The login as a whole has one deadline; the session's end rejects what is still asked.
        const reply = await this.send(action, { timeout: login + 1 });
        if (this.#ended !== undefined) throw this.#ended;
        return reply;
      };
      await logIn(request, this.#options, this.#options, this.#options.tls !== undefined);
    } catch (thrown) {
      this.#end(thrown instanceof BridgeError ? thrown : closedError(this.#options, asError(thrown)));
    } finally {
      cancel();
    }
    if (this.#ended !== undefined) throw this.#ended;
    this.#keepAlive = new KeepAlive({
      clock,
      every: pingEvery,
      timeout: pingTimeout,
      ping: () => {
        // Its reply counts as bytes; that it fails is seen by their absence.
        this.send({ Action: 'Ping' }, { timeout: pingTimeout }).catch(() => undefined);
      },
      onSilent: () => {
        this.#end(silentError(this.#options, pingTimeout));
      },
    });
  }

  send(action: AmiAction, options: SendOptions = {}): Promise<AmiMessage> {
    return this.#ask(action, options, (id, timeout) => this.#replies.one(id, action.Action, timeout));
  }

  list(action: AmiAction, completeEvent: string, options: ListOptions = {}): Promise<readonly AmiMessage[]> {
    const { onItem } = options;
    const guarded = (item: AmiMessage): void => {
      this.#guarded(item.event ?? '', () => onItem?.(item));
    };
    return this.#ask(action, options, (id, timeout) =>
      this.#replies.list(id, action.Action, completeEvent, timeout, guarded),
    );
  }

  close(): Promise<void> {
    this.#end(stoppedError());
    return this.#socketClosed;
  }

  async #ask<T>(
    action: AmiAction,
    { timeout, signal }: SendOptions,
    wait: (id: string, timeout: number) => Promise<T>,
  ): Promise<T> {
    if (this.#ended !== undefined) throw this.#ended;
    if (signal?.aborted === true) throw stoppedError();
    this.#lastId += 1;
    const id = `${this.#idPrefix}${this.#lastId}`;
    const bytes = encodeAction(action, id);
    if (action.Action === 'Login') this.#loginId = id;
    // The Ping is one at a time, and a full table is when it is needed.
    const full = this.#replies.size >= MAX_PENDING && action.Action !== 'Ping';
    if (full || this.#socket.writableLength + bytes.length > MAX_BACKLOG_BYTES) {
      throw new RetriableError(
        'ZPB_AMI_BUSY',
        `The action ${action.Action} was not sent: Asterisk at ${this.#options.host}:${this.#options.port} does not keep up ` +
          `(${this.#replies.size} actions without an answer, ${this.#socket.writableLength} bytes not taken).`,
      );
    }
    const reply = wait(id, timeout ?? this.#timeouts.action);
    this.#socket.write(bytes);
    return signal === undefined ? reply : await abortable(reply, signal);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#ended !== undefined) return;
    this.#bytes += chunk.length;
    this.#keepAlive?.heard();
    const { onBytes } = this.#options;
    if (onBytes !== undefined) {
      this.#guarded('bytes', () => {
        onBytes(chunk);
      });
    }
    let messages: readonly AmiMessage[];
    try {
      messages = this.#codec.push(chunk);
    } catch (thrown) {
      this.#end(thrown instanceof RetriableError ? thrown : closedError(this.#options, asError(thrown)));
      return;
    }
    if (!this.#greetingChecked && this.banner !== undefined) {
      this.#greetingChecked = true;
      if (!this.banner.startsWith(GREETING)) this.#end(notAmiError(this.#options, this.banner));
    }
    for (const message of messages) this.#dispatch(message);
  };

  #dispatch(message: AmiMessage): void {
    // A handler may have closed the session in the middle of a chunk.
    if (this.#ended !== undefined) return;
    if (message.actionId !== undefined && message.actionId === this.#loginId && isSuccess(message))
      this.#loggedIn = true;
    if (this.#replies.deliver(message)) return;
    // Before the login is accepted nobody has a right to tell us anything.
    if (message.event === undefined || !this.#loggedIn || this.#isLateItem(message.event)) {
      this.#unmatched += 1;
      return;
    }
    if (message.event === 'FullyBooted') this.#fullyBooted = true;
    this.#guarded(message.event, () => {
      this.#options.onMessage(message);
    });
  }

  /** Only its ActionID brought it through the filter, and nobody waits for that any more. */
  #isLateItem(event: string): boolean {
    return this.#wanted !== 'all' && !this.#wanted.has(event);
  }

  /** A fault in what a message means must not cost the connection, on which all other calls depend. */
  #guarded(what: string, handler: () => void): void {
    try {
      handler();
    } catch (thrown) {
      this.#handlerErrors += 1;
      this.#options.log.error(
        { error: asError(thrown), event: what },
        'a message of Asterisk could not be handled; it is skipped',
      );
    }
  }

  readonly #onAbort = (): void => {
    this.#end(stoppedError());
  };

  #end(reason: BridgeError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#keepAlive?.stop();
    this.#socket.removeListener('data', this.#onData);
    this.#socket.destroy();
    this.#replies.failAll(reason);
    this.#settleClosed(reason);
  }
}

/** Settles as `reply` does, or rejects when the signal is aborted first. */
function abortable<T>(reply: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(stoppedError());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    reply.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', onAbort);
    });
  });
}
