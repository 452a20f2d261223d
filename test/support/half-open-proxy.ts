import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What happens to the bytes of one direction. */
export type Wire =
  /** They go through. */
  | { readonly kind: 'open' }
  /** They are taken and thrown away, and nobody is told: a machine without power, a firewall that forgot. */
  | { readonly kind: 'blackhole' }
  /** They go through `ms` later, in order. */
  | { readonly kind: 'delay'; readonly ms: number };

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly timers: Set<NodeJS.Timeout>;
}

/** A TCP proxy on loopback that can do to a connection what networks do: stay open at one end only, be slow, break. */
export class HalfOpenProxy {
  /** Bytes of the client, on their way to the server. */
  toServer: Wire = { kind: 'open' };
  /** Bytes of the server, on their way to the client. */
  toClient: Wire = { kind: 'open' };
  readonly #pairs = new Set<Pair>();
  #accepted = 0;

  private constructor(
    private readonly listener: Server,
    readonly port: number,
  ) {}

  /** Listens on an ephemeral port of 127.0.0.1, in front of `target` there. */
  static async start(target: number): Promise<HalfOpenProxy> {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const proxy = new HalfOpenProxy(listener, (listener.address() as AddressInfo).port);
    listener.on('connection', (client) => {
      proxy.#join(client, connect(target, '127.0.0.1'));
    });
    return proxy;
  }

  /** Connections so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Both directions swallow everything from now on, FIN and RST included. */
  blackhole(): void {
    this.toServer = { kind: 'blackhole' };
    this.toClient = { kind: 'blackhole' };
  }

  /** Resets every connection at both ends. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    for (const { client, server, timers } of this.#pairs) {
      for (const timer of timers) clearTimeout(timer);
      client.destroy();
      server.destroy();
    }
    await closed;
  }

  #join(client: Socket, server: Socket): void {
    this.#accepted += 1;
    const pair: Pair = { client, server, timers: new Set() };
    this.#pairs.add(pair);
    this.#carry(pair, client, server, () => this.toServer);
    this.#carry(pair, server, client, () => this.toClient);
  }

  #carry(pair: Pair, from: Socket, to: Socket, wire: () => Wire): void {
    const pass = (task: () => void): void => {
      const now = wire();
      if (now.kind === 'blackhole') return;
      if (now.kind === 'open') {
        task();
        return;
      }
      const timer = setTimeout(() => {
        pair.timers.delete(timer);
        task();
      }, now.ms);
      pair.timers.add(timer);
    };
    from.setNoDelay(true);
    from.on('error', () => undefined);
    from.on('data', (bytes) => {
      pass(() => to.write(bytes));
    });
    from.on('close', () => {
      pass(() => to.destroy());
      if (pair.client.destroyed && pair.server.destroyed) this.#pairs.delete(pair);
    });
  }
}
