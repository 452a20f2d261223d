import { BlockList, createServer, isIP, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { backoff } from '../backoff.js';
import type { Millis } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import { RetriableError, type BridgeError } from '../errors.js';
import type { GateState } from './orders.js';

export interface GateListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Addresses, or networks as `10.0.0.0/8`, that may connect. */
  readonly allow: readonly string[];
  /** Calls that may wait at one time; those beyond go on unasked. Default 500. */
  readonly maxConnections?: number | undefined;
  /** A peer that may connect. It is the listener's to destroy when the gate is closed. */
  readonly onSocket: (socket: Socket) => void;
  /**
   * A peer that is not served, because it may not connect or too many wait: to be let go, where a PBX would not go on with its call by
   * itself. The listener destroys it when the gate is closed. Without this it is cut off.
   */
  readonly onTurnedAway?: ((socket: Socket) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'gate_refused') => void;
}

const MAX_CONNECTIONS = 500;
/** Peers that are turned away at one time; what is beyond is cut off. */
const MOST_TURNED_AWAY = 500;
/** The same complaint is not logged again within this. */
const QUIET_MS = 60_000;
/** Nobody else tries for this port in step with us: no chance is needed in these waits. */
const AGAIN = { first: 1_000, max: 60_000 };

/**
 * The port at which a PBX asks before any phone rings. A port that cannot be had is tried again with growing waits, from `open`
 * until `close`; meanwhile connections are refused, and a dialplan goes on by itself.
 */
export class GateListener {
  readonly #allowed = new BlockList();
  readonly #sockets = new Set<Socket>();
  readonly #turnedAway = new Set<Socket>();
  /** When each kind of complaint was logged, monotonic ms. */
  readonly #complained = new Map<string, Millis>();
  #server: Server | undefined;
  /** Between `open` and `close`. */
  #wanted = false;
  /** The try that is under way; never rejects. */
  #trying: Promise<unknown> = Promise.resolve();
  #cancelAgain: () => void = () => undefined;
  #failure: BridgeError | undefined;

  constructor(private readonly options: GateListenerOptions) {
    for (const entry of options.allow) {
      const [address = '', bits] = entry.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#allowed.addAddress(address, family);
      else this.#allowed.addSubnet(address, Number(bits), family);
    }
  }

  /** Where it listens; undefined: it does not. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** Connections it holds now. */
  get connections(): number {
    return this.#sockets.size;
  }

  get state(): GateState {
    if (this.#server !== undefined) return { kind: 'open' };
    const reason = this.#failure?.message ?? 'the gate is open only while the PBX is heard';
    return { kind: 'closed', reason };
  }

  /** For `Hearing.missing`: it should listen and does not. */
  get missing(): readonly string[] {
    const reason = this.#failure?.message;
    return reason === undefined ? [] : [`calls are not asked about before phones ring: ${reason}`];
  }

  /** Resolves when it listens, with undefined, or with why it does not: then it goes on trying. Never rejects. */
  async open(): Promise<BridgeError | undefined> {
    if (!this.#wanted) {
      this.#wanted = true;
      this.#trying = this.#try(1);
    }
    await this.#trying;
    return this.#failure;
  }

  /** Calls that wait go on. */
  async close(): Promise<void> {
    this.#wanted = false;
    this.#cancelAgain();
    await this.#trying;
    this.#failure = undefined;
    const server = this.#server;
    this.#server = undefined;
    for (const socket of [...this.#sockets, ...this.#turnedAway]) socket.destroy();
    if (server !== undefined) await closed(server);
  }

  /** Somebody is not served. Counted each time, said now and then: who floods the port must not flood the log. */
  refuse(kind: string, why: string): void {
    this.options.count('gate_refused');
    this.complain(kind, why);
  }

  complain(kind: string, why: string): void {
    const { clock, log } = this.options;
    const before = this.#complained.get(kind);
    if (before !== undefined && clock.monotonic() - before < QUIET_MS) return;
    this.#complained.set(kind, clock.monotonic());
    log.warn(`gate: ${why}`);
  }

  async #try(times: number): Promise<void> {
    const { host, port, log, clock } = this.options;
    const server = this.#createServer();
    const error = await listening(server, port, host);
    if (error === undefined) {
      server.on('error', (fault) => {
        log.warn({ error: fault }, 'gate: the server has a fault');
      });
      if (this.#wanted) {
        this.#server = server;
        this.#failure = undefined;
        if (times > 1) log.info(`gate: it listens at ${host}:${port} now`);
      } else await closed(server);
      return;
    }
    if (!this.#wanted) return;
    const wait = backoff(AGAIN, times, 1);
    this.#failure = new RetriableError(
      'ZPB_GATE_LISTEN',
      `the gate cannot listen at ${host}:${port} (${error.message}): correct gate.host, choose another gate.port, or end the program that uses it; it is tried again by itself`,
    );
    log.debug({ error, retryInMs: wait }, `gate: it cannot listen at ${host}:${port}`);
    this.#cancelAgain = clock.after(wait, () => {
      this.#trying = this.#try(times + 1);
    });
  }

  #createServer(): Server {
    const { maxConnections = MAX_CONNECTIONS } = this.options;
    const server = createServer({ noDelay: true });
    server.maxConnections = maxConnections + (this.options.onTurnedAway === undefined ? 0 : MOST_TURNED_AWAY);
    server.on('connection', (socket) => {
      this.#meet(socket);
    });
    server.on('drop', () => {
      this.refuse('crowd', crowded(maxConnections));
    });
    return server;
  }

  #meet(socket: Socket): void {
    // It may reset the connection at any time; that is no fault of ours.
    socket.on('error', () => undefined);
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/u, '');
    if (!this.#allowed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) {
      this.refuse('address', `${address} may not connect; gate.allow names who may`);
      this.#turnAway(socket);
      return;
    }
    const { maxConnections = MAX_CONNECTIONS, onSocket } = this.options;
    if (this.#sockets.size >= maxConnections) {
      this.refuse('crowd', crowded(maxConnections));
      this.#turnAway(socket);
      return;
    }
    keep(socket, this.#sockets);
    onSocket(socket);
  }

  #turnAway(socket: Socket): void {
    const { onTurnedAway } = this.options;
    if (onTurnedAway === undefined || this.#turnedAway.size >= MOST_TURNED_AWAY) {
      socket.destroy();
      return;
    }
    keep(socket, this.#turnedAway);
    onTurnedAway(socket);
  }
}

const crowded = (most: number): string => `${most} calls wait already; those beyond go on unasked`;

function keep(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.once('close', () => {
    sockets.delete(socket);
  });
}

const listening = (server: Server, port: number, host: string): Promise<Error | undefined> =>
  new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(port, host, () => {
      server.off('error', resolve);
      resolve(undefined);
    });
  });

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
