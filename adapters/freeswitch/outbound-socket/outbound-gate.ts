/** The gate of a FreeSWITCH: its dialplan asks over the outbound socket before any phone rings, and goes on by itself when nobody listens. */
import type { Logger } from 'pino';
import { asLegId, type LegId } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';
import { asError, type BridgeError, RetriableError } from '../../../src/errors.js';
import type { GateDecision, GatePort, GateRequest, GateState } from '../../../src/pbx/adapter.js';
import { GateListener } from '../../../src/pbx/gate-listener.js';
import { isDialled, listOf, wordOf } from '../../../src/pbx/gate-words.js';
import { isError } from '../commands.js';
import * as header from '../headers.js';
import type { TrunkTest } from '../legs.js';
import { givenBy, numbersOf, readWaitingCall, type WaitingCall } from './call-block.js';
import { commandsFor, isCallerId, leave, REJECT_Q850 } from './decision-commands.js';
import { GatePeer } from './gate-peer.js';

export interface OutboundGateOptions {
  readonly host: string;
  readonly port: number;
  /** Addresses, or networks as `10.0.0.0/8`, that may connect. */
  readonly allow: readonly string[];
  /** Calls that may wait at one time; those beyond go on unasked. Default 500. */
  readonly maxConnections?: number;
  readonly gate: GatePort;
  /** Ends a call that is to be rejected, of which FreeSWITCH could not be told here. Never throws. */
  readonly hangUp: (leg: LegId, q850: number) => void;
  /** The numbers with which a leg began, where they were heard. */
  readonly begunWith: (leg: LegId) => header.LegNumbers | undefined;
  /** Undefined: trunks and phones are told apart by what FreeSWITCH says of them. */
  readonly isTrunk: TrunkTest | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'gate_requests' | 'gate_refused') => void;
}

const CONTINUE: GateDecision = { kind: 'continue' };

export class OutboundGate {
  readonly #listener: GateListener;
  #saidSync = false;

  constructor(private readonly options: OutboundGateOptions) {
    this.#listener = new GateListener({
      ...options,
      onSocket: (socket) => {
        void this.#serve(new GatePeer(socket, options.clock));
      },
      onTurnedAway: (socket) => {
        void this.#letGo(new GatePeer(socket, options.clock));
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

  async #serve(peer: GatePeer): Promise<void> {
    const { log, count, gate, clock } = this.options;
    const since = clock.monotonic();
    try {
      const call = readWaitingCall(await peer.call());
      if (call === undefined) {
        this.#listener.refuse(
          'request',
          'something connected that is no call in the "socket" of a FreeSWITCH’s dialplan',
        );
        return;
      }
      count('gate_requests');
      if (!call.async) this.#warnOfSync();
      const asked = this.#requestOf(call);
      const decision = asked === undefined ? CONTINUE : await gate.ask({ ...asked, since });
      await this.#obey(peer, call, decision).catch((thrown: unknown) => {
        // Zammad has been told that it is over; if it were not, a call that nobody knows of would ring.
        if (decision.kind === 'reject') this.options.hangUp(asLegId(call.leg), REJECT_Q850[decision.reason]);
        throw thrown;
      });
    } catch (thrown) {
      log.debug({ error: asError(thrown) }, 'gate: a call ended early');
    } finally {
      peer.close();
    }
  }

  /**
   * FreeSWITCH does not go on with a call whose connection ends before `connect` was said: it waits for ever, unless `socket_resume` is
   * set. So whoever is not served is told to go on.
   */
  async #letGo(peer: GatePeer): Promise<void> {
    try {
      const call = readWaitingCall(await peer.call());
      if (call !== undefined) await peer.give(leave(call));
    } catch (thrown) {
      this.options.log.debug({ error: asError(thrown) }, 'gate: one that is not served has not said what it is');
    } finally {
      peer.close();
    }
  }

  async #obey(peer: GatePeer, call: WaitingCall, decision: GateDecision): Promise<void> {
    const possible = decision.kind !== 'dial' || isCallerId(decision.callerId) ? decision : CONTINUE;
    const replies = await peer.give(commandsFor(call, possible));
    const refused = replies.find(isError);
    if (possible.kind === 'reject') {
      if (isError(replies.at(-1) ?? ''))
        throw new RetriableError('ZPB_GATE_REQUEST', `FreeSWITCH did not hang up at the gate: ${refused ?? ''}`);
      await peer.ended();
    } else if (refused !== undefined)
      this.#listener.complain('order', `FreeSWITCH did not do what it was told of a call: ${refused.slice(0, 200)}`);
    if (possible !== decision)
      this.#listener.complain('number', 'the caller id that was named is no number: it is not set');
  }

  #requestOf(call: WaitingCall): GateRequest | undefined {
    const { description } = call;
    const line = header.lineOf(description, header.isOutgoing(description), this.options.isTrunk);
    if (line.kind !== 'trunk' && line.kind !== 'agent') return undefined;
    const leg = asLegId(call.leg);
    const first = { ...numbersOf(call), ...this.options.begunWith(leg) };
    const users = givenBy(call, 'users');
    const queue = givenBy(call, 'queue');
    const named = givenBy(call, 'number');
    // Of an agent's call: the number as his dialplan is about to dial it, not as it was dialled.
    const dialled =
      line.kind === 'trunk'
        ? (named ?? first.dialled)
        : [named, header.numbersNow(description).dialled, first.dialled].find(
            (one) => one !== undefined && isDialled(one),
          );
    // An emergency call must be known for one.
    if (dialled === undefined && line.kind === 'agent') {
      this.#listener.refuse(
        'number',
        `it is not known what ${line.device.slice(0, 80)} dials, so its calls go on unasked: set ZAMMAD_NUMBER in the dialplan`,
      );
      return undefined;
    }
    return {
      leg,
      line,
      from: first.from,
      dialled,
      withheld: header.isWithheld(description),
      users: users === undefined ? undefined : listOf(users),
      queue: queue === undefined ? undefined : wordOf(queue),
    };
  }

  #warnOfSync(): void {
    if (this.#saidSync) return;
    this.#saidSync = true;
    this.options.log.warn(
      'gate: the dialplan calls "socket" without "async": it works, but in that mode a call can get stuck in FreeSWITCH; write "async full" behind the address',
    );
  }
}
