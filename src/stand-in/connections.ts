import type { Socket } from 'node:net';
import type { Clock } from '../clock.js';

interface Connection {
  requests: number;
  busy: number;
  cancelIdle: (() => void) | undefined;
}

/** The open connections: how often each was used, and how long it has been idle. */
export class Connections {
  readonly #open = new Map<Socket, Connection>();
  readonly #clock: Clock;
  readonly #idleLimit: () => number | undefined;
  constructor(clock: Clock, idleLimit: () => number | undefined) {
    this.#clock = clock;
    this.#idleLimit = idleLimit;
  }

  add(socket: Socket): void {
    this.#open.set(socket, { requests: 0, busy: 0, cancelIdle: undefined });
    socket.once('close', () => {
      this.#open.get(socket)?.cancelIdle?.();
      this.#open.delete(socket);
    });
  }

  /** A request begins. True = the connection has carried one before. */
  begin(socket: Socket): boolean {
    const connection = this.#open.get(socket);
    if (connection === undefined) return false;
    connection.cancelIdle?.();
    connection.cancelIdle = undefined;
    connection.busy += 1;
    connection.requests += 1;
    return connection.requests > 1;
  }

  end(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.busy -= 1;
    this.#watch(socket, connection);
  }

  /** The idle limit has changed: idle connections count from now. */
  rewatch(): void {
    for (const [socket, connection] of this.#open) this.#watch(socket, connection);
  }

  closeAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #watch(socket: Socket, connection: Connection): void {
    connection.cancelIdle?.();
    connection.cancelIdle = undefined;
    const ms = this.#idleLimit();
    if (ms === undefined || connection.busy > 0 || connection.requests === 0) return;
    connection.cancelIdle = this.#clock.after(ms, () => socket.destroy());
  }
}
