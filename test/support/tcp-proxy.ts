import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Both ends stay open, and nothing passes any more. */
  dead: boolean;
}

/**
 * A TCP proxy on loopback that can do to a connection what networks do: stay open at one end only, break, be gone.
 * `reset` breaks what there is; `cut` refuses new connections as well, until `mend` listens again at the same port.
 */
export class TcpProxy {
  readonly #pairs = new Set<Pair>();
  #swallows = false;
  #server: Server | undefined;
  #accepted = 0;
  #port: number;

  private constructor(
    private readonly target: number,
    port: number,
  ) {
    this.#port = port;
  }

  /** Listens at 127.0.0.1 on `port` (0 = any free one), in front of `target` there. */
  static async start(target: number, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, port);
    await proxy.mend();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }
  /** Connections accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /**
   * Both directions swallow everything from now on, FIN and RST included, and nobody is told: a machine without power, a
   * firewall that forgot.
   */
  blackhole(): void {
    this.#swallows = true;
    this.halfOpen();
  }

  /** The same for the connections there are; new ones are carried. Returns how many there were. */
  halfOpen(): number {
    const alive = [...this.#pairs].filter(({ dead }) => !dead);
    for (const pair of alive) pair.dead = true;
    return alive.length;
  }

  /** Resets every connection at both ends. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Resets every connection and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.reset();
    await closed;
  }

  async mend(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((client) => {
      this.#join(client, connect(this.target, '127.0.0.1'));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  close(): Promise<void> {
    return this.cut();
  }

  #join(client: Socket, server: Socket): void {
    this.#accepted += 1;
    const pair: Pair = { client, server, dead: this.#swallows };
    this.#pairs.add(pair);
    this.#carry(pair, client, server);
    this.#carry(pair, server, client);
  }

  #carry(pair: Pair, from: Socket, to: Socket): void {
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('data', (bytes) => {
      if (!pair.dead) to.write(bytes);
    });
    from.on('close', () => {
      if (!pair.dead) to.destroy();
      if (pair.client.destroyed && pair.server.destroyed) this.#pairs.delete(pair);
    });
  }
}
