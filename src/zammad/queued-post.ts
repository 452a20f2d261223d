import type { Clock } from '../clock.js';
import type { OutboxItem } from '../store/outbox.js';
import type { Millis } from '../call/vocabulary.js';
import type { Reply } from './reply.js';

/** What a gate learns: the reply, or that none comes in time for this attempt. */
export type UrgentReply =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** `why` is for people. The post stays in the outbox and is delivered later, if it was not yet. */
  | { readonly kind: 'noReply'; readonly why: string };

/** What is to be done next for a post. */
export type Step =
  | 'send'
  /** Tell the call anew first. */
  | 'recreate'
  /** Look into Zammad's caller log. */
  | 'readBack'
  /** The attempt of an earlier run of this program was under way when that ended: decide. */
  | 'interrupted';

/** What stands in the outbox as the reason of a post that waits for its call to be told anew; it survives a restart. */
export const AWAITS_NEW_CALL = 'Zammad did not know the call: newCall is sent again first';

/** A post in the dispatcher's hands. */
export interface QueuedPost {
  readonly item: OutboxItem;
  /** Taken up from the outbox at start: its replies come too late to act on. */
  readonly fromStart: boolean;
  /** Monotonic, when it came into these hands, and how old it was then. */
  readonly takenAt: Millis;
  readonly ageThen: Millis;
  step: Step;
  unknowns: number;
  failures: number;
  /** Monotonic: no look into the caller log before. */
  readBackAt: Millis;
  /** Settles the gate's wait; taken away once used. */
  answerGate?: ((reply: UrgentReply) => void) | undefined;
}

export function queuedPost(item: OutboxItem, clock: Clock, fromStart: boolean): QueuedPost {
  return {
    item,
    fromStart,
    takenAt: clock.monotonic(),
    // The only look at the wall clock: from here on ages follow the monotonic one.
    ageThen: Math.max(0, clock.wall() - item.happenedAt),
    step: firstStep(item),
    unknowns: 0,
    failures: 0,
    readBackAt: 0,
  };
}

export const ageOf = (post: QueuedPost, now: Millis): Millis => post.ageThen + (now - post.takenAt);

function firstStep(item: OutboxItem): Step {
  if (item.state === 'sending') return 'interrupted';
  return item.reason === AWAITS_NEW_CALL ? 'recreate' : 'send';
}

export function answerGate(post: QueuedPost, reply: UrgentReply): void {
  const answer = post.answerGate;
  post.answerGate = undefined;
  answer?.(reply);
}
