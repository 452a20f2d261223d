import { isLoopback } from './config/loopback.js';

export interface OwnAddressFacts {
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string | undefined;
  readonly tls?: object | undefined;
}

/** Where another machine finds this one; undefined where it is not known, or nothing is served. */
export function ownAddress({ host, port, publicUrl, tls }: OwnAddressFacts, machine: string): string | undefined {
  if (port === 0) return undefined;
  if (publicUrl !== undefined) return publicUrl;
  // Perhaps a proxy stands before it, but which?
  if (isLoopback(host) || host === '::1') return undefined;
  const name = host === '0.0.0.0' || host === '::' ? machine : host;
  return `${tls === undefined ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
