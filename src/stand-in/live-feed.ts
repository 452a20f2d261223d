import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock } from '../clock.js';
import { statusText, type CallRow } from './call-row.js';
import type { StandInEvent } from './events.js';
import type { JournalEntry } from './journal.js';
import { prettyNumber } from './phone-book.js';

/** The page shows, and a new client gets, at most so many. */
const SHOWN = 200;
const GATHER = 40;
const PING = 30_000;
const MAX_BUFFERED = 1_048_576;

export interface FeedSource {
  rows(): readonly CallRow[];
  requests(): readonly JournalEntry[];
  /** How many of the newest rows are counted as open. */
  viewLimit(): number;
}

/** A row with the words and numbers as Zammad would print them. */
const shown = (row: CallRow): CallRow & Record<'status' | 'fromPretty' | 'toPretty', string> => ({
  ...row,
  status: statusText(row),
  fromPretty: prettyNumber(row.from),
  toPretty: prettyNumber(row.to),
});

/** `now` lets a browser with another clock show right durations; `open` is what Zammad's own counter would say. */
const counts = (source: FeedSource, clock: Clock): Record<'now' | 'total' | 'open', number> => {
  const rows = source.rows();
  const open = rows.slice(-source.viewLimit()).filter((row) => !row.done).length;
  return { now: clock.wall(), total: rows.length, open };
};

/** Everything: rows and requests, oldest first. */
export const wholeState = (source: FeedSource, clock: Clock): Record<string, unknown> => ({
  ...counts(source, clock),
  rows: source.rows().map((row) => ({ ...row, status: statusText(row) })),
  requests: source.requests(),
});

/** Pushes changes to the pages that look on, gathered for 40 ms, so that a burst is one message. */
export class LiveFeed {
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });
  readonly #clock: Clock;
  readonly #source: FeedSource;
  readonly #maxClients: number;
  readonly #alive = new WeakSet<WebSocket>();
  #rows = new Map<number, CallRow>();
  #requests = new Map<number, JournalEntry>();
  #cancelFlush: (() => void) | undefined;
  #cancelPing: (() => void) | undefined;
  constructor(clock: Clock, source: FeedSource, maxClients: number) {
    this.#clock = clock;
    this.#source = source;
    this.#maxClients = maxClients;
  }

  /** Takes over an upgrade to WebSocket; only from the stand-in's own page. */
  upgrade(request: IncomingMessage, socket: Duplex, rest: Buffer): void {
    const { origin, host } = request.headers;
    // The socket is no longer the HTTP server's; without a listener its errors would end the process.
    socket.on('error', () => socket.destroy());
    if (origin !== undefined && hostOf(origin) !== host) refuse(socket, '403 Forbidden');
    else if (this.#server.clients.size >= this.#maxClients) refuse(socket, '503 Service Unavailable');
    else
      this.#server.handleUpgrade(request, socket, rest, (client) => {
        this.#welcome(client);
      });
  }

  take(event: StandInEvent): void {
    if (this.#server.clients.size === 0) return;
    if (event.type === 'cleared') {
      this.#rows.clear();
      this.#requests.clear();
      this.#broadcast(this.#state());
      return;
    }
    if (event.type === 'row') keep(this.#rows, event.row.id, event.row);
    if (event.type === 'request') keep(this.#requests, event.entry.seq, event.entry);
    this.#cancelFlush ??= this.#clock.after(GATHER, () => {
      this.#flush();
    });
  }

  /** Cuts every client: they will come again. */
  disconnectAll(): void {
    for (const client of this.#server.clients) client.terminate();
  }

  close(): void {
    this.#cancelFlush?.();
    this.#cancelPing?.();
    this.disconnectAll();
    this.#server.close();
  }

  #welcome(client: WebSocket): void {
    this.#alive.add(client);
    client.on('pong', () => this.#alive.add(client));
    client.on('error', () => {
      client.terminate();
    });
    client.send(JSON.stringify(this.#state()));
    this.#cancelPing ??= this.#clock.after(PING, () => {
      this.#ping();
    });
  }

  /** What a page begins with. */
  #state(): Record<string, unknown> {
    const rows = this.#source.rows().slice(-SHOWN).map(shown);
    return {
      type: 'state',
      ...counts(this.#source, this.#clock),
      rows,
      requests: this.#source.requests().slice(-SHOWN),
    };
  }

  #flush(): void {
    this.#cancelFlush = undefined;
    const rows = Array.from(this.#rows.values(), shown);
    const requests = [...this.#requests.values()];
    this.#broadcast({ type: 'change', ...counts(this.#source, this.#clock), rows, requests });
    this.#rows = new Map();
    this.#requests = new Map();
  }

  #broadcast(message: unknown): void {
    const text = JSON.stringify(message);
    for (const client of this.#server.clients) {
      if (client.bufferedAmount > MAX_BUFFERED) client.terminate();
      else client.send(text);
    }
  }

  #ping(): void {
    for (const client of this.#server.clients) {
      if (!this.#alive.delete(client)) client.terminate();
      else client.ping();
    }
    this.#cancelPing =
      this.#server.clients.size === 0
        ? undefined
        : this.#clock.after(PING, () => {
            this.#ping();
          });
  }
}

/** The newest state of each, at most as many as are shown. */
function keep<Value>(map: Map<number, Value>, key: number, value: Value): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= SHOWN) break;
    map.delete(oldest);
  }
}

const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
