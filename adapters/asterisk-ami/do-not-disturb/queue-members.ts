import type { AgentLine, LegEvent } from '../../../src/call/vocabulary.js';
import type { AgentPhones } from '../../../src/pbx/adapter.js';
import type { AsteriskEvent } from '../../asterisk/event.js';

/** One phone in one queue. */
interface Member {
  readonly queue: string;
  /** What the queue calls, and what an order names: `PJSIP/alice`, `Local/103@from-queue/n`. */
  readonly interface: string;
  /** Whose state the queue looks at: `PJSIP/alice`, `hint:103@ext-local`. */
  readonly stateInterface: string;
  readonly line: AgentLine;
  readonly paused: boolean;
  /** It was paused once since it is a member; else nobody has said anything of it. */
  readonly everPaused: boolean;
}

type Availability = Extract<LegEvent, { type: 'availability' }>;

/** Members of all queues together that are kept; more are not looked at. */
const MOST_MEMBERS = 20_000;

/**
 * Who is a member of which queues, and paused in which. Pure. Fed with the items of `QueueStatus` and with the events of class `agent`;
 * those that come while the list is read count for it, for it was begun before them.
 */
export class QueueMembers {
  #members = new Map<string, Member>();
  /** What the list that is being read has brought so far. */
  #listed: Map<string, Member> | undefined;
  /** By device, what was told last. */
  readonly #told = new Map<string, { readonly line: AgentLine; readonly said: string }>();

  beginList(): void {
    this.#listed = new Map();
  }
  /** The list was cut off: nothing is concluded from it. */
  abandonList(): void {
    this.#listed = undefined;
  }
  /** It was whole: who is not in it is no member. */
  endList(): void {
    this.#members = this.#listed ?? this.#members;
    this.#listed = undefined;
  }

  /** An item `QueueMember` of the list, or an event `QueueMemberPause`, `QueueMemberAdded`, `QueueMemberRemoved`. */
  take(message: AsteriskEvent): void {
    const member = memberOf(message);
    if (member === undefined) return;
    const key = keyOf(member.queue, member.interface);
    const isItem = message.event === 'QueueMember';
    for (const members of isItem ? [this.#listed] : [this.#members, this.#listed]) {
      if (members === undefined) continue;
      if (message.event === 'QueueMemberRemoved') members.delete(key);
      else if (members.has(key) || members.size < MOST_MEMBERS) members.set(key, member);
    }
  }

  /**
   * `Queue:support_pause_PJSIP/alice`, a device state that a login without the class `agent` hears too. True when it says something
   * else than what is known, so that the queues are to be asked.
   */
  contradicts(device: string, state: string): boolean {
    const text = device.slice('Queue:'.length);
    const member = [...this.#members.values()].find((one) => text === `${one.queue}_pause_${one.interface}`);
    return member === undefined ? state === 'INUSE' : member.paused !== (state === 'INUSE');
  }

  /** What is new to say of lines since the last time. */
  news(): readonly Availability[] {
    const now = statements(this.#members.values());
    const news: Availability[] = [];
    for (const [device, event] of now) {
      const said = `${event.doNotDisturb} ${String(event.initial)}`;
      if (this.#told.get(device)?.said === said) continue;
      this.#told.set(device, { line: event.line, said });
      news.push(event);
    }
    return news;
  }

  /** Forgets the lines that are in no queue any more. True: there were such. */
  dropGone(): boolean {
    const now = statements(this.#members.values());
    const gone = [...this.#told.keys()].filter((device) => !now.has(device));
    for (const device of gone) this.#told.delete(device);
    return gone.length > 0;
  }

  /** The lines of which something was told. */
  lines(): readonly AgentLine[] {
    return [...this.#told.values()].map(({ line }) => line);
  }

  /** After a connect everything is told once more. */
  tellAnew(): void {
    this.#told.clear();
  }

  /** The interfaces of an agent, each with whether it is paused in each of its queues. */
  interfacesOf(agent: AgentPhones): ReadonlyMap<string, readonly boolean[]> {
    const devices = new Set(agent.devices.map((device) => device.toLowerCase()));
    const his = [...this.#members.values()].filter(
      ({ interface: name, stateInterface, line }) =>
        devices.has(name.toLowerCase()) ||
        devices.has(stateInterface.toLowerCase()) ||
        line.extension === agent.extension,
    );
    const found = new Map<string, boolean[]>();
    for (const { interface: name, paused } of his) found.set(name, [...(found.get(name) ?? []), paused]);
    return found;
  }
}

/** A line is to be left undisturbed when it is paused in all its queues; that it is not is nobody's word while those were never paused. */
function statements(members: Iterable<Member>): ReadonlyMap<string, Availability> {
  const byDevice = new Map<string, Member[]>();
  for (const member of members) {
    const device = member.line.device.toLowerCase();
    const list = byDevice.get(device);
    if (list === undefined) byDevice.set(device, [member]);
    else list.push(member);
  }
  const events = new Map<string, Availability>();
  for (const [device, list] of byDevice) {
    const [first] = list;
    if (first === undefined) continue;
    const doNotDisturb = list.every(({ paused }) => paused);
    const isNobodys = !doNotDisturb && list.every(({ paused, everPaused }) => paused || !everPaused);
    const initial = isNobodys && list.some(({ paused }) => paused) ? 'partly' : isNobodys;
    events.set(device, { type: 'availability', place: 'queues', line: first.line, doNotDisturb, initial });
  }
  return events;
}

const keyOf = (queue: string, name: string): string => `${queue}\n${name}`;

function memberOf(message: AsteriskEvent): Member | undefined {
  const queue = message.get('Queue') ?? '';
  // Its name in the items of the list is another one than in the events.
  const name = message.get('Interface') ?? message.get('Location') ?? '';
  if (queue === '' || name === '') return undefined;
  const stateInterface = message.get('StateInterface') ?? name;
  return {
    queue,
    interface: name,
    stateInterface,
    line: lineOf(name, stateInterface),
    paused: message.get('Paused') === '1',
    // An Asterisk older than 13 has no such field; but it was somebody who ended a pause.
    everPaused: (message.get('LastPause') ?? '0') !== '0' || message.event === 'QueueMemberPause',
  };
}

/** Whose phone it is. A Local channel leads to an extension; its state comes from a hint, or from the phone itself. */
function lineOf(name: string, stateInterface: string): AgentLine {
  const local = /^Local\/([^@/]+)/i.exec(name)?.[1];
  if (local === undefined) return { kind: 'agent', extension: name.slice(name.indexOf('/') + 1), device: name };
  const isPhone = /^[a-z0-9]+\/[^@]+$/i.test(stateInterface) && !/^local\//i.test(stateInterface);
  return { kind: 'agent', extension: local, device: isPhone ? stateInterface : name };
}
