/**
 * The gate of an Asterisk that is heard over ARI: its dialplan hands a channel to the bridge (`Stasis`) before any phone rings, and
 * gets it back with the decision. When no bridge is connected, `Stasis` fails at once and the dialplan goes on.
 */
import type { Logger } from 'pino';
import { asLegId, type LegId, type Millis } from '../../src/call/vocabulary.js';
import type { Clock } from '../../src/clock.js';
import { asError } from '../../src/errors.js';
import type { GateDecision, GatePort, GateRequest } from '../../src/pbx/adapter.js';
import { lineOf, parseChannelName, type ChannelName } from '../asterisk/channel-name.js';
import { FREEPBX_PRESENTATION, isWithheld } from '../asterisk/presentation.js';
import { Complaints } from './complaints.js';
import { isDialled, listOf, wordOf } from '../../src/pbx/gate-words.js';
import type { AriEvent, JsonObject } from './event.js';
import type { AriRest } from './rest-contract.js';
import { StasisChannel } from './stasis-channel.js';
import { known, readStasisEnd, readStasisStart, waitingIn, type StasisStart } from './stasis-start.js';

export interface StasisGateOptions {
  /** Name of the application. */
  readonly app: string;
  /** Show a caller id that Zammad names as the name too. */
  readonly setName: boolean;
  /** Calls that may wait at one time; those beyond go on unasked. Default 500. */
  readonly mostWaiting?: number;
  /** Undefined: nobody has configured a gate. Who waits all the same goes on at once. */
  readonly gate: GatePort | undefined;
  /** It is known which channels are trunks. Until then calls go on unasked. */
  readonly isReady: () => boolean;
  readonly isTrunk: (name: ChannelName) => boolean;
  /** The number that a customer's channel came in for, as the events told; undefined: they did not. */
  readonly dialledOf: (leg: LegId) => string | undefined;
  /** A phone has come that was rung for a click: the gate has nothing to do with it yet. */
  readonly onClicked?: ((id: string) => void) | undefined;
  /** It was learned whether a caller wants his number shown. */
  readonly onPresentation: (leg: LegId, withheld: boolean) => void;
  /** Whether the end of a channel, when it comes, is our doing. */
  readonly markOurs: (leg: LegId, ours: boolean) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'gate_requests' | 'gate_refused') => void;
}

type Complaint = 'crowd' | 'line' | 'number' | 'off' | 'order' | 'stuck';

const CONTINUE: GateDecision = { kind: 'continue' };
const MOST_WAITING = 500;
/** What is asked of the PBX before Zammad is. */
const LOOKUP_MS = 250;
/** Calls may come while others are let go at the end; a flood of them must not hold the end up. */
const CLOSE_ROUNDS = 2;
const PRESENTATIONS = ['CALLERID(pres)', FREEPBX_PRESENTATION];

interface Waiting {
  readonly channel: StasisChannel;
  /** The channel waits no longer: the caller has gone, or the dialplan has taken it back. */
  left: boolean;
}

export class StasisGate {
  readonly #complaints: Complaints<Complaint>;
  /** By the channel's id. */
  readonly #waiting = new Map<string, Waiting>();
  /** That of the last connection. */
  #rest: AriRest | undefined;
  #isOpen = false;
  /** The connection has brought no list of channels yet. */
  #isNew = false;
  /** Those that are let go because the end has come. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(private readonly options: StasisGateOptions) {
    this.#complaints = new Complaints(options.clock, options.log);
  }

  /** Calls that wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** From now on the events are those of a new connection. What waited on the one before is let go by `release`. */
  open(rest: AriRest): void {
    this.#rest = rest;
    this.#isOpen = true;
    this.#isNew = true;
    for (const call of this.#waiting.values()) call.left = true;
    this.#waiting.clear();
  }

  /** One event of the connection, whatever it is. Never throws. */
  take(event: AriEvent): void {
    const { app } = this.options;
    const ended = readStasisEnd(event, app);
    const gone = ended === undefined ? undefined : this.#waiting.get(ended);
    if (gone !== undefined && ended !== undefined) {
      gone.left = true;
      // It may come to another line at once, before it is known that this one is over.
      this.#waiting.delete(ended);
    }
    const start = readStasisStart(event, app);
    if (start === undefined || this.#waiting.has(start.id)) return;
    if (start.clicked) {
      this.options.onClicked?.(start.id);
      return;
    }
    // The application is there as long as its connection is.
    if (this.#isOpen) void this.#serve(start);
    else this.#leave(this.#channel(start.id));
  }

  /**
   * Lets those go that wait in the application and of which this connection has not been told: their bridge has crashed, or
   * lost its connection. Phones that wait to dial are hung up: nobody knows any more what. Once a connection, for later lists may be ahead of the events. Never rejects.
   * @param channels what `GET /channels` lists.
   */
  async release(channels: readonly JsonObject[]): Promise<void> {
    if (!this.#isNew) return;
    this.#isNew = false;
    const stranded = waitingIn(channels, this.options.app).filter(({ id }) => !this.#waiting.has(id));
    if (stranded.length === 0) return;
    this.options.log.info({ calls: stranded.length }, 'gate: calls that waited for a bridge of before go on unasked');
    await Promise.all(
      stranded.map(({ id, clicked }) =>
        clicked ? this.#channel(id).hangUp('noAnswer') : this.#letGo(this.#channel(id)),
      ),
    );
  }

  /**
   * Calls that wait go on, and so do those that come meanwhile: each is told so before this resolves, or has had its time. To be called
   * while requests get through, also when the events have broken. May be called again.
   */
  async close(): Promise<void> {
    this.#isOpen = false;
    for (const call of this.#waiting.values()) {
      call.left = true;
      this.#leave(call.channel);
    }
    this.#waiting.clear();
    for (let round = 0; round < CLOSE_ROUNDS && this.#leaving.size > 0; round += 1) await Promise.all(this.#leaving);
  }

  #leave(channel: StasisChannel): void {
    const leaving = this.#letGo(channel, 'once').finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #serve(start: StasisStart): Promise<void> {
    const { mostWaiting = MOST_WAITING, clock, count, log } = this.options;
    const began = clock.monotonic();
    const call: Waiting = { channel: this.#channel(start.id), left: false };
    if (this.#waiting.size >= mostWaiting) {
      this.#refuse('crowd', `${mostWaiting} calls wait already; those beyond go on unasked`);
      await this.#letGo(call.channel);
      return;
    }
    this.#waiting.set(start.id, call);
    try {
      count('gate_requests');
      const decision = await this.#decide(start, call.channel, began);
      await this.#obey(call, decision);
    } catch (thrown) {
      log.error({ error: asError(thrown) }, 'gate: a call could not be handled; it goes on');
      if (!call.left) await this.#letGo(call.channel);
    } finally {
      log.debug({ channel: start.id }, `gate: a call was held for ${Math.round(clock.monotonic() - began)} ms`);
      if (this.#waiting.get(start.id) === call) this.#waiting.delete(start.id);
    }
  }

  async #decide(start: StasisStart, channel: StasisChannel, since: Millis): Promise<GateDecision> {
    const { gate, isReady, app } = this.options;
    if (gate === undefined) {
      this.#refuse(
        'off',
        `the dialplan has calls wait (Stasis(${app})), but the setting gate is missing; they go on unasked`,
      );
      return CONTINUE;
    }
    if (!isReady()) return CONTINUE;
    const request = await this.#requestOf(start, channel);
    return request === undefined ? CONTINUE : gate.ask({ ...request, since });
  }

  async #requestOf(start: StasisStart, channel: StasisChannel): Promise<GateRequest | undefined> {
    const line = lineOf(parseChannelName(start.channel), this.options.isTrunk);
    if (line.kind !== 'trunk' && line.kind !== 'agent') {
      this.#refuse('line', `${start.channel.slice(0, 80)} is no phone and no trunk; it goes on unasked`);
      return undefined;
    }
    const { args, extension } = start;
    const leg = asLegId(start.id);
    const look = (name: string): Promise<string | undefined> => channel.get(name, LOOKUP_MS);
    const named = known(args.get('number'));
    const number =
      line.kind === 'trunk'
        ? (named ?? this.options.dialledOf(leg))
        : named !== undefined && isDialled(named)
          ? named
          : extension;
    const isNamed = args.has('users') || args.has('queue');
    // All at once: what they take together is bounded by one time-out. And no more than is needed: 50 calls may come at once.
    const [withheld, dnid, users, queue] = await Promise.all([
      line.kind === 'trunk' && this.#isWithheld(leg, look),
      number === undefined ? look('CALLERID(dnid)') : undefined,
      isNamed ? args.get('users') : look('ZAMMAD_USERS'),
      isNamed ? args.get('queue') : look('ZAMMAD_QUEUE'),
    ]);
    const dialled = number ?? known(dnid) ?? extension;
    // An emergency call must be known for one.
    if (dialled === undefined && line.kind === 'agent') {
      this.#refuse(
        'number',
        `it is not known what ${line.device.slice(0, 80)} dials, so its calls go on unasked: give number=\${EXTEN} in the dialplan`,
      );
      return undefined;
    }
    return {
      leg,
      line,
      from: start.from,
      dialled: dialled === undefined ? undefined : wordOf(dialled),
      withheld,
      users: users === undefined ? undefined : listOf(users),
      queue: queue === undefined ? undefined : wordOf(queue),
    };
  }

  /** Asked here and now: the dialplan runs, so Asterisk has filled it in. Not told in time: the number counts as shown. */
  async #isWithheld(leg: LegId, look: (name: string) => Promise<string | undefined>): Promise<boolean> {
    const answers = await Promise.all(PRESENTATIONS.map(look));
    if (answers.every((answer) => answer === undefined)) return false;
    const withheld = answers.some(isWithheld);
    this.options.onPresentation(leg, withheld);
    return withheld;
  }

  /** Does what was decided, or writes it where the dialplan looks for it, and gives the channel back. */
  async #obey(call: Waiting, decision: GateDecision): Promise<void> {
    const { channel } = call;
    if (decision.kind === 'reject') {
      // Also when it waits no longer: Zammad has been told that the call is over.
      const leg = asLegId(channel.id);
      this.options.markOurs(leg, true);
      if (await channel.hangUp(decision.reason)) return;
      this.options.markOurs(leg, false);
      const told =
        !call.left &&
        (await channel.set('ZAMMAD_REASON', decision.reason)) &&
        (await channel.set('ZAMMAD_ACTION', 'reject'));
      this.#complaints.say(
        'order',
        `gate: a rejected call could not be hung up; ${told ? 'the dialplan is to do it' : 'it rings'}`,
      );
    } else if (decision.kind === 'dial' && !call.left) {
      const shown = await channel.showAs(decision.callerId, this.options.setName);
      if (!shown || !(await channel.set('ZAMMAD_ACTION', 'dial')))
        this.#complaints.say(
          'order',
          'gate: the caller id that Zammad named could not be set; the call goes on without it',
        );
    }
    if (call.left) return;
    call.left = true;
    await this.#letGo(channel);
  }

  async #letGo(channel: StasisChannel, how?: 'once'): Promise<void> {
    const why = await channel.letGo(how);
    if (why === undefined) return;
    this.options.log.debug({ channel: channel.id, why }, 'gate: a call could not be let go');
    this.#complaints.say(
      'stuck',
      `gate: a call waits in the dialplan and could not be let go (${why}). TIMEOUT(absolute) in the dialplan lets it go, or this ` +
        'bridge when it is connected anew; "core show channels" in Asterisk shows what waits in Stasis',
    );
  }

  /** Counted each time, said now and then. */
  #refuse(kind: Complaint, why: string): void {
    this.options.count('gate_refused');
    this.#complaints.say(kind, `gate: ${why}`);
  }

  #channel(id: string): StasisChannel {
    const { clock, log } = this.options;
    return new StasisChannel({ id, rest: () => this.#rest, clock, log });
  }
}
