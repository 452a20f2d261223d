import { Announcer } from './announcer.js';
import { Availability } from './availability.js';
import { Beginnings } from './beginnings.js';
import type { Call } from './call.js';
import { CallBook } from './call-book.js';
import { CallJournal } from './call-journal.js';
import { callOf, readable, type CallRecord } from './call-record.js';
import { causeOf, type LegEnd } from './causes.js';
import type { AgentRef } from './directory.js';
import type { GateOpening, GateRequest } from './gate.js';
import { Gatekeeper } from './gatekeeper.js';
import { LegTable, type Leg } from './leg-table.js';
import { Origins } from './origins.js';
import type { Outcome } from './outcome.js';
import { reject, rejectThatEnded, takeBackReject } from './reject.js';
import { takeUpEach } from './take-up.js';
import { Teller, type TellerSettings } from './teller.js';
import { Unheard } from './unheard.js';
import { FAILOVER_WINDOW, ORPHAN_LIMIT, RING_GROUP_WINDOW, windowsOf } from './windows.js';
import type { CallId, Cause, LegEvent, LegId, Millis } from './vocabulary.js';

export interface BrainSettings extends TellerSettings {
  /** Say how each call is to be kept over a restart. Default: no, as in a replay. */
  readonly journal?: boolean;
  /** The PBX may ask before any phone rings (`gate`). Default: no. */
  readonly hasGate?: boolean;
}

/** Legs, or calls, that are looked at in one piece of `applyInPieces`. */
const PIECE = 16;
const NONE: ReadonlySet<Call> = new Set();

/** What an earlier run has left. */
export interface BrainHeritage {
  readonly calls: readonly CallRecord[];
  /** How many outside calls each leg has started that may still be alive. */
  readonly roots: readonly { readonly root: LegId; readonly count: number }[];
  /** Legs that had a part in calls that are over, and may still live. */
  readonly aftermath: readonly LegId[];
}

/**
 * The brain: legs of one PBX → calls → posts. Pure: it is fed events and ticks with their time, and returns what to tell.
 * The strongest fact it stands on: a call follows the customer's leg; queues, virtual legs, transfers, pick-up and parking
 * only change who is at its other end.
 */
export class Brain {
  readonly #legs = new LegTable(
    (leg, end) => {
      this.#onEnded(leg, end);
    },
    (old, current) => {
      this.#onReplaced(old, current);
    },
  );
  readonly #book = new CallBook();
  /** Legs whose part in a call is not known yet. */
  readonly #unsettled = new Set<LegId>();
  /** Legs that ended before it was known who had dialled them. */
  readonly #orphans = new Map<LegId, { readonly leg: Leg; readonly end: LegEnd; readonly at: Millis }>();
  /** Legs of calls that were over before this run. */
  readonly #aftermath = new Set<LegId>();
  #touched = new Set<Call>();
  readonly #teller: Teller;
  readonly #announcer: Announcer;
  readonly #journal: CallJournal | undefined;
  readonly #origins: Origins;
  readonly #beginnings: Beginnings;
  readonly #gatekeeper: Gatekeeper;
  #now: Millis = 0;
  #stopping = false;
  /** It waits at the gate, which is about to say all there is to tell of its call. */
  #waiting: LegId | undefined;
  /** Every leg there is has been told: who is not known is gone. */
  #allKnown = false;
  readonly #unheard = new Unheard();
  /** Who of the agents does not wish to be disturbed. */
  readonly availability: Availability;

  constructor(private readonly settings: BrainSettings) {
    this.availability = new Availability(settings.directory);
    this.#teller = new Teller(settings, this.availability);
    this.#announcer = new Announcer(this.#teller);
    if (settings.journal === true) this.#journal = new CallJournal(this.#book.calls, this.#legs);
    this.#origins = new Origins(this.#legs, this.#book.byCustomer, settings.directory);
    const changed = (call: Call): void => {
      this.#changed(call);
    };
    const shared = { legs: this.#legs, book: this.#book, announcer: this.#announcer, changed };
    this.#beginnings = new Beginnings({ ...shared, settings, teller: this.#teller });
    this.#gatekeeper = new Gatekeeper({ ...shared, ...settings, origins: this.#origins, beginnings: this.#beginnings });
  }

  /**
   * Goes on where an earlier run, or another bridge, has stopped. To be called once, before anything is heard; what became of
   * the calls meanwhile, the next snapshot says. Until then they count as unheard since `now`.
   */
  restore({ calls, roots, aftermath }: BrainHeritage, now: Millis): readonly Outcome[] {
    this.#now = now;
    for (const id of aftermath) this.#aftermath.add(id);
    for (const { root, count } of roots) this.#book.countFrom(root, count);
    const lost = takeUpEach(calls, (record) => {
      this.#takeUp(record, now);
    });
    return [...this.#take(), ...lost];
  }

  /** What one message of the PBX, or one snapshot, means. */
  apply(batch: readonly LegEvent[], now: Millis): readonly Outcome[] {
    return [...this.applyInPieces(batch, now)].flat();
  }

  /**
   * The same, in pieces, for a snapshot of thousands of legs. Other work may be done between them, but nothing else may be told to the
   * brain, or asked of it that it answers with outcomes, before the last.
   */
  *applyInPieces(batch: readonly LegEvent[], now: Millis): Generator<readonly Outcome[], void> {
    this.#now = now;
    for (const [index, event] of batch.entries()) {
      if (index % PIECE === PIECE - 1) yield [];
      // What was true until now is told before it is over.
      if (event.type === 'ended' || event.type === 'snapshot') yield* this.#settle();
      if (event.type === 'stopping') this.#stopping = true;
      this.availability.apply(event);
      const touched = this.#legs.apply(event, now);
      if (event.type === 'appeared' || event.type === 'called') this.#unsettled.add(event.leg);
      for (const id of touched) {
        const call = this.#book.byCustomer.get(id);
        if (call !== undefined) this.#touched.add(call);
      }
      if (event.type === 'snapshot') yield* this.#allIsTold();
    }
    yield* this.#settle();
    this.#legs.prune(now);
    yield this.#take();
  }

  /** Does what is due at `now`. */
  tick(now: Millis): readonly Outcome[] {
    return [...this.tickInPieces(now)].flat();
  }

  /** The same, as `applyInPieces`: what a snapshot has told of is due at once. */
  *tickInPieces(now: Millis): Generator<readonly Outcome[], void> {
    this.#now = now;
    for (const [index, call] of this.#announcer.due(now).entries()) {
      if (index % PIECE === PIECE - 1) yield this.#take();
      if (call.closeAt !== undefined && call.closeAt <= now) this.#close(call);
      else this.#tell(call);
    }
    let lost = 0;
    for (const call of this.#unheard.due(now, this.settings.calls.maxSilence)) {
      this.#lose(call);
      if ((lost += 1) % PIECE === 0) yield this.#take();
    }
    yield this.#take();
  }

  /** Closes every call, with the best known cause: the PBX is not there any more. */
  closeAll(now: Millis): readonly Outcome[] {
    this.#now = now;
    for (const call of [...this.#book.calls.values()]) this.#lose(call);
    return this.#take();
  }

  /** When the next tick is wanted; undefined = none is. */
  nextTick(): Millis | undefined {
    const next = Math.min(this.#announcer.next(), this.#unheard.firstDue(this.settings.calls.maxSilence));
    return next === Infinity ? undefined : next;
  }

  /**
   * From now on the PBX is not heard. A snapshot ends that; without one, a call that is not heard of again within
   * `calls.maxSilence` is closed.
   */
  deaf(now: Millis): void {
    // What ends after the next connect is not cut off by a stop of before.
    this.#stopping = false;
    for (const call of this.#book.calls.values()) this.#unheard.add(call, now);
  }

  /**
   * Zammad wants an inbound call rejected. Returns the customer's leg to hang up; undefined when it is too late: an agent has
   * answered, or an outside party, or the call is over.
   */
  reject(callId: CallId, reason: Cause): LegId | undefined {
    const call = this.#book.calls.get(callId);
    if (call?.direction !== 'in' || call.answered || call.counterpart?.kind === 'outside') return undefined;
    reject(call, reason);
    this.#journal?.mark(call);
    return [...call.customers][0];
  }

  /** The PBX did not hang it up: the call goes on, and ends for a reason of its own. */
  rejectRefused(callId: CallId): void {
    const call = this.#book.calls.get(callId);
    if (call === undefined) return;
    takeBackReject(call);
    this.#journal?.mark(call);
  }

  /** The PBX did not say whether it hangs it up, or it was over before: how the call ends tells. */
  rejectUnsure(callId: CallId): void {
    const call = this.#book.calls.get(callId);
    if (call?.rejected === undefined) return;
    call.rejectDoubt = 'unsure';
    this.#journal?.mark(call);
  }

  /**
   * A PBX asks before any phone rings. The leg that waits becomes known by it, if it was not; its call is told at once, by newCalls
   * that are `gated`. One call is one call, whether the gate or the events see it first.
   */
  gate(request: GateRequest, now: Millis): GateOpening {
    const { leg, line, from, dialled } = request;
    const before = this.#legs.get(leg);
    const known = before?.line !== undefined;
    // What it was before the dialplan may have allowed it.
    const withheld = request.withheld || before?.withheld === true;
    const appeared = { type: 'appeared', leg, line, origin: 'incoming', from, dialled, withheld } as const;
    this.#waiting = leg;
    const told = this.apply(known && line.kind === 'agent' ? [] : [appeared], now);
    this.#waiting = undefined;
    const waiting = this.#gatekeeper.open(request, now);
    const outcomes = [...told, ...this.#take()];
    if ('why' in waiting) return { kind: 'pass', why: waiting.why, outcomes };
    const { id: callId, direction } = waiting.call;
    const gated = outcomes.map((one) =>
      one.kind === 'post' && one.post.callId === callId ? { ...one, gated: true } : one,
    );
    return { kind: 'ask', callId, direction, outcomes: gated };
  }

  /** The PBX was told at its gate to reject the call; its end, when it comes, has this cause, unless somebody is called for it first. */
  rejectAtGate(callId: CallId, cause: Cause): readonly Outcome[] {
    const call = this.#book.calls.get(callId);
    if (call === undefined) return [];
    reject(call, cause, 'left to the PBX');
    this.#journal?.mark(call);
    return this.#take();
  }

  /** How much it keeps, all in all: for tests of leaks. */
  get size(): number {
    const loose = [this.#unsettled, this.#orphans, this.#announcer, this.#touched];
    const kept = [this.#aftermath, this.#book, this.#legs, this.#unheard, ...loose];
    return kept.reduce((sum, { size }) => sum + size, this.#journal?.size ?? 0);
  }

  has(callId: CallId): boolean {
    return this.#book.calls.has(callId);
  }

  /** The calls that are not over. */
  calls(): IterableIterator<Readonly<Call>> {
    return this.#book.calls.values();
  }

  #changed(call: Call): void {
    this.#touched.add(call);
    this.#journal?.mark(call);
  }

  /** @param reviewed the others are still to be looked at: nothing was told of them that is not taken yet, and they are kept then. */
  #take(reviewed?: ReadonlySet<Call>): readonly Outcome[] {
    const told = this.#teller.take();
    const posted = new Set(told.flatMap((outcome) => (outcome.kind === 'post' ? outcome.post.callId : [])));
    const isWhole = (call: Call): boolean => reviewed === undefined || reviewed.has(call) || posted.has(call.id);
    return [...told, ...(this.#journal?.take(isWhole) ?? [])];
  }

  /** A snapshot is complete: what is not in it is gone. */
  *#allIsTold(): Generator<readonly Outcome[], void> {
    this.#unheard.clear();
    this.#allKnown = true;
    yield* this.#settle();
    this.#allKnown = false;
    this.#book.forgetDeadRoots((root) => this.#legs.get(root) !== undefined);
    for (const id of this.#aftermath) if (this.#legs.get(id) === undefined) this.#aftermath.delete(id);
    this.#announcer.allIsKnown(this.#now);
  }

  /** It is over, and nobody saw how it ended. */
  #lose(call: Call): void {
    this.#unheard.delete(call);
    this.#legs.lose([...call.customers], this.#now);
    if (this.#book.calls.has(call.id)) this.#close(call);
  }

  /** Finds each new leg's part, then looks again at every call that something changed for. */
  *#settle(): Generator<readonly Outcome[], void> {
    let done = 0;
    for (const id of this.#unsettled) {
      if (this.#findPart(id)) this.#unsettled.delete(id);
      if ((done += 1) % PIECE === 0) yield this.#take(NONE);
    }
    for (const orphan of this.#orphans.values()) this.#adopt(orphan);
    const touched = this.#touched;
    this.#touched = new Set();
    const reviewed = new Set<Call>();
    for (const call of touched) {
      if (this.#book.calls.has(call.id)) this.#review(call);
      reviewed.add(call);
      if (reviewed.size < PIECE) continue;
      yield this.#take(reviewed);
      reviewed.clear();
    }
  }

  // ------------------------------------------------------------------ which call a leg belongs to

  /** True when nothing more is to be found out about this leg. */
  #findPart(id: LegId): boolean {
    const leg = this.#legs.get(id);
    if (leg === undefined) return true;
    if (leg.line === undefined) return false;
    if (this.#aftermath.has(leg.id)) return true;
    const agent = this.#origins.agentOf(leg);
    if (agent !== undefined) return this.#settlePhone(leg, agent);
    return leg.line.kind === 'trunk' ? this.#settleTrunk(leg) : true;
  }

  #settlePhone(leg: Leg, agent: AgentRef): boolean {
    if (!leg.called && leg.line?.kind === 'agent') return true;
    if (this.#book.byPhone.has(leg.id)) return true;
    const origin = this.#origins.diallerOf(leg, this.#allKnown);
    if (origin.kind === 'unknown') return false;
    if (origin.kind === 'call' && origin.call.direction === 'in') {
      const { call } = origin;
      this.#book.addPhone(call, leg.id);
      call.agents.set(agent.extension, agent);
      call.groupAt ??= this.#now + RING_GROUP_WINDOW;
      if (call.announceAt !== undefined) call.announceAt = Math.min(call.announceAt, call.groupAt);
      this.#announcer.expect(call);
      this.#touched.add(call);
      this.#journal?.mark(call);
    }
    return true;
  }

  #settleTrunk(leg: Leg): boolean {
    if (this.#book.byCustomer.has(leg.id)) {
      const call = this.#book.byCustomer.get(leg.id);
      if (call?.announceAt === undefined || call.direction === 'out') return true;
      if (leg.withheld !== 'asked') call.identityAt = undefined;
      this.#beginnings.nameParties(call, leg);
      this.#changed(call);
      return true;
    }
    if (leg.origin === 'incoming') {
      this.#beginnings.inbound(leg, this.#now);
      return true;
    }
    const origin = this.#origins.originOf(leg, this.#allKnown);
    if (origin.kind === 'unknown') return false;
    // Dialled for a customer: a forward or a transfer to the outside, told by the cause of that call's end.
    if (origin.kind === 'call') {
      this.#book.addForward(origin.call, leg.id);
      this.#journal?.mark(origin.call);
    }
    if (origin.kind === 'call' || origin.kind === 'gone') return true;
    this.#beginnings.outbound(leg, origin.kind === 'agent' ? origin : undefined, this.#now);
    return true;
  }

  /** A leg that was dialled and ended before its dialler was told of: its part in a call is told all the same. */
  #adopt({ leg, end, at }: { leg: Leg; end: LegEnd; at: Millis }): void {
    const origin = this.#origins.diallerOf(leg, false);
    const inTime = this.#now - at < ORPHAN_LIMIT;
    if (inTime && origin.kind === 'unknown' && !this.#allKnown) return;
    this.#orphans.delete(leg.id);
    if (!inTime) return;
    const agent = this.#origins.agentOf(leg);
    if (agent !== undefined) this.#settlePhone(leg, agent);
    else if (origin.kind === 'agent') this.#beginnings.outbound(leg, origin, this.#now);
    this.#onEnded(leg, end);
  }

  // ------------------------------------------------------------------ beginnings

  #takeUp(kept: CallRecord, now: Millis): void {
    const record = readable(kept);
    const call = callOf(
      record,
      this.settings.destinations.map(({ name }) => name),
    );
    for (const leg of record.legs) this.#legs.restore(leg);
    this.#book.add(call);
    this.#journal?.mark(call);
    this.#unheard.add(call, now);
    if (call.customers.size === 0 && !record.closing && !call.unrouted) {
      this.#close(call);
      return;
    }
    Object.assign(call, windowsOf(record, this.settings.calls, now));
    this.#announcer.expect(call);
  }

  // ------------------------------------------------------------------ the middle

  /** Who is at the customer's other end now? Tells what is to be told. */
  #review(call: Call): void {
    this.#unheard.delete(call);
    this.#journal?.mark(call);
    for (const id of call.customers) {
      const leg = this.#legs.get(id);
      if (leg === undefined) continue;
      if (leg.queue !== undefined) call.queues.add(leg.queue);
      const counterpart = this.#origins.counterpartOf(call, leg);
      if (counterpart === undefined) continue;
      call.counterpart = counterpart;
      if (counterpart.kind === 'agent') {
        call.answered = true;
        call.lastAgent = counterpart.agent;
        call.agents.set(counterpart.agent.extension, counterpart.agent);
      }
    }
    this.#tell(call);
  }

  /** newCall when it is due, and whatever may follow it. */
  #tell(call: Call): void {
    this.#journal?.mark(call);
    const waits = this.#waiting !== undefined && call.customers.has(this.#waiting);
    if (waits && call.announceAt !== undefined) return;
    this.#announcer.tell(call, this.#now);
  }

  // ------------------------------------------------------------------ ends

  #onEnded(leg: Leg, end: LegEnd): void {
    this.#aftermath.delete(leg.id);
    if (this.#unsettled.delete(leg.id) && leg.line !== undefined && end.lost !== true) {
      this.#orphans.set(leg.id, { leg, end, at: this.#now });
    }
    const phone = this.#book.byPhone.get(leg.id);
    if (phone !== undefined) {
      phone.phones.set(leg.id, end);
      this.#journal?.mark(phone);
    }
    this.#book.byPhone.delete(leg.id);
    this.#book.byForward.get(leg.id)?.forwards.delete(leg.id);
    this.#book.byForward.delete(leg.id);
    for (const call of this.#book.forgetRoot(leg.id)) {
      if (call.direction === 'out') call.caller = end;
      this.#journal?.mark(call);
      if (call.closeAt !== undefined || call.unrouted) this.#close(call);
    }
    const call = this.#book.byCustomer.get(leg.id);
    if (call === undefined) return;
    call.customers.delete(leg.id);
    this.#book.byCustomer.delete(leg.id);
    call.customerEnd = end;
    this.#journal?.mark(call);
    if (call.customers.size > 0) return;
    const mayTryAgain =
      call.direction === 'out' && !call.answered && call.root !== leg.id && this.#legs.get(call.root) !== undefined;
    if (!mayTryAgain) {
      this.#close(call);
      return;
    }
    call.closeAt = this.#now + FAILOVER_WINDOW;
    this.#announcer.expect(call);
  }

  #onReplaced(old: LegId, current: LegId): void {
    const { moved, mistaken } = this.#book.replace(old, current);
    for (const call of moved) this.#journal?.mark(call);
    for (const call of mistaken) if (call.customers.size === 0) this.#close(call);
  }

  #close(call: Call): void {
    this.#announcer.announce(call, this.#now, true);
    this.#teller.answer(call);
    const cause = causeOf({
      direction: call.direction,
      outside: call.counterpart?.kind === 'outside',
      answered: call.answered,
      rejected: rejectThatEnded(call, call.customerEnd),
      pbxStopped: this.#stopping,
      customer: call.customerEnd ?? { by: 'pbx', lost: true },
      caller: call.caller,
      phones: [...call.phones.values()],
    });
    this.#teller.hangup(call, cause);
    this.#book.remove(call);
    this.#announcer.forget(call);
    this.#unheard.delete(call);
    this.#journal?.mark(call);
  }
}
