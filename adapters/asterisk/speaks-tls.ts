import { connect as connectTls } from 'node:tls';
import type { Clock } from '../../src/clock.js';

/** Whether a TLS handshake comes about. Nothing is said by it, so whose certificate it is does not matter here. */
export function speaksTls(
  { host, port }: { readonly host: string; readonly port: number },
  within: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false });
    const settle = (speaks: boolean): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(speaks);
    };
    const onAbort = (): void => {
      settle(false);
    };
    const cancel = clock.after(within, onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('secureConnect', () => {
      settle(true);
    });
    socket.once('close', onAbort);
    socket.on('error', onAbort);
    if (signal.aborted) onAbort();
  });
}
