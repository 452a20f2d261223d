/** A question to the running bridge's API, for commands. */
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest, type RequestOptions } from 'node:https';
import { isLoopback } from '../config/loopback.js';
import { asError, RetriableError } from '../errors.js';
import { UsageError } from './args.js';
import type { CommandContext, CommandOption } from './command.js';

export interface ApiTarget {
  /** Of the bridge: `http://127.0.0.1:9470`. */
  readonly base: URL;
  readonly token: string;
  /** PEM of the authority that signed its certificate. */
  readonly ca?: string | undefined;
}

export interface ApiQuestion {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/v1`. */
  readonly path: string;
  readonly body?: unknown;
  /** For the whole of it, ms. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

export interface ApiReply {
  readonly status: number;
  /** Parsed; undefined: it is no JSON. */
  readonly body: unknown;
}

const MAX_REPLY = 64 * 1024;

/** The options by which a command finds the bridge and says who calls. */
export const apiOptions = {
  url: {
    type: 'string',
    value: 'URL',
    doc: 'The running bridge. Default: $ZPB_URL, else http://127.0.0.1:9470, with the port of $ZPB_HTTP_PORT if it is set.',
  },
  'token-file': {
    type: 'string',
    value: 'FILE',
    doc: 'File that holds the token. Default: the token in $ZPB_TOKEN.',
  },
  ca: {
    type: 'string',
    value: 'FILE',
    doc: "PEM file of the authority of the bridge's certificate, if it is no public one.",
  },
} as const satisfies Readonly<Record<string, CommandOption>>;

/** Throws a UsageError for what cannot be meant; a token must not travel unencrypted to another machine. */
export function apiTarget({ options, env }: Pick<CommandContext, 'options' | 'env'>): ApiTarget {
  const named = options['url'] ?? (env['ZPB_URL'] || undefined);
  const text = typeof named === 'string' ? named : `http://127.0.0.1:${env['ZPB_HTTP_PORT'] || '9470'}`;
  if (!URL.canParse(text)) throw new UsageError('--url is no URL; write it like https://phone.example.com');
  const base = new URL(text);
  if (base.protocol !== 'https:' && base.protocol !== 'http:')
    throw new UsageError('--url must begin with https:// or http://');
  if (base.protocol === 'http:' && !isLoopback(base.hostname))
    throw new UsageError('--url: a token must not travel unencrypted to another machine; write https://');
  const file = options['token-file'];
  const token = (typeof file === 'string' ? read(file, '--token-file') : (env['ZPB_TOKEN'] ?? '')).trim();
  if (!/^[\x21-\x7e]{1,200}$/.test(token))
    throw new UsageError('there is no token: give --token-file FILE or ZPB_TOKEN (made by "token create EXTENSION")');
  const ca = options['ca'];
  return { base, token, ca: typeof ca === 'string' ? read(ca, '--ca') : undefined };
}

function read(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new UsageError(`${option}: the file cannot be read (${(thrown as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** Rejects with a RetriableError `ZPB_API_UNREACHABLE` when no reply comes. Follows no redirect. */
export function askApi({ base, token, ca }: ApiTarget, question: ApiQuestion): Promise<ApiReply> {
  const { method, path, body, deadline, signal } = question;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const url = new URL(`${base.pathname.replace(/\/$/, '')}/api/v1${path}`, base);
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${token}`,
    ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  };
  const ending = AbortSignal.any([signal, AbortSignal.timeout(deadline)]);
  const options: RequestOptions = { method, headers, signal: ending, agent: false, ...(ca !== undefined && { ca }) };
  return new Promise((resolve, reject) => {
    const fail = (thrown: unknown): void => {
      const reason = ending.aborted && !signal.aborted ? `no reply within ${deadline} ms` : reasonOf(thrown);
      reject(new RetriableError('ZPB_API_UNREACHABLE', `The bridge cannot be reached at ${base.origin}: ${reason}`));
    };
    const sent = (url.protocol === 'https:' ? tlsRequest : plainRequest)(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_REPLY) sent.destroy(new Error('its reply is too long to be the bridge'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) });
      });
    });
    sent.on('error', fail);
    sent.end(text);
  });
}

/** Node's words for TLS are OpenSSL's, and name no way out. */
function reasonOf(thrown: unknown): string {
  const { code, message } = asError(thrown) as NodeJS.ErrnoException;
  if (code === 'EPROTO') return 'it does not speak TLS there; without TLS the address begins with http://';
  if (code === 'ECONNRESET') return `${message} (if it speaks TLS, the address begins with https://)`;
  if (/^(?:DEPTH_ZERO_)?SELF_SIGNED_CERT|^UNABLE_TO_/.test(code ?? ''))
    return `its certificate is of no authority that is known here (${message}); name that with --ca FILE`;
  return message;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What a reply says to people: `words` of an answer, or the message of an error. */
export function replyWords({ status, body }: ApiReply): string {
  const { words, error } = (typeof body === 'object' && body !== null ? body : {}) as {
    readonly words?: unknown;
    readonly error?: { readonly message?: unknown };
  };
  if (typeof words === 'string') return words;
  if (typeof error?.message === 'string') return error.message;
  return `status ${status}, and nothing that the bridge would say: is it the bridge?`;
}
