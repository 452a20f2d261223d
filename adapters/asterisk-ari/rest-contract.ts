import type { Clock } from '../../src/clock.js';
import type { SocketTls } from '../../src/pbx/open-socket.js';
import type { Secret } from '../../src/secret.js';

/** Where an ARI is, for messages: `127.0.0.1:8088`. */
export interface AriPlace {
  readonly host: string;
  readonly port: number;
}

export interface AriLogin {
  readonly username: string;
  readonly secret: Secret;
}

export interface AriRestOptions extends AriPlace, AriLogin {
  /** `/ari`, or what stands before it too. */
  readonly path: string;
  /** Undefined: plain HTTP. */
  readonly tls?: SocketTls | undefined;
  readonly clock: Clock;
}

export type AriQuery = Readonly<Record<string, string | number | boolean | undefined>>;

export interface AriRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `['channels', id, 'variable']`. Each part is escaped, so it may hold anything. */
  readonly path: readonly string[];
  /** Undefined values are left out. */
  readonly query?: AriQuery | undefined;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** From here to the end of the answer, ms; waiting for a free connection included. Default: `REST_TIMEOUT_MS`. */
  readonly timeout?: number | undefined;
  /** Aborted: the caller no longer waits, and the request is cut off. */
  readonly signal?: AbortSignal | undefined;
}

/** What Asterisk answered, whatever the status: what it means is the caller's to say. */
export interface AriReply {
  /** 200, 204, 404, … */
  readonly status: number;
  /** The JSON; undefined where there was none. */
  readonly body: unknown;
}

/** The REST half of one ARI. Opens nothing until it is asked, and keeps a few connections between questions. */
export interface AriRest {
  /**
   * @throws RetriableError ZPB_ARI_CONNECT, ZPB_ARI_TIMEOUT, ZPB_ARI_BUSY, ZPB_ARI_REPLY, ZPB_ARI_STOPPED; PermanentError ZPB_ARI_TLS,
   * ZPB_ARI_REQUEST. None of them holds anything of the login.
   */
  request(request: AriRequest): Promise<AriReply>;
  /** Ends every connection; what is still asked rejects with ZPB_ARI_STOPPED, and so does whatever is asked after. */
  close(): void;
}

/** Why the PBX refuses every order; undefined: that status says something else. */
export const whyNotAllowed = (status: number | undefined): string | undefined =>
  status === 401 || status === 403
    ? `the login may not: set read_only = no in its section of ari.conf (status ${status})`
    : undefined;
