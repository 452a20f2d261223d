/** What Zammad says to posts, handed on to whoever waits for it. */
import type { Logger } from 'pino';
import { asError } from '../errors.js';
import type { Clock } from '../clock.js';
import type { CallId, Millis, NewCallPost, ZammadName } from '../call/vocabulary.js';
import type { StepResult } from './delivery-step.js';
import type { DeliveryMetrics } from './metrics.js';
import { ageOf, answerGate } from './queued-post.js';
import type { QueuedPost } from './queued-post.js';
import type { RememberedCalls } from './remembered-calls.js';
import type { Reply } from './reply.js';
import type { DeliverySettings } from './settings.js';

/** Zammad wants something of the PBX. */
export interface ReplyEvent {
  readonly callId: CallId;
  readonly zammad: ZammadName;
  readonly post: NewCallPost;
  readonly reply: Extract<Reply, { readonly kind: 'reject' | 'dial' }>;
  /** False for backlog and for calls told anew: too late to act on. */
  readonly live: boolean;
  /** How long ago the call was told, ms. */
  readonly age: Millis;
  /**
   * Of the gate that asked by it: `told` has got it too, and sees to it (also if its time was over); `passed` was told before that no
   * reply comes, and let the call go on; `none` did not ask.
   */
  readonly gate: 'told' | 'passed' | 'none';
}

export interface RepliesContext {
  readonly name: ZammadName;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  readonly settings: DeliverySettings;
  readonly remembered: RememberedCalls;
  readonly onReply: (event: ReplyEvent) => void;
}

export class Replies {
  readonly #context: RepliesContext;
  readonly #oddities = new Set<string>();

  constructor(context: RepliesContext) {
    this.#context = context;
  }

  /** After each step; its gate learns something in any case. */
  take(post: QueuedPost, { next, reply }: StepResult): void {
    const { clock, metrics, name, remembered, settings } = this.#context;
    const sent = post.item.post;
    const gate = gateOf(post);
    const recreated = post.step === 'recreate';
    if (reply === undefined) {
      answerGate(post, { kind: 'noReply', why: 'reason' in next ? next.reason : 'Zammad had the call already' });
      return;
    }
    answerGate(post, { kind: 'reply', reply });
    const newCall = recreated ? remembered.newCallOf(sent) : sent;
    if (newCall.event !== 'newCall') return;
    metrics.count('zammad_replies_total', { zammad: name, kind: reply.kind });
    if (reply.kind === 'odd') this.#sayOnce(reply.why);
    if (reply.kind !== 'reject' && reply.kind !== 'dial') return;
    const age = ageOf(post, clock.monotonic());
    const live = !recreated && post.origin === 'live' && age <= settings.live;
    this.#handOver({ callId: newCall.callId, zammad: name, post: newCall, reply, live, age, gate });
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

function gateOf({ asked, answerGate: waits }: QueuedPost): ReplyEvent['gate'] {
  if (!asked) return 'none';
  return waits === undefined ? 'passed' : 'told';
}
