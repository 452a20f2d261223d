import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What an action of a manager interface asks for. */
interface Action {
  readonly name: string;
  readonly id: string | undefined;
}

/** Longest action that is read; a real Asterisk has a limit too. */
const MOST_BYTES = 16 * 1024;

/**
 * The manager interface of an Asterisk that plays recorded calls: greets, accepts every login, answers what a bridge asks at
 * its start, and says what it is given. For the demo; it listens on loopback only.
 */
export class RecordedAsterisk {
  readonly #server: Server;
  readonly #listeners = new Set<Socket>();
  readonly #sockets = new Set<Socket>();

  constructor() {
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
    this.#server.maxConnections = 10;
  }

  /** Resolves with the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** One event to everybody who is logged in. */
  say(text: string): void {
    for (const socket of this.#listeners) socket.write(`${text}\r\n\r\n`);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  #serve(socket: Socket): void {
    let rest = '';
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#listeners.delete(socket);
    });
    socket.write('Asterisk Call Manager/11.0.0\r\n');
    socket.on('data', (bytes) => {
      rest += bytes.toString('latin1');
      if (rest.length > MOST_BYTES) socket.destroy();
      const actions = rest.split('\r\n\r\n');
      rest = actions.pop() ?? '';
      for (const text of actions) this.#answer(socket, readAction(text));
    });
  }

  #answer(socket: Socket, { name, id }: Action): void {
    const reply = (response: string, ...lines: string[]): void => {
      const head = [`Response: ${response}`, ...(id === undefined ? [] : [`ActionID: ${id}`])];
      socket.write(`${[...head, ...lines].join('\r\n')}\r\n\r\n`);
    };
    const list = (complete: string): void => {
      reply('Success', 'EventList: start');
      socket.write(`Event: ${complete}\r\nActionID: ${id ?? ''}\r\nEventList: Complete\r\nListItems: 0\r\n\r\n`);
    };
    switch (name) {
      case 'challenge':
        reply('Success', 'Challenge: 123456789');
        return;
      case 'login':
        reply('Success', 'Message: Authentication accepted');
        this.#listeners.add(socket);
        return;
      case 'ping':
        reply('Success', 'Ping: Pong');
        return;
      case 'status':
        list('StatusComplete');
        return;
      case 'bridgelist':
        list('BridgeListComplete');
        return;
      default:
        reply('Error', 'Message: Permission denied');
    }
  }
}

const readAction = (text: string): Action => ({
  name: (/^Action: *(\S+)/im.exec(text)?.[1] ?? '').toLowerCase(),
  id: /^ActionID: *(\S+)/im.exec(text)?.[1],
});
