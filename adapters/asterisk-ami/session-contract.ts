import type { Logger } from 'pino';
import type { Clock } from '../../src/clock.js';
import type { BridgeError } from '../../src/errors.js';
import type { SocketTls } from '../../src/pbx/open-socket.js';
import type { Credentials } from './login.js';
import type { AmiMessage } from './message.js';
import type { WantedEvents } from './prefilter.js';
import type { AmiPlace } from './session-errors.js';
import type { AmiAction } from './writer.js';

/** All in ms. */
export interface SessionTimeouts {
  /** Until the connection stands, TLS included. */
  readonly connect: number;
  /** From then until Asterisk has accepted the login. */
  readonly login: number;
  /** For an action that names no time of its own. */
  readonly action: number;
  readonly pingEvery: number;
  readonly pingTimeout: number;
}

export const SESSION_TIMEOUTS: SessionTimeouts = {
  connect: 10_000,
  login: 10_000,
  action: 10_000,
  pingEvery: 10_000,
  pingTimeout: 5_000,
};

export interface SessionOptions extends AmiPlace, Credentials {
  /** Undefined: plain TCP. */
  readonly tls?: SocketTls | undefined;
  /** Events to parse and hand over. `FullyBooted` and `Shutdown` are always among them. */
  readonly wanted: WantedEvents;
  readonly timeouts?: Partial<SessionTimeouts> | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * An event, from the moment of login on (so possibly before `openSession` resolves), in the order of the wire. Responses
   * and the items of lists go to who asked for them. What it throws is logged and counted.
   */
  readonly onMessage: (message: AmiMessage) => void;
  /** Every byte, before it is parsed. */
  readonly onBytes?: ((bytes: Uint8Array) => void) | undefined;
  /** Aborted: the session is closed, in whatever state it is. */
  readonly signal: AbortSignal;
  /** Begin of its ActionIDs, different for every session of a process and of its neighbours. Default: random. */
  readonly actionIdPrefix?: string | undefined;
}

export interface SessionCounts {
  readonly bytes: number;
  readonly messages: number;
  /** Messages nobody wanted. */
  readonly dropped: number;
  /** Responses and list items that came after their time-out, or that answer nothing of ours. */
  readonly unmatched: number;
  /** Exceptions of `onMessage` or `onBytes`. */
  readonly handlerErrors: number;
}

/** A login at an Asterisk manager interface. It ends once and is never opened again: a new connection is a new session. */
export interface AmiSession {
  /**
   * Sends an action and settles with its response, `Response: Error` included: what that means is the caller's to say.
   * @throws RetriableError ZPB_AMI_TIMEOUT, ZPB_AMI_BUSY, or the reason why the session ended; PermanentError ZPB_AMI_ACTION
   */
  send(action: AmiAction, options?: SendOptions): Promise<AmiMessage>;
  /**
   * Sends an action that is answered by a list and settles with its items, without `completeEvent`. `timeout` is for all of it.
   * @throws AmiRefusedError ZPB_AMI_REFUSED; RetriableError ZPB_AMI_LIST (cancelled, or items are missing), and as `send`
   */
  list(action: AmiAction, completeEvent: string, options?: ListOptions): Promise<readonly AmiMessage[]>;
  /** Settles with the reason when the session has ended; never rejects. */
  readonly closed: Promise<BridgeError>;
  /** `Asterisk Call Manager/11.0.0` */
  readonly banner: string | undefined;
  /** The event FullyBooted was seen. Without read class `system` it never comes, so nobody may wait for it. */
  readonly fullyBooted: boolean;
  readonly counts: SessionCounts;
  /**
   * Ends it at once: no callback is called any more, and whatever is still asked is rejected. Resolves when the socket is
   * closed. May be called again.
   */
  close(): Promise<void>;
}

export interface SendOptions {
  /** ms */
  readonly timeout?: number;
  /** Aborted: the caller no longer waits; the action is not recalled. */
  readonly signal?: AbortSignal;
}

export interface ListOptions extends SendOptions {
  /** Each item as it comes, before anything that follows it on the wire. What it throws is logged and counted. */
  readonly onItem?: (item: AmiMessage) => void;
}
