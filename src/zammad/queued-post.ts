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
  /** The same before it is sent at all: somebody wants a hangup sent that may be there already. */
  | 'lookFirst'
  /** The attempt of an earlier run, or of another bridge, was under way when that ended: decide. */
  | 'interrupted';

/** How a post came into the dispatcher's hands. */
export type Origin =
  /** The event has just happened. */
  | 'live'
  /** An earlier run or another bridge has left it. */
  | 'left'
  /** A person, or another program, wants it sent whatever its age. */
  | 'handedIn';

/** What stands in the outbox as the reason of a post that waits for its call to be told anew; it survives a restart. */
export const AWAITS_NEW_CALL = 'Zammad did not know the call: newCall is sent again first';
/** The same for one that was told anew and now goes out itself. */
export const TOLD_ANEW = 'Zammad did not know the call: newCall was sent again';
/** The same for one that somebody wants sent and that was not tried since: a restart does not give it up as too old either. */
export const HANDED_IN = 'Handed in to be sent again';

/** A post in the dispatcher's hands. */
export interface QueuedPost {
  readonly item: OutboxItem;
  readonly origin: Origin;
  /** Monotonic, when it came into these hands, and how old it was then. */
  readonly takenAt: Millis;
  readonly ageThen: Millis;
  step: Step;
  /** Attempts of this run whose outcome nobody knows. */
  unknowns: number;
  /** One of its attempts may have been processed, and nothing has shown since that it was not. */
  unsure: boolean;
  failures: number;
  /** Monotonic: when the attempt of unknown outcome began, or was taken over. */
  unknownSince: Millis;
  /** A gate asks by it, or did. */
  asked: boolean;
  /** Settles the gate's wait; taken away once used. */
  answerGate?: ((reply: UrgentReply) => void) | undefined;
}

export function queuedPost(item: OutboxItem, clock: Clock, origin: Origin): QueuedPost {
  return {
    item,
    origin: origin === 'left' && item.reason === HANDED_IN ? 'handedIn' : origin,
    takenAt: clock.monotonic(),
    // The only look at the wall clock: from here on ages follow the monotonic one.
    ageThen: Math.max(0, clock.wall() - item.happenedAt),
    step: firstStep(item),
    unknowns: 0,
    unsure: item.state === 'sending',
    failures: 0,
    unknownSince: 0,
    asked: false,
  };
}

/** How long ago it happened. */
export const ageOf = (post: QueuedPost, now: Millis): Millis => post.ageThen + (now - post.takenAt);

/** How long it has been waited with: what a person handed in is as good as new. */
export const patienceOf = (post: QueuedPost, now: Millis): Millis =>
  post.origin === 'handedIn' ? now - post.takenAt : ageOf(post, now);

function firstStep(item: OutboxItem): Step {
  if (item.state === 'sending') return 'interrupted';
  return item.reason === AWAITS_NEW_CALL ? 'recreate' : 'send';
}

export function answerGate(post: QueuedPost, reply: UrgentReply): void {
  const answer = post.answerGate;
  post.answerGate = undefined;
  answer?.(reply);
}
