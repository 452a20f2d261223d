/**
 * One HTTP request over axios and what became of it. Nothing of axios leaves this file: its errors carry the whole
 * configuration, and with it the URL, which holds the token.
 */
import axios from 'axios';
import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import type { Clock } from '../clock.js';
import type { Millis } from '../call/vocabulary.js';
import type { Connections } from './connections.js';
import type { Answer } from './judge-status.js';
import { RequestTrack } from './request-track.js';

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST';
  /** With the token: handed to axios and to nobody else. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** From here to the end of the answer's body. */
  readonly timeout: Millis;
  /** Bytes of the answer's body. */
  readonly maxBody: number;
  readonly connections: Connections;
  readonly signal?: AbortSignal | undefined;
  /** Asked right before the first byte goes out. */
  readonly mayBegin?: (() => boolean) | undefined;
}

export type Exchange =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** `reached`: the server may have got the request. `code`: Node's, `DEADLINE`, `STOPPED` (the caller's signal) or `FENCED` (`mayBegin`). */
  | { readonly kind: 'failed'; readonly reached: boolean; readonly code: string };

/** Never rejects. */
export async function exchange(clock: Clock, request: ExchangeRequest): Promise<Exchange> {
  const track = new RequestTrack(request.mayBegin);
  const abort = new AbortController();
  let ended: 'DEADLINE' | 'STOPPED' | undefined;
  const end = (why: 'DEADLINE' | 'STOPPED'): void => {
    ended ??= why;
    abort.abort();
  };
  const stop = (): void => {
    end('STOPPED');
  };
  if (request.signal?.aborted === true) return { kind: 'failed', reached: false, code: 'STOPPED' };
  request.signal?.addEventListener('abort', stop, { once: true });
  const cancelDeadline = clock.after(request.timeout, () => {
    end('DEADLINE');
  });
  try {
    const response: AxiosResponse<unknown> = await axios.request<unknown>(configure(request, track, abort.signal));
    const body = typeof response.data === 'string' ? response.data : '';
    return { kind: 'answered', answer: answerOf(response.status, response.headers, body) };
  } catch (thrown) {
    track.destroy();
    if (track.fenced) return { kind: 'failed', reached: false, code: 'FENCED' };
    const code = ended ?? codeOf(thrown);
    const head = track.response;
    if (head?.statusCode === undefined) return { kind: 'failed', reached: track.reached, code };
    // The head was there: its status counts, whatever became of the body.
    const cut = isTooLong(thrown) ? 'tooLong' : 'broken';
    return { kind: 'answered', answer: { ...answerOf(head.statusCode, head.headers, ''), cut } };
  } finally {
    cancelDeadline();
    request.signal?.removeEventListener('abort', stop);
  }
}

function configure(request: ExchangeRequest, track: RequestTrack, signal: AbortSignal): AxiosRequestConfig {
  return {
    method: request.method,
    url: request.url,
    headers: {
      // Alone: with a list, as axios sends it, Zammad answers errors in HTML.
      Accept: 'application/json',
      'Accept-Encoding': 'identity',
      ...request.headers,
    },
    ...(request.body === undefined ? {} : { data: request.body }),
    // The texts as they are, in both directions.
    transformRequest: [(data: unknown) => data],
    transformResponse: [(data: unknown) => data],
    responseType: 'text',
    validateStatus: () => true,
    // A followed 301 turns the POST into a GET and loses it.
    maxRedirects: 0,
    maxContentLength: request.maxBody,
    // The URL holds the token: it goes to Zammad, not to whatever HTTP_PROXY names.
    proxy: false,
    httpAgent: request.connections.http,
    httpsAgent: request.connections.https,
    timeout: request.timeout,
    signal,
    transport: track.transport,
  };
}

function answerOf(status: number, headers: unknown, body: string): Answer {
  const retryAfter = Number(header(headers, 'retry-after') ?? Number.NaN);
  return {
    status,
    body,
    redirectOrigin: originOf(header(headers, 'location')),
    requestId: safeId(header(headers, 'x-request-id')),
    retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : undefined,
  };
}

function header(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const value: unknown = (headers as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}

function originOf(location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location)) return undefined;
  return new URL(location).origin;
}

/** Foreign text for people: only what an id looks like. */
const safeId = (text: string | undefined): string | undefined =>
  text !== undefined && /^[\w-]{1,64}$/u.test(text) ? text : undefined;

function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return 'UNEXPECTED';
  const { code } = thrown;
  if (typeof code !== 'string' || !/^[A-Z0-9_]{1,64}$/u.test(code)) return 'UNEXPECTED';
  // Axios' own time-out is the same deadline, seen by another timer.
  return code === 'ECONNABORTED' ? 'DEADLINE' : code;
}

// Axios gives no code of its own to a body that is too long.
const isTooLong = (thrown: unknown): boolean =>
  thrown instanceof Error && thrown.message.startsWith('maxContentLength size');
