import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { asLegId, type LegId } from '../../../src/call/vocabulary.js';
import { type Clock, inTime } from '../../../src/clock.js';
import { asError, isBridgeError } from '../../../src/errors.js';
import type { OriginateOrder, OriginateOutcome } from '../../../src/pbx/adapter.js';
import { dialVariables, faultOf, isLocal, MOST_PHONES, phonesOf } from '../../asterisk/dial-phones.js';
import { refusalOf, type RefusedOriginate, refusedOriginate } from '../../asterisk/dial-refusal.js';
import type { DialSettings } from '../../asterisk/dial-settings.js';
import type { AsteriskEvent } from '../../asterisk/event.js';
import { isObject, text } from '../event.js';
import { hangUpQuery } from '../hangup-reason.js';
import { reasonOf } from '../orders.js';
import type { AriQuery, AriReply, AriRest } from '../rest-contract.js';
import { CLICKED } from '../stasis-start.js';
import { contactsOf } from './contacts.js';
import { PhoneRace, type RaceOutcome } from './phone-race.js';
import { RingingPhone } from './ringing-phone.js';

const ORDER_MS = 3_000;
/** Asterisk's own time limit lies so long behind ours: it counts in whole seconds. */
const GRACE_MS = 2_000;
/** Orders under way. Each rings a person. */
const MOST_ORDERS = 100;
/** What is being hung up when the connection is closed has so long. */
const FAREWELL_MS = 500;
/** A phone that was given up, and might ring all the same, is watched for so long. */
const LATE_MS = 60_000;
/** Q.850, "answered elsewhere": the phone shows no missed call. */
const ELSEWHERE = 26;
const NORMAL = 16;

/** A connection to the PBX. */
export interface OriginateLine {
  readonly rest: AriRest;
  /** Settles when it has ended. */
  readonly lost: Promise<unknown>;
}

export interface OriginatorOptions {
  /** Name of the application in which one of several phones waits. */
  readonly app: string;
  /** Undefined: nobody has set up click-to-call. */
  readonly dial: DialSettings | undefined;
  /** Of the PBX, for messages. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A channel is about to be hung up by this bridge. */
  readonly markOurs: (leg: LegId) => void;
  /** The person behind a channel, Local channels folded. */
  readonly behind: (leg: LegId) => LegId;
  /** Begin of the ids of its channels, never used before. Default: random. */
  readonly idPrefix?: string | undefined;
}

/** Rings agents and lets the dialplan go on with a number. Lives as long as the adapter; connections come and go. */
export class Originator {
  readonly #idPrefix: string;
  /** By the ids of their phones. */
  readonly #races = new Map<string, PhoneRace>();
  /** The connection that each order went to. */
  readonly #linesOf = new Map<PhoneRace, OriginateLine>();
  /** Ids of phones that were given up while they might still ring. */
  readonly #late = new Map<string, () => void>();
  /** Orders to hang up that are under way. */
  readonly #hangingUp = new Set<Promise<void>>();
  /** Extensions that are being rung. */
  readonly #ringing = new Set<string>();
  #line: OriginateLine | undefined;
  #lastId = 0;

  constructor(private readonly options: OriginatorOptions) {
    this.#idPrefix = options.idPrefix ?? `zpb-${randomBytes(8).toString('hex')}`;
  }

  /** From now on orders go there. */
  connected(line: OriginateLine): void {
    this.#line = line;
    // Once for all of its orders: what waits for its end is kept until then.
    void line.lost.then(() => {
      if (this.#line === line) this.#line = undefined;
      for (const [race, its] of this.#linesOf) if (its === line) race.lost();
    });
  }

  /**
   * Orders are refused until the next connection; those under way end with their own. To be called while it stands: resolves
   * when no phone rings in vain any more, or has had its time.
   */
  async end(): Promise<void> {
    this.#line = undefined;
    for (const cancel of this.#late.values()) cancel();
    this.#late.clear();
    if (this.#hangingUp.size > 0) await inTime(this.options.clock, FAREWELL_MS, Promise.all(this.#hangingUp));
  }

  hear(message: AsteriskEvent): void {
    const id = message.get('Uniqueid');
    if (id === undefined) return;
    const cancel = this.#late.get(id);
    if (cancel !== undefined) {
      cancel();
      this.#late.delete(id);
      if (message.event !== 'Hangup') this.#hangUp(id, NORMAL);
    }
    const race = this.#races.get(id);
    race?.phones.find((phone) => phone.id === id)?.hear(message);
    race?.look();
  }

  /** A phone was taken, and waits in the application for what becomes of it. */
  arrived(id: string): void {
    const race = this.#races.get(id);
    race?.phones.find((phone) => phone.id === id)?.arrive();
    race?.look();
    // Nobody waits for it any more.
    if (race === undefined) this.#hangUp(id, NORMAL);
  }

  async originate(order: OriginateOrder): Promise<OriginateOutcome> {
    const { dial, name } = this.options;
    const { extension } = order.agent;
    const line = this.#line;
    if (dial === undefined) {
      const mend = `set dial: { context: … } of PBX ${name} to the context in which its agents dial`;
      return refusedOriginate('not-allowed', `nobody has set up who may be rung at PBX ${name}: ${mend}`);
    }
    if (line === undefined) return refusedOriginate('not-heard', `the PBX ${name} is not connected`);
    const fault = faultOf(order);
    if (fault !== undefined) return refusedOriginate('failed', fault);
    if (this.#ringing.has(extension)) return refusedOriginate('busy', `extension ${extension} is being rung already`);
    if (this.#ringing.size >= MOST_ORDERS) {
      return refusedOriginate('failed', `${MOST_ORDERS} agents are being rung at this moment; try again`);
    }
    this.#ringing.add(extension);
    try {
      return await this.#ring(order, dial, line);
    } finally {
      this.#ringing.delete(extension);
    }
  }

  // ------------------------------------------------------------------ one order

  async #ring(order: OriginateOrder, dial: DialSettings, line: OriginateLine): Promise<OriginateOutcome> {
    const { app, clock, name } = this.options;
    const devices = await contactsOf({ rest: line.rest, app, clock }, phonesOf(order.agent, dial));
    // It may have ended during the question.
    if (this.#line !== line) return refusedOriginate('not-heard', `the PBX ${name} is not connected any more`);
    const names = devices.slice(0, MOST_PHONES);
    const phones = names.map((phone, index) => {
      this.#lastId += 1;
      return new RingingPhone(`${this.#idPrefix}-${this.#lastId}`, phone, index === 0, names.length === 1);
    });
    const race = new PhoneRace(phones);
    for (const { id } of phones) this.#races.set(id, race);
    const cancel = clock.after(order.ringFor, () => {
      race.timeUp();
    });
    this.#linesOf.set(race, line);
    for (const phone of phones)
      void this.#start(order, dial, line, phone).finally(() => {
        race.look();
      });
    const outcome = await race.outcome;
    cancel();
    this.#linesOf.delete(race);
    const taken = outcome instanceof RingingPhone ? outcome : undefined;
    for (const phone of phones) {
      this.#races.delete(phone.id);
      if (phone === taken || outcome === 'lost') continue;
      if (phone.isAlive || phone.unheard) this.#giveUp(phone.id, taken === undefined ? NORMAL : ELSEWHERE);
    }
    if (!(outcome instanceof RingingPhone)) return this.#refusal(order, phones, outcome);
    const leg = this.options.behind(asLegId(outcome.id));
    return (await this.#putThrough(order, dial, line, outcome)) ?? { kind: 'done', leg };
  }

  /** Of several phones that which was taken waits; now it dials. Undefined: it does. */
  async #putThrough(
    { agent, number }: OriginateOrder,
    dial: DialSettings,
    { rest }: OriginateLine,
    phone: RingingPhone,
  ): Promise<RefusedOriginate | undefined> {
    if (phone.alone) return undefined;
    const what = `extension ${agent.extension} took the call, but the PBX ${this.options.name}`;
    const path = ['channels', phone.id, 'continue'];
    let said: string;
    let heard = true;
    try {
      const reply = await rest.request({ method: 'POST', path, query: placeOf(dial, number), timeout: ORDER_MS });
      if (reply.status >= 200 && reply.status < 300) return undefined;
      said = reasonOf(reply.body) ?? `status ${reply.status}`;
    } catch (thrown) {
      said = asError(thrown).message;
      heard = !(isBridgeError(thrown) && thrown.retriable);
    }
    // It waits for nothing now, or would dial after we have said that nothing came of it.
    this.#hangUp(phone.id, NORMAL);
    return heard
      ? refusedOriginate('failed', `${what} did not dial`, said)
      : refusedOriginate('not-heard', `${what} does not answer the order to dial`, said);
  }

  /** Never rejects. */
  async #start(order: OriginateOrder, dial: DialSettings, { rest }: OriginateLine, phone: RingingPhone): Promise<void> {
    try {
      const reply = await rest.request({
        method: 'POST',
        path: ['channels'],
        query: {
          endpoint: phone.phone,
          channelId: phone.id,
          // The other half of a Local channel; of others Asterisk ignores it.
          otherChannelId: isLocal(phone.phone) ? `${phone.id}-b` : undefined,
          // As the Manager Interface has it. Unless told, such a channel gets a format that no phone can be translated to (measured).
          formats: isLocal(phone.phone) ? 'slin' : undefined,
          ...(phone.alone ? placeOf(dial, order.number) : { app: this.options.app, appArgs: CLICKED }),
          timeout: Math.ceil((order.ringFor + GRACE_MS) / 1_000),
        },
        body: { variables: Object.fromEntries(dialVariables(order, phone.phone, dial, phone.first)) },
        timeout: ORDER_MS,
      });
      if (reply.status >= 200 && reply.status < 300) return;
      await this.#explain(reply, rest, phone);
    } catch (thrown) {
      // Perhaps only the answer did not come: it is not to be dialled after we have said that nothing came of it.
      phone.unheard = isBridgeError(thrown) && thrown.retriable;
      phone.refusal = asError(thrown).message;
    }
    phone.fail();
  }

  /** ARI says the same of a phone that is not registered and of one that does not exist: "Allocation failed". */
  async #explain({ status, body }: AriReply, rest: AriRest, phone: RingingPhone): Promise<void> {
    const said = reasonOf(body) ?? `status ${status}`;
    phone.denied = status === 401 || status === 403;
    const [, tech, resource] = /^(?<tech>[^/]+)\/(?<resource>[^/]+)/u.exec(phone.phone) ?? [];
    if (status === 500 && tech !== undefined && resource !== undefined && !isLocal(phone.phone)) {
      const known = await rest.request({ method: 'GET', path: ['endpoints', tech, resource], timeout: ORDER_MS });
      if (known.status === 404) phone.deviceState = 'INVALID';
      else if (isObject(known.body) && text(known.body, 'state') === 'offline') phone.deviceState = 'UNAVAILABLE';
    }
    if (phone.deviceState === undefined) phone.refusal = said;
  }

  #refusal({ agent }: OriginateOrder, phones: readonly RingingPhone[], outcome: RaceOutcome): OriginateOutcome {
    const { name } = this.options;
    const { extension } = agent;
    if (outcome === 'lost') {
      return refusedOriginate(
        'not-heard',
        `the connection to PBX ${name} broke while extension ${extension} was being rung; whoever takes the call there ` +
          (phones.length === 1 ? 'is put through all the same' : 'hears nothing, and is not put through'),
      );
    }
    const unheard = phones.find((phone) => phone.unheard);
    if (unheard !== undefined) {
      const reason = `the PBX ${name} does not answer the order to ring extension ${extension}`;
      return refusedOriginate('not-heard', reason, unheard.refusal);
    }
    const denied = phones.find((phone) => phone.denied);
    if (denied !== undefined) {
      const mend = 'set "read_only = no" in its section of ari.conf, then "module reload res_ari.so"';
      return refusedOriginate('not-allowed', `the login at PBX ${name} may not ring anybody: ${mend}`, denied.refusal);
    }
    return refusalOf(
      extension,
      phones.map((phone) => phone.end()),
    );
  }

  // ------------------------------------------------------------------ phones that shall ring no longer

  /** Its channel may still come: it is hung up then. */
  #giveUp(id: string, q850: number): void {
    if (!this.#late.has(id) && this.#late.size < MOST_ORDERS * MOST_PHONES) {
      const cancel = this.options.clock.after(LATE_MS, () => {
        this.#late.delete(id);
      });
      this.#late.set(id, cancel);
    }
    this.#hangUp(id, q850);
  }

  #hangUp(id: string, q850: number): void {
    const { markOurs, log } = this.options;
    const rest = this.#line?.rest;
    if (rest === undefined) return;
    markOurs(asLegId(id));
    const order = rest
      .request({ method: 'DELETE', path: ['channels', id], query: hangUpQuery(q850), timeout: ORDER_MS })
      .then(
        () => undefined,
        (thrown: unknown) => {
          log.warn({ error: asError(thrown), channel: id }, 'a phone that rings in vain could not be hung up');
        },
      )
      .finally(() => this.#hangingUp.delete(order));
    this.#hangingUp.add(order);
  }
}

/** Where the number is dialled. */
const placeOf = ({ context }: DialSettings, number: string): AriQuery => ({ context, extension: number, priority: 1 });
