/** The gate of an Asterisk: its dialplan asks over FastAGI before any phone rings, and goes on by itself when nobody listens. */
import type { Logger } from 'pino';
import { asLegId, type LegId } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';
import { asError, type BridgeError, RetriableError } from '../../../src/errors.js';
import type { GateDecision, GatePort, GateRequest, GateState } from '../../../src/pbx/adapter.js';
import { GateListener } from '../../../src/pbx/gate-listener.js';
import { isDialled, listOf, wordOf } from '../../../src/pbx/gate-words.js';
import { lineOf, parseChannelName, type ChannelName } from '../../asterisk/channel-name.js';
import { FREEPBX_PRESENTATION, isWithheld } from '../../asterisk/presentation.js';
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

export class AgiGate {
  readonly #listener: GateListener;

  constructor(private readonly options: AgiGateOptions) {
    this.#listener = new GateListener({
      ...options,
      onSocket: (socket) => {
        void this.#serve(new AgiPeer(socket, options.clock));
      },
    });
  }

  /** Where it listens; undefined: it does not. */
  get port(): number | undefined {
    return this.#listener.port;
  }
  /** Connections it holds now. */
  get connections(): number {
    return this.#listener.connections;
  }
  get state(): GateState {
    return this.#listener.state;
  }
  /** What an admin is to know while it should listen and does not. */
  get missing(): readonly string[] {
    return this.#listener.missing;
  }

  /** Resolves when it listens, or with why it does not (ZPB_GATE_LISTEN): then it is tried again until `close`. */
  open(): Promise<BridgeError | undefined> {
    return this.#listener.open();
  }
  /** Calls that wait go on. */
  close(): Promise<void> {
    return this.#listener.close();
  }

  async #serve(peer: AgiPeer): Promise<void> {
    const { log, count, gate, clock } = this.options;
    const since = clock.monotonic();
    try {
      const request = readAgiRequest(await peer.request());
      if (request?.path !== '/gate') {
        this.#listener.refuse(
          'request',
          'something connected that does not ask for agi://…/gate; the dialplan should say so',
        );
        return;
      }
      count('gate_requests');
      const asked = await this.#requestOf(request, peer);
      const decision: GateDecision = asked === undefined ? { kind: 'continue' } : await gate.ask({ ...asked, since });
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

  async #requestOf(request: AgiRequest, peer: AgiPeer): Promise<GateRequest | undefined> {
    const { query, uniqueid, channel, callerId, withheld } = request;
    const line = lineOf(parseChannelName(channel), this.options.isTrunk);
    if (line.kind !== 'trunk' && line.kind !== 'agent') return undefined;
    // An empty word, as of a variable that is not set, says nothing.
    const said = (name: string): string | undefined => query.get(name)?.trim() || undefined;
    const dialled = dialledOf(request, line.kind, said('number'));
    // An emergency call must be known for one.
    if (dialled === undefined && line.kind === 'agent') {
      this.#listener.refuse(
        'number',
        `it is not known what ${line.device.slice(0, 80)} dials, so its calls go on unasked: give number=\${EXTEN} in the dialplan`,
      );
      return undefined;
    }
    const users = said('users') ?? (await variable(peer, 'ZAMMAD_USERS'));
    const queue = said('queue') ?? (await variable(peer, 'ZAMMAD_QUEUE'));
    return {
      leg: asLegId(uniqueid),
      line,
      from: callerId,
      dialled,
      withheld: withheld || (line.kind === 'trunk' && isWithheld(await variable(peer, FREEPBX_PRESENTATION))),
      users: users === undefined ? undefined : listOf(users),
      queue: queue === undefined ? undefined : wordOf(queue),
    };
  }
}

/** The number called; undefined: only places of the dialplan are known. */
function dialledOf({ dnid, extension }: AgiRequest, kind: 'trunk' | 'agent', named?: string): string | undefined {
  if (kind === 'trunk') return named ?? dnid ?? extension;
  return [named, extension, dnid].find((one) => one !== undefined && isDialled(one));
}

/** `result=1 (value)`; `result=0` when the channel has no such variable. */
async function variable(peer: AgiPeer, name: string): Promise<string | undefined> {
  const reply = await peer.command(['GET', 'VARIABLE', name]);
  return /^result=1 \((?<value>.*)\)$/u.exec(reply)?.groups?.['value'];
}

/** Writes the decision where the dialplan looks for it. What it looks at first comes last: half a decision is none. */
async function obey(peer: AgiPeer, decision: GateDecision, setName: boolean): Promise<void> {
  const set = async (name: string, value: string): Promise<void> => {
    const reply = await peer.command(['SET', 'VARIABLE', name, value]);
    if (!/^result=1\b/u.test(reply)) throw notSet(name, reply);
  };
  if (decision.kind === 'reject') await set('ZAMMAD_REASON', decision.reason);
  if (decision.kind === 'dial') {
    await set('CALLERID(num)', decision.callerId);
    if (setName) await set('CALLERID(name)', decision.callerId);
  }
  await set('ZAMMAD_ACTION', decision.kind);
}

const notSet = (name: string, reply: string): RetriableError =>
  new RetriableError(
    'ZPB_AGI_REQUEST',
    `Asterisk did not set the variable ${name} of a call at the gate (${JSON.stringify(reply.slice(0, 64))}). Its call goes on`,
  );
