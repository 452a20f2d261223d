/**
 * Requests to ARI over axios. Nothing of axios leaves this file: its errors carry the whole configuration, and with it the login.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios';
import { asError, isBridgeError, PermanentError, RetriableError, type BridgeError } from '../../src/errors.js';
import { connectError, place, stoppedError } from './errors.js';
import type { AriLogin, AriQuery, AriReply, AriRequest, AriRest, AriRestOptions } from './rest-contract.js';

/** For a request that names no time of its own. */
export const REST_TIMEOUT_MS = 5_000;
/** Asterisk serves each connection with a thread of its own, and 100 in all unless told otherwise (http.conf: sessionlimit). */
const MOST_SOCKETS = 16;
/** Closed before Asterisk does it (http.conf: session_keep_alive, 15 s unless told otherwise). */
const IDLE_MS = 4_000;
/** Requests under way, those waiting for a connection included. More would mean that Asterisk does not answer. */
const MOST_UNDER_WAY = 1_000;
/** The list of all channels of a very busy PBX stays below. */
const MOST_BYTES = 16 * 1024 * 1024;

/** `Authorization` of a login. Goes into a header, and nowhere else. */
export const basicAuth = ({ username, secret }: AriLogin): string =>
  `Basic ${Buffer.from(`${username}:${secret.reveal()}`, 'utf8').toString('base64')}`;

/** `127.0.0.1:8088`, `[::1]:8088`: as it stands in a URL. */
export const authority = (host: string, port: number): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** Pure: opens no connection. */
export const createRest = (options: AriRestOptions): AriRest => new HttpRest(options);

class HttpRest implements AriRest {
  readonly #options: AriRestOptions;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  /** Each ends a request that is under way. */
  readonly #underWay = new Set<() => void>();
  #closed = false;

  constructor(options: AriRestOptions) {
    this.#options = options;
    const common = { keepAlive: true, maxSockets: MOST_SOCKETS, maxFreeSockets: MOST_SOCKETS, timeout: IDLE_MS };
    const { tls, host } = options;
    this.#http = new HttpAgent(common);
    this.#https = new HttpsAgent({
      ...common,
      ca: tls?.ca,
      // An address is no server name (RFC 6066); the certificate must then bear the address itself.
      servername: tls?.servername ?? (isIP(host) === 0 ? host : ''),
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
    });
  }

  async request(request: AriRequest): Promise<AriReply> {
    if (this.#closed || request.signal?.aborted === true) throw stoppedError();
    if (this.#underWay.size >= MOST_UNDER_WAY) {
      throw new RetriableError(
        'ZPB_ARI_BUSY',
        `${named(request)} was not sent: ${place(this.#options)} does not keep up (${this.#underWay.size} requests without an answer).`,
      );
    }
    return await this.#exchange(request, this.#urlOf(request));
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#underWay) stop();
    this.#http.destroy();
    this.#https.destroy();
  }

  async #exchange(request: AriRequest, url: string): Promise<AriReply> {
    const { clock } = this.#options;
    const { timeout = REST_TIMEOUT_MS, signal } = request;
    const abort = new AbortController();
    let ended: BridgeError | undefined;
    const end = (error: BridgeError): void => {
      ended ??= error;
      abort.abort();
    };
    const stop = (): void => {
      end(stoppedError());
    };
    this.#underWay.add(stop);
    signal?.addEventListener('abort', stop, { once: true });
    const cancel = clock.after(timeout, () => {
      end(
        new RetriableError(
          'ZPB_ARI_TIMEOUT',
          `${place(this.#options)} did not answer ${named(request)} within ${timeout} ms. It may be overloaded; a late answer is ignored.`,
        ),
      );
    });
    try {
      const configured = this.#configure(request, url, abort.signal);
      const response = await axios.request<unknown>(configured).catch(async (thrown: unknown) => {
        // Asterisk closed the idle connection at the very moment at which it was used again: nothing was done.
        if (request.method === 'POST' || !isStaleSocket(thrown)) throw thrown;
        return axios.request<unknown>(configured);
      });
      return this.#reply(request, response);
    } catch (thrown) {
      throw ended ?? this.#failure(request, thrown);
    } finally {
      cancel();
      this.#underWay.delete(stop);
      signal?.removeEventListener('abort', stop);
    }
  }

  #configure(request: AriRequest, url: string, signal: AbortSignal): AxiosRequestConfig {
    return {
      method: request.method,
      url,
      headers: {
        Accept: 'application/json',
        'Accept-Encoding': 'identity',
        Authorization: basicAuth(this.#options),
        'User-Agent': 'zammad-pbx-bridge',
        ...(request.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(request.body === undefined ? {} : { data: JSON.stringify(request.body) }),
      // The texts as they are, in both directions.
      transformRequest: [(data: unknown) => data],
      transformResponse: [(data: unknown) => data],
      responseType: 'text',
      validateStatus: () => true,
      // The login goes to the PBX, and not to whatever a reply or HTTP_PROXY names.
      maxRedirects: 0,
      proxy: false,
      maxContentLength: MOST_BYTES,
      httpAgent: this.#http,
      httpsAgent: this.#https,
      signal,
    };
  }

  #reply(request: AriRequest, { status, data }: AxiosResponse<unknown>): AriReply {
    const text = typeof data === 'string' ? data : '';
    if (text.trim() === '') return { status, body: undefined };
    try {
      return { status, body: JSON.parse(text) as unknown };
    } catch {
      // Asterisk's own web server says its errors in HTML: the status tells all there is.
      if (status >= 400) return { status, body: undefined };
      throw new RetriableError(
        'ZPB_ARI_REPLY',
        `What answers ${named(request)} at ${authority(this.#options.host, this.#options.port)} is no ARI: status ${status}, and no JSON. Check "host", "port" and "path".`,
      );
    }
  }

  #failure(request: AriRequest, thrown: unknown): BridgeError {
    if (isBridgeError(thrown)) return thrown;
    // Axios gives no code of its own to a body that is too long.
    if (asError(thrown).message.startsWith('maxContentLength size')) {
      return new RetriableError(
        'ZPB_ARI_REPLY',
        `The answer to ${named(request)} is longer than ${MOST_BYTES} bytes and was given up; ${place(this.#options)} may be none.`,
      );
    }
    return connectError(this.#options, this.#options.tls !== undefined, codeOf(thrown));
  }

  #urlOf(request: AriRequest): string {
    const { host, port, path, tls } = this.#options;
    for (const part of request.path) {
      // The one thing that escaping leaves to be understood as a step to another resource.
      if (part === '' || part === '.' || part === '..') {
        throw new PermanentError(
          'ZPB_ARI_REQUEST',
          `A request was not sent to ${place(this.#options)}: a part of its path is ${JSON.stringify(part)}.`,
        );
      }
    }
    const resource = request.path.map(encodeURIComponent).join('/');
    return `${tls === undefined ? 'http' : 'https'}://${authority(host, port)}${path}/${resource}${queryOf(request.query)}`;
  }
}

/** `?a=b`, or nothing. */
export function queryOf(query: AriQuery = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** For messages: without ids and values. */
const named = ({ method, path }: AriRequest): string => `${method} ${path[0] ?? ''}`;

function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  const { code } = thrown;
  return typeof code === 'string' && /^[A-Z0-9_]{1,64}$/u.test(code) ? code : undefined;
}

function isStaleSocket(thrown: unknown): boolean {
  const code = codeOf(thrown);
  if (code !== 'ECONNRESET' && code !== 'EPIPE') return false;
  const { request, response } = thrown as { request?: { reusedSocket?: unknown }; response?: unknown };
  return response === undefined && request?.reusedSocket === true;
}
