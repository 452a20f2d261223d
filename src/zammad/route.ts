/** The delivery to one Zammad: which call is served when, and how many side by side. */
import { setMaxListeners } from 'node:events';
import type { OutboxItem } from '../store/outbox.js';
import type { Millis } from '../call/vocabulary.js';
import type { HealthNews } from './delivery-step.js';
import { Health } from './health.js';
import type { ZammadState } from './health.js';
import { LaneWorker } from './lane-worker.js';
import type { WorkerContext } from './lane-worker.js';
import { Lanes } from './lanes.js';
import type { Lane } from './lanes.js';
import { ageOf, answerGate, queuedPost } from './queued-post.js';
import type { UrgentReply } from './queued-post.js';

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

export class Route {
  readonly #context: Omit<WorkerContext, 'lanes'>;
  readonly #lanes: Lanes;
  readonly #health: Health;
  readonly #worker: LaneWorker;
  readonly #abort = new AbortController();
  readonly #busy: Record<Slot, number> = { gate: 0, ordinary: 0, trial: 0 };
  readonly #underWay = new Set<Promise<void>>();
  #idle: (() => void)[] = [];
  #running = false;
  #looked = false;
  #cancelTrial: (() => void) | undefined;

  constructor(context: Omit<WorkerContext, 'lanes'>) {
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
  intake(items: readonly OutboxItem[], fromStart: boolean): void {
    for (const item of items) this.#add(item, fromStart);
    this.#pump();
  }

  /** Takes up a newCall for whose reply a gate waits. Settles after the first attempt, at once when Zammad is not well. */
  urgent(item: OutboxItem): Promise<UrgentReply> {
    if (!this.#running || this.#health.state !== 'ok') {
      this.intake([item], false);
      return Promise.resolve({ kind: 'noReply', why: this.#health.reason ?? 'The dispatcher does not run' });
    }
    return new Promise((resolve) => {
      if (!this.#add(item, false, resolve)) resolve({ kind: 'noReply', why: 'This post is being delivered already' });
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
    for (const post of this.#lanes.ungate()) answerGate(post, { kind: 'noReply', why: 'The bridge stops' });
    const cancel = this.#context.clock.after(deadline, () => {
      this.#abort.abort();
    });
    await Promise.all(this.#underWay);
    cancel();
  }

  #add(item: OutboxItem, fromStart: boolean, onReply?: (reply: UrgentReply) => void): boolean {
    const post = queuedPost(item, this.#context.clock, fromStart);
    post.answerGate = onReply;
    if (!this.#lanes.add(post)) return false;
    if (item.post.event === 'newCall') this.#context.remembered.remember(item.post);
    return true;
  }

  /** Begins whatever may begin now. Called after everything that could change that. */
  #pump(): void {
    if (this.#running) {
      if (this.#health.state === 'ok') this.#fillSlots();
      else this.#try();
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
      const lane = take();
      if (lane === undefined) return;
      this.#serve(lane, slot);
    }
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
    const lane = this.#health.trouble === 'unreachable' ? this.#lanes.take() : undefined;
    if (lane === undefined) this.#watch(this.#probe(), 'trial');
    else this.#serve(lane, 'trial');
  }

  #serve(lane: Lane, slot: Slot): void {
    const hear = (news: HealthNews): void => {
      if (news.kind === 'good') this.#health.good();
      if (news.kind === 'bad') this.#health.bad(news.trouble, news.reason, slot === 'trial', news.retryAfter);
    };
    this.#watch(this.#worker.serve(lane, this.#abort.signal, hear), slot);
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

  #watch(work: Promise<void>, slot: Slot): void {
    this.#busy[slot] += 1;
    const watched = work.finally(() => {
      this.#busy[slot] -= 1;
      this.#underWay.delete(watched);
      this.#pump();
    });
    this.#underWay.add(watched);
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
