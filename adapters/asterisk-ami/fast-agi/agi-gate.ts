/** The gate of an Asterisk: its dialplan asks over FastAGI before any phone rings, and goes on by itself when nobody listens. */
import { BlockList, createServer, isIP, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { asLegId, type LegId, type Millis } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';
import { asError, RetriableError } from '../../../src/errors.js';
import type { GateDecision, GatePort, GateRequest } from '../../../src/pbx/adapter.js';
import { lineOf, parseChannelName, type ChannelName } from '../../asterisk/channel-name.js';
import { AgiPeer } from './agi-peer.js';
import { readAgiRequest, type AgiRequest } from './agi-request.js';

export interface AgiGateOptions {
  readonly host: string;
  readonly port: number;
  /** Addresses, or networks as `10.0.0.0/8`, that may connect. */
  readonly allow: readonly string[];
  readonly setName: boolean;
  /** Calls that may wait at one time; those beyond go on unasked. Default 500. */
  readonly maxConnections?: number;
  readonly gate: GatePort;
  /** Ends a call that is to be rejected, of which the dialplan could not be told. Never throws. */
  readonly hangUp: (leg: LegId) => void;
  readonly isTrunk: (name: ChannelName) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'gate_requests' | 'gate_refused') => void;
}

type Complaint = 'address' | 'request' | 'crowd';

const MAX_CONNECTIONS = 500;
const LONGEST_LIST = 200;
/** Of an extension or a queue's name, in characters. */
const LONGEST_WORD = 100;
/** The same complaint is not logged again within this. */
const QUIET_MS = 60_000;

export class AgiGate {
  readonly #allowed = new BlockList();
  readonly #peers = new Set<AgiPeer>();
  /** When each kind of complaint was logged, monotonic ms. */
  readonly #complained = new Map<Complaint, Millis>();
  #server: Server | undefined;

  constructor(private readonly options: AgiGateOptions) {
    for (const entry of options.allow) {
      const [address = '', bits] = entry.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#allowed.addAddress(address, family);
      else this.#allowed.addSubnet(address, Number(bits), family);
    }
  }

  /** Where it listens; undefined: it does not. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** Connections it holds now. */
  get connections(): number {
    return this.#peers.size;
  }

  /** Rejects with a RetriableError ZPB_AGI_LISTEN when the address cannot be had. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return;
    const { host, port, log, maxConnections = MAX_CONNECTIONS } = this.options;
    const server = createServer({ noDelay: true });
    server.maxConnections = maxConnections;
    server.on('connection', (socket) => {
      this.#meet(socket);
    });
    server.on('drop', () => {
      this.#refuse('crowd', `${maxConnections} calls wait already; those beyond go on unasked`);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => {
        reject(
          new RetriableError(
            'ZPB_AGI_LISTEN',
            `the gate cannot listen at ${host}:${port} (${error.message}): choose another gate.port, or end the program that uses it`,
          ),
        );
      });
      server.listen(port, host, resolve);
    });
    server.on('error', (error) => {
      log.warn({ error }, 'gate: the server has a fault');
    });
    this.#server = server;
  }

  /** Calls that wait go on. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const peer of this.#peers) peer.destroy();
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  }

  #meet(socket: Socket): void {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/u, '');
    if (!this.#allowed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) {
      this.#refuse('address', `${address} may not connect; gate.allow names who may`);
      // It may have reset the connection; that is no fault of ours.
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    const peer = new AgiPeer(socket, this.options.clock);
    this.#peers.add(peer);
    socket.once('close', () => {
      this.#peers.delete(peer);
    });
    void this.#serve(peer);
  }

  async #serve(peer: AgiPeer): Promise<void> {
    const { log, count, gate } = this.options;
    try {
      const request = readAgiRequest(await peer.request());
      if (request?.path !== '/gate') {
        this.#refuse('request', 'something connected that does not ask for agi://…/gate; the dialplan should say so');
        return;
      }
      count('gate_requests');
      const asked = await this.#requestOf(request, peer);
      const decision: GateDecision = asked === undefined ? { kind: 'continue' } : await gate.ask(asked);
      await obey(peer, decision, this.options.setName).catch((thrown: unknown) => {
        // Zammad has been told that it is over; if it were not, a call that nobody knows of would ring.
        if (asked !== undefined && decision.kind === 'reject') this.options.hangUp(asked.leg);
        throw thrown;
      });
    } catch (thrown) {
      log.debug({ error: asError(thrown) }, 'gate: a request ended early');
    } finally {
      peer.close();
    }
  }

  /** Counted each time, said now and then: who floods the port must not flood the log. */
  #refuse(kind: Complaint, why: string): void {
    const { clock, log, count } = this.options;
    count('gate_refused');
    const before = this.#complained.get(kind);
    if (before !== undefined && clock.monotonic() - before < QUIET_MS) return;
    this.#complained.set(kind, clock.monotonic());
    log.warn(`gate: ${why}`);
  }

  async #requestOf(request: AgiRequest, peer: AgiPeer): Promise<GateRequest | undefined> {
    const { query, uniqueid, channel, callerId, dnid, extension, withheld } = request;
    const line = lineOf(parseChannelName(channel), this.options.isTrunk);
    if (line.kind !== 'trunk' && line.kind !== 'agent') return undefined;
    const users = query.get('users') ?? (await variable(peer, 'ZAMMAD_USERS'));
    const queue = query.get('queue') ?? (await variable(peer, 'ZAMMAD_QUEUE'));
    const number = query.get('number');
    return {
      leg: asLegId(uniqueid),
      line,
      from: callerId,
      dialled: number ?? (line.kind === 'trunk' ? (dnid ?? extension) : extension),
      withheld,
      users: users === undefined ? undefined : listOf(users),
      queue: queue === undefined ? undefined : wordOf(queue),
    };
  }
}

const wordOf = (text: string): string => text.replace(/[\u0000-\u001f\u007f]/gu, '').slice(0, LONGEST_WORD);

const listOf = (text: string): readonly string[] =>
  text
    .split(/[,&\s]+/u)
    .map(wordOf)
    .filter((word) => word !== '')
    .slice(0, LONGEST_LIST);

/** `result=1 (value)`; `result=0` when the channel has no such variable. */
async function variable(peer: AgiPeer, name: string): Promise<string | undefined> {
  const reply = await peer.command(['GET', 'VARIABLE', name]);
  return /^result=1 \((?<value>.*)\)$/u.exec(reply)?.groups?.['value'];
}

/** Writes the decision where the dialplan looks for it. What it looks at first comes last: half a decision is none. */
async function obey(peer: AgiPeer, decision: GateDecision, setName: boolean): Promise<void> {
  const set = (name: string, value: string): Promise<string> => peer.command(['SET', 'VARIABLE', name, value]);
  if (decision.kind === 'reject') await set('ZAMMAD_REASON', decision.reason);
  if (decision.kind === 'dial') {
    await set('CALLERID(num)', decision.callerId);
    if (setName) await set('CALLERID(name)', decision.callerId);
  }
  await set('ZAMMAD_ACTION', decision.kind);
}
