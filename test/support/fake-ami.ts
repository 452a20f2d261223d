import { createHash, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { splitRecording } from './ami-recording.js';
import { pause, waitFor } from './wait-for.js';

/** An action as it came: names in lower case, in order, with every value of a repeated one. */
export interface ReceivedAction {
  readonly name: string;
  readonly id: string;
  /** First value of a header, '' when it is not there. */
  get(header: string): string;
  all(header: string): readonly string[];
  readonly text: string;
}

/** What a list action is answered with. */
export interface ListReply {
  /** Each item's headers after `Event` and `ActionID`; its first entry is `['Event', name]`. */
  readonly items: readonly Headers[];
  /** Name of the event that ends it. */
  readonly complete: string;
  /** Other than the number of items: a list that lies. */
  readonly listItems?: number;
  readonly cancelled?: boolean;
  /** Closes the connection after so many items. */
  readonly cutAfter?: number;
  /** Written between the items, raw: events that happen meanwhile. */
  readonly between?: string;
}
export type Headers = readonly (readonly [name: string, value: string])[];
/** Headers of a response; a list; 'ignore': no answer at all; undefined: "Permission denied". */
export type Answer = Headers | ListReply | 'ignore' | undefined;

export interface FakeAmiOptions {
  readonly username?: string;
  readonly secret?: string;
  /** Without line end. '' = none. */
  readonly banner?: string;
  /** Answers actions other than Challenge, Login, Logoff, Ping and Events. */
  readonly answer?: (action: ReceivedAction, connection: FakeAmiConnection) => Answer;
  /** Key and certificate: speak TLS. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
  /** Every write is cut into pieces of so many bytes, each its own packet. */
  readonly chunk?: number;
  /** Sends FullyBooted after the login, as for a login with read class `system`. Default: true. */
  readonly fullyBooted?: boolean;
  readonly faults?: Faults;
  /** A login was accepted; nothing was said to it yet. */
  readonly onLogin?: (connection: FakeAmiConnection) => void;
  /** A connection has ended, whether it was logged in or not. */
  readonly onClose?: (connection: FakeAmiConnection) => void;
}

export interface Faults {
  /** Neither the challenge nor the login is ever answered. */
  readonly ignoreLogin?: boolean;
  /** Says so instead of accepting the login. */
  readonly loginError?: string;
  readonly challengeError?: string;
  /** Nothing is answered after the login, Ping included. */
  readonly ignoreActions?: boolean;
  readonly ignorePing?: boolean;
  /** Closes each connection after it has sent so many bytes. */
  readonly closeAfter?: number;
  /** Accepts connections and never says a word. */
  readonly mute?: boolean;
}

/**
 * A stand-in for Asterisk's manager interface: greets, lets the right login in, answers and plays recorded events, and can
 * be made to fail in the ways that networks and PBXs do. Faults may be changed at any time.
 */
export class FakeAmi {
  faults: Faults;
  readonly connections: FakeAmiConnection[] = [];
  readonly actions: ReceivedAction[] = [];

  private constructor(
    readonly options: FakeAmiOptions,
    private readonly server: Server,
  ) {
    this.faults = options.faults ?? {};
  }

  /** Listens on an ephemeral port of 127.0.0.1, or on `port`. */
  static async start(options: FakeAmiOptions = {}, port = 0): Promise<FakeAmi> {
    const server = options.tls === undefined ? createTcpServer() : createTlsServer(options.tls);
    const fake = new FakeAmi(options, server);
    server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      fake.connections.push(new FakeAmiConnection(fake, socket));
    });
    server.on('tlsClientError', () => undefined);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return fake;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): readonly FakeAmiConnection[] {
    return this.connections.filter((connection) => !connection.closed);
  }

  /** The newest connection, once it is logged in. */
  loggedIn(): Promise<FakeAmiConnection> {
    return waitFor('a login at the fake AMI', () => this.open.find((connection) => connection.loggedIn));
  }

  /** Writes to every connection that is logged in. */
  broadcast(bytes: Buffer | string): void {
    for (const connection of this.open) if (connection.loggedIn) connection.write(bytes);
  }

  /**
   * Plays the events of recorded bytes to every login: `speed` 1 = in their own time, 10 = ten times as fast, Infinity = all
   * at once. Resolves when the last one is written.
   */
  async play(recording: Buffer, speed = Number.POSITIVE_INFINITY): Promise<void> {
    const messages = splitRecording(recording);
    if (speed === Number.POSITIVE_INFINITY) {
      this.broadcast(Buffer.concat(messages.map(({ bytes }) => bytes)));
      return;
    }
    const began = performance.now();
    for (const { at, bytes } of messages) {
      const wait = at / speed - (performance.now() - began);
      if (wait > 1) await pause(wait);
      this.broadcast(bytes);
    }
  }

  /** Like a PBX that stops: says Shutdown and closes every connection. */
  shutDown(): void {
    for (const connection of this.open) {
      connection.write('Event: Shutdown\r\nPrivilege: system,all\r\nShutdown: Cleanly\r\nRestart: False\r\n\r\n');
      connection.end();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const connection of this.connections) connection.destroy();
    await closed;
  }
}

export class FakeAmiConnection {
  loggedIn = false;
  #sent = 0;
  #received = '';
  #challenge = '';
  #silent = false;

  constructor(
    readonly fake: FakeAmi,
    private readonly socket: Socket,
  ) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      fake.options.onClose?.(this);
    });
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('utf8');
      for (;;) {
        const end = this.#received.indexOf('\r\n\r\n');
        if (end < 0) return;
        const text = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 4);
        this.#take(readAction(text));
      }
    });
    const { banner = 'Asterisk Call Manager/11.0.0' } = fake.options;
    if (fake.faults.mute !== true && banner !== '') this.write(`${banner}\r\n`);
  }

  get closed(): boolean {
    return this.socket.destroyed;
  }

  /** From now on this end takes everything and says nothing: what is left of a connection whose other machine is gone. */
  goSilent(): void {
    this.#silent = true;
  }

  write(bytes: Buffer | string): void {
    if (this.#silent || this.socket.destroyed) return;
    const { chunk } = this.fake.options;
    const { closeAfter } = this.fake.faults;
    let all = Buffer.from(bytes as string);
    const cut = closeAfter !== undefined && this.#sent + all.length >= closeAfter;
    if (cut) all = all.subarray(0, Math.max(0, closeAfter - this.#sent));
    this.#sent += all.length;
    const step = chunk ?? Math.max(1, all.length);
    for (let at = 0; at < all.length; at += step) this.socket.write(all.subarray(at, at + step));
    if (cut) this.socket.end();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  respond(action: ReceivedAction, response: string, headers: Headers = []): void {
    this.write(encode([['Response', response], ['ActionID', action.id], ...headers]));
  }

  #take(action: ReceivedAction): void {
    this.fake.actions.push(action);
    const { faults } = this.fake;
    if (faults.mute === true) return;
    if (!this.loggedIn) this.#logIn(action, faults);
    else if (faults.ignoreActions !== true) this.#answer(action, faults);
  }

  #logIn(action: ReceivedAction, faults: Faults): void {
    if (faults.ignoreLogin === true) return;
    if (action.name === 'challenge') {
      this.#challenge = String(randomInt(1_000_000_000));
      if (faults.challengeError === undefined) this.respond(action, 'Success', [['Challenge', this.#challenge]]);
      else this.respond(action, 'Error', [['Message', faults.challengeError]]);
      return;
    }
    const { username = 'bridge', secret = 'right', fullyBooted = true } = this.fake.options;
    const key = createHash('md5')
      .update(this.#challenge + secret)
      .digest('hex');
    const proven =
      action.get('authtype').toLowerCase() === 'md5' ? action.get('key') === key : action.get('secret') === secret;
    const refusal =
      faults.loginError ?? (proven && action.get('username') === username ? undefined : 'Authentication failed');
    if (action.name !== 'login' || refusal !== undefined) {
      this.respond(action, 'Error', [['Message', action.name === 'login' ? (refusal ?? '') : 'Permission denied']]);
      this.socket.end();
      return;
    }
    this.loggedIn = true;
    this.fake.options.onLogin?.(this);
    this.respond(action, 'Success', [['Message', 'Authentication accepted']]);
    if (fullyBooted)
      this.write('Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1\r\nStatus: Fully Booted\r\n\r\n');
  }

  #answer(action: ReceivedAction, faults: Faults): void {
    if (action.name === 'ping') {
      if (faults.ignorePing !== true)
        this.respond(action, 'Success', [
          ['Ping', 'Pong'],
          ['Timestamp', '1700000000.000000'],
        ]);
    } else if (action.name === 'logoff') {
      this.respond(action, 'Goodbye', [['Message', 'Thanks for all the fish.']]);
      this.socket.end();
    } else if (action.name === 'events') {
      this.respond(action, 'Success', [['Events', 'On']]);
    } else {
      this.#giveAnswer(action, this.fake.options.answer?.(action, this));
    }
  }

  #giveAnswer(action: ReceivedAction, answer: Answer): void {
    if (answer === 'ignore') return;
    if (answer === undefined) {
      this.respond(action, 'Error', [['Message', 'Permission denied']]);
    } else if ('items' in answer) {
      this.#giveList(action, answer);
    } else {
      const response = answer.find(([name]) => name === 'Response')?.[1] ?? 'Success';
      this.respond(
        action,
        response,
        answer.filter(([name]) => name !== 'Response'),
      );
    }
  }

  #giveList(action: ReceivedAction, list: ListReply): void {
    this.respond(action, 'Success', [
      ['EventList', 'start'],
      ['Message', 'A list will follow'],
    ]);
    for (const [index, [event, ...rest]] of list.items.entries()) {
      if (index === list.cutAfter) {
        this.socket.end();
        return;
      }
      if (list.between !== undefined) this.write(list.between);
      this.write(encode([event ?? ['Event', 'Item'], ['ActionID', action.id], ...rest]));
    }
    this.write(
      encode([
        ['Event', list.complete],
        ['ActionID', action.id],
        ['EventList', list.cancelled === true ? 'cancelled' : 'Complete'],
        ['ListItems', String(list.listItems ?? list.items.length)],
      ]),
    );
  }
}

/** Headers as bytes of the wire. */
export const encode = (headers: Headers): string =>
  `${headers.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`;

function readAction(text: string): ReceivedAction {
  const headers = text.split('\r\n').map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const all = (name: string): readonly string[] =>
    headers.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value);
  const get = (name: string): string => all(name)[0] ?? '';
  return { name: get('action').toLowerCase(), id: get('actionid'), get, all, text };
}
