/** The delivery to one Zammad: which call is served when, and how many side by side. */
import { setMaxListeners } from 'node:events';
import type { OutboxItem } from '../store/outbox.js';
import type { Millis, PbxName } from '../call/vocabulary.js';
import type { HealthNews } from './delivery-step.js';
import type { Fence } from './fence.js';
import { Health } from './health.js';
import type { ZammadState } from './health.js';
import { LaneWorker } from './lane-worker.js';
import type { WorkerContext } from './lane-worker.js';
import { Lanes } from './lanes.js';
import type { Lane } from './lanes.js';
import { ageOf, answerGate, queuedPost } from './queued-post.js';
import type { Origin, UrgentReply } from './queued-post.js';

export interface RouteState {
  readonly state: ZammadState;
  /** False until Zammad was heard of for the first time, or a request to it failed: until then `ok` is only a hope. */
  readonly known: boolean;
  /** Why it is not ok, and what to do. */
  readonly reason?: string | undefined;
  /** Posts not yet delivered. */
  readonly depth: number;
  /** Age of the oldest of them, ms. */
  readonly oldestAge?: Millis | undefined;
}

type Slot = 'gate' | 'ordinary' | 'trial';

interface Servable {
  readonly lane: Lane;
  readonly fence: Fence;
}

export interface RouteContext extends Omit<WorkerContext, 'lanes'> {
  /** Undefined for a PBX that was not taken (yet): its posts wait. */
  readonly fenceOf: (pbx: PbxName) => Fence | undefined;
}

/** While posts wait for their PBX's lead to last longer: how often is looked. */
const LOOK_AT_LEADS: Millis = 250;
const NOT_OURS = 'This bridge may not speak for the PBX at the moment';

export class Route {
  readonly #context: RouteContext;
  readonly #lanes: Lanes;
  readonly #health: Health;
  readonly #worker: LaneWorker;
  readonly #abort = new AbortController();
  readonly #busy: Record<Slot, number> = { gate: 0, ordinary: 0, trial: 0 };
  /** With the PBX they are for; probes are for none. */
  readonly #underWay = new Map<Promise<void>, PbxName | undefined>();
  #idle: (() => void)[] = [];
  #running = false;
  #looked = false;
  #cancelTrial: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;

  constructor(context: RouteContext) {
    // Every request under way listens to it; Node would warn of more than ten.
    setMaxListeners(0, this.#abort.signal);
    this.#context = context;
    this.#health = new Health(context);
    this.#lanes = new Lanes(context.clock, context.settings.live, () => {
      this.#pump();
    });
    this.#worker = new LaneWorker({ ...context, lanes: this.#lanes });
  }

  start(): void {
    this.#running = true;
    this.#pump();
  }

  /** Finds out how an idle Zammad is: first all that can be known, later only whether it is there. */
  look(): void {
    if (!this.#running || this.#health.state !== 'ok' || this.#underWay.size > 0) return;
    this.#watch(this.#probe(this.#looked ? 'reach' : 'probe'), 'trial');
    this.#looked = true;
  }

  /** Takes up items that are safe in the outbox. Those it has already are passed over. */
  intake(items: readonly OutboxItem[], origin: Origin): void {
    for (const item of items) this.#add(item, origin);
    this.#unpark();
    this.#pump();
  }

  /** The newCalls of calls that go on, whatever became of them. */
  recall(newCalls: readonly OutboxItem[]): void {
    for (const item of newCalls) this.#context.remembered.recall(item);
  }

  holds(pbx: PbxName): boolean {
    return this.#lanes.holds(pbx);
  }

  /** Forgets every post of a PBX whose fence is closed. Resolves when none of them is under way. */
  async drop(pbx: PbxName): Promise<void> {
    for (const post of this.#lanes.drop(pbx)) answerGate(post, { kind: 'noReply', why: NOT_OURS });
    this.#context.remembered.forgetAll(pbx);
    this.#pump();
    await Promise.all([...this.#underWay].filter(([, whose]) => whose === pbx).map(([work]) => work));
  }

  /** Takes up a newCall for whose reply a gate waits. Settles after the first attempt, at once when Zammad is not well. */
  urgent(item: OutboxItem): Promise<UrgentReply> {
    if (!this.#running || this.#health.state !== 'ok') {
      this.#add(item, 'live', true);
      this.#unpark();
      this.#pump();
      return Promise.resolve({ kind: 'noReply', why: this.#health.reason ?? 'The dispatcher does not run' });
    }
    return new Promise((resolve) => {
      if (!this.#add(item, 'live', true, resolve))
        resolve({ kind: 'noReply', why: 'This post is being delivered already' });
      this.#pump();
    });
  }

  /** Resolves when every post is delivered or given up. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#settled();
    });
  }

  state(): RouteState {
    const oldest = this.#lanes.oldest();
    return {
      state: this.#health.state,
      known: this.#health.known,
      reason: this.#health.reason,
      depth: this.#lanes.depth,
      oldestAge: oldest === undefined ? undefined : ageOf(oldest, this.#context.clock.monotonic()),
    };
  }

  /** Begins nothing more; lets what is under way end, and cuts it short after `deadline` ms. */
  async stop(deadline: Millis): Promise<void> {
    this.#running = false;
    this.#lanes.close();
    this.#cancelTrial?.();
    this.#cancelLook?.();
    for (const post of this.#lanes.ungate()) answerGate(post, { kind: 'noReply', why: 'The bridge stops' });
    const cancel = this.#context.clock.after(deadline, () => {
      this.#abort.abort();
    });
    await Promise.all(this.#underWay.keys());
    cancel();
  }

  #add(item: OutboxItem, origin: Origin, asked = false, onReply?: (reply: UrgentReply) => void): boolean {
    const post = queuedPost(item, this.#context.clock, origin);
    post.asked = asked;
    post.answerGate = onReply;
    // A second hangup of a missed call does harm, and whoever wants it cannot know what others do meanwhile.
    const risky = origin === 'handedIn' && item.post.event === 'hangup' && !item.repeatable;
    if (risky && post.step === 'send' && this.#context.client.canReadBack) post.step = 'lookFirst';
    if (!this.#lanes.add(post)) return false;
    if (item.post.event === 'newCall') {
      this.#context.remembered.remember(item.pbx, item.post);
      this.#context.remembered.notRefused(item.callId);
    }
    return true;
  }

  /** Begins whatever may begin now. Called after everything that could change that. */
  #pump(): void {
    if (this.#running) {
      if (this.#health.state === 'ok') this.#fillSlots();
      else this.#try();
      this.#lookAtLeads();
    }
    this.#publish();
    this.#settled();
  }

  #fillSlots(): void {
    this.#fill('gate', this.#context.settings.urgentParallel, () => this.#lanes.takeGated());
    this.#fill('ordinary', this.#health.limit, () => this.#lanes.take());
  }

  #fill(slot: Slot, limit: number, take: () => Lane | undefined): void {
    while (this.#busy[slot] < limit) {
      const next = this.#next(take);
      if (next === undefined) return;
      this.#serve(next, slot);
    }
  }

  /** The next lane that may be served; those whose PBX this bridge may not speak for now are set aside on the way. */
  #next(take: () => Lane | undefined): Servable | undefined {
    for (let lane = take(); lane !== undefined; lane = take()) {
      const fence = this.#context.fenceOf(lane.pbx);
      if (fence?.open === true) return { lane, fence };
      const head = lane.posts[0];
      if (head !== undefined) answerGate(head, { kind: 'noReply', why: NOT_OURS });
      this.#lanes.park(lane);
    }
    return undefined;
  }

  #unpark(): void {
    if (this.#lanes.parked > 0) this.#lanes.unpark((pbx) => this.#context.fenceOf(pbx)?.open === true);
  }

  /** Nobody says when a lead has been prolonged. */
  #lookAtLeads(): void {
    if (this.#lanes.parked === 0 || this.#cancelLook !== undefined) return;
    this.#cancelLook = this.#context.clock.after(LOOK_AT_LEADS, () => {
      this.#cancelLook = undefined;
      this.#unpark();
      this.#pump();
    });
  }

  /** Zammad is not well: no gate waits for it, and one request at a time finds out whether it is back. */
  #try(): void {
    for (const post of this.#lanes.ungate()) {
      answerGate(post, { kind: 'noReply', why: this.#health.reason ?? 'Zammad is not well' });
    }
    if (this.#busy.trial > 0) return;
    this.#cancelTrial?.();
    this.#cancelTrial = undefined;
    const wait = this.#health.untilTrial();
    if (wait > 0) {
      this.#cancelTrial = this.#context.clock.after(wait, () => {
        this.#pump();
      });
      return;
    }
    // A post as a trial only where it surely is not processed if it fails; a probe does no harm in any case.
    const next = this.#health.trouble === 'unreachable' ? this.#next(() => this.#lanes.take()) : undefined;
    if (next === undefined) this.#watch(this.#probe(), 'trial');
    else this.#serve(next, 'trial');
  }

  #serve({ lane, fence }: Servable, slot: Slot): void {
    const hear = (news: HealthNews): void => {
      if (news.kind === 'good') this.#health.good();
      if (news.kind === 'bad') this.#health.bad(news.trouble, news.reason, slot === 'trial', news.retryAfter);
    };
    this.#watch(this.#worker.serve(lane, fence, this.#abort.signal, hear), slot, lane.pbx);
  }

  async #probe(how: 'probe' | 'reach' = 'probe'): Promise<void> {
    const { client, settings } = this.#context;
    const found = await client[how]({ timeout: settings.timeout, signal: this.#abort.signal, freshSocket: true });
    // Cut short by a stop: that says nothing about Zammad.
    if (this.#abort.signal.aborted) return;
    switch (found.kind) {
      case 'ok':
        this.#health.good();
        return;
      case 'held':
        this.#health.bad('held', found.message, true);
        return;
      case 'down':
        // Stays what it was: posts are trials only where nothing arrives at all.
        this.#health.bad(this.#health.trouble === 'unreachable' ? 'unreachable' : 'silent', found.message, true);
    }
  }

  #watch(work: Promise<void>, slot: Slot, pbx?: PbxName): void {
    this.#busy[slot] += 1;
    const watched = work.finally(() => {
      this.#busy[slot] -= 1;
      this.#underWay.delete(watched);
      this.#pump();
    });
    this.#underWay.set(watched, pbx);
  }

  #settled(): void {
    if (this.#lanes.depth > 0 || this.#busy.gate + this.#busy.ordinary > 0 || this.#idle.length === 0) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }

  #publish(): void {
    const { metrics, name } = this.#context;
    const { depth, oldestAge } = this.state();
    metrics.gauge('zammad_outbox_depth', depth, { zammad: name });
    metrics.gauge('zammad_outbox_oldest_seconds', (oldestAge ?? 0) / 1000, { zammad: name });
  }
}
