import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { WebSocket } from 'ws';
import type { Clock } from '../../src/clock.js';
import { asError, type BridgeError } from '../../src/errors.js';
import { KeepAlive } from '../../src/pbx/keep-alive.js';
import { openSocket, type SocketTls } from '../../src/pbx/open-socket.js';
import {
  closedError,
  connectError,
  framesError,
  handshakeTimeoutError,
  notAriError,
  refusalOf,
  replacedError,
  silentError,
  stoppedError,
} from './errors.js';
import { parseEvent, type AriEvent } from './event.js';
import { authority, basicAuth, queryOf } from './rest.js';
import type { AriLogin, AriPlace } from './rest-contract.js';

/** All in ms. */
export interface SessionTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connect: number;
  /** From then until Asterisk has made a WebSocket of it. */
  readonly handshake: number;
  readonly pingEvery: number;
  readonly pingTimeout: number;
}
export const SESSION_TIMEOUTS: SessionTimeouts = {
  connect: 10_000,
  handshake: 10_000,
  pingEvery: 10_000,
  pingTimeout: 5_000,
};

/** An event describes a few channels; one that is longer is none. */
const MOST_BYTES = 1024 * 1024;

export interface SessionOptions extends AriPlace, AriLogin {
  readonly path: string;
  /** Undefined: plain TCP. */
  readonly tls?: SocketTls | undefined;
  /** Name of the Stasis application. */
  readonly app: string;
  readonly timeouts?: Partial<SessionTimeouts> | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted: the session is closed, in whatever state it is. */
  readonly signal: AbortSignal;
  /** Each event, in the order of the wire, possibly before `openSession` resolves. What it throws is logged and counted. */
  readonly onEvent: (event: AriEvent) => void;
  /** Each frame as it came. */
  readonly onText?: ((text: string) => void) | undefined;
}

export interface SessionCounts {
  readonly events: number;
  /** Frames that were no events. */
  readonly dropped: number;
  /** Exceptions of `onEvent` or `onText`. */
  readonly handlerErrors: number;
}

/** The events of one Asterisk. It ends once and is never opened again: a new connection is a new session. */
export interface AriSession {
  /** Settles with the reason when the session has ended; never rejects. */
  readonly closed: Promise<BridgeError>;
  readonly counts: SessionCounts;
  /** Ends it at once: no callback is called any more. Resolves when the socket is closed. May be called again. */
  close(): Promise<void>;
}

/**
 * Connects, logs in and subscribes to everything.
 * @throws PermanentError ZPB_ARI_AUTH, ZPB_ARI_FORBIDDEN, ZPB_ARI_PROTOCOL, ZPB_ARI_TLS; RetriableError ZPB_ARI_CONNECT,
 * ZPB_ARI_HANDSHAKE, ZPB_ARI_NOT_THERE, ZPB_ARI_NOT_READY, ZPB_ARI_CLOSED, ZPB_ARI_STOPPED
 */
export async function openSession(options: SessionOptions): Promise<AriSession> {
  const timeouts = { ...SESSION_TIMEOUTS, ...options.timeouts };
  const { host, port, tls, clock, signal } = options;
  const socket = await openSocket({
    host,
    port,
    tls,
    clock,
    signal,
    timeout: timeouts.connect,
    failed: (cause) => connectError(options, tls !== undefined, codeOf(cause) ?? cause.message),
    stopped: stoppedError,
  });
  const session = new LiveSession(options, timeouts, socket);
  await session.opened;
  return session;
}

class LiveSession implements AriSession {
  readonly closed: Promise<BridgeError>;
  /** Rejects with the reason when the session ended before it stood. */
  readonly opened: Promise<void>;
  readonly #options: SessionOptions;
  readonly #timeouts: SessionTimeouts;
  readonly #socket: Socket;
  readonly #socketClosed: Promise<void>;
  readonly #web: WebSocket;
  readonly #cancelHandshake: () => void;
  #keepAlive: KeepAlive | undefined;
  #events = 0;
  #dropped = 0;
  #handlerErrors = 0;
  #ended: BridgeError | undefined;
  #settleClosed: (reason: BridgeError) => void = () => undefined;
  #settleOpened: (reason?: BridgeError) => void = () => undefined;

  constructor(options: SessionOptions, timeouts: SessionTimeouts, socket: Socket) {
    this.#options = options;
    this.#timeouts = timeouts;
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.opened = new Promise((resolve, reject) => {
      this.#settleOpened = (reason) => {
        if (reason === undefined) resolve();
        else reject(reason);
      };
    });
    this.#socketClosed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve();
        // The WebSocket says it better, in the same turn: with the code it was closed with.
        setImmediate(() => {
          this.#end(closedError(options));
        });
      });
      if (socket.closed) resolve();
    });
    this.#cancelHandshake = options.clock.after(timeouts.handshake, () => {
      this.#end(handshakeTimeoutError(options, timeouts.handshake));
    });
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#web = this.#shake();
    if (options.signal.aborted) this.#end(stoppedError());
  }

  get counts(): SessionCounts {
    return { events: this.#events, dropped: this.#dropped, handlerErrors: this.#handlerErrors };
  }

  close(): Promise<void> {
    this.#end(stoppedError());
    return this.#socketClosed;
  }

  /** Asks for a WebSocket on the connection that stands. The login goes in a header: a URL is written into logs. */
  #shake(): WebSocket {
    const { host, port, path, app } = this.#options;
    const query = queryOf({ app, subscribeAll: true });
    const web = new WebSocket(`ws://${authority(host, port)}${path}/events${query}`, {
      headers: { Authorization: basicAuth(this.#options), 'User-Agent': 'zammad-pbx-bridge' },
      createConnection: () => this.#socket,
      maxPayload: MOST_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
    });
    web.on('open', () => {
      this.#stands();
    });
    web.on('unexpected-response', (request, response) => {
      const status = response.statusCode ?? 0;
      this.#end(
        refusalOf(this.#options, this.#options.username, status) ?? notAriError(this.#options, `status ${status}`),
      );
      request.destroy();
    });
    web.on('message', (data, isBinary) => {
      this.#onFrame(data, isBinary);
    });
    web.on('close', (code, reason) => {
      this.#end(closedError(this.#options, { code, reason: reason.toString('utf8') }));
    });
    // Stays for its whole life: an error without a listener would end the process.
    web.on('error', (error) => {
      this.#end(this.#meaningOf(error));
    });
    return web;
  }

  #stands(): void {
    if (this.#ended !== undefined) return;
    this.#cancelHandshake();
    this.#socket.on('data', this.#onBytes);
    const { pingEvery, pingTimeout } = this.#timeouts;
    this.#keepAlive = new KeepAlive({
      clock: this.#options.clock,
      every: pingEvery,
      timeout: pingTimeout,
      ping: () => {
        this.#web.ping();
      },
      onSilent: () => {
        this.#end(silentError(this.#options, pingTimeout));
      },
    });
    this.#settleOpened();
  }

  readonly #onBytes = (): void => {
    this.#keepAlive?.heard();
  };

  #onFrame(data: WebSocket.RawData, isBinary: boolean): void {
    // A handler may have closed the session in the middle of a chunk.
    if (this.#ended !== undefined) return;
    const text = isBinary ? '' : textOf(data);
    const { onText, onEvent } = this.#options;
    if (onText !== undefined && !isBinary) {
      this.#guarded('text', () => {
        onText(text);
      });
    }
    const event = parseEvent(text);
    if (event === undefined) {
      this.#dropped += 1;
      this.#options.log.warn(
        { bytes: text.length },
        'Asterisk sent something over ARI that is no event; it is skipped',
      );
      return;
    }
    this.#events += 1;
    if (event.type === 'ApplicationReplaced') {
      this.#end(replacedError(this.#options, this.#options.app));
      return;
    }
    this.#guarded(event.type, () => {
      onEvent(event);
    });
  }

  /** A fault in what an event means must not cost the connection, on which all other calls depend. */
  #guarded(what: string, handler: () => void): void {
    try {
      handler();
    } catch (thrown) {
      this.#handlerErrors += 1;
      this.#options.log.error(
        { error: asError(thrown), event: what },
        'an event of Asterisk could not be handled; it is skipped',
      );
    }
  }

  #meaningOf(error: Error): BridgeError {
    const code = codeOf(error);
    if (code?.startsWith('WS_ERR_') === true) return framesError(this.#options, code, MOST_BYTES);
    // The parser of HTTP met something else, or the words of an upgrade were not those of a WebSocket.
    if (this.#keepAlive === undefined && (code === undefined || code.startsWith('HPE_')))
      return notAriError(this.#options, code ?? error.message);
    if (this.#keepAlive === undefined && code !== 'ECONNRESET')
      return connectError(this.#options, this.#options.tls !== undefined, code);
    return closedError(this.#options, { code: 1006, reason: code ?? '' });
  }

  readonly #onAbort = (): void => {
    this.#end(stoppedError());
  };

  #end(reason: BridgeError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#cancelHandshake();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#keepAlive?.stop();
    this.#socket.removeListener('data', this.#onBytes);
    this.#socket.destroy();
    this.#settleOpened(reason);
    this.#settleClosed(reason);
  }
}

const textOf = (data: WebSocket.RawData): string =>
  (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString('utf8');

function codeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
