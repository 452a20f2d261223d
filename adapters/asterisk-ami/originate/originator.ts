import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { asLegId, type LegId } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';
import { asError, isBridgeError } from '../../../src/errors.js';
import type { OriginateOrder, OriginateOutcome } from '../../../src/pbx/adapter.js';
import { faultOf, MOST_PHONES, phonesOf } from '../../asterisk/dial-phones.js';
import { refusalOf, type RefusedOriginate, refusedOriginate } from '../../asterisk/dial-refusal.js';
import type { DialSettings } from '../../asterisk/dial-settings.js';
import { hangUpChannel, redirectChannel } from '../actions.js';
import type { AmiMessage } from '../message.js';
import type { AmiSession } from '../session.js';
import { originateAction } from './originate-action.js';
import { contactsOf, deviceStateOf, hasNumber } from './phone-questions.js';
import { giveRight } from '../rights.js';
import { PhoneRace, type RaceOutcome } from './phone-race.js';
import { RingingPhone } from './ringing-phone.js';

/** Beyond the time that the phone rings: Asterisk ends that by itself. */
const GRACE_MS = 5_000;
const ACTION_MS = 3_000;
/** Orders under way. Each rings a person. */
const MOST_ORDERS = 100;
/** A phone that was given up, and might be taken all the same, is watched for so long. */
const LATE_MS = 60_000;
/** Q.850, "answered elsewhere": the phone shows no missed call. */
const ELSEWHERE = 26;
const NORMAL = 16;

export interface OriginatorOptions {
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

/** Rings agents and lets the dialplan go on with a number (Originate). Lives as long as the adapter; sessions come and go. */
export class Originator {
  readonly #idPrefix: string;
  /** By the ids of their phones. */
  readonly #races = new Map<string, PhoneRace>();
  /** Ids of phones that were given up while they might still be taken. */
  readonly #late = new Map<string, () => void>();
  /** Extensions that are being rung. */
  readonly #ringing = new Set<string>();
  #session: AmiSession | undefined;
  #lastId = 0;

  constructor(private readonly options: OriginatorOptions) {
    this.#idPrefix = options.idPrefix ?? `zpb-${randomBytes(8).toString('hex')}`;
  }

  /** From now on orders go there. */
  connected(session: AmiSession): void {
    this.#session = session;
    void session.closed.then(() => {
      // One reaction for all: a session lives for months, and would keep that of each order.
      if (this.#session === session) this.#lose();
    });
  }

  /** Orders are refused until the next session. */
  #lose(): void {
    this.#session = undefined;
    for (const race of this.#races.values()) race.lose();
  }

  /** Orders under way end too: nobody hears any longer what becomes of them. */
  end(): void {
    this.#lose();
    for (const cancel of this.#late.values()) cancel();
    this.#late.clear();
  }

  hear(message: AmiMessage): void {
    const id = message.get('Uniqueid');
    if (id === undefined) return;
    if (this.#late.has(id)) this.#hearLate(id, message);
    else this.#races.get(id)?.hear(message);
  }

  async originate(order: OriginateOrder): Promise<OriginateOutcome> {
    const { dial, name } = this.options;
    const { extension } = order.agent;
    const session = this.#session;
    if (session === undefined) return refusedOriginate('not-heard', `the PBX ${name} is not connected`);
    if (dial === undefined) {
      const mend = `set dial: { context: … } of PBX ${name} to the context in which its agents dial`;
      return refusedOriginate('not-allowed', `nobody has set up who may be rung at PBX ${name}: ${mend}`);
    }
    const fault = faultOf(order);
    if (fault !== undefined) return refusedOriginate('failed', fault);
    if (this.#ringing.has(extension)) return refusedOriginate('busy', `extension ${extension} is being rung already`);
    if (this.#ringing.size >= MOST_ORDERS) {
      return refusedOriginate('failed', `${MOST_ORDERS} agents are being rung at this moment; try again`);
    }
    this.#ringing.add(extension);
    try {
      return await this.#ring(order, dial, session);
    } catch (thrown) {
      const { message } = asError(thrown);
      return refusedOriginate('failed', `extension ${extension} could not be rung: ${message}`);
    } finally {
      this.#ringing.delete(extension);
    }
  }

  // ------------------------------------------------------------------ one order

  async #ring(order: OriginateOrder, dial: DialSettings, session: AmiSession): Promise<OriginateOutcome> {
    const devices = await Promise.all(phonesOf(order.agent, dial).map((phone) => contactsOf(session, phone)));
    const names = devices.flat().slice(0, MOST_PHONES);
    const alone = names.length === 1;
    // (Of an only phone Asterisk looks by itself before it rings.)
    if (!alone && (await hasNumber(session, dial.context, order.number)) === false)
      return this.#noSuchNumber(order, dial);
    const phones = names.map((phone, index) => {
      this.#lastId += 1;
      return new RingingPhone({ id: `${this.#idPrefix}-${this.#lastId}`, phone, first: index === 0, alone });
    });
    const race = new PhoneRace({
      phones,
      clock: this.options.clock,
      limit: order.ringFor + GRACE_MS,
      stateOf: (phone) => deviceStateOf(session, phone),
    });
    for (const { id } of phones) this.#races.set(id, race);
    // It may have broken during the questions.
    if (this.#session !== session) race.lose();
    for (const phone of phones) void this.#start(order, dial, session, phone, race);
    const outcome = await race.outcome;
    const taken = outcome instanceof RingingPhone ? outcome : undefined;
    for (const phone of phones) {
      this.#races.delete(phone.id);
      if (phone !== taken && phone.isAlive && outcome !== 'lost') this.#giveUp(phone, taken !== undefined);
    }
    if (!(outcome instanceof RingingPhone)) return this.#refusal(order, dial, phones, outcome);
    const leg = this.options.behind(asLegId(outcome.id));
    return (alone ? undefined : await this.#putThrough(order, dial, session, outcome)) ?? { kind: 'done', leg };
  }

  /** Of several phones that which was taken waits; now it dials. Undefined: it does. */
  async #putThrough(
    { agent, number }: OriginateOrder,
    dial: DialSettings,
    session: AmiSession,
    phone: RingingPhone,
  ): Promise<RefusedOriginate | undefined> {
    const { name } = this.options;
    const what = `extension ${agent.extension} took the call, but the PBX ${name}`;
    const { channel } = phone;
    if (channel === undefined) return refusedOriginate('failed', `${what} did not say at which phone`);
    let said: string;
    let heard = true;
    try {
      const reply = await session.send(redirectChannel(channel, dial.context, number), { timeout: ACTION_MS });
      if (reply.response === 'Success') return undefined;
      said = reply.get('Message') ?? 'no reason given';
    } catch (thrown) {
      said = asError(thrown).message;
      heard = !(isBridgeError(thrown) && thrown.retriable);
    }
    // It waits for nothing now, or would dial after we have said that nothing came of it.
    if (phone.isAlive) this.#giveUp(phone, false);
    if (!heard) return refusedOriginate('not-heard', `${what} does not answer the order to dial`, said);
    return /permission/i.test(said)
      ? refusedOriginate(
          'not-allowed',
          `${what} does not let the login dial: ${giveRight('write=call,originate')}`,
          said,
        )
      : refusedOriginate('failed', `${what} did not dial`, said);
  }

  #noSuchNumber({ number }: OriginateOrder, dial: DialSettings, said?: string): RefusedOriginate {
    return refusedOriginate(
      'failed',
      `the dialplan of PBX ${this.options.name} has no ${number} in the context ${dial.context} (setting dial.context)`,
      said,
    );
  }

  async #start(
    order: OriginateOrder,
    dial: DialSettings,
    session: AmiSession,
    phone: RingingPhone,
    race: PhoneRace,
  ): Promise<void> {
    try {
      const reply = await session.send(originateAction(order, dial, phone.plan), { timeout: ACTION_MS });
      if (reply.response !== 'Success') race.refused(phone, reply.get('Message') ?? 'no reason given');
    } catch (thrown) {
      // Perhaps only the answer did not come: it is not to be dialled after we have said that nothing came of it.
      phone.unheard = isBridgeError(thrown) && thrown.retriable;
      if (phone.unheard) this.#watch(phone.id);
      race.refused(phone, asError(thrown).message);
    }
  }

  #refusal(
    order: OriginateOrder,
    dial: DialSettings,
    phones: readonly RingingPhone[],
    outcome: Exclude<RaceOutcome, RingingPhone>,
  ): OriginateOutcome {
    const { name } = this.options;
    const { extension } = order.agent;
    if (outcome === 'lost') {
      return refusedOriginate(
        'not-heard',
        `the connection to PBX ${name} broke while extension ${extension} was being rung; whoever takes the call there ` +
          (phones.length === 1 ? 'is put through all the same' : 'hears nothing, and is not put through'),
      );
    }
    if (phones.some(({ unheard }) => unheard)) {
      const said = phones.find(({ unheard }) => unheard)?.refusal;
      return refusedOriginate(
        'not-heard',
        `the PBX ${name} does not answer the order to ring extension ${extension}`,
        said,
      );
    }
    const said = phones.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]));
    const denied = said.find((text) => /permission/i.test(text));
    if (denied !== undefined) {
      return refusedOriginate(
        'not-allowed',
        `the login at PBX ${name} may not ring anybody: ${giveRight('write=originate')}`,
        denied,
      );
    }
    const unknown = said.find((text) => /extension does not exist/i.test(text));
    if (unknown !== undefined) return this.#noSuchNumber(order, dial, unknown);
    return refusalOf(
      extension,
      phones.map((phone) => phone.end(outcome === 'late')),
    );
  }

  // ------------------------------------------------------------------ phones that shall ring no longer

  /** @param elsewhere another phone of his was taken. */
  #giveUp(phone: RingingPhone, elsewhere: boolean): void {
    if (phone.channel === undefined) this.#watch(phone.id);
    else this.#hangUp(phone.id, phone.channel, elsewhere ? ELSEWHERE : NORMAL);
  }

  /** Its channel may still come: it is hung up then. */
  #watch(id: string): void {
    if (this.#late.has(id) || this.#late.size >= MOST_ORDERS * MOST_PHONES) return;
    const cancel = this.options.clock.after(LATE_MS, () => {
      this.#late.delete(id);
    });
    this.#late.set(id, cancel);
  }

  #hearLate(id: string, message: AmiMessage): void {
    const channel = message.get('Channel');
    if (message.event === 'OriginateResponse' || channel === undefined) return;
    this.#late.get(id)?.();
    this.#late.delete(id);
    if (message.event !== 'Hangup') this.#hangUp(id, channel, NORMAL);
  }

  #hangUp(id: string, channel: string, q850: number): void {
    const { markOurs, log } = this.options;
    markOurs(asLegId(id));
    this.#session?.send(hangUpChannel(channel, q850), { timeout: ACTION_MS }).catch((thrown: unknown) => {
      log.warn({ error: asError(thrown), channel }, 'a phone that rings in vain could not be hung up');
    });
  }
}
