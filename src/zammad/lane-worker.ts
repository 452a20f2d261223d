/** Serves the head of one lane: at most one request, then the bookkeeping that follows from it. */
import { backoff } from '../backoff.js';
import { asError } from '../errors.js';
import type { OutboxItem } from '../store/outbox.js';
import type { CallId, Millis, NewCallPost, ZammadName } from '../call/vocabulary.js';
import { deliveryStep } from './delivery-step.js';
import type { HealthNews, StepContext, StepResult } from './delivery-step.js';
import type { Lane, Lanes } from './lanes.js';
import type { Next } from './policy.js';
import { AWAITS_NEW_CALL, ageOf, answerGate } from './queued-post.js';
import type { QueuedPost } from './queued-post.js';
import type { Reply } from './reply.js';

/** Zammad wants something of the PBX. */
export interface ReplyEvent {
  readonly callId: CallId;
  readonly zammad: ZammadName;
  readonly post: NewCallPost;
  readonly reply: Extract<Reply, { readonly kind: 'reject' | 'dial' }>;
  /** False for backlog and for calls told anew: too late to act on. */
  readonly live: boolean;
  /** True if a gate was waiting for it and has got it too (it may have stopped waiting). */
  readonly gated: boolean;
}

export interface WorkerContext extends StepContext {
  readonly random: () => number;
  readonly lanes: Lanes;
  readonly onReply: (event: ReplyEvent) => void;
}

/** What is done again after a while. */
type Retried = Extract<Next, { readonly do: 'again' | 'resend' | 'recreate' | 'readBack' }>;

/** Tries of one post that fail although Zammad is well, before a line says so. */
const WORTH_SAYING = 3;

export class LaneWorker {
  readonly #context: WorkerContext;
  readonly #oddities = new Set<string>();

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /**
   * Takes a taken lane and gives it back, or ends it. `hear` learns what the request said about Zammad before anything
   * else may be sent. Never rejects.
   */
  async serve(lane: Lane, signal: AbortSignal, hear: (news: HealthNews) => void): Promise<void> {
    try {
      await this.#serve(lane, signal, hear);
    } catch (thrown) {
      // A defect of this program must not stop the call for ever, nor the process.
      const { lanes, log, name, settings } = this.#context;
      log.error(
        { error: asError(thrown), zammad: name, callId: lane.callId },
        'The delivery of a call failed unexpectedly',
      );
      lanes.wait(lane, settings.backoff.max);
    }
  }

  async #serve(lane: Lane, signal: AbortSignal, hear: (news: HealthNews) => void): Promise<void> {
    const head = lane.posts[0];
    if (head === undefined || (await this.#tooOld(lane, head))) return;
    const doomed = this.#doomed(head);
    if (doomed !== undefined) {
      await this.#end(lane, head, 'dead', doomed);
      return;
    }
    const result = await deliveryStep(this.#context, head, signal);
    // A request that was cut short by a stop says nothing about Zammad.
    if (!signal.aborted) hear(result.news);
    this.#reply(head, result);
    // Cut short by a stop: the attempt stands in the outbox, and the next run decides.
    if (signal.aborted && result.next.do !== 'delivered' && result.next.do !== 'again') return;
    await this.#follow(lane, head, result);
  }

  /** Gives a whole call up if it is too old; lets an old newCall wait for its call's next post. */
  async #tooOld(lane: Lane, head: QueuedPost): Promise<boolean> {
    const { clock, lanes, settings } = this.#context;
    const now = clock.monotonic();
    const newest = lane.posts.at(-1) ?? head;
    const left = settings.maxAge - ageOf(newest, now);
    if (left < 0) {
      // Posts that come meanwhile are younger, and keep the rest.
      for (const post of [...lane.posts]) {
        const maybe = post.unknowns > 0 || post.step === 'interrupted';
        await this.#finish(
          lane,
          post,
          maybe ? 'unknown' : 'dead',
          `Older than ${settings.maxAge / 1000} s when its turn came`,
        );
      }
      if (lane.posts.length > 0) lanes.giveBack(lane);
      return true;
    }
    const alone = lane.posts.length === 1 && head.item.post.event === 'newCall' && head.step === 'send';
    if (!alone || ageOf(head, now) <= settings.newCallAlone) return false;
    lanes.wait(lane, left + 1, true);
    return true;
  }

  #doomed({ item: { post } }: QueuedPost): string | undefined {
    if (post.event === 'newCall') return undefined;
    const why = this.#context.remembered.whyRefused(post.callId);
    return why === undefined ? undefined : `Its newCall was refused: ${why}`;
  }

  async #follow(lane: Lane, head: QueuedPost, { next, news, beganAt }: StepResult): Promise<void> {
    const { lanes, settings, clock } = this.#context;
    switch (next.do) {
      case 'delivered':
      case 'dead':
      case 'unknown':
        await this.#end(lane, head, next.do, next.do === 'delivered' ? undefined : next.reason);
        return;
      case 'send':
        head.step = 'send';
        lanes.giveBack(lane);
        return;
      case 'again':
        head.step = 'send';
        await this.#settle(head.item, 'waiting', next.reason);
        this.#retry(lane, head, next, news);
        return;
      case 'resend':
        head.step = 'send';
        head.unknowns += 1;
        this.#retry(lane, head, next, news);
        return;
      case 'recreate': {
        const first = head.step !== 'recreate';
        head.step = 'recreate';
        // Written, so that a run after a crash does not take the attempt for one of unknown outcome.
        if (first) await this.#settle(head.item, 'waiting', AWAITS_NEW_CALL);
        if (first) lanes.giveBack(lane);
        else this.#retry(lane, head, next, news);
        return;
      }
      case 'readBack':
        if (head.step === 'readBack') {
          this.#retry(lane, head, next, news);
          return;
        }
        head.step = 'readBack';
        head.unknowns += 1;
        head.readBackAt = beganAt + settings.timeout;
        if (news.kind === 'none') head.readBackAt = clock.monotonic() + settings.timeout;
        lanes.wait(lane, Math.max(0, head.readBackAt - clock.monotonic()));
        return;
    }
  }

  /** Back in line: at the front if Zammad as a whole does not take posts (it has a wait of its own), else after a while. */
  #retry(lane: Lane, head: QueuedPost, next: Retried, news: HealthNews): void {
    const { lanes, random, settings } = this.#context;
    head.failures += 1;
    if (news.kind === 'bad' && news.trouble !== 'silent') {
      // Held may be about this very post (a filter before Zammad): others get their turn first.
      if (news.trouble === 'held') lanes.giveBackLast(lane);
      else lanes.giveBack(lane);
      return;
    }
    if (head.failures === WORTH_SAYING) this.#sayTried(head, next.reason);
    const wait: Millis = backoff(settings.backoff, head.failures, random());
    lanes.wait(lane, next.do === 'again' ? Math.max(wait, next.retryAfter ?? 0) : wait);
  }

  /** Zammad is well, but this post does not get through: otherwise nobody would know why a call is missing there. */
  #sayTried({ item, failures }: QueuedPost, reason: string): void {
    const { log, name } = this.#context;
    const { callId, event } = item.post;
    log.warn(
      { zammad: name, callId, event, reason },
      `Zammad ${name} has not taken ${event} of call ${callId} in ${failures} tries, more follow: ${reason}`,
    );
  }

  async #end(
    lane: Lane,
    post: QueuedPost,
    state: 'delivered' | 'dead' | 'unknown',
    reason: string | undefined,
  ): Promise<void> {
    await this.#finish(lane, post, state, reason);
    if (lane.posts.length > 0) this.#context.lanes.giveBack(lane);
  }

  /** The lane stays taken. */
  async #finish(
    lane: Lane,
    post: QueuedPost,
    state: 'delivered' | 'dead' | 'unknown',
    reason: string | undefined,
  ): Promise<void> {
    const { lanes, remembered } = this.#context;
    const { callId, post: sent } = post.item;
    await this.#settle(post.item, state, reason);
    if (state !== 'delivered') this.#tell(post, state, reason ?? '');
    if (sent.event === 'hangup') remembered.forget(callId);
    lanes.shift(lane);
  }

  #tell(post: QueuedPost, state: 'dead' | 'unknown', reason: string): void {
    const { log, metrics, name, remembered } = this.#context;
    const { callId, seq, post: sent } = post.item;
    const { event } = sent;
    answerGate(post, { kind: 'noReply', why: reason });
    const facts = { zammad: name, callId, seq, event, reason };
    if (state === 'dead') {
      metrics.count('zammad_dead_total', { zammad: name, event });
      if (event === 'newCall' && post.step === 'send') remembered.refused(callId, reason);
      log.warn(facts, `Gave up ${event} of call ${callId} for Zammad ${name}: ${reason}. Zammad does not show it`);
      return;
    }
    metrics.count('zammad_unknown_total', { zammad: name, event });
    log.error(
      facts,
      `Nobody can say whether Zammad ${name} took ${event} of call ${callId}: ${reason}. Look at the call in Zammad's caller ` +
        `log; an agent can tick it as done there. ` +
        'With an apiToken (zammad[].apiToken) the bridge looks by itself',
    );
  }

  async #settle(item: OutboxItem, state: 'waiting' | 'delivered' | 'dead' | 'unknown', reason?: string): Promise<void> {
    const { outbox, metrics, log, name } = this.#context;
    try {
      await outbox.settle(item.seq, state, reason);
    } catch (thrown) {
      metrics.count('zammad_outbox_failures_total', { zammad: name, step: 'settle' });
      const error = asError(thrown).message;
      log.error(
        { error, zammad: name, seq: item.seq, state },
        'How a post came out could not be written to the outbox',
      );
    }
  }

  #reply(post: QueuedPost, { next, reply }: StepResult): void {
    const { clock, metrics, name, settings } = this.#context;
    const sent = post.item.post;
    const gated = post.answerGate !== undefined;
    const recreated = post.step === 'recreate';
    if (reply === undefined) {
      answerGate(post, { kind: 'noReply', why: 'reason' in next ? next.reason : 'Zammad had the call already' });
      return;
    }
    answerGate(post, { kind: 'reply', reply });
    const newCall = recreated ? this.#context.remembered.newCallOf(sent) : sent;
    if (newCall.event !== 'newCall') return;
    metrics.count('zammad_replies_total', { zammad: name, kind: reply.kind });
    if (reply.kind === 'odd') this.#sayOnce(reply.why);
    if (reply.kind !== 'reject' && reply.kind !== 'dial') return;
    const live = !recreated && !post.fromStart && ageOf(post, clock.monotonic()) <= settings.live;
    this.#handOver({ callId: newCall.callId, zammad: name, post: newCall, reply, live, gated });
  }

  #handOver(event: ReplyEvent): void {
    try {
      this.#context.onReply(event);
    } catch (thrown) {
      this.#context.log.error(
        { error: asError(thrown).message, callId: event.callId },
        'A reply could not be handed over',
      );
    }
  }

  /** `why` is one of a few fixed texts. */
  #sayOnce(why: string): void {
    const { log, name } = this.#context;
    if (this.#oddities.has(why)) return;
    this.#oddities.add(why);
    log.warn({ zammad: name, why }, `Zammad ${name} sent a reply that is not understood (${why}); its calls go on`);
  }
}
