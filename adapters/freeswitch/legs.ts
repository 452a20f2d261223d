import { asLegId, type LegEvent, type LegId } from '../../src/call/vocabulary.js';
import { Bridges } from './bridges.js';
import type { EslEvent } from './event.js';
import * as header from './headers.js';
import { type FsLeg, LegBook } from './leg-book.js';
import { isOver, type Listing, pairsIn } from './listing.js';
import { isWithVoicemail } from './voicemail.js';

/** The events that legs are made of. */
export const LEG_EVENTS: ReadonlySet<string> = new Set([
  'CHANNEL_CREATE',
  'CHANNEL_ANSWER',
  'CHANNEL_BRIDGE',
  'CHANNEL_UNBRIDGE',
  'CHANNEL_HANGUP',
  'CHANNEL_HANGUP_COMPLETE',
  'SHUTDOWN',
  'CUSTOM',
]);
/** Of the CUSTOM events, this one: who is in which conference room. */
export const CONFERENCE = 'conference::maintenance';

/** A listing that is being taken. */
interface Taking {
  /** The legs that were there when it was asked for. */
  readonly known: ReadonlySet<LegId>;
  /** What was parted since. */
  readonly parted: { readonly pair: ReadonlySet<LegId>; readonly sequence: number }[];
  /** It is the first of a connection. */
  readonly reconnected: boolean;
}

/** Whether these names of a leg are those of a trunk. */
export type TrunkTest = (names: readonly string[]) => boolean;

/**
 * What FreeSWITCH's events mean for legs. Pure: events in, leg events out. Loopback legs are folded away here, and nothing of
 * FreeSWITCH is known behind this point. What it rests on was measured: README.md, "What it rests on".
 */
export class FreeSwitchLegs {
  readonly #book = new LegBook();
  readonly #bridges = new Bridges(this.#book);
  /** Outgoing legs that are not told yet: whose call they are is still to be learned. */
  readonly #owed = new Set<FsLeg>();
  #listing: Taking | undefined;

  /** @param isTrunk what the configuration says; undefined: the events themselves tell trunks and phones apart. */
  constructor(private readonly isTrunk?: TrunkTest) {}

  /** The legs there are, also those that are still to be told: an earlier run may have told them. */
  legs(): LegId[] {
    return [...this.#book.all()].filter(({ line }) => line.kind !== 'virtual').map(({ id }) => id);
  }
  /** Virtual ones too. */
  allIds(): LegId[] {
    return [...this.#book.all()].map(({ id }) => id);
  }
  has(leg: LegId): boolean {
    return this.#book.get(leg) !== undefined;
  }
  /** Its numbers when it began; undefined: that was not heard. */
  begunWith(leg: LegId): header.LegNumbers | undefined {
    const known = this.#book.get(leg);
    if (known === undefined) return undefined;
    const { from, dialled } = known;
    return { ...(from !== undefined && { from }), ...(dialled !== undefined && { dialled }) };
  }
  /** Whether the end of this leg, when it comes, is our doing. */
  markOurs(leg: LegId, ours: boolean): void {
    const known = this.#book.get(leg);
    if (known !== undefined) known.ours = ours;
  }

  /** One event of the wire. */
  push(event: EslEvent): LegEvent[] {
    switch (event.name) {
      case 'CHANNEL_CREATE':
        return this.#about(event, () => []);
      case 'CHANNEL_ANSWER':
        return this.#about(event, (leg) => this.#up(leg));
      case 'CHANNEL_BRIDGE':
        return this.#about(event, () => this.#joined(event));
      case 'CHANNEL_UNBRIDGE':
        return this.#about(event, () => this.#parted(event));
      case 'CHANNEL_HANGUP':
        return header.isHungUpByFarEnd(event) ? this.#ended(event) : this.#hungUp(event);
      case 'CHANNEL_HANGUP_COMPLETE':
        return this.#ended(event);
      case 'CUSTOM':
        return event.get('Event-Subclass') === CONFERENCE ? this.#conference(event) : [];
      case 'SHUTDOWN':
        return [{ type: 'stopping' }];
      default:
        return [];
    }
  }

  // ------------------------------------------------------------------ the listing after a connect

  /** From now on, until `takeListing` or `abandonListing`, it is noted what the listing may not know. */
  beginListing(sameConnection: boolean): void {
    if (!sameConnection) this.#bridges.reconnected();
    this.#listing = { known: new Set(this.allIds()), parted: [], reconnected: !sameConnection };
  }
  abandonListing(): void {
    this.#listing = undefined;
  }

  /** All legs were listed: they, and the `snapshot` that says that there are no others. */
  takeListing(listing: Listing): LegEvent[] {
    const steps = this.takeListingInSteps(listing);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }
  /** The same in steps, between which no event may be pushed. */
  *takeListingInSteps(listing: Listing): Generator<undefined, LegEvent[]> {
    const taking = this.#listing ?? { known: new Set(), parted: [], reconnected: false };
    this.#listing = undefined;
    const events: LegEvent[] = [];
    const listed = new Map<LegId, EslEvent>();
    for (const { id, description, first } of listing.legs) {
      yield;
      if (this.#book.hasEnded(id)) continue;
      if (isOver(description)) {
        events.push(...this.#ended(description, true));
        continue;
      }
      listed.set(id, description);
      const leg = this.#book.get(id) ?? this.#add(id, description, first);
      leg.asOf = header.sequenceOf(description);
      if (header.isAnswered(description)) leg.up = true;
    }
    for (const [id, description] of listed) {
      yield;
      const leg = this.#book.get(id);
      if (leg !== undefined) events.push(...this.#recorded(leg, description));
    }
    for (const leg of [...this.#book.all()])
      if (taking.known.has(leg.id) && !listed.has(leg.id)) events.push(...this.#remove(leg));
    events.push(...(yield* this.#rebind(listed, taking)));
    events.push(...this.#pay(true));
    // A leg that was told before may have been answered meanwhile.
    for (const id of listed.keys()) {
      const leg = this.#book.get(id);
      if (leg?.told === true && leg.up) events.push({ type: 'up', leg: id });
    }
    return [...events, { type: 'snapshot', legs: this.legs() }];
  }

  /** Who is bridged with whom, and who is in which room, as the descriptions say it. */
  *#rebind(listed: ReadonlyMap<LegId, EslEvent>, { reconnected, parted }: Taking): Generator<undefined, LegEvent[]> {
    const events: LegEvent[] = [];
    for (const [id, description] of listed) {
      yield;
      const room = header.roomOfDump(description);
      if (room !== undefined) events.push(...this.#tellConversations(this.#bridges.enter(id, room)));
      // What was heard on this connection may be newer than the variables that a description shows.
      else if (reconnected) events.push(...this.#tellConversations(this.#bridges.leave(id)));
    }
    const found = pairsIn(listed).filter(
      ({ pair, sequence }) =>
        !pair.some((id) => this.#book.hasEnded(id)) &&
        !parted.some((one) => pair.every((id) => one.pair.has(id)) && one.sequence > sequence),
    );
    const confirmed = new Set(found.flatMap(({ pair: [a, b] }) => [`${a} ${b}`, `${b} ${a}`]));
    for (const [a, b] of this.#bridges.unheard()) {
      if (!confirmed.has(`${a} ${b}`))
        events.push(...this.#tellConversations(this.#bridges.part(a, b, Number.POSITIVE_INFINITY)));
    }
    for (const { pair, sequence } of found) {
      yield;
      events.push(...this.#tellConversations(this.#bridges.join(...pair, sequence, true)));
    }
    return events;
  }

  // ------------------------------------------------------------------ events

  /** An event of a leg. One that is not known yet becomes known by it: its beginning was not heard. */
  #about(event: EslEvent, then: (leg: FsLeg) => LegEvent[]): LegEvent[] {
    const name = header.legOf(event);
    if (name === undefined) return [];
    const id = asLegId(name);
    if (this.#book.hasEnded(id)) return [];
    const leg = this.#book.get(id) ?? this.#add(id, event, event.name === 'CHANNEL_CREATE' ? 'now' : undefined);
    const events = [...this.#pay(false), ...this.#queued(event), ...this.#recorded(leg, event)];
    if (header.isAnswered(event)) events.push(...this.#up(leg));
    return [...events, ...then(leg), ...this.#pay(false)];
  }

  /**
   * @param first its numbers as they were at the beginning: those of a listing; `now`: those that the event has; undefined: what
   * the event still tells of them.
   */
  #add(id: LegId, event: EslEvent, first: Listing['legs'][number]['first'] | 'now'): FsLeg {
    const outgoing = header.isOutgoing(event);
    const numbers =
      first === 'now' ? header.numbersNow(event) : { ...header.numbersAtFirst(event, outgoing), ...first };
    const by = header.diallerOf(event);
    const otherHalf = header.otherHalfOf(event);
    const leg: FsLeg = {
      id,
      line: header.lineOf(event, outgoing, this.isTrunk),
      origin: outgoing ? 'outgoing' : 'incoming',
      from: numbers.from,
      dialled: numbers.dialled,
      withheld: header.isWithheld(event),
      by: outgoing && by !== undefined && by !== id ? asLegId(by) : undefined,
      otherHalf: otherHalf === undefined ? undefined : asLegId(otherHalf),
      onBehalfOf: undefined,
      up: false,
      ours: false,
      told: false,
      conversation: undefined,
      queue: undefined,
      hangupCause: undefined,
      voicemail: false,
      asOf: 0,
    };
    this.#book.add(leg);
    if (leg.line.kind !== 'virtual') this.#owed.add(leg);
    this.#nameAgent(leg);
    return leg;
  }

  /** A call to the outside that nobody's leg has dialled is made for the agent whose phone it then has called. */
  #nameAgent(leg: FsLeg): void {
    if (leg.line.kind !== 'agent' || leg.origin === 'incoming') return;
    const dialler = this.#book.get(this.#realDialler(leg, false));
    if (dialler?.line.kind === 'trunk' && dialler.origin === 'outgoing' && dialler.by === undefined)
      dialler.onBehalfOf ??= leg.line.extension;
  }

  #realDialler(leg: FsLeg, force: boolean): LegId | undefined {
    const dialler = this.#book.diallerOf(leg, this.#bridges, force);
    return dialler === 'nobody' || dialler === 'unknown' ? undefined : dialler;
  }

  #up(leg: FsLeg): LegEvent[] {
    if (leg.up) return [];
    leg.up = true;
    return leg.told ? [{ type: 'up', leg: leg.id }] : [];
  }

  #joined(event: EslEvent): LegEvent[] {
    const pair = header.pairOf(event)?.map(asLegId);
    const [a, b] = pair ?? [];
    if (a === undefined || b === undefined || this.#book.hasEnded(a) || this.#book.hasEnded(b)) return [];
    const sequence = header.sequenceOf(event);
    // Said before both legs were described, and one of them is described as talking with somebody else.
    const stale = [a, b].every((id) => sequence < (this.#book.get(id)?.asOf ?? 0));
    if (stale && (this.#bridges.isBound(a) || this.#bridges.isBound(b))) return [];
    return this.#tellConversations(this.#bridges.join(a, b, sequence, true));
  }

  #parted(event: EslEvent): LegEvent[] {
    const [a, b] = header.pairOf(event)?.map(asLegId) ?? [];
    if (a === undefined || b === undefined) return [];
    const sequence = header.sequenceOf(event);
    this.#listing?.parted.push({ pair: new Set([a, b]), sequence });
    return this.#tellConversations(this.#bridges.part(a, b, sequence));
  }

  #conference(event: EslEvent): LegEvent[] {
    const room = header.roomOf(event);
    const name = header.legOf(event);
    if (room === undefined || name === undefined) return [];
    const id = asLegId(name);
    if (event.get('Action') === 'add-member')
      return this.#about(event, () => this.#tellConversations(this.#bridges.enter(id, room)));
    if (event.get('Action') === 'del-member') return this.#tellConversations(this.#bridges.leave(id));
    return [];
  }

  /** The queue of a caller is told when an agent is rung for him. */
  #queued(event: EslEvent): LegEvent[] {
    const waits = header.queueOf(event);
    const leg = this.#book.get(waits === undefined ? undefined : asLegId(waits.leg));
    if (waits === undefined || leg?.told !== true || leg.queue === waits.queue) return [];
    leg.queue = waits.queue;
    return [{ type: 'queued', leg: leg.id, queue: waits.queue }];
  }

  /** A voicemail box has the leg, or the party for whom a virtual one was dialled. */
  #recorded(leg: FsLeg, event: EslEvent): LegEvent[] {
    if (!isWithVoicemail(event)) return [];
    const party = leg.line.kind === 'virtual' ? this.#partyBehind(leg) : leg;
    // Said once: who is put through from there is with somebody else, and its variables stay as they are.
    if (party === undefined || party.voicemail) return [];
    party.voicemail = true;
    return party.told ? [{ type: 'recorder', leg: party.id, kind: 'voicemail' }] : [];
  }

  #partyBehind(leg: FsLeg): FsLeg | undefined {
    const half = this.#book.get(leg.otherHalf);
    const dialler = this.#realDialler(leg, false) ?? (half === undefined ? undefined : this.#realDialler(half, false));
    return this.#book.get(dialler);
  }

  /** It hangs up: the legs that it has dialled end by that, perhaps before itself. */
  #hungUp(event: EslEvent): LegEvent[] {
    const id = header.legOf(event);
    if (id === undefined) return [];
    this.#book.noteCause(asLegId(id), header.hangupCauseOf(event));
    const leg = this.#book.get(asLegId(id));
    return leg === undefined ? [] : this.#recorded(leg, event);
  }

  /** @param restored an earlier run may have told of the leg. */
  #ended(event: EslEvent, restored = false): LegEvent[] {
    const name = header.legOf(event);
    if (name === undefined) return [];
    const id = asLegId(name);
    const leg = this.#book.get(id);
    const dialler = leg === undefined ? undefined : this.#realDialler(leg, true);
    const { q850, by, elsewhere } = header.endOf(event, this.#book.hangupCauseOf(dialler));
    this.#book.noteCause(id, header.hangupCauseOf(event));
    const how = { ...(q850 !== undefined && { q850 }), ...(elsewhere && { elsewhere }) };
    const ended: LegEvent = { type: 'ended', leg: id, by: leg?.ours === true ? 'us' : by, ...how };
    if (leg === undefined) {
      this.#book.end(id);
      return restored ? [ended] : [];
    }
    const recorded = this.#recorded(leg, event);
    const events =
      leg.line.kind === 'virtual' ? recorded : [...this.#tell(leg, true), ...recorded, ...this.#queued(event), ended];
    return [...events, ...this.#remove(leg), ...this.#pay(false)];
  }

  #remove(leg: FsLeg): LegEvent[] {
    this.#owed.delete(leg);
    const changed = this.#bridges.end(leg.id);
    this.#book.end(leg.id);
    return this.#tellConversations(changed);
  }

  // ------------------------------------------------------------------ what the brain is told

  /** Tells the legs of which enough is known. */
  #pay(force: boolean): LegEvent[] {
    const events: LegEvent[] = [];
    for (const leg of this.#owed) events.push(...this.#tell(leg, false, force));
    return events;
  }

  /** @param ends it is over: what is known of it now is all that ever will be. */
  #tell(leg: FsLeg, ends: boolean, allKnown = ends): LegEvent[] {
    if (leg.told) return [];
    // Who is talking cannot be kept back.
    const dialler = this.#book.diallerOf(leg, this.#bridges, allKnown || this.#bridges.isBound(leg.id));
    if (dialler === 'unknown') return [];
    const by = dialler === 'nobody' ? undefined : dialler;
    const conversation = this.#bridges.conversationOf(leg.id);
    // A call to the outside that no leg has dialled: whose it is, the first leg says that it is brought together with.
    const nobodys = leg.origin === 'outgoing' && leg.line.kind === 'trunk' && by === undefined;
    if (nobodys && leg.onBehalfOf === undefined && conversation === undefined && !ends) return [];
    leg.told = true;
    leg.conversation = conversation;
    this.#owed.delete(leg);
    const { id, line, origin, from, dialled, withheld, onBehalfOf } = leg;
    const events: LegEvent[] = [{ type: 'appeared', leg: id, line, origin, from, dialled, withheld, by, onBehalfOf }];
    if (origin === 'outgoing') events.push({ type: 'called', leg: id, by });
    if (leg.up) events.push({ type: 'up', leg: id });
    if (leg.voicemail) events.push({ type: 'recorder', leg: id, kind: 'voicemail' });
    if (conversation !== undefined) events.push({ type: 'joined', leg: id, conversation });
    return events;
  }

  #tellConversations(legs: Iterable<LegId>): LegEvent[] {
    const events: LegEvent[] = [];
    for (const id of legs) {
      const leg = this.#book.get(id);
      if (leg === undefined || leg.line.kind === 'virtual') continue;
      const conversation = this.#bridges.conversationOf(id);
      if (!leg.told) {
        if (conversation !== undefined) events.push(...this.#tell(leg, false));
        continue;
      }
      if (conversation === leg.conversation) continue;
      if (conversation !== undefined) events.push({ type: 'joined', leg: id, conversation });
      else if (leg.conversation !== undefined) events.push({ type: 'left', leg: id, conversation: leg.conversation });
      leg.conversation = conversation;
    }
    return events;
  }
}
