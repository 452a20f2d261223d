import type { Logger } from 'pino';
import type { Clock } from '../../src/clock.js';
import type { BridgeError } from '../../src/errors.js';
import type { SocketTls } from '../../src/pbx/open-socket.js';
import type { Secret } from '../../src/secret.js';
import type { WantedEvents } from './codec.js';
import type { EslEvent } from './event.js';
import type { EslPlace } from './session-errors.js';

/** All in ms. */
export interface SessionTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connect: number;
  /** From then until FreeSWITCH has accepted the password. */
  readonly login: number;
  /** For a command that names no time of its own. */
  readonly command: number;
  /** From one question "are you there" to the next; HEARTBEAT and every other byte are signs of life too. */
  readonly askEvery: number;
  readonly askTimeout: number;
}

export const SESSION_TIMEOUTS: SessionTimeouts = {
  connect: 10_000,
  login: 10_000,
  command: 10_000,
  askEvery: 20_000,
  askTimeout: 10_000,
};

export interface SessionOptions extends EslPlace {
  readonly password: Secret;
  /** Undefined: plain TCP. */
  readonly tls?: SocketTls | undefined;
  /** Events to parse and hand over. */
  readonly wanted: WantedEvents;
  readonly timeouts?: Partial<SessionTimeouts> | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** An event, in the order of the wire. What it throws is logged and counted. */
  readonly onEvent: (event: EslEvent) => void;
  /** Every byte, before it is parsed. */
  readonly onBytes?: ((bytes: Uint8Array) => void) | undefined;
  /** Aborted: the session is closed, in whatever state it is. */
  readonly signal: AbortSignal;
}

export interface SessionCounts {
  readonly bytes: number;
  readonly frames: number;
  /** Events that are no JSON, or have no name. */
  readonly unreadable: number;
  /** Exceptions of `onEvent` or `onBytes`. */
  readonly handlerErrors: number;
}

/** A login at an event socket. It ends once and is never opened again: a new connection is a new session. */
export interface EslSession {
  /**
   * Sends a command and settles with its `Reply-Text`, `-ERR …` included: what that means is the caller's to say.
   * @throws RetriableError ZPB_ESL_TIMEOUT, ZPB_ESL_BUSY, or the reason why the session ended; PermanentError ZPB_ESL_COMMAND
   */
  send(command: string, timeout?: number): Promise<string>;
  /** The same for `api …`: settles with the body of the reply. FreeSWITCH does nothing else on this connection meanwhile. */
  api(command: string, timeout?: number): Promise<string>;
  /**
   * The same for what may take long: FreeSWITCH does it as a job, and says the result in an event.
   * @throws RetriableError ZPB_ESL_REFUSED when it does not begin, and as `send`
   */
  bgapi(command: string, timeout?: number): Promise<string>;
  /** Settles with the reason when the session has ended; never rejects. */
  readonly closed: Promise<BridgeError>;
  readonly counts: SessionCounts;
  /**
   * Ends it at once: no callback is called any more, and whatever is still asked is rejected. Resolves when the socket is
   * closed. May be called again.
   */
  close(): Promise<void>;
}
