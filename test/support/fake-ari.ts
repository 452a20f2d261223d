/** An ARI on loopback: HTTP and WebSocket, with a login, and whatever faults a test wants. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

export interface AriQuestion {
  readonly method: string;
  /** `/channels/1.2/variable`, without what stands before and behind. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** As it stood in the request, nothing undone. */
  readonly url: string;
  readonly body: unknown;
}
export interface AriAnswer {
  readonly status?: number;
  readonly body?: unknown;
  /** The connection breaks in the middle of it. */
  readonly cut?: boolean;
}
/** undefined: 404, as Asterisk says it. `never`: no answer at all. */
export type AriAnswers = (question: AriQuestion) => AriAnswer | undefined | 'never';

export interface FakeAriOptions {
  readonly username?: string;
  readonly secret: string;
  readonly answer?: AriAnswers;
  readonly tls?: { readonly key: Buffer; readonly cert: string };
}

export class FakeAri {
  answer: AriAnswers;
  /** Accept, read, and say nothing. */
  mute = false;
  /** Said to whoever asks for the events, in place of a WebSocket. */
  refuse: number | undefined;
  /** The WebSocket does not answer pings. */
  ignorePings = false;
  /** Called for each ping that is answered. */
  onPing: () => void = () => undefined;
  readonly questions: AriQuestion[] = [];
  /** What the WebSockets were asked for: path and query. */
  readonly asked: string[] = [];
  #ever = 0;
  readonly #sockets = new Set<Socket>();
  readonly #events = new Set<WebSocket>();
  readonly #web = new WebSocketServer({ noServer: true, autoPong: false });
  readonly #proof: string;

  private constructor(
    private readonly server: Server,
    { username = 'bridge', secret, answer = () => undefined }: FakeAriOptions,
  ) {
    this.answer = answer;
    this.#proof = `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      this.#onRequest(request, response);
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#onUpgrade(request, socket, head);
    });
  }

  static async start(options: FakeAriOptions): Promise<FakeAri> {
    const server = options.tls === undefined ? createServer() : createSecureServer(options.tls);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FakeAri(server, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
  /** Connections that asked for the events: now open, and ever. */
  connections(): { readonly now: number; readonly ever: number } {
    // One that nothing was said to counts too: it is a connection of the adapter.
    const now = this.mute ? this.#sockets.size : this.#events.size;
    return { now, ever: this.#ever };
  }
  /** Every TCP connection, those of questions too. */
  get sockets(): number {
    return this.#sockets.size;
  }
  say(event: object): void {
    this.raw(JSON.stringify({ application: 'zammad', timestamp: new Date().toISOString(), ...event }));
  }
  raw(frame: string | Buffer): void {
    for (const web of this.#events) web.send(frame);
  }
  /** Bytes that are no WebSocket. */
  bytes(bytes: Buffer): void {
    for (const web of this.#events) (web as unknown as { _socket: Socket })._socket.write(bytes);
  }
  closeEvents(code: number, reason = ''): void {
    for (const web of this.#events) web.close(code, reason);
  }
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#ever += 1;
    this.asked.push(request.url ?? '');
    if (this.mute) {
      // Read, so that its end is seen; Node's server would keep its own half open.
      socket.resume();
      socket.once('end', () => socket.end());
      return;
    }
    const status = this.refuse ?? (request.headers.authorization === this.#proof ? undefined : 401);
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#web.handleUpgrade(request, socket, head, (web) => {
      this.#events.add(web);
      web.on('error', () => undefined);
      web.on('ping', (data) => {
        if (this.ignorePings) return;
        web.pong(data);
        this.onPing();
      });
      web.once('close', () => this.#events.delete(web));
    });
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (this.mute) return;
      const url = new URL(request.url ?? '', 'http://ari.invalid');
      const text = Buffer.concat(chunks).toString('utf8');
      const question: AriQuestion = {
        method: request.method ?? '',
        path: decodeURIComponent(url.pathname.replace(/^\/ari/, '')),
        query: url.searchParams,
        url: request.url ?? '',
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
      if (request.headers.authorization !== this.#proof) {
        reply(response, { status: 401, body: { message: 'Authentication required' } });
        return;
      }
      this.questions.push(question);
      const answer = this.answer(question);
      if (answer !== 'never') reply(response, answer ?? { status: 404, body: { message: 'Resource not found' } });
    });
  }
}

function reply(response: ServerResponse, { status = 200, body, cut = false }: AriAnswer): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  if (!cut) {
    response.end(text);
    return;
  }
  response.write(text.slice(0, text.length / 2), () => response.socket?.destroy());
}
