import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';

/** asterisk-manager 0.2.0 as it is: tests show with it that a defect is real before they show that it is cured. */
export interface BareManager {
  on(event: string, listener: (...args: unknown[]) => void): void;
  removeAllListeners(event: string): void;
  connect(port: number, host: string, callback?: () => void): void;
  login(callback?: () => void): void;
  action(action: Record<string, unknown>, callback?: (error: unknown, reply: unknown) => void): string;
  disconnect(): void;
  keepConnected(): void;
  isConnected(): boolean;
  readonly reconnect?: unknown;
}
type CreateManager = (port?: number, host?: string, user?: string, secret?: string, events?: boolean) => BareManager;

export const bareManager = createRequire(import.meta.url)('asterisk-manager') as CreateManager;

/** The bare parser without a network: text in, its `rawevent` items out. */
export function bareParser(): {
  feed(text: string): void;
  readonly items: Record<string, unknown>[];
  readonly manager: BareManager;
} {
  const socket = Object.assign(new EventEmitter(), {
    readyState: 'open',
    setKeepAlive: () => undefined,
    setNoDelay: () => undefined,
    setEncoding: () => undefined,
  });
  const manager = bareManager();
  manager.removeAllListeners('rawevent');
  const items: Record<string, unknown>[] = [];
  manager.on('rawevent', (item) => {
    items.push(item as Record<string, unknown>);
  });
  const real = net.createConnection;
  net.createConnection = (() => socket) as unknown as typeof net.createConnection;
  try {
    manager.connect(1, '');
  } finally {
    net.createConnection = real;
  }
  return { items, manager, feed: (text) => socket.emit('data', text) };
}
