/** The one shape of an error over HTTP, and the headers that every reply carries. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { asError } from '../errors.js';

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string };
}

export const errorBody = (code: string, message: string): ErrorBody => ({ error: { code, message } });

/** A module that serves pages sets its own `content-security-policy`; what a route has set is left alone. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** The path alone: a query may hold a token, and a long one is nobody's typing. */
const safePath = (url: string): string => (url.split('?', 1)[0] ?? '').slice(0, 200);

/** What a refused request is told, by status. */
const REFUSALS: Readonly<Record<number, readonly [code: string, message: string]>> = {
  413: ['ZPB_HTTP_TOO_LARGE', 'The request body is larger than this server takes.'],
  415: [
    'ZPB_HTTP_MEDIA_TYPE',
    'The body has a content type that is not taken here. JSON needs the header "Content-Type: application/json".',
  ],
  503: ['ZPB_HTTP_STOPPING', 'The bridge is stopping. Try again in a moment.'],
};

function statusOf(error: Error): number {
  const { statusCode } = error as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode <= 599 ? statusCode : 500;
}

export function installReplies(app: FastifyInstance, log: Logger): void {
  app.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) if (!reply.hasHeader(name)) reply.header(name, value);
    await Promise.resolve();
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(errorBody('ZPB_HTTP_NOT_FOUND', `There is nothing at ${request.method} ${safePath(request.url)}.`)),
  );
  app.setErrorHandler((thrown, request, reply) => {
    const error = asError(thrown);
    const status = statusOf(error);
    if (status >= 500 && status !== 503) {
      log.error({ error, method: request.method, path: safePath(request.url) }, 'a request could not be answered');
      // What went wrong inside is for the log: the message of a foreign error may hold anything.
      return reply
        .code(status)
        .send(errorBody('ZPB_HTTP_INTERNAL', 'The bridge could not answer this request. Its log says why.'));
    }
    const [code, message] = REFUSALS[status] ?? ['ZPB_HTTP_BAD_REQUEST', 'The request cannot be understood.'];
    return reply.code(status).send(errorBody(code, message));
  });
}

/** The reply to bytes that are no HTTP request, or that came too slowly: written to the bare socket. */
export function rawRefusal(nodeCode: string | undefined): string {
  const [status, code, message] =
    nodeCode === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? (['408 Request Timeout', 'ZPB_HTTP_TOO_SLOW', 'The request did not arrive in time.'] as const)
      : nodeCode === 'HPE_HEADER_OVERFLOW'
        ? ([
            '431 Request Header Fields Too Large',
            'ZPB_HTTP_TOO_LARGE',
            'The headers are larger than this server takes.',
          ] as const)
        : (['400 Bad Request', 'ZPB_HTTP_BAD_REQUEST', 'The request cannot be understood.'] as const);
  const body = JSON.stringify(errorBody(code, message));
  const headers = Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
  return (
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json; charset=utf-8\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n${headers.join('')}\r\n${body}`
  );
}
