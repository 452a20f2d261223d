import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { waitFor, type WaitOptions } from '../support/wait-for.js';
import {
  formatSipMessage,
  headerOf,
  parseSipMessage,
  requiredHeader,
  type SipRequest,
  type SipResponse,
  statusLine,
  tagOf,
  userOf,
} from './sip-message.js';
import type { ReplyOptions, SipEndpoint, SipHostOptions } from './sip-endpoint.js';
import { randomToken } from './random-token.js';
import { SipCall } from './sip-call.js';
import type { PlaceOptions } from './sip-dialog.js';

/** What a phone does by itself with a call that comes in. */
export type Behaviour = (call: SipCall) => void | Promise<void>;
/** Rings until somebody picks up. What phones do that were told nothing else. */
export const rings: Behaviour = (call) => {
  call.ring();
};
/** Refuses at once, with a SIP status: 486 busy, 603 declined, 404 no such number. */
export const refuses =
  (status: number): Behaviour =>
  (call) => {
    call.refuse(status);
  };

interface Transaction {
  readonly onResponse: (response: SipResponse) => void;
  readonly abandon: (reason: Error) => void;
}

const REPEAT_MS = 500;
const REPEATS = 5;

/**
 * Several phones behind one UDP socket: a small SIP user agent without registration or passwords, enough of RFC 3261,
 * 3515 and 3891 to place, take, refuse, hold and transfer calls at a real PBX on loopback. Owns its calls and closes
 * their sockets and timers with its own.
 */
export class SipHost implements SipEndpoint {
  readonly #calls = new Map<string, SipCall>();
  readonly #behaviours = new Map<string, Behaviour>();
  readonly #transactions = new Map<string, Transaction>();
  /** Final replies by transaction, for requests that come again. Emptied by `reset`. */
  readonly #replies = new Map<string, string>();
  readonly #socket: Socket;
  /** What went wrong in a phone's own doings; a test looks at it at its end. */
  readonly troubles: Error[] = [];

  private constructor(
    readonly options: SipHostOptions,
    socket: Socket,
  ) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      this.#receive(bytes.toString('utf8'));
    });
    // A PBX that is down answers with an ICMP error. The call's own deadline tells that.
    socket.on('error', () => undefined);
  }

  static async open(options: SipHostOptions): Promise<SipHost> {
    const socket = createSocket('udp4');
    socket.bind(options.port, options.address);
    await once(socket, 'listening');
    return new SipHost(options, socket);
  }

  /** Says what the phone `user` does with calls from now on, until `reset`. */
  behave(user: string, behaviour: Behaviour): void {
    this.#behaviours.set(user, behaviour);
  }

  /** Calls `to` from the phone `from`. Resolves when the INVITE is sent. */
  async place(from: string, to: string, options: PlaceOptions = {}): Promise<SipCall> {
    const call = await SipCall.place(this, from, to, options);
    this.#calls.set(call.id, call);
    return call;
  }

  /** The newest live call that came in for `user`; waits for one. */
  callTo(user: string, options?: WaitOptions): Promise<SipCall> {
    return waitFor(`a call to ${user}`, () => this.taken(user).findLast((call) => call.state !== 'ended'), options);
  }

  /** Every call that came in for `user` since `reset`, ended ones too. */
  taken(user: string): readonly SipCall[] {
    return [...this.#calls.values()].filter((call) => call.kind === 'taken' && call.to === user);
  }

  /** Forgets all calls (silently: the PBX is told nothing), behaviours and troubles. */
  reset(): void {
    for (const call of this.#calls.values()) call.drop();
    for (const transaction of this.#transactions.values()) transaction.abandon(new Error('the phone was reset'));
    this.#calls.clear();
    this.#transactions.clear();
    this.#behaviours.clear();
    this.#replies.clear();
    this.troubles.length = 0;
  }

  close(): void {
    this.reset();
    this.#socket.close();
  }

  // ---------------------------------------------------------------- for the calls

  send(text: string): void {
    this.#socket.send(text, this.options.pbx.port, this.options.pbx.address);
  }

  transact(
    request: string,
    key: string,
    deadline: number,
    onProvisional?: (response: SipResponse) => void,
  ): Promise<SipResponse> {
    return new Promise((resolve, reject) => {
      const [what] = request.split(' SIP/2.0', 1);
      let repeats = 0;
      const repeat = setInterval(() => {
        repeats += 1;
        if (repeats > REPEATS) clearInterval(repeat);
        else this.send(request);
      }, REPEAT_MS);
      const finish = (): void => {
        clearInterval(repeat);
        clearTimeout(limit);
        this.#transactions.delete(key);
      };
      const abandon = (reason: Error): void => {
        finish();
        reject(reason);
      };
      const limit = setTimeout(() => {
        abandon(new Error(`the PBX did not answer ${what ?? 'a request'} within ${deadline} ms`));
      }, deadline);
      const onResponse = (response: SipResponse): void => {
        if (onProvisional !== undefined) clearInterval(repeat);
        if (response.status < 200) {
          onProvisional?.(response);
          return;
        }
        finish();
        resolve(response);
      };
      this.#transactions.set(key, { onResponse, abandon });
      this.send(request);
    });
  }

  reply(request: SipRequest, status: number, extra: ReplyOptions = {}): void {
    const to = requiredHeader(request, 'to');
    const { address, port } = this.options;
    const text = formatSipMessage(
      statusLine(status),
      [
        ...(request.headers.get('via') ?? []).map((via) => `Via: ${via}`),
        `From: ${requiredHeader(request, 'from')}`,
        `To: ${status === 100 || tagOf(to) !== undefined ? to : `${to};tag=${extra.tag ?? randomToken()}`}`,
        `Call-ID: ${requiredHeader(request, 'call-id')}`,
        `CSeq: ${requiredHeader(request, 'cseq')}`,
        ...(extra.headers ?? [`Contact: <sip:${userOf(request.uri) ?? 'lab'}@${address}:${port}>`]),
      ],
      extra.body,
    );
    if (status >= 200) this.#replies.set(transactionKey(request), text);
    this.send(text);
  }

  // ---------------------------------------------------------------- from the PBX

  #receive(text: string): void {
    if (text.trim() === '') return;
    const message = parseSipMessage(text);
    if (message.kind === 'response') {
      const branch = /branch=([^;,\s]+)/.exec(headerOf(message, 'via') ?? '')?.[1] ?? '';
      this.#transactions.get(`${branch} ${requiredHeader(message, 'cseq').split(' ')[1] ?? ''}`)?.onResponse(message);
      return;
    }
    const earlier = message.method === 'ACK' ? undefined : this.#replies.get(transactionKey(message));
    if (earlier !== undefined) {
      this.send(earlier);
      return;
    }
    const call = this.#calls.get(requiredHeader(message, 'call-id'));
    if (call !== undefined) call.onRequest(message);
    else if (message.method === 'INVITE') this.#take(message);
    else if (message.method !== 'ACK') this.reply(message, message.method === 'OPTIONS' ? 200 : 481);
  }

  #take(invite: SipRequest): void {
    const call = SipCall.take(this, invite);
    this.#calls.set(call.id, call);
    this.reply(invite, 100);
    const behaviour = this.#behaviours.get(call.to) ?? rings;
    Promise.resolve(behaviour(call)).catch((thrown: unknown) => {
      this.troubles.push(thrown instanceof Error ? thrown : new Error(String(thrown)));
    });
  }
}

const transactionKey = (request: SipRequest): string => `${requiredHeader(request, 'via')} ${request.method}`;
