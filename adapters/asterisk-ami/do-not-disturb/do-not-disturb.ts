import type { Logger } from 'pino';
import type { LegEvent } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';
import { asError } from '../../../src/errors.js';
import type { AgentPhones, OrderOutcome } from '../../../src/pbx/adapter.js';
import { DeviceStates } from '../../asterisk/device-states.js';
import type { AsteriskEvent } from '../../asterisk/event.js';
import { listDeviceStates, listQueues, pauseMember, setDeviceState } from '../actions.js';
import { AmiRefusedError } from '../replies.js';
import { giveRight } from '../rights.js';
import type { AmiSession } from '../session.js';
import { QueueMembers } from './queue-members.js';

export interface DoNotDisturbOptions {
  readonly settings: {
    /** Queues count: pauses are heard and ordered. */
    readonly queues: boolean;
    /** `Custom:DND{extension}`; undefined: no device state counts. */
    readonly deviceState?: string | undefined;
  };
  readonly clock: Clock;
  readonly log: Logger;
  readonly emit: (batch: readonly LegEvent[]) => void;
}

/** The events in which an Asterisk says who does not wish to be disturbed. */
export const AVAILABILITY_EVENTS: readonly string[] = [
  'QueueMemberPause',
  'QueueMemberAdded',
  'QueueMemberRemoved',
  'DeviceStateChange',
];

const LIST_TIMEOUT_MS = 10_000;
const ORDER_TIMEOUT_MS = 2_000;
/** One thing that is done to a queue makes several events. */
const GATHER_MS = 100;
/** A PBX that gave no whole list is asked again after so long. */
const AGAIN_MS = 30_000;
/** Interfaces that are paused for one agent. */
const MOST_INTERFACES = 50;
/** A module that is not there, or not yet: Asterisk lets logins in before it has loaded all of them. */
const UNKNOWN_ACTION = /unknown command/i;
/** It is asked again with growing waits, for about two minutes. */
const FIRST_AGAIN_MS = 1_000;
const MOST_ASKS_OF_UNKNOWN = 8;

/** What `Setvar` says where nothing provides the function that it names: a module that is not there, or not yet. */
const NOT_LOADED = /variable not set/i;
/** An order that came too early is given again after these waits: within the time that whoever has set the state waits. */
const TOO_EARLY_MS: readonly number[] = [500, 1_000, 2_000];

interface Answer {
  /** It is whole. */
  readonly known: boolean;
  readonly events: readonly LegEvent[];
  readonly missing?: string | undefined;
}

/** Who does not wish to be disturbed, as one Asterisk has it: heard, asked, and ordered. */
export class DoNotDisturb {
  readonly #members = new QueueMembers();
  readonly #states: DeviceStates | undefined;
  #session: AmiSession | undefined;
  #reading: Promise<void> | undefined;
  /** Begins when that is over. */
  #nextReading: Promise<void> | undefined;
  #cancelAsk: (() => void) | undefined;
  /** Orders that wait to be given again. */
  readonly #sleepers = new Set<() => void>();
  /** The list of members was read once over this connection. */
  #isWhole = false;
  /** This login hears the events of class `agent`. */
  #hearsQueues = false;
  /** How often it was asked over this connection. */
  #asks = 0;
  /** When it is asked next, by the monotonic clock. */
  #askAt = 0;

  constructor(private readonly options: DoNotDisturbOptions) {
    const { deviceState } = options.settings;
    if (deviceState !== undefined) this.#states = new DeviceStates(deviceState);
  }

  /** Asks how things are, after a connect, and tells it. Never rejects; returns what is missing, in words. */
  async begin(session: AmiSession): Promise<string | undefined> {
    this.end();
    this.#session = session;
    this.#members.tellAnew();
    this.#states?.tellAnew();
    return this.#ask();
  }

  end(): void {
    this.#cancelAsk?.();
    this.#cancelAsk = undefined;
    this.#session = undefined;
    for (const wake of this.#sleepers) wake();
    this.#isWhole = false;
    this.#hearsQueues = false;
    this.#asks = 0;
  }

  /** The queues may be others now. */
  reloaded(): void {
    this.#askSoon(GATHER_MS);
  }

  push(message: AsteriskEvent): void {
    if (message.event === 'DeviceStateChange') this.#device(message);
    else if (this.options.settings.queues) this.#member(message);
  }

  async pause(agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    const session = this.#session;
    let outcome = await this.#pauseNow(agent, paused);
    for (const wait of TOO_EARLY_MS) {
      if (outcome.kind !== 'refused' || !NOT_LOADED.test(outcome.reason)) break;
      await this.#sleep(wait);
      if (session !== this.#session) break;
      outcome = await this.#pauseNow(agent, paused);
    }
    return outcome;
  }

  async #pauseNow(agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    const session = this.#session;
    if (session === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    const orders: Promise<OrderOutcome>[] = [];
    if (this.options.settings.queues) orders.push(this.#pauseMembers(session, agent, paused));
    if (this.#states !== undefined) orders.push(setState(session, this.#states.deviceOf(agent.extension), paused));
    const outcomes = await Promise.all(orders);
    const refused = outcomes.find(({ kind }) => kind === 'refused');
    return refused ?? outcomes.find(({ kind }) => kind === 'done') ?? { kind: 'gone' };
  }

  /** Until then, or the end of the connection. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#sleepers.delete(wake);
        resolve();
      };
      const cancel = this.options.clock.after(ms, wake);
      this.#sleepers.add(wake);
    });
  }

  // ------------------------------------------------------------------ heard

  #device(message: AsteriskEvent): void {
    const device = message.get('Device') ?? '';
    const state = message.get('State') ?? '';
    const event = this.#states?.take(device, state);
    if (event !== undefined) this.#emit([event]);
    const { queues } = this.options.settings;
    if (queues && this.#isWhole && !this.#hearsQueues && device.startsWith('Queue:') && device.includes('_pause_'))
      if (this.#members.contradicts(device, state)) this.#askSoon(GATHER_MS);
  }

  #member(message: AsteriskEvent): void {
    this.#hearsQueues = true;
    this.#members.take(message);
    if (this.#isWhole) this.#tellMembers();
  }

  #tellMembers(): void {
    const gone = this.#members.dropGone();
    this.#emit([...this.#members.news(), ...(gone ? [this.#complete()] : [])]);
  }

  /** Everything that there is to say is said with this. */
  #complete(): LegEvent {
    return { type: 'availabilities', lines: [...this.#members.lines(), ...(this.#states?.lines() ?? [])] };
  }

  #emit(batch: readonly LegEvent[]): void {
    if (batch.length > 0 && this.#session !== undefined) this.options.emit(batch);
  }

  // ------------------------------------------------------------------ asked

  /** One at a time; what is missing afterwards, in words. */
  async #ask(): Promise<string | undefined> {
    const session = this.#session;
    if (session === undefined) return undefined;
    this.#cancelAsk?.();
    this.#cancelAsk = undefined;
    const states = await this.#askStates(session);
    const members = await this.#askMembers(session);
    this.#asks += 1;
    if (session !== this.#session) return undefined;
    const all = states.known && members.known;
    this.#emit([...states.events, ...members.events, ...(all ? [this.#complete()] : [])]);
    return states.missing;
  }

  async #askStates(session: AmiSession): Promise<Answer> {
    const states = this.#states;
    if (states === undefined) return { known: true, events: [] };
    try {
      const { action, complete } = listDeviceStates;
      const items = await session.list(action, complete, { timeout: LIST_TIMEOUT_MS });
      const events = items.flatMap((item) => states.take(item.get('Device') ?? '', item.get('State') ?? '') ?? []);
      return { known: true, events };
    } catch (thrown) {
      this.#notWhole(thrown);
      if (!(thrown instanceof AmiRefusedError)) return { known: false, events: [] };
      const mend = UNKNOWN_ACTION.test(thrown.reason)
        ? 'load the module res_manager_devicestate.so'
        : giveRight('write=call');
      const missing = `the device states of doNotDisturb.deviceState are not known (Asterisk says: ${thrown.reason}): ${mend}`;
      return { known: false, events: [], missing };
    }
  }

  async #askMembers(session: AmiSession): Promise<Answer> {
    if (!this.options.settings.queues) return { known: true, events: [] };
    try {
      await this.#readMembers(session);
    } catch (thrown) {
      // Any login may ask. A PBX that goes on not knowing the action has no queues.
      const hasNone = isUnknown(thrown) && this.#asks >= MOST_ASKS_OF_UNKNOWN;
      this.#notWhole(thrown);
      return { known: hasNone, events: [] };
    }
    this.#members.dropGone();
    return { known: true, events: this.#members.news() };
  }

  /** The PBX was no help this time: it is asked again. */
  #notWhole(thrown: unknown): void {
    this.options.log.debug({ error: asError(thrown) }, 'who does not wish to be disturbed could not be asked for');
    if (!(thrown instanceof AmiRefusedError)) this.#askSoon(AGAIN_MS);
    else if (isUnknown(thrown) && this.#asks < MOST_ASKS_OF_UNKNOWN) {
      this.#askSoon(Math.min(AGAIN_MS, FIRST_AGAIN_MS * 2 ** this.#asks));
    }
  }

  /** One at a time. Who asks while one is under way gets the next one: that was begun before what he has just done. */
  #readMembers(session: AmiSession): Promise<void> {
    const next = (): Promise<void> => {
      this.#nextReading = undefined;
      return this.#readMembers(session);
    };
    if (this.#reading !== undefined) return (this.#nextReading ??= this.#reading.then(next, next));
    this.#reading = this.#readNow(session).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(session: AmiSession): Promise<void> {
    const members = this.#members;
    members.beginList();
    try {
      const { action, complete } = listQueues;
      await session.list(action, complete, {
        timeout: LIST_TIMEOUT_MS,
        onItem: (item) => {
          if (item.event === 'QueueMember') members.take(item);
        },
      });
      members.endList();
      this.#isWhole = true;
    } catch (thrown) {
      members.abandonList();
      throw thrown;
    }
  }

  /** Within `ms`, unless it is asked sooner anyhow. */
  #askSoon(ms: number): void {
    const { clock } = this.options;
    const at = clock.monotonic() + ms;
    if (this.#session === undefined || (this.#cancelAsk !== undefined && this.#askAt <= at)) return;
    this.#cancelAsk?.();
    this.#askAt = at;
    this.#cancelAsk = clock.after(ms, () => {
      this.#cancelAsk = undefined;
      void this.#ask();
    });
  }

  // ------------------------------------------------------------------ ordered

  async #pauseMembers(session: AmiSession, agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    // Members come and go without a word where the login hears no event of the queues, or they are in a database.
    try {
      await this.#readMembers(session);
    } catch (thrown) {
      if (!(thrown instanceof AmiRefusedError)) return { kind: 'refused', reason: asError(thrown).message };
      return { kind: 'gone' };
    }
    this.#tellMembers();
    const his = [...this.#members.interfacesOf(agent)].slice(0, MOST_INTERFACES);
    let outcome: OrderOutcome = { kind: 'gone' };
    let refusal: OrderOutcome | undefined;
    for (const [name, now] of his) {
      // One who is paused already keeps the reason for which he is.
      const isSo = now.every((one) => one === paused);
      const one: OrderOutcome = isSo ? { kind: 'done' } : await order(session, pauseMember(name, paused));
      if (one.kind === 'refused') refusal = one;
      if (one.kind === 'done') outcome = one;
    }
    return refusal ?? outcome;
  }
}

const isUnknown = (thrown: unknown): boolean => thrown instanceof AmiRefusedError && UNKNOWN_ACTION.test(thrown.reason);

const setState = (session: AmiSession, device: string, paused: boolean): Promise<OrderOutcome> =>
  order(session, setDeviceState(device, paused ? 'BUSY' : 'NOT_INUSE'));

async function order(session: AmiSession, action: Parameters<AmiSession['send']>[0]): Promise<OrderOutcome> {
  try {
    const reply = await session.send(action, { timeout: ORDER_TIMEOUT_MS });
    if (reply.response === 'Success') return { kind: 'done' };
    const reason = reply.get('Message') ?? 'no reason given';
    if (/not found/i.test(reason)) return { kind: 'gone' };
    const right = action.Action === 'QueuePause' ? 'agent' : 'call';
    const mend = /permission/i.test(reason)
      ? `: ${giveRight(`write=${right}`)}`
      : NOT_LOADED.test(reason)
        ? ': load the module func_devstate.so'
        : '';
    return { kind: 'refused', reason: `Asterisk refused ${action.Action} (${reason})${mend}` };
  } catch (thrown) {
    return { kind: 'refused', reason: asError(thrown).message };
  }
}
