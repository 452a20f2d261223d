import type { BackoffRange } from '../backoff.js';
import type { Millis } from '../call/vocabulary.js';

/** How posts are delivered. Times in ms. */
export interface DeliverySettings {
  /** One request's deadline. */
  readonly timeout: Millis;
  /**
   * How long after its beginning a request may still be carried out, although nobody waits for its answer any more: a Zammad with
   * a long queue does. Until then a caller log that shows a call as ringing does not prove that its hangup was lost.
   */
  readonly lateness: Millis;
  /** Calls told to one Zammad side by side. */
  readonly parallel: number;
  /** Gated newCalls under way besides those. */
  readonly urgentParallel: number;
  /** A call whose newest post is older than this is given up: its posts are listed as dead. */
  readonly maxAge: Millis;
  /** A newCall older than this is not sent alone, where it would only ring; it waits for the call's next post. */
  readonly newCallAlone: Millis;
  /** A call whose newest post is older than this is backlog: served after the live ones, and its replies come too late. */
  readonly live: Millis;
  /** Between tries of one call's post, and while Zammad is down. */
  readonly backoff: BackoffRange;
  /** Between tries while a person must mend something. */
  readonly heldBackoff: BackoffRange;
  /** newCalls remembered in case Zammad turns out not to know the call. */
  readonly rememberedCalls: number;
}

export const defaultDelivery: DeliverySettings = {
  timeout: 10_000,
  lateness: 30_000,
  parallel: 4,
  urgentParallel: 2,
  maxAge: 24 * 3_600_000,
  newCallAlone: 15 * 60_000,
  live: 60_000,
  backoff: { first: 500, max: 30_000 },
  heldBackoff: { first: 15_000, max: 120_000 },
  rememberedCalls: 10_000,
};
