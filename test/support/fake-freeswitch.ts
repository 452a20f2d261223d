import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { readFreeSwitchRecording } from './freeswitch-cases.js';
import { pause, waitFor } from './wait-for.js';

/** Headers of an event, in the order of the wire; a name may come twice. */
export type EventHeaders = readonly (readonly [name: string, value: string])[];
/** The body of a reply; `cut`: half of it, and the connection is gone; `ignore`: no reply at all; `later`: for a job, when it is done. */
export type ApiAnswer =
  | string
  | { readonly cut: string }
  | { readonly ignore: true }
  | { readonly later: Promise<string> };

export interface FakeFreeSwitchOptions {
  readonly password?: string;
  /** Answers `api` and `bgapi`, in the background or not; undefined: there is no such command. */
  readonly api?: (command: string, connection: FakeEslConnection) => ApiAnswer | undefined;
  /** Key and certificate: a TLS proxy stands before it. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
  /** Every write is cut into pieces of so many bytes, each its own packet. */
  readonly chunk?: number;
  readonly faults?: EslFaults;
}

export interface EslFaults {
  /** The ACL does not allow the address of whoever connects. */
  readonly rude?: boolean;
  /** Accepts connections and never says a word. */
  readonly mute?: boolean;
  /** The password is never answered. */
  readonly ignoreAuth?: boolean;
  /** Nothing is answered after the login. */
  readonly ignoreCommands?: boolean;
  /** The events are refused. */
  readonly refuseEvents?: string;
}

const GOODBYE = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n';
const RUDE = 'Access Denied, go away.\n';

/**
 * A stand-in for FreeSWITCH's event socket, byte for byte as a real one was recorded: the order of headers, no newline behind a
 * body, values not encoded twice. Faults may be changed at any time.
 */
export class FakeFreeSwitch {
  faults: EslFaults;
  readonly connections: FakeEslConnection[] = [];
  /** Commands as they came, with their headers. */
  readonly commands: string[] = [];
  readonly coreUuid = randomUUID();

  private constructor(
    readonly options: FakeFreeSwitchOptions,
    private readonly server: Server,
  ) {
    this.faults = options.faults ?? {};
  }

  /** Listens on an ephemeral port of 127.0.0.1, or on `port`. */
  static async start(options: FakeFreeSwitchOptions = {}, port = 0): Promise<FakeFreeSwitch> {
    const server = options.tls === undefined ? createTcpServer() : createTlsServer(options.tls);
    const fake = new FakeFreeSwitch(options, server);
    server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      fake.connections.push(new FakeEslConnection(fake, socket));
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
  get open(): readonly FakeEslConnection[] {
    return this.connections.filter((connection) => !connection.closed);
  }
  /** The newest connection that has asked for events. */
  listening(): Promise<FakeEslConnection> {
    return waitFor('somebody who listens to the fake FreeSWITCH', () => this.open.find(({ listens }) => listens));
  }

  /** Tells an event to whoever has asked for it, in the form in which he did. */
  say(headers: EventHeaders, body?: string): void {
    for (const connection of this.open) connection.tell(headers, body);
  }

  /**
   * Plays the events of recorded bytes: `speed` 1 = in their own time, 10 = ten times as fast, Infinity = all at once. Resolves
   * when the last one is written.
   */
  async play(recording: Buffer, speed = Number.POSITIVE_INFINITY): Promise<void> {
    const began = performance.now();
    for (const { at, headers } of readFreeSwitchRecording(recording)) {
      const wait = at / speed - (performance.now() - began);
      if (wait > 1) await pause(wait);
      this.say(headers);
    }
  }

  /** Like `fsctl shutdown`: the event, a notice, and the end. */
  shutDown(): void {
    this.say([['Event-Name', 'SHUTDOWN']]);
    for (const connection of this.open) connection.disconnect('The system is being shut down.\n');
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const connection of this.connections) connection.destroy();
    await closed;
  }
}

export class FakeEslConnection {
  loggedIn = false;
  #format: 'json' | 'plain' = 'plain';
  #names = new Set<string>();
  #received = '';
  #silent = false;

  constructor(
    readonly fake: FakeFreeSwitch,
    private readonly socket: Socket,
  ) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      // FreeSWITCH takes CRLF too.
      this.#received += bytes.toString('utf8').replaceAll('\r', '');
      for (;;) {
        const end = this.#received.indexOf('\n\n');
        if (end < 0) return;
        const [command = '', ...headers] = this.#received.slice(0, end).split('\n');
        this.#received = this.#received.slice(end + 2);
        this.#take(command, headers);
      }
    });
    const { rude, mute } = fake.faults;
    if (mute === true) return;
    if (rude === true) {
      this.write(`Content-Type: text/rude-rejection\nContent-Length: ${RUDE.length}\n\n${RUDE}`);
      socket.end();
    } else this.write('Content-Type: auth/request\n\n');
  }

  get closed(): boolean {
    return this.socket.destroyed;
  }
  get listens(): boolean {
    return this.#names.size > 0;
  }

  /** From now on this end takes everything and says nothing: what is left of a connection whose other machine is gone. */
  goSilent(): void {
    this.#silent = true;
  }

  write(bytes: Buffer | string): void {
    if (this.#silent || this.socket.destroyed) return;
    const all = Buffer.from(bytes as string);
    const step = this.fake.options.chunk ?? Math.max(1, all.length);
    for (let at = 0; at < all.length; at += step) this.socket.write(all.subarray(at, at + step));
  }
  destroy(): void {
    this.socket.destroy();
  }

  /** Says why, and closes. */
  disconnect(notice = GOODBYE): void {
    this.write(`Content-Type: text/disconnect-notice\nContent-Length: ${Buffer.byteLength(notice)}\n\n${notice}`);
    this.socket.end();
  }

  tell(headers: EventHeaders, body?: string): void {
    const valueOf = (wanted: string): string => headers.find(([name]) => name === wanted)?.[1] ?? '';
    const name = valueOf('Event-Name') === 'CUSTOM' ? valueOf('Event-Subclass') : valueOf('Event-Name');
    if (!this.#names.has('ALL') && !this.#names.has(name)) return;
    const text = this.#format === 'json' ? asJson(headers, body) : asPlain(headers, body);
    this.write(`Content-Length: ${Buffer.byteLength(text)}\nContent-Type: text/event-${this.#format}\n\n${text}`);
  }

  #take(command: string, headers: readonly string[]): void {
    this.fake.commands.push([command, ...headers].join('\n'));
    const { faults } = this.fake;
    if (faults.mute === true) return;
    if (!this.loggedIn) this.#logIn(command, faults);
    else if (faults.ignoreCommands !== true) this.#answer(command, headers, faults);
  }

  #logIn(command: string, faults: EslFaults): void {
    if (faults.ignoreAuth === true) return;
    if (!command.startsWith('auth ')) this.#reply('-ERR command not found');
    else if (command === `auth ${this.fake.options.password ?? 'ClueCon'}`) {
      this.loggedIn = true;
      this.#reply('+OK accepted');
    } else {
      this.#reply('-ERR invalid');
      this.disconnect();
    }
  }

  #answer(command: string, headers: readonly string[], faults: EslFaults): void {
    const [word = '', ...rest] = command.split(' ');
    const argument = rest.join(' ');
    switch (word) {
      case 'event':
        if (faults.refuseEvents === undefined) this.#subscribe(rest);
        else this.#reply(faults.refuseEvents);
        return;
      case 'noevents':
        this.#names.clear();
        this.#reply('+OK no longer listening for events');
        return;
      case 'api':
        this.#api(argument);
        return;
      case 'bgapi':
        this.#bgapi(argument, headers);
        return;
      case 'exit':
        this.#reply('+OK bye');
        this.disconnect();
        return;
      default:
        this.#reply('-ERR command not found');
    }
  }

  /** `event` adds to what was asked for before; the newest form counts for all. */
  #subscribe([format, ...names]: readonly string[]): void {
    if (format !== 'json' && format !== 'plain') {
      this.#reply('-ERR no keywords supplied');
      return;
    }
    this.#format = format;
    for (const name of names) if (name !== 'CUSTOM') this.#names.add(name);
    this.#reply(`+OK event listener enabled ${format}`);
  }

  #ask(command: string): ApiAnswer {
    const answer = this.fake.options.api?.(command, this);
    if (answer !== undefined) return answer;
    if (command === 'global_getvar core_uuid') return this.fake.coreUuid;
    if (command === 'show channels as json') return '{"row_count":0}';
    return `-ERR ${command.split(' ')[0] ?? ''} Command not found!\n`;
  }

  #api(command: string): void {
    const answer = this.#ask(command);
    if (typeof answer === 'object' && ('ignore' in answer || 'later' in answer)) return;
    const body = typeof answer === 'string' ? answer : answer.cut;
    const reply = `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`;
    if (typeof answer === 'string') this.write(reply);
    else {
      this.write(reply.slice(0, reply.length / 2));
      this.socket.end();
    }
  }

  #bgapi(command: string, headers: readonly string[]): void {
    const own = headers.find((line) => line.startsWith('Job-UUID: '))?.slice('Job-UUID: '.length);
    const job = own ?? randomUUID();
    this.write(`Content-Type: command/reply\nReply-Text: +OK Job-UUID: ${job}\nJob-UUID: ${job}\n\n`);
    const answer = this.#ask(command);
    const [word = '', ...rest] = command.split(' ');
    const done = (result: string): void => {
      this.tell(
        [
          ['Event-Name', 'BACKGROUND_JOB'],
          ['Core-UUID', this.fake.coreUuid],
          ['Job-UUID', job],
          ['Job-Command', word],
          ...(rest.length > 0 ? [['Job-Command-Arg', rest.join(' ')] as const] : []),
        ],
        result,
      );
    };
    if (typeof answer === 'string') done(answer);
    else if ('later' in answer) void answer.later.then(done);
  }

  #reply(text: string): void {
    this.write(`Content-Type: command/reply\nReply-Text: ${text}\n\n`);
  }
}

const asJson = (headers: EventHeaders, body: string | undefined): string => {
  const fields = body === undefined ? headers : [...headers, ['Content-Length', String(body.length)], ['_body', body]];
  // A name that comes twice stands there twice.
  return `{${fields.map(([name = '', value = '']) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
};

/** What FreeSWITCH leaves as it is, and what is encoded already, is not encoded. */
const encoded = (value: string): string =>
  /%[0-9A-F]{2}/.test(value)
    ? value
    : encodeURIComponent(value).replace(/%(?:2C|2F|3B)/g, (code) => decodeURIComponent(code));

const asPlain = (headers: EventHeaders, body: string | undefined): string => {
  const lines = headers.map(([name, value]) => `${name}: ${encoded(value)}\n`).join('');
  return body === undefined ? `${lines}\n` : `${lines}Content-Length: ${Buffer.byteLength(body)}\n\n${body}`;
};
