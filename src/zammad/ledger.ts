/** How posts came out: written to the outbox, and said to people. */
import type { Logger } from 'pino';
import { asError } from '../errors.js';
import type { ZammadName } from '../call/vocabulary.js';
import type { DeliveryState, Outbox, OutboxItem } from '../store/outbox.js';
import { isNotLeading } from './delivery-step.js';
import type { StepRights } from './delivery-step.js';
import { unlessAborted } from './linked-signals.js';
import type { DeliveryMetrics } from './metrics.js';
import { answerGate } from './queued-post.js';
import type { QueuedPost } from './queued-post.js';
import type { RememberedCalls } from './remembered-calls.js';

export interface LedgerContext {
  readonly name: ZammadName;
  readonly outbox: Outbox;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  readonly remembered: RememberedCalls;
}

export class Ledger {
  readonly #context: LedgerContext;

  constructor(context: LedgerContext) {
    this.#context = context;
  }

  /** Writes the end of a post. Never rejects. */
  async finish(
    post: QueuedPost,
    state: 'delivered' | 'dead' | 'unknown',
    reason: string | undefined,
    rights: StepRights,
  ): Promise<void> {
    const { remembered } = this.#context;
    const { callId, post: sent } = post.item;
    await this.settle(post.item, state, reason, rights);
    if (rights.fence.gone.aborted) return;
    if (state !== 'delivered') this.#tell(post, state, reason ?? '');
    else if (sent.event === 'newCall') remembered.notRefused(callId);
    else if (sent.event === 'hangup') remembered.forget(callId);
  }

  /** Waits for the store, but not beyond the end of the rights. Never rejects. */
  async settle(
    { seq }: OutboxItem,
    state: Exclude<DeliveryState, 'sending'>,
    reason: string | undefined,
    { fence, stop }: StepRights,
  ): Promise<void> {
    const { outbox, metrics, log, name } = this.#context;
    try {
      await unlessAborted(outbox.settle(seq, state, reason), stop);
    } catch (thrown) {
      if (isNotLeading(thrown)) {
        fence.close();
        return;
      }
      metrics.count('zammad_outbox_failures_total', { zammad: name, step: 'settle' });
      const error = asError(thrown).message;
      log.error({ error, zammad: name, seq, state }, 'How a post came out could not be written to the outbox');
    }
  }

  #tell(post: QueuedPost, state: 'dead' | 'unknown', reason: string): void {
    const { log, metrics, name, remembered } = this.#context;
    const { callId, seq, pbx, post: sent } = post.item;
    const { event } = sent;
    answerGate(post, { kind: 'noReply', why: reason });
    const facts = { zammad: name, pbx, callId, seq, event, reason };
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
}
