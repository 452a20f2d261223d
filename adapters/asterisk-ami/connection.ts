import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../src/clock.js';
import { asError, type BridgeError } from '../../src/errors.js';
import { connectError, stoppedError } from './session-errors.js';

/** How to make sure who is at the other end. The certificate is always checked. */
export interface AmiTls {
  /** PEM text of the authorities to trust instead of the system's; for a self-signed certificate: itself. */
  readonly ca?: string | undefined;
  /** Name the certificate must bear; default: the host. */
  readonly servername?: string | undefined;
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: AmiTls | undefined;
  /** Until the connection stands, TLS included, ms. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Between TCP's own probes on an idle connection, ms. The session's Ping is what really watches it. */
const TCP_KEEPALIVE_MS = 10_000;

/**
 * Opens a TCP or TLS connection. The socket has an `error` listener, so an error between two owners ends it quietly.
 * @throws RetriableError ZPB_AMI_CONNECT; PermanentError ZPB_AMI_TLS when the certificate is not to be trusted.
 */
export function openSocket(options: ConnectOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port, tls, clock, signal } = options;
    if (signal.aborted) {
      reject(stoppedError());
      return;
    }
    const failed = (error: Error): BridgeError => connectError(options, tls !== undefined, error);
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
      settle(stoppedError());
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

const tlsOptions = (host: string, port: number, tls: AmiTls) => ({
  host,
  port,
  ca: tls.ca,
  // An address is no server name (RFC 6066); the certificate must then bear the address itself.
  servername: tls.servername ?? (isIP(host) === 0 ? host : ''),
  minVersion: 'TLSv1.2' as const,
  rejectUnauthorized: true,
});
