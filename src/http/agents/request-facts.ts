import type { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import type { RequestFacts } from './transport.js';

/** A header that stands there several times is one text, which nobody takes for a value. */
export const one = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join(', ');

export function factsOf({ headers, socket }: FastifyRequest): RequestFacts {
  return {
    encrypted: (socket as Partial<TLSSocket>).encrypted === true,
    peer: socket.remoteAddress ?? '',
    host: headers.host,
    forwardedProto: one(headers['x-forwarded-proto']),
    forwardedHost: one(headers['x-forwarded-host']),
    forwarded: ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'x-real-ip', 'via'].some(
      (name) => headers[name] !== undefined,
    ),
  };
}
