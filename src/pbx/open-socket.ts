import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../clock.js';
import { asError, type BridgeError } from '../errors.js';

/** How to make sure who is at the other end. The certificate is always checked. */
export interface SocketTls {
  /** PEM text of the authorities to trust instead of the system's; for a self-signed certificate: itself. */
  readonly ca?: string | undefined;
  /** Name the certificate must bear; default: the host. */
  readonly servername?: string | undefined;
}

export interface OpenSocketOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls?: SocketTls | undefined;
  /** Until the connection stands, TLS included, ms. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What to reject with when it could not be opened. */
  readonly failed: (cause: Error) => BridgeError;
  /** What to reject with when the signal was aborted. */
  readonly stopped: () => BridgeError;
}

/** Between TCP's own probes on an idle connection, ms. What really watches it is KeepAlive. */
const TCP_KEEPALIVE_MS = 10_000;

/**
 * Opens a TCP or TLS connection to a PBX. The socket has an `error` listener, so an error between two owners ends it quietly.
 * @throws what `failed` or `stopped` give.
 */
export function openSocket(options: OpenSocketOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port, tls, clock, signal, failed, stopped } = options;
    if (signal.aborted) {
      reject(stopped());
      return;
    }
    let socket: Socket;
    try {
      socket = tls === undefined ? connectTcp({ host, port }) : connectTls(tlsOptions(host, port, tls));
    } catch (thrown) {
      // A `ca` that is no PEM text.
      reject(failed(asError(thrown)));
      return;
    }
    const settle = (error?: BridgeError): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      socket.removeListener('close', onClose);
      if (error === undefined) {
        resolve(socket);
      } else {
        socket.destroy();
        reject(error);
      }
    };
    const onAbort = (): void => {
      settle(stopped());
    };
    const onClose = (): void => {
      settle(failed(new Error('closed by the other end')));
    };
    const cancel = clock.after(options.timeout, () => {
      settle(failed(new Error(`no answer within ${options.timeout} ms`)));
    });
    signal.addEventListener('abort', onAbort, { once: true });
    // Stays for the socket's whole life: an error without a listener would end the process.
    socket.on('error', (error) => {
      settle(failed(error));
    });
    socket.once('close', onClose);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
      settle();
    });
  });
}

const tlsOptions = (host: string, port: number, tls: SocketTls) => ({
  host,
  port,
  ca: tls.ca,
  // An address is no server name (RFC 6066); the certificate must then bear the address itself.
  servername: tls.servername ?? (isIP(host) === 0 ? host : ''),
  minVersion: 'TLSv1.2' as const,
  rejectUnauthorized: true,
});

/**
 * The setting `tls` of an adapter, whose `ca` is the path of a PEM file, as `openSocket` wants it; undefined: plain TCP. To be
 * read at each connect, so that a renewed authority counts.
 * @throws what `unreadable` gives.
 */
export async function readTls(
  tls: SocketTls | undefined,
  unreadable: (cause: Error) => BridgeError,
): Promise<SocketTls | undefined> {
  if (tls === undefined) return undefined;
  try {
    return { ca: tls.ca === undefined ? undefined : await readFile(tls.ca, 'utf8'), servername: tls.servername };
  } catch (thrown) {
    throw unreadable(asError(thrown));
  }
}
