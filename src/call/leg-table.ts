import type { ConversationId, EndedBy, LegEvent, LegId, Line, Millis } from './vocabulary.js';
import type { LegEnd } from './causes.js';

/** What is known about one leg. A leg that others speak of before it appears has no `line` yet. */
export interface Leg {
  readonly id: LegId;
  line: Line | undefined;
  origin: 'incoming' | 'outgoing';
  from: string | undefined;
  dialled: string | undefined;
  withheld: boolean | 'asked';
  by: LegId | undefined;
  onBehalfOf: string | undefined;
  /** Its phone is being called. */
  called: boolean;
  up: boolean;
  conversation: ConversationId | undefined;
  queue: string | undefined;
  voicemail: boolean;
  /** An earlier run has heard how it came about, and knows that better than a snapshot of now. */
  restored?: boolean;
}

/** How long an ended leg's id is remembered, so that a late event does not bring it back. */
export const TOMBSTONE_MS: Millis = 60_000;

/**
 * The legs there are and who hears whom. Idempotent; takes events of different legs in any order. Reports what it changed
 * through the returned ids, so that only the calls concerned are looked at again.
 */
export class LegTable {
  readonly #legs = new Map<LegId, Leg>();
  readonly #conversations = new Map<ConversationId, Set<LegId>>();
  /** Ended legs, in order of their end, so that the oldest are found first. */
  readonly #tombstones = new Map<LegId, { readonly at: Millis; readonly leg: Leg | undefined }>();
  readonly #successor = new Map<LegId, LegId>();

  constructor(
    private readonly onEnded: (leg: Leg, end: LegEnd) => void,
    private readonly onReplaced: (old: LegId, current: LegId) => void,
  ) {}

  /** Everything it keeps, tombstones included: for tests of leaks. */
  get size(): number {
    return this.#legs.size + this.#conversations.size + this.#tombstones.size + this.#successor.size;
  }
  get(id: LegId | undefined): Leg | undefined {
    return id === undefined ? undefined : this.#legs.get(this.#successor.get(id) ?? id);
  }
  /** The same, and for a while also a leg that has ended: chains of who dialled whom lead over such legs. */
  remembered(id: LegId | undefined): Leg | undefined {
    return this.get(id) ?? (id === undefined ? undefined : this.#tombstones.get(this.#successor.get(id) ?? id)?.leg);
  }
  /** The legs that this one hears and that hear it, in the order in which they came. */
  *others(leg: Leg): Generator<Leg> {
    if (leg.conversation === undefined) return;
    for (const id of this.#conversations.get(leg.conversation) ?? []) {
      const other = this.#legs.get(id);
      if (other !== undefined && other !== leg) yield other;
    }
  }

  /** Applies one event; returns the legs that it may have changed something for. */
  apply(event: LegEvent, now: Millis): readonly LegId[] {
    switch (event.type) {
      case 'appeared': {
        const leg = this.#touch(event.leg);
        if (leg === undefined) return [];
        leg.line = event.line;
        leg.origin = event.origin;
        leg.withheld = event.withheld ?? leg.withheld;
        cameAbout(leg, event);
        return [leg.id, ...this.#hearers(leg)];
      }
      case 'called': {
        const leg = this.#touch(event.leg);
        if (leg === undefined) return [];
        leg.called = true;
        leg.by = event.by ?? leg.by;
        return [leg.id];
      }
      case 'up': {
        const leg = this.#touch(event.leg);
        if (leg === undefined) return [];
        leg.up = true;
        return [leg.id, ...this.#hearers(leg)];
      }
      case 'joined':
        return this.#move(event.leg, event.conversation);
      case 'left': {
        const leg = this.get(event.leg);
        return leg?.conversation === event.conversation ? this.#move(event.leg, undefined) : [];
      }
      case 'queued': {
        const leg = this.#touch(event.leg);
        if (leg === undefined) return [];
        leg.queue = event.queue;
        return [leg.id];
      }
      case 'recorder': {
        const leg = this.#touch(event.leg);
        if (leg === undefined || event.kind !== 'voicemail') return [];
        leg.voicemail = true;
        return [leg.id];
      }
      case 'replaced':
        return this.#replace(event.old, event.new, now);
      case 'ended':
        return this.#end(event.leg, { q850: event.q850, by: event.by }, now);
      case 'snapshot': {
        const present = new Set(event.legs);
        const gone = [...this.#legs.keys()].filter((id) => !present.has(id));
        return gone.flatMap((id) => this.#end(id, { by: 'pbx' satisfies EndedBy, lost: true }, now));
      }
      case 'stopping':
      case 'availability':
      case 'availabilities':
        return [];
    }
  }

  /** A leg that an earlier run has known; whom it hears, the PBX must say anew. */
  restore(leg: Omit<Leg, 'conversation'>): void {
    if (!this.#legs.has(leg.id)) this.#legs.set(leg.id, { ...leg, conversation: undefined, restored: true });
  }

  /** Nobody saw these legs end, but they are over. */
  lose(ids: readonly LegId[], now: Millis): void {
    for (const id of ids) this.#end(id, { by: 'pbx', lost: true }, now);
  }

  /** Forgets tombstones that are old enough. */
  prune(now: Millis): void {
    for (const [id, { at }] of this.#tombstones) {
      if (now - at < TOMBSTONE_MS) return;
      this.#tombstones.delete(id);
      for (const [old, current] of this.#successor) if (current === id) this.#successor.delete(old);
    }
  }

  #touch(id: LegId): Leg | undefined {
    const current = this.#successor.get(id) ?? id;
    if (this.#tombstones.has(current)) return undefined;
    let leg = this.#legs.get(current);
    if (leg === undefined) {
      leg = {
        id: current,
        line: undefined,
        origin: 'outgoing',
        from: undefined,
        dialled: undefined,
        withheld: false,
        by: undefined,
        onBehalfOf: undefined,
        called: false,
        up: false,
        conversation: undefined,
        queue: undefined,
        voicemail: false,
      };
      this.#legs.set(current, leg);
    }
    return leg;
  }

  #hearers(leg: Leg): LegId[] {
    return leg.conversation === undefined ? [] : [...(this.#conversations.get(leg.conversation) ?? [])];
  }

  #move(id: LegId, to: ConversationId | undefined): readonly LegId[] {
    const leg = this.#touch(id);
    if (leg === undefined || leg.conversation === to) return [];
    const touched = this.#hearers(leg);
    const old = leg.conversation === undefined ? undefined : this.#conversations.get(leg.conversation);
    old?.delete(leg.id);
    if (old?.size === 0 && leg.conversation !== undefined) this.#conversations.delete(leg.conversation);
    leg.conversation = to;
    if (to !== undefined) {
      const members = this.#conversations.get(to) ?? new Set();
      members.add(leg.id);
      this.#conversations.set(to, members);
      // Who hears somebody is not with the voicemail any more.
      leg.voicemail = false;
      touched.push(...members);
    }
    return touched;
  }

  #end(id: LegId, end: LegEnd, now: Millis): readonly LegId[] {
    const leg = this.get(id);
    if (leg === undefined) {
      // Told twice, it must not lose what is remembered of it.
      const current = this.#successor.get(id) ?? id;
      if (!this.#tombstones.has(current)) this.#tombstones.set(current, { at: now, leg: undefined });
      return [];
    }
    const touched = this.#move(leg.id, undefined);
    this.#legs.delete(leg.id);
    this.#tombstones.set(leg.id, { at: now, leg });
    this.onEnded(leg, end);
    return touched;
  }

  #replace(old: LegId, to: LegId, now: Millis): readonly LegId[] {
    const before = this.get(old);
    const current = this.#successor.get(to) ?? to;
    if (before === undefined || before.id === current) return [];
    const after = this.#touch(current);
    // Where it went has ended already, so it has.
    if (after === undefined) return this.#end(before.id, { by: 'pbx' }, now);
    const touched = [...this.#hearers(before)];
    this.#move(before.id, undefined);
    this.#legs.delete(before.id);
    for (const [id, successor] of this.#successor) if (successor === before.id) this.#successor.set(id, current);
    this.#successor.set(before.id, current);
    // The party stays who it was; where it now is, is what the new leg says.
    after.line = before.line ?? after.line;
    after.origin = before.origin;
    after.from = before.from ?? after.from;
    after.dialled = before.dialled ?? after.dialled;
    if (after.withheld === false) after.withheld = before.withheld;
    after.by = before.by;
    after.up ||= before.up;
    this.onReplaced(before.id, current);
    return [...touched, current];
  }
}

/** How a leg came about; what was heard of an outgoing one as it happened is not corrected by a later snapshot. */
function cameAbout(leg: Leg, event: Extract<LegEvent, { type: 'appeared' }>): void {
  const keep = leg.restored === true && leg.origin === 'outgoing';
  for (const key of ['from', 'dialled', 'by', 'onBehalfOf'] as const) {
    if (keep && leg[key] !== undefined) continue;
    Object.assign(leg, { [key]: event[key] ?? leg[key] });
  }
}
