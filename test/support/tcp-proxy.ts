import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * Stands between a client and a server on loopback, so that a test can cut the wire: `cut` ends every connection at once
 * and refuses new ones, `mend` listens again at the same port.
 */
export class TcpProxy {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #accepted = 0;

  private constructor(
    readonly port: number,
    private readonly target: number,
  ) {}

  /** `port`: where to listen, `target`: where to connect, both at 127.0.0.1. */
  static async start(port: number, target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, target);
    await proxy.mend();
    return proxy;
  }

  /** Connections accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  async mend(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((client) => {
      this.#join(client);
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  async cut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  close(): Promise<void> {
    return this.cut();
  }

  #join(client: Socket): void {
    this.#accepted += 1;
    const upstream = connect(this.target, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
