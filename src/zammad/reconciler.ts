/** Closes rows of Zammad's caller log that ring or talk for ever, for each PBX that this bridge leads. */
import type { Logger } from 'pino';
import { sleep, type Clock } from '../clock.js';
import { asError } from '../errors.js';
import type { CallId, Millis, PbxName, ZammadName } from '../call/vocabulary.js';
import type { NewOutboxItem, OutboxItem } from '../store/outbox.js';
import type { Lead } from '../store/store.js';
import { asCallId } from '../call/vocabulary.js';
import type { ZammadClient } from './client.js';
import { GIVEN_UP, linked, unlessAborted } from './linked-signals.js';
import type { DeliveryMetrics } from './metrics.js';
import { confirmed, findings, rowsOf } from './reconcile.js';
import type { Finding } from './reconcile.js';
import { defaultDelivery } from './settings.js';
import type { DeliverySettings } from './settings.js';

export interface ReconcilerContext {
  /** Those without an API token are passed over: their caller log cannot be read. */
  readonly zammads: readonly { readonly name: ZammadName; readonly client: ZammadClient }[];
  /** Of every PBX that is configured: a name may begin with another one. */
  readonly pbxs: readonly PbxName[];
  /** Takes what was committed: the dispatcher's `notify`. */
  readonly notify: (items: readonly OutboxItem[]) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: DeliveryMetrics;
  readonly settings?: Partial<DeliverySettings> | undefined;
  /** Between two passes, ms. */
  readonly every?: Millis | undefined;
}

export type ReconcilerLead = Pick<Lead, 'pbx' | 'ended' | 'knowledge' | 'commit' | 'drop'>;

const EVERY_MS: Millis = 10 * 60_000;

export class Reconciler {
  readonly #context: ReconcilerContext;
  readonly #settings: DeliverySettings;
  readonly #stopping = new AbortController();
  readonly #running = new Map<ReconcilerLead, Promise<void>>();
  readonly #denied = new Set<ZammadName>();
  /** One pass at a time: this is never urgent. */
  #turn: Promise<void> = Promise.resolve();

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#settings = { ...defaultDelivery, ...context.settings };
  }

  /**
   * Makes a pass for this lead now, and every 10 minutes until it ends. To be called when the PBX was heard and its snapshot taken,
   * so that `isOpen` (the brain's word) knows every call in progress; again, with the same lead, does nothing.
   */
  run(lead: ReconcilerLead, isOpen: (callId: CallId) => boolean): void {
    if (this.#running.has(lead) || this.#stopping.signal.aborted) return;
    const running = this.#loop(lead, isOpen).finally(() => {
      this.#running.delete(lead);
    });
    this.#running.set(lead, running);
  }

  /** Cuts requests under way, and waits for no store. Nothing is called after it has resolved. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  async #loop(lead: ReconcilerLead, isOpen: (callId: CallId) => boolean): Promise<void> {
    const { clock, log, every = EVERY_MS } = this.#context;
    const stop = linked([this.#stopping.signal, lead.ended]);
    while (!stop.signal.aborted) {
      const pass = this.#turn.then(() => this.#pass(lead, isOpen, stop.signal));
      this.#turn = pass.catch(() => undefined);
      await pass.catch((thrown: unknown) => {
        const error = asError(thrown).message;
        if (!stop.signal.aborted)
          log.warn({ pbx: lead.pbx, error }, "Zammad's list of calls could not be looked through");
      });
      await sleep(clock, every, stop.signal);
    }
    stop.release();
  }

  async #pass(lead: ReconcilerLead, isOpen: (callId: CallId) => boolean, stop: AbortSignal): Promise<void> {
    const { clock, zammads } = this.#context;
    const { timeout, lateness } = this.#settings;
    const readable = zammads.filter(({ client }) => client.canReadBack);
    const first = new Map<ZammadName, readonly Finding[]>();
    for (const { name, client } of readable) {
      first.set(name, await this.#look(name, client, lead, isOpen, stop));
    }
    const found = [...first.values()].flat();
    if (found.length === 0) return;
    if (found.some(({ kind }) => kind === 'close')) await sleep(clock, Math.max(2 * timeout, lateness), stop);
    for (const { name, client } of readable) {
      const before = first.get(name) ?? [];
      if (before.length === 0 || stop.aborted) continue;
      const now = await this.#look(name, client, lead, isOpen, stop);
      for (const finding of confirmed(before, now)) await this.#mend(name, lead, finding, stop);
    }
  }

  async #look(
    name: ZammadName,
    client: ZammadClient,
    lead: ReconcilerLead,
    isOpen: (callId: CallId) => boolean,
    stop: AbortSignal,
  ): Promise<readonly Finding[]> {
    const { pbxs } = this.#context;
    const result = await client.callLog({ timeout: this.#settings.timeout, signal: stop, freshSocket: true });
    if (result.kind !== 'calls') {
      if (!stop.aborted) this.#sayOnce(name, result.message);
      return [];
    }
    this.#denied.delete(name);
    const rows = rowsOf(lead.pbx, pbxs, result.calls);
    if (rows.length === 0) return [];
    const knowledge = await unlessAborted(lead.knowledge(rows.map(({ callId }) => asCallId(callId))), stop);
    if (knowledge === GIVEN_UP) return [];
    return findings({ pbx: lead.pbx, zammad: name, rows, knowledge, isOpen });
  }

  /** Until it can be read again; what time mends is tried again by itself. */
  #sayOnce(zammad: ZammadName, reason: string): void {
    if (this.#denied.has(zammad)) return;
    this.#denied.add(zammad);
    const text = `Calls that ring for ever in Zammad ${zammad} cannot be found: ${reason}`;
    this.#context.log.warn({ zammad, reason }, text);
  }

  async #mend(zammad: ZammadName, lead: ReconcilerLead, finding: Finding, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    const { log, metrics, notify } = this.#context;
    const { callId, why } = finding;
    const facts = { zammad, pbx: lead.pbx, callId, why };
    if (finding.kind === 'settled') {
      await unlessAborted(lead.drop(finding.seqs), stop);
      metrics.count('zammad_reconciled_total', { zammad, what: 'settled' }, finding.seqs.length);
      log.info(facts, `What became of posts of call ${callId} for Zammad ${zammad} is known now: ${why}`);
      return;
    }
    const post = closingItem(zammad, lead.pbx, finding, this.#context.clock.wall());
    const items = await unlessAborted(lead.commit({ calls: [], posts: [post] }), stop);
    // A store that is gone holds nobody up; what was committed all the same, the next run has.
    if (items === GIVEN_UP) return;
    notify(items);
    metrics.count('zammad_reconciled_total', { zammad, what: 'closed' });
    log.warn(facts, `${closed(finding, zammad)}: it is hung up there with ${finding.post.cause}`);
    if (finding.replaces.length > 0) await unlessAborted(lead.drop(finding.replaces), stop);
  }
}

/** The post that closes a row. */
export const closingItem = (
  zammad: ZammadName,
  pbx: PbxName,
  { post, repeatable }: Extract<Finding, { kind: 'close' }>,
  happenedAt: number,
): NewOutboxItem => ({ pbx, zammad, callId: post.callId, post, repeatable, happenedAt });

/** `Call … stays ringing in Zammad main, and …`. */
export const closed = ({ callId, state, why }: Extract<Finding, { kind: 'close' }>, zammad: ZammadName): string =>
  `Call ${callId} ${state === 'answer' ? 'talks' : 'rings'} for ever in Zammad ${zammad} (${why})`;
