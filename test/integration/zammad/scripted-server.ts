/** A TCP server on loopback that treats each request as the test says, down to the socket. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface Seen {
  /** Everything that came over this connection so far. */
  readonly text: string;
  /** Whole requests so far, over all connections. */
  readonly requests: number;
}

/** Called whenever something came, and once (with an empty text) when a connection was accepted. */
export type Behaviour = (socket: Socket, seen: Seen) => void;

export class ScriptedServer {
  behaviour: Behaviour = () => undefined;
  connections = 0;
  requests = 0;
  /** Requests as they came, whole ones only. */
  readonly texts: string[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      let text = '';
      socket.setEncoding('utf8');
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', (chunk: string) => {
        text += chunk;
        const whole = wholeRequest(text);
        if (whole !== undefined) {
          this.requests += 1;
          this.texts.push(whole);
        }
        this.behaviour(socket, { text, requests: this.requests });
        if (whole !== undefined) text = text.slice(whole.length);
      });
      this.behaviour(socket, { text: '', requests: this.requests });
    });
  }
  get open(): number {
    return this.#sockets.size;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }
  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}

export const respond = (socket: Socket, status: string, body: string, headers = ''): void => {
  socket.write(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
};

function wholeRequest(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = Number(/content-length: (\d+)/iu.exec(text)?.[1] ?? 0);
  const total = end + 4 + length;
  return text.length >= total ? text.slice(0, total) : undefined;
}
