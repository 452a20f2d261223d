/** One step of one post's delivery: at most one request, and what follows from it. Owns no timer and no queue. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { asError } from '../errors.js';
import type { Outbox } from '../store/outbox.js';
import type { Millis, Post, ZammadName } from '../call/vocabulary.js';
import type { RequestOptions, ZammadClient } from './client.js';
import type { Trouble } from './health.js';
import type { DeliveryMetrics } from './metrics.js';
import type { Outcome } from './outcome.js';
import { afterPost, afterReadBack, afterRecreation } from './policy.js';
import type { Circumstances, Next } from './policy.js';
import type { QueuedPost } from './queued-post.js';
import type { RememberedCalls } from './remembered-calls.js';
import type { Reply } from './reply.js';
import type { DeliverySettings } from './settings.js';

/** What a request says about Zammad as a whole. */
export type HealthNews =
  | { readonly kind: 'none' }
  | { readonly kind: 'good' }
  | {
      readonly kind: 'bad';
      readonly trouble: Trouble;
      readonly reason: string;
      readonly retryAfter?: Millis | undefined;
    };

export interface StepResult {
  readonly next: Next;
  readonly news: HealthNews;
  /** Monotonic, when the request began. */
  readonly beganAt: Millis;
  /** Zammad's reply, if this step brought one. */
  readonly reply?: Reply | undefined;
}

export interface StepContext {
  readonly name: ZammadName;
  readonly client: ZammadClient;
  readonly outbox: Outbox;
  readonly remembered: RememberedCalls;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  readonly settings: DeliverySettings;
}

const NO_NEWS: HealthNews = { kind: 'none' };

/** Never rejects. */
export async function deliveryStep(context: StepContext, post: QueuedPost, signal: AbortSignal): Promise<StepResult> {
  const beganAt = context.clock.monotonic();
  const circumstances: Circumstances = {
    event: post.item.post.event,
    repeatable: post.item.repeatable,
    canReadBack: context.client.canReadBack,
    unknowns: post.unknowns,
  };
  switch (post.step) {
    case 'interrupted': {
      const message = 'The bridge ended while the request was under way';
      const next = afterPost({ kind: 'unknownOutcome', cause: 'silent', message }, circumstances);
      return { next, news: NO_NEWS, beganAt };
    }
    case 'readBack':
      return { ...(await readBack(context, post, signal)), beganAt };
    case 'recreate': {
      const newCall = context.remembered.newCallOf(post.item.post);
      const outcome = await request(context, newCall, false, signal);
      if (outcome.kind === 'delivered') context.metrics.count('zammad_recreated_total', { zammad: context.name });
      return { next: afterRecreation(outcome, circumstances), news: newsOf(outcome), beganAt, reply: replyOf(outcome) };
    }
    case 'send': {
      const refused = await announce(context, post);
      if (refused !== undefined) return { next: refused, news: NO_NEWS, beganAt };
      // A hangup must not meet a server that is closing an idle socket: its outcome would be unknown. Nor a second try.
      const fresh = circumstances.event === 'hangup' || post.unknowns > 0;
      const outcome = await request(context, post.item.post, fresh, signal);
      return { next: afterPost(outcome, circumstances), news: newsOf(outcome), beganAt, reply: replyOf(outcome) };
    }
  }
}

/** Writes the attempt before it is made; undefined if the post may be sent. */
async function announce({ outbox, metrics, log, name }: StepContext, post: QueuedPost): Promise<Next | undefined> {
  try {
    await outbox.attempt(post.item.seq);
    return undefined;
  } catch (thrown) {
    const error = asError(thrown);
    metrics.count('zammad_outbox_failures_total', { zammad: name, step: 'attempt' });
    log.error({ error: error.message, zammad: name }, 'The outbox cannot be written, so a post waits');
    return { do: 'again', reason: `The attempt could not be written to the outbox: ${error.message}` };
  }
}

async function request(context: StepContext, post: Post, fresh: boolean, signal: AbortSignal): Promise<Outcome> {
  const { client, metrics, name, settings } = context;
  const options: RequestOptions = { timeout: settings.timeout, signal, freshSocket: fresh };
  const first = await client.post(post, options);
  const outcome = first.kind === 'refused' ? await confirmed(first, client, options) : first;
  metrics.count('zammad_posts_total', { zammad: name, event: post.event, outcome: outcome.kind });
  return outcome;
}

/** Before a post is given up: is it the post, or has somebody switched the integration off? Texts do not tell surely. */
async function confirmed(
  refused: Extract<Outcome, { kind: 'refused' }>,
  client: ZammadClient,
  options: RequestOptions,
): Promise<Outcome> {
  const found = await client.probe(options);
  switch (found.kind) {
    case 'ok':
      return refused;
    case 'held':
      return { kind: 'held', message: found.message };
    case 'down':
      return { kind: 'notProcessed', message: found.message };
  }
}

async function readBack(
  { client, metrics, name, settings }: StepContext,
  post: QueuedPost,
  signal: AbortSignal,
): Promise<Pick<StepResult, 'next' | 'news'>> {
  const result = await client.callLog({ timeout: settings.timeout, signal, freshSocket: true });
  const next = afterReadBack(result, post.item.callId);
  const said = next.do === 'again' ? 'notProcessed' : next.do;
  metrics.count('zammad_read_backs_total', { zammad: name, result: result.kind === 'calls' ? said : result.kind });
  return { next, news: NO_NEWS };
}

function newsOf(outcome: Outcome): HealthNews {
  switch (outcome.kind) {
    case 'delivered':
    case 'exists':
    case 'unknownCall':
    case 'refused':
      return { kind: 'good' };
    case 'held':
      return { kind: 'bad', trouble: 'held', reason: outcome.message };
    case 'notProcessed':
      return { kind: 'bad', trouble: 'unreachable', reason: outcome.message, retryAfter: outcome.retryAfter };
    case 'unknownOutcome':
      return outcome.cause === 'error' ? { kind: 'good' } : { kind: 'bad', trouble: 'silent', reason: outcome.message };
  }
}

const replyOf = (outcome: Outcome): Reply | undefined => (outcome.kind === 'delivered' ? outcome.reply : undefined);
