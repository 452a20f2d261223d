import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { waitFor, within, type WaitOptions } from '../support/wait-for.js';

/** One AMI message; of a key that comes more than once, the last value. */
export type AmiMessage = Readonly<Record<string, string>>;

const CONNECT_MS = 3_000;
const ACTION_MS = 8_000;
const KEPT = 20_000;

/**
 * The tests' own eyes and hands at the manager interface: written apart from the program's AMI code, so that the two
 * cannot share a mistake. Keeps the last messages for the report of a failed test.
 */
export class AmiObserver {
  readonly #socket: Socket;
  readonly #replies = new Map<string, (reply: AmiMessage) => void>();
  readonly #events: AmiMessage[] = [];
  #rest = '';
  #count = 0;
  #banner = '';
  #forgotten = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#read(text);
    });
    // The PBX is killed in some tests; `closed` tells.
    socket.on('error', () => undefined);
  }

  /** Connects and logs in; rejects when the port is closed or the login refused. */
  static async open(options: { port: number; user: string; secret: string }): Promise<AmiObserver> {
    const socket = connect(options.port, '127.0.0.1');
    try {
      await within(CONNECT_MS, 'a connection to the manager interface', once(socket, 'connect'));
      const observer = new AmiObserver(socket);
      await observer.action({ Action: 'Login', Username: options.user, Secret: options.secret, Events: 'on' });
      return observer;
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
  }

  /** `Asterisk Call Manager/11.0.0` */
  get banner(): string {
    return this.#banner;
  }
  get closed(): boolean {
    return this.#socket.closed || this.#socket.destroyed;
  }

  /** Sends an action; resolves with its response, rejects when that is an error or does not come. */
  async action(fields: Readonly<Record<string, string>>): Promise<AmiMessage> {
    this.#count += 1;
    const id = `observer-${this.#count}`;
    const lines = Object.entries({ ...fields, ActionID: id }).map(([key, value]) => `${key}: ${value}`);
    const replied = new Promise<AmiMessage>((resolve) => {
      this.#replies.set(id, resolve);
    });
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    try {
      const reply = await within(ACTION_MS, `the reply to AMI ${fields['Action'] ?? ''}`, replied);
      if (reply['Response'] !== 'Success') {
        throw new Error(`AMI ${fields['Action'] ?? ''}: ${reply['Message'] ?? 'no message'}`);
      }
      return reply;
    } finally {
      this.#replies.delete(id);
    }
  }

  /** A place in the stream: give it to `sees`, `eventsSince`. */
  get now(): number {
    return this.#forgotten + this.#events.length;
  }
  eventsSince(mark: number): readonly AmiMessage[] {
    return this.#events.slice(Math.max(0, mark - this.#forgotten));
  }

  /** The first event since `mark` that the test function likes; waits for it. */
  sees(what: string, mark: number, likes: (event: AmiMessage) => boolean, options?: WaitOptions): Promise<AmiMessage> {
    return waitFor(`the AMI event ${what}`, () => this.eventsSince(mark).find(likes), options);
  }

  /** The channels there are now. */
  async channels(): Promise<readonly AmiMessage[]> {
    const mark = this.now;
    const { ActionID: id } = await this.action({ Action: 'CoreShowChannels' });
    const mine = (event: AmiMessage, name: string): boolean => event['Event'] === name && event['ActionID'] === id;
    await this.sees('CoreShowChannelsComplete', mark, (event) => mine(event, 'CoreShowChannelsComplete'));
    return this.eventsSince(mark).filter((event) => mine(event, 'CoreShowChannel'));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#rest += text;
    if (this.#banner === '') {
      const end = this.#rest.indexOf('\r\n');
      if (end < 0) return;
      this.#banner = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 2);
    }
    for (let end = this.#rest.indexOf('\r\n\r\n'); end >= 0; end = this.#rest.indexOf('\r\n\r\n')) {
      const message = parseMessage(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end + 4);
      if (message['Event'] !== undefined) this.#keep(message);
      else this.#replies.get(message['ActionID'] ?? '')?.(message);
    }
  }

  #keep(event: AmiMessage): void {
    this.#events.push(event);
    if (this.#events.length <= KEPT) return;
    const half = KEPT / 2;
    this.#forgotten += half;
    this.#events.splice(0, half);
  }
}

function parseMessage(text: string): AmiMessage {
  const message: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) message[line.slice(0, colon)] = line.slice(colon + 1).trim();
  }
  return message;
}
