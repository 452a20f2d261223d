/** One step of one post's delivery: at most one request, and what follows from it. Owns no timer and no queue. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { asError, isBridgeError } from '../errors.js';
import type { Outbox } from '../store/outbox.js';
import type { Millis, Post, ZammadName } from '../call/vocabulary.js';
import type { RequestOptions, ZammadClient } from './client.js';
import type { Fence } from './fence.js';
import type { Trouble } from './health.js';
import { GIVEN_UP, unlessAborted } from './linked-signals.js';
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

/** Under which a step is made. */
export interface StepRights {
  /** Of the post's PBX. */
  readonly fence: Fence;
  /** Aborted when nothing more may be done: the bridge stops, or the lead is over. */
  readonly stop: AbortSignal;
}

/** Another bridge leads the PBX of the post by now: the store's word. */
export const isNotLeading = (thrown: unknown): boolean =>
  isBridgeError(thrown) && thrown.code === 'ZPB_STORE_NOT_LEADING';

const NO_NEWS: HealthNews = { kind: 'none' };
const FENCED = 'This bridge may not speak for the PBX at the moment';

/** Never rejects. Makes no request unless the fence is open. */
export async function deliveryStep(context: StepContext, post: QueuedPost, rights: StepRights): Promise<StepResult> {
  const beganAt = context.clock.monotonic();
  const circumstances: Circumstances = {
    event: post.item.post.event,
    repeatable: post.item.repeatable,
    canReadBack: context.client.canReadBack,
    unknowns: post.unknowns,
    unsure: post.unsure,
  };
  switch (post.step) {
    case 'interrupted': {
      const message = 'The bridge ended while the request was under way';
      const next = afterPost({ kind: 'unknownOutcome', cause: 'silent', message }, circumstances);
      return { next, news: NO_NEWS, beganAt };
    }
    case 'readBack': {
      const final = beganAt - post.unknownSince >= context.settings.lateness;
      return { next: await readBack(context, post, rights, final), news: NO_NEWS, beganAt };
    }
    case 'lookFirst': {
      const next = await readBack(context, post, rights, true);
      // What the caller log does not tell is sent: that is what was asked for.
      return {
        next: next.do === 'unknown' || next.do === 'resend' || next.do === 'again' ? { do: 'send' } : next,
        news: NO_NEWS,
        beganAt,
      };
    }
    case 'recreate': {
      const newCall = context.remembered.newCallOf(post.item.post);
      const { outcome, news } = await request(context, newCall, false, rights);
      if (outcome.kind === 'delivered') context.metrics.count('zammad_recreated_total', { zammad: context.name });
      return { next: afterRecreation(outcome, circumstances), news, beganAt, reply: replyOf(outcome) };
    }
    case 'send': {
      const kept = await announce(context, post, rights);
      if (kept !== undefined) return { next: kept, news: NO_NEWS, beganAt };
      // A hangup must not meet a server that is closing an idle socket: its outcome would be unknown. Nor a second try.
      const fresh = circumstances.event === 'hangup' || post.unknowns > 0;
      const sentAt = context.clock.monotonic();
      const { outcome, news } = await request(context, post.item.post, fresh, rights);
      return { next: afterPost(outcome, circumstances), news, beganAt: sentAt, reply: replyOf(outcome) };
    }
  }
}

/** Writes the attempt before it is made; undefined if the post may be sent. */
async function announce(
  { outbox, metrics, log, name }: StepContext,
  post: QueuedPost,
  { fence, stop }: StepRights,
): Promise<Next | undefined> {
  try {
    const written = await unlessAborted(outbox.attempt(post.item.seq), stop);
    return written === GIVEN_UP ? { do: 'later', reason: FENCED } : undefined;
  } catch (thrown) {
    const reason = `The attempt could not be written to the outbox: ${asError(thrown).message}`;
    if (isNotLeading(thrown)) {
      fence.close();
      return { do: 'later', reason };
    }
    metrics.count('zammad_outbox_failures_total', { zammad: name, step: 'attempt' });
    log.error({ error: asError(thrown).message, zammad: name }, 'The outbox cannot be written, so a post waits');
    return { do: 'again', reason };
  }
}

interface Requested {
  readonly outcome: Outcome;
  readonly news: HealthNews;
}

async function request(
  context: StepContext,
  post: Post,
  fresh: boolean,
  { fence, stop }: StepRights,
): Promise<Requested> {
  const { client, metrics, name, settings } = context;
  if (!fence.open) return { outcome: { kind: 'notSent', message: FENCED }, news: NO_NEWS };
  const guard = fence.guard(stop);
  const options: RequestOptions = {
    timeout: settings.timeout,
    signal: guard.signal,
    freshSocket: fresh,
    mayBegin: () => fence.open,
  };
  try {
    const first = await client.post(post, options);
    const outcome = first.kind === 'refused' ? await confirmed(first, client, options) : first;
    metrics.count('zammad_posts_total', { zammad: name, event: post.event, outcome: outcome.kind });
    // A request that was cut short from here says nothing about Zammad.
    return { outcome, news: guard.signal.aborted ? NO_NEWS : newsOf(outcome) };
  } finally {
    guard.release();
  }
}

/** Before a post is given up: is it the post, or has somebody switched the integration off? Texts do not tell surely. */
async function confirmed(
  refused: Extract<Outcome, { kind: 'refused' }>,
  client: ZammadClient,
  options: RequestOptions,
): Promise<Outcome> {
  const found = await client.probe({
    timeout: options.timeout,
    signal: options.signal,
    freshSocket: options.freshSocket,
  });
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
  { fence, stop }: StepRights,
  final: boolean,
): Promise<Next> {
  if (!fence.open) return { do: 'later', reason: FENCED };
  const guard = fence.guard(stop);
  const result = await client.callLog({
    timeout: settings.timeout,
    signal: guard.signal,
    freshSocket: true,
    mayBegin: () => fence.open,
  });
  guard.release();
  const next = afterReadBack(result, post.item.callId, final, post.item.repeatable);
  const said = next.do === 'again' ? 'notProcessed' : next.do;
  metrics.count('zammad_read_backs_total', { zammad: name, result: result.kind === 'calls' ? said : result.kind });
  return next;
}

function newsOf(outcome: Outcome): HealthNews {
  switch (outcome.kind) {
    case 'delivered':
    case 'exists':
    case 'unknownCall':
    case 'refused':
      return { kind: 'good' };
    case 'notSent':
      return NO_NEWS;
    case 'held':
      return { kind: 'bad', trouble: 'held', reason: outcome.message };
    case 'notProcessed':
      return { kind: 'bad', trouble: 'unreachable', reason: outcome.message, retryAfter: outcome.retryAfter };
    case 'unknownOutcome':
      return outcome.cause === 'error' ? { kind: 'good' } : { kind: 'bad', trouble: 'silent', reason: outcome.message };
  }
}

const replyOf = (outcome: Outcome): Reply | undefined => (outcome.kind === 'delivered' ? outcome.reply : undefined);
