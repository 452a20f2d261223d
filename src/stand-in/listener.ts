import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.js';
import { asError, RetriableError } from '../errors.js';

const AGAIN = 200;

/** The listening socket: goes down and comes up again on the same port. */
export class Listener {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #host: string;
  #port: number;
  #cancelRise: (() => void) | undefined;
  #stopped = false;
  /** Orders are carried out one after another. */
  #last: Promise<void> = Promise.resolve();
  constructor(server: Server, clock: Clock, host: string, port: number) {
    this.#server = server;
    this.#clock = clock;
    this.#host = host;
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  /** Rejects with a RetriableError when the port cannot be had. */
  up(): Promise<void> {
    this.#cancelRise?.();
    return this.#inTurn(async () => {
      if (this.#server.listening || this.#stopped) return;
      try {
        this.#server.listen(this.#port, this.#host);
        await once(this.#server, 'listening');
      } catch (error) {
        throw new RetriableError(
          'ZPB_STAND_IN_LISTEN',
          `The stand-in cannot listen on ${this.#host}:${this.#port} (${asError(error).message}). Choose another port, or end what uses it.`,
          { cause: error },
        );
      }
      this.#port = (this.#server.address() as AddressInfo).port;
    });
  }

  /** Stops listening and cuts every connection by `cut`. Comes up by itself after `ms`, if given. */
  down(cut: () => void, ms?: number): Promise<void> {
    this.#cancelRise?.();
    return this.#inTurn(async () => {
      if (!this.#server.listening) return;
      const closed = once(this.#server, 'close');
      this.#server.close();
      cut();
      await closed;
      if (ms !== undefined) this.#riseAfter(ms);
    });
  }

  async stop(cut: () => void): Promise<void> {
    this.#stopped = true;
    await this.down(cut);
    this.#cancelRise?.();
  }

  #riseAfter(ms: number): void {
    if (this.#stopped) return;
    this.#cancelRise = this.#clock.after(ms, () => {
      this.up().catch(() => {
        this.#riseAfter(AGAIN);
      }); // somebody else has the port for now
    });
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
