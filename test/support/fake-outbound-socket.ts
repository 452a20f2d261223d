import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { percentDecoded } from '../../adapters/freeswitch/event.js';

/** How a call comes out of the `socket` of its dialplan. */
export type OutboundEnd =
  | { readonly kind: 'goes on' }
  | { readonly kind: 'hung up'; readonly cause: string }
  /**
   * Nobody takes it up again. Without `async`: set aside to resume. With it: the connection has ended before `connect` was said, and the leg
   * is parked after that, unless `socket_resume` is set (mod_event_socket, read in the source; with it, recorded: gate-silent).
   */
  | { readonly kind: 'stuck' };

export interface OutboundCallOptions {
  readonly port: number;
  readonly host?: string;
  /** What FreeSWITCH says in reply to `connect`, as it was recorded: mode, control and variables stand in it. */
  readonly block: string;
  /** For how long it waits for `connect`, ms: 25 s in life. */
  readonly patience?: number;
  /** Takes commands and answers none. */
  readonly mute?: boolean;
  /** Does not read what is said to it. */
  readonly deaf?: boolean;
  /** The block comes in pieces of so many bytes. */
  readonly chunk?: number;
}

const PATIENCE_MS = 25_000;
const GOODBYE = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n';
const cases = new URL('../../adapters/freeswitch/cases/', import.meta.url);

/** Bytes that a real FreeSWITCH said at its outbound socket, and what it was told. */
export interface RecordedGate {
  readonly bytes: string;
  /** Its first part: the reply to `connect`. */
  readonly block: string;
  readonly sent: readonly { readonly after: number; readonly command: string }[];
}
export function recordedGate(name: string): RecordedGate {
  const bytes = readFileSync(new URL(`${name}/gate.esl`, cases), 'utf8');
  const sent = JSON.parse(readFileSync(new URL(`${name}/gate.sent.json`, cases), 'utf8')) as RecordedGate['sent'];
  return { bytes, block: bytes.slice(0, bytes.indexOf('\n\n') + 2), sent };
}

/** The block with some headers as the test wants them; undefined: without this one. */
export function blockWith(block: string, headers: Readonly<Record<string, string | undefined>>): string {
  const lines = block.trimEnd().split('\n');
  const kept = lines.filter((line) => !Object.keys(headers).some((name) => line.startsWith(`${name}: `)));
  const added = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${encodeURIComponent(value)}`],
  );
  // Mode and control come last.
  return `${[...kept.slice(0, -4), ...added, ...kept.slice(-4)].join('\n')}\n\n`;
}

/**
 * A call of FreeSWITCH that waits in `socket HOST:PORT …`, as its connection sees it, byte for byte as real ones were recorded
 * (test/integration/freeswitch/fake-outbound-socket.test.ts).
 */
export class OutboundCall {
  /** Commands as they came, headers included. */
  readonly told: string[] = [];
  readonly variables = new Map<string, string>();
  /** Resolves when the dialplan goes on, or never will. */
  readonly end: Promise<OutboundEnd>;
  readonly leg: string;
  readonly #async: boolean;
  readonly #full: boolean;
  #settle: (end: OutboundEnd) => void = () => undefined;
  #received = '';
  #resume = false;
  /** The port has taken the connection, and has said `connect`. */
  #reached = false;
  #connected = false;
  #linger: string | undefined;
  #cause: string | undefined;
  readonly #impatience: NodeJS.Timeout;

  private constructor(
    readonly socket: Socket,
    private readonly options: OutboundCallOptions,
  ) {
    const header = (name: string): string =>
      percentDecoded(new RegExp(`^${name}: (.*)$`, 'm').exec(options.block)?.[1] ?? '');
    this.leg = header('Unique-ID');
    this.#async = header('Socket-Mode') === 'async';
    this.#full = header('Control') === 'full';
    for (const [, name = '', value = ''] of options.block.matchAll(/^variable_([^:\n]+): (.*)$/gm))
      this.variables.set(name, percentDecoded(value));
    this.end = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#impatience = setTimeout(() => {
      this.#disconnect();
    }, options.patience ?? PATIENCE_MS);
    socket.setNoDelay(true);
    socket.once('connect', () => {
      this.#reached = true;
    });
    // Nothing listens, or it resets: the dialplan goes on either way.
    socket.on('error', () => undefined);
    if (options.deaf === true) socket.pause();
    else
      socket.on('data', (bytes: Buffer) => {
        this.#hear(bytes.toString('utf8'));
      });
    socket.once('close', () => {
      clearTimeout(this.#impatience);
      this.#over();
    });
  }

  /** The dialplan comes to its `socket`. */
  static enter(options: OutboundCallOptions): OutboundCall {
    return new OutboundCall(connect({ port: options.port, host: options.host ?? '127.0.0.1' }), options);
  }

  /** The leg is gone: the caller has given up, or somebody has killed it. */
  hangUp(cause = 'ORIGINATOR_CANCEL'): void {
    this.#cause = cause;
    this.#disconnect();
  }
  /** FreeSWITCH dies, or the network does. */
  cut(): void {
    this.socket.resetAndDestroy();
  }

  #over(): void {
    const resumes = this.#resume || this.variables.get('socket_resume') === 'true';
    if (this.#cause !== undefined) this.#settle({ kind: 'hung up', cause: this.#cause });
    else {
      const parked = this.#reached && !this.#connected && !resumes;
      this.#settle({ kind: (this.#async ? parked : resumes) ? 'stuck' : 'goes on' });
    }
  }

  #hear(text: string): void {
    this.#received += text.replaceAll('\r', '');
    for (;;) {
      const end = this.#received.indexOf('\n\n');
      if (end < 0 || this.socket.writableEnded) return;
      const command = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 2);
      this.told.push(command);
      if (this.options.mute !== true || command === 'connect') this.#obey(command);
    }
  }

  #obey(command: string): void {
    clearTimeout(this.#impatience);
    const [line = '', ...headers] = command.split('\n');
    const [word = '', ...rest] = line.split(' ');
    if (word === 'connect') {
      this.#connected = true;
      this.#say(this.options.block);
    } else if (word === 'resume') {
      this.#resume = true;
      this.variables.set('socket_resume', 'true');
      this.#reply('+OK');
    } else if (word === 'exit') {
      this.#reply('+OK bye');
      this.#linger = undefined;
      this.#disconnect();
    } else if (word === 'linger') {
      this.#linger = rest[0] ?? '-1';
      this.#reply(rest[0] === undefined ? '+OK will linger' : `+OK will linger ${rest[0]} seconds`);
    } else if (word === 'myevents') this.#reply('+OK Events Enabled');
    else if (word === 'sendmsg') this.#message(headers);
    else if (word === 'api' && this.#full) this.#api(rest);
    else this.#reply('-ERR command not found');
  }

  #message(headers: readonly string[]): void {
    const value = (name: string): string =>
      headers.find((header) => header.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
    this.#reply('+OK');
    if (value('call-command') === 'hangup') {
      this.hangUp(value('hangup-cause'));
      return;
    }
    const argument = value('execute-app-arg');
    if (value('execute-app-name') === 'unset') this.variables.delete(argument);
    if (value('execute-app-name') === 'set')
      this.variables.set(argument.slice(0, argument.indexOf('=')), argument.slice(argument.indexOf('=') + 1));
  }

  #api([word, leg, name = '', ...value]: readonly string[]): void {
    const here = leg === this.leg;
    const reply = here ? '+OK\n' : '-ERR No such channel!\n';
    this.#say(`Content-Type: api/response\nContent-Length: ${reply.length}\n\n${reply}`);
    if (!here) return;
    if (word === 'uuid_setvar' && value.length > 0) this.variables.set(name, value.join(' '));
    if (word === 'uuid_setvar' && value.length === 0) this.variables.delete(name);
    if (word === 'uuid_kill') this.hangUp(name);
  }

  #reply(text: string): void {
    this.#say(`Content-Type: command/reply\nReply-Text: ${text}\n\n`);
  }

  #disconnect(): void {
    const notice = `Content-Type: text/disconnect-notice\nControlled-Session-UUID: ${this.leg}\n`;
    if (this.#linger === undefined) {
      this.#say(`${notice}Content-Disposition: disconnect\nContent-Length: ${GOODBYE.length}\n\n${GOODBYE}`);
      this.socket.end();
    } else
      this.#say(
        `${notice}Content-Disposition: linger\nChannel-Name: ${this.variables.get('channel_name') ?? ''}\nLinger-Time: ${this.#linger}\nContent-Length: 0\n\n`,
      );
  }

  #say(text: string): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    const bytes = Buffer.from(text);
    const step = this.options.chunk ?? bytes.length;
    for (let at = 0; at < bytes.length; at += step) this.socket.write(bytes.subarray(at, at + step));
  }
}
