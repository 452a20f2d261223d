/** Serves the head of one lane: at most one request, then the bookkeeping that follows from it. */
import { backoff } from '../backoff.js';
import { asError } from '../errors.js';
import type { Millis } from '../call/vocabulary.js';
import { deliveryStep } from './delivery-step.js';
import type { HealthNews, StepContext, StepResult, StepRights } from './delivery-step.js';
import type { Fence } from './fence.js';
import type { Lane, Lanes } from './lanes.js';
import { Ledger } from './ledger.js';
import { linked } from './linked-signals.js';
import type { Next } from './policy.js';
import { AWAITS_NEW_CALL, TOLD_ANEW, ageOf, answerGate, patienceOf } from './queued-post.js';
import type { QueuedPost } from './queued-post.js';
import { Replies } from './replies.js';
import type { ReplyEvent } from './replies.js';

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
  readonly #ledger: Ledger;
  readonly #replies: Replies;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#ledger = new Ledger(context);
    this.#replies = new Replies(context);
  }

  /**
   * Takes a taken lane and gives it back, or ends it. `hear` learns what the request said about Zammad before anything
   * else may be sent. Never rejects. Waits for nothing, and writes nothing, once `stopped` or the fence's `gone` is aborted.
   */
  async serve(lane: Lane, fence: Fence, stopped: AbortSignal, hear: (news: HealthNews) => void): Promise<void> {
    const stop = linked([stopped, fence.gone]);
    try {
      await this.#serve(lane, { fence, stop: stop.signal }, hear);
    } catch (thrown) {
      // A defect of this program must not stop the call for ever, nor the process.
      const { lanes, log, name, settings } = this.#context;
      log.error(
        { error: asError(thrown), zammad: name, callId: lane.callId },
        'The delivery of a call failed unexpectedly',
      );
      lanes.wait(lane, settings.backoff.max);
    } finally {
      stop.release();
    }
  }

  async #serve(lane: Lane, rights: StepRights, hear: (news: HealthNews) => void): Promise<void> {
    const head = lane.posts[0];
    if (head === undefined || (await this.#tooOld(lane, head, rights))) return;
    const doomed = this.#doomed(head);
    if (doomed !== undefined) {
      await this.#end(lane, head, 'dead', doomed, rights);
      return;
    }
    const result = await deliveryStep(this.#context, head, rights);
    // Not ours any more: whoever leads now goes on from what stands in the store.
    if (rights.fence.gone.aborted) {
      answerGate(head, { kind: 'noReply', why: 'Another bridge speaks for this PBX now' });
      this.#context.lanes.park(lane);
      return;
    }
    // A request that was cut short by a stop says nothing about Zammad.
    if (!rights.stop.aborted) hear(result.news);
    this.#replies.take(head, result);
    // Cut short by a stop: the attempt stands in the outbox, and the next run decides.
    if (rights.stop.aborted && !['delivered', 'again', 'later'].includes(result.next.do)) return;
    await this.#follow(lane, head, result, rights);
  }

  /** Gives a whole call up if it is too old; lets an old newCall wait for its call's next post. */
  async #tooOld(lane: Lane, head: QueuedPost, rights: StepRights): Promise<boolean> {
    const { clock, lanes, settings } = this.#context;
    const now = clock.monotonic();
    const left = settings.maxAge - Math.min(...lane.posts.map((post) => patienceOf(post, now)));
    if (left < 0) {
      // Posts that come meanwhile are younger, and keep the rest.
      for (const post of [...lane.posts]) {
        const reason = `Older than ${settings.maxAge / 1000} s when its turn came`;
        await this.#finish(lane, post, post.unsure ? 'unknown' : 'dead', reason, rights);
      }
      if (lane.posts.length > 0) lanes.giveBack(lane);
      return true;
    }
    const alone = lane.posts.length === 1 && head.item.post.event === 'newCall' && head.step === 'send';
    if (!alone || head.origin === 'handedIn' || ageOf(head, now) <= settings.newCallAlone) return false;
    lanes.wait(lane, left + 1, true);
    return true;
  }

  #doomed({ item: { post }, origin }: QueuedPost): string | undefined {
    if (post.event === 'newCall' || origin === 'handedIn') return undefined;
    const why = this.#context.remembered.whyRefused(post.callId);
    return why === undefined ? undefined : `Its newCall was refused: ${why}`;
  }

  async #follow(lane: Lane, head: QueuedPost, result: StepResult, rights: StepRights): Promise<void> {
    const { next, news } = result;
    const { lanes, settings, clock } = this.#context;
    switch (next.do) {
      case 'delivered':
      case 'dead':
      case 'unknown':
        await this.#end(lane, head, next.do, next.do === 'delivered' ? undefined : next.reason, rights);
        return;
      case 'send':
        if (head.step === 'lookFirst') {
          head.step = 'send';
          lanes.giveBack(lane);
          return;
        }
        // Zammad did not know the call a moment ago, so nothing that was sent before has been processed.
        head.step = 'send';
        head.unsure = false;
        this.#context.remembered.notRefused(head.item.callId);
        await this.#ledger.settle(head.item, 'waiting', TOLD_ANEW, rights);
        lanes.giveBack(lane);
        return;
      case 'again':
        if (head.step === 'readBack') head.unsure = false;
        head.step = 'send';
        // An attempt before this one may have been processed: that stands in the outbox and has to stay there.
        if (!head.unsure) await this.#ledger.settle(head.item, 'waiting', next.reason, rights);
        this.#retry(lane, head, next, news);
        return;
      case 'later':
        if (head.step === 'send' && !head.unsure) await this.#ledger.settle(head.item, 'waiting', next.reason, rights);
        lanes.park(lane);
        return;
      case 'resend':
        head.step = 'send';
        head.unknowns += 1;
        head.unsure = true;
        this.#retry(lane, head, next, news);
        return;
      case 'recreate': {
        const first = head.step !== 'recreate';
        head.step = 'recreate';
        // Written, so that a run after a crash does not take the attempt for one of unknown outcome.
        if (first) await this.#ledger.settle(head.item, 'waiting', AWAITS_NEW_CALL, rights);
        if (first) lanes.giveBack(lane);
        else this.#retry(lane, head, next, news);
        return;
      }
      case 'readBack':
        if (head.step === 'readBack' || head.step === 'lookFirst') {
          this.#retry(lane, head, next, news);
          return;
        }
        // What was interrupted may have begun a moment before it was taken over; what was answered is not under way any more.
        head.unknownSince = head.step === 'interrupted' ? clock.monotonic() : result.beganAt;
        if (next.answered) head.unknownSince = clock.monotonic() - Math.max(settings.timeout, settings.lateness);
        head.step = 'readBack';
        head.unknowns += 1;
        head.unsure = true;
        this.#look(lane, head, settings.timeout);
        return;
      case 'lookAgain':
        this.#look(lane, head, settings.lateness);
        return;
    }
  }

  /** The next look into the caller log, `after` ms from when the outcome became unknown; but not seldom. */
  #look(lane: Lane, head: QueuedPost, after: Millis): void {
    const { clock, lanes, settings } = this.#context;
    const left = Math.max(0, head.unknownSince + after - clock.monotonic());
    lanes.wait(lane, Math.min(left, settings.timeout));
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
    rights: StepRights,
  ): Promise<void> {
    await this.#finish(lane, post, state, reason, rights);
    if (lane.posts.length > 0) this.#context.lanes.giveBack(lane);
  }

  /** The lane stays taken. */
  async #finish(
    lane: Lane,
    post: QueuedPost,
    state: 'delivered' | 'dead' | 'unknown',
    reason: string | undefined,
    rights: StepRights,
  ): Promise<void> {
    await this.#ledger.finish(post, state, reason, rights);
    this.#context.lanes.shift(lane);
  }
}
