/** The gate of an Asterisk: its dialplan asks over FastAGI before any phone rings, and goes on by itself when nobody listens. */
import { BlockList, createServer, isIP, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { GateDecision, GateRequest } from '../../../src/call/gate.js';
import { asLegId } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';
import { asError, RetriableError } from '../../../src/errors.js';
import type { GatePort } from '../../../src/pbx/adapter.js';
import { lineOf, parseChannelName, type ChannelName } from '../channel-name.js';
import { AgiPeer } from './agi-peer.js';
import { readAgiRequest, type AgiRequest } from './agi-request.js';

export interface AgiGateOptions {
  readonly host: string;
  readonly port: number;
  /** Addresses, or networks as `10.0.0.0/8`, that may connect. */
  readonly allow: readonly string[];
  readonly setName: boolean;
  readonly gate: GatePort;
  readonly isTrunk: (name: ChannelName) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'gate_requests' | 'gate_refused') => void;
}

/** Calls that wait at one time; each is answered within the budget. */
const MAX_CONNECTIONS = 500;
const LONGEST_LIST = 200;

export class AgiGate {
  readonly #allowed = new BlockList();
  readonly #peers = new Set<AgiPeer>();
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

  /** Rejects with a RetriableError ZPB_AGI_LISTEN when the address cannot be had. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return;
    const { host, port, log } = this.options;
    const server = createServer({ noDelay: true });
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => {
      this.#meet(socket);
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
    const { clock, log, count } = this.options;
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/u, '');
    if (!this.#allowed.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) {
      count('gate_refused');
      log.warn({ address }, `gate: ${address} may not connect; gate.allow names who may`);
      socket.destroy();
      return;
    }
    const peer = new AgiPeer(socket, clock);
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
        count('gate_refused');
        log.warn('gate: a connection that is no request for agi://…/gate');
        return;
      }
      count('gate_requests');
      const asked = await this.#requestOf(request, peer);
      await obey(peer, asked === undefined ? { kind: 'continue' } : await gate.ask(asked), this.options.setName);
    } catch (thrown) {
      log.debug({ error: asError(thrown) }, 'gate: a request ended early');
    } finally {
      peer.close();
    }
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
      queue,
    };
  }
}

const listOf = (text: string): readonly string[] =>
  text
    .split(/[,&\s]+/u)
    .filter((word) => word !== '')
    .slice(0, LONGEST_LIST);

/** `result=1 (value)`; `result=0` when the channel has no such variable. */
async function variable(peer: AgiPeer, name: string): Promise<string | undefined> {
  const reply = await peer.command(['GET', 'VARIABLE', name]);
  return /^result=1 \((?<value>.*)\)$/u.exec(reply)?.groups?.['value'];
}

/** Writes the decision where the dialplan looks for it. */
async function obey(peer: AgiPeer, decision: GateDecision, setName: boolean): Promise<void> {
  const set = (name: string, value: string): Promise<string> => peer.command(['SET', 'VARIABLE', name, value]);
  await set('ZAMMAD_ACTION', decision.kind);
  if (decision.kind === 'reject') await set('ZAMMAD_REASON', decision.reason);
  if (decision.kind !== 'dial') return;
  await set('CALLERID(num)', decision.callerId);
  if (setName) await set('CALLERID(name)', decision.callerId);
}
