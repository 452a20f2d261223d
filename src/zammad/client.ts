/** One Zammad over HTTP: sends posts, looks at its caller log, and probes it. */
import { createSecureContext } from 'node:tls';
import { PermanentError } from '../errors.js';
import type { Clock } from '../clock.js';
import type { Secret } from '../secret.js';
import type { Millis, Post, ZammadName } from '../call/vocabulary.js';
import { parseCallLog } from './call-log.js';
import { createConnections } from './connections.js';
import { encodePost } from './encode.js';
import type { EncodedPost, Encoding } from './encode.js';
import { failureWords } from './failure-words.js';
import { exchange } from './http-exchange.js';
import type { Exchange, ExchangeRequest } from './http-exchange.js';
import { judgeProbe, judgeReach, judgeStatus } from './judge-status.js';
import type { CallLogResult, Outcome, ProbeResult } from './outcome.js';
import { REPLY_LIMIT } from './reply.js';

export interface RequestOptions {
  /** Deadline of the whole request, ms. */
  readonly timeout: Millis;
  /** Cuts the request short; its outcome is then judged like a broken connection. */
  readonly signal?: AbortSignal | undefined;
  /** Use a connection of its own instead of one that the server may be closing this very moment. */
  readonly freshSocket?: boolean | undefined;
  /** Asked once more when there is a connection, right before the first byte goes out; false = `notSent`. */
  readonly mayBegin?: (() => boolean) | undefined;
}

/** What the dispatcher needs of a Zammad. No method ever rejects. */
export interface ZammadClient {
  post(post: Post, options: RequestOptions): Promise<Outcome>;
  /** Says whether URL, token and feature are right, without telling a call. */
  probe(options: RequestOptions): Promise<ProbeResult>;
  /** Says whether Zammad can be reached, and nothing more; unlike a probe it leaves no line in Zammad's own log of requests. */
  reach(options: RequestOptions): Promise<ProbeResult>;
  /** True with an API token: `callLog` is worth asking. */
  readonly canReadBack: boolean;
  /** The newest rows of Zammad's caller log, as the API token's user sees them. */
  callLog(options: RequestOptions): Promise<CallLogResult>;
  /** Ends every connection. */
  close(): void;
}

export interface ZammadClientSettings {
  readonly name: ZammadName;
  /** The whole URL as pasted from Zammad's admin page, with the token. */
  readonly url: Secret;
  /** Scheme, host and port of it: what messages show. */
  readonly origin: string;
  readonly apiToken?: Secret | undefined;
  readonly encoding: Encoding;
  /** Authorities to trust, from `readAuthorities`; Node's own if not given. */
  readonly ca?: readonly string[] | undefined;
  /** The bridge's version, for the User-Agent. */
  readonly version: string;
  readonly clock: Clock;
  /** A connection idle for longer is closed and not used again. Default 2000 ms. */
  readonly maxIdle?: Millis | undefined;
}

/** 300 rows with all the users they name stay well below. */
const CALL_LOG_LIMIT = 4 * 1024 * 1024;

/** Throws a PermanentError `ZPB_ZAMMAD_URL` for a URL that is none. Opens no connection. */
export function createZammadClient(settings: ZammadClientSettings): ZammadClient {
  return new HttpZammadClient(settings);
}

class HttpZammadClient implements ZammadClient {
  readonly #settings: ZammadClientSettings;
  readonly #kept;
  readonly #fresh;

  constructor(settings: ZammadClientSettings) {
    const { name, url, ca, maxIdle = 2000 } = settings;
    if (!/^https?:/u.test(url.reveal()) || !URL.canParse(url.reveal())) {
      throw new PermanentError(
        'ZPB_ZAMMAD_URL',
        `The url of Zammad ${name} is no http or https URL: paste it from Zammad's page Admin → System → Integrations → CTI (generic)`,
      );
    }
    this.#settings = settings;
    // Made once: parsing all the authorities takes some 20 ms, which every connection would cost again.
    const secureContext = ca === undefined ? undefined : createSecureContext({ ca: [...ca] });
    this.#kept = createConnections({ keepAlive: true, maxIdle, secureContext });
    this.#fresh = createConnections({ keepAlive: false, maxIdle, secureContext });
  }

  get canReadBack(): boolean {
    return this.#settings.apiToken !== undefined;
  }

  async post(post: Post, options: RequestOptions): Promise<Outcome> {
    const result = await this.#push(encodePost(post, this.#settings.encoding), options);
    if (result.kind === 'answered') return judgeStatus(post, result.answer, this.#settings.origin);
    const message = this.#words(result.code, options);
    if (result.code === 'FENCED') return { kind: 'notSent', message };
    return result.reached ? { kind: 'unknownOutcome', cause: 'silent', message } : { kind: 'notProcessed', message };
  }

  async probe(options: RequestOptions): Promise<ProbeResult> {
    // Zammad checks feature, token and configuration, then the direction, and then nothing more.
    const nothing = { contentType: 'application/x-www-form-urlencoded', body: '' };
    const result = await this.#push(nothing, options);
    return result.kind === 'answered'
      ? judgeProbe(result.answer, this.#settings.origin)
      : { kind: 'down', message: this.#words(result.code, options) };
  }

  async reach(options: RequestOptions): Promise<ProbeResult> {
    const request = { method: 'GET', url: this.#ctiPath(''), headers: {}, maxBody: REPLY_LIMIT } as const;
    const result = await this.#exchange(request, options);
    return result.kind === 'answered'
      ? judgeReach(result.answer, this.#settings.origin)
      : { kind: 'down', message: this.#words(result.code, options) };
  }

  async callLog(options: RequestOptions): Promise<CallLogResult> {
    const { apiToken, name, origin } = this.#settings;
    if (apiToken === undefined) {
      return { kind: 'denied', message: `Zammad ${name} has no apiToken, so its caller log cannot be read` };
    }
    const result = await this.#exchange(
      {
        method: 'GET',
        url: this.#ctiPath('/log'),
        headers: { Authorization: `Token token=${apiToken.reveal()}` },
        maxBody: CALL_LOG_LIMIT,
      },
      options,
    );
    return result.kind === 'answered'
      ? parseCallLog(result.answer, origin)
      : { kind: 'failed', message: this.#words(result.code, options) };
  }

  close(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }

  #push(encoded: EncodedPost, options: RequestOptions): Promise<Exchange> {
    return this.#exchange(
      {
        method: 'POST',
        url: this.#settings.url.reveal(),
        headers: { 'Content-Type': encoded.contentType },
        body: encoded.body,
        maxBody: REPLY_LIMIT,
      },
      options,
    );
  }

  #exchange(
    request: Omit<ExchangeRequest, 'timeout' | 'signal' | 'mayBegin' | 'connections'>,
    { timeout, signal, freshSocket, mayBegin }: RequestOptions,
  ): Promise<Exchange> {
    const { clock, version } = this.#settings;
    return exchange(clock, {
      ...request,
      headers: { ...request.headers, 'User-Agent': `zammad-pbx-bridge/${version}` },
      timeout,
      signal,
      mayBegin,
      connections: freshSocket === true ? this.#fresh : this.#kept,
    });
  }

  /** `/api/v1/cti/TOKEN` → `/api/v1/cti/log`, behind whatever path Zammad itself has. */
  #ctiPath(rest: '' | '/log'): string {
    const url = new URL(this.#settings.url.reveal());
    const cti = url.pathname.lastIndexOf('/cti/');
    const before = cti < 0 ? '/api/v1' : url.pathname.slice(0, cti);
    return new URL(`${before}/cti${rest}`, url.origin).href;
  }

  #words(code: string, { timeout }: RequestOptions): string {
    return failureWords(code, this.#settings.origin, timeout);
  }
}
