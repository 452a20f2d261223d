/** The store on a disk, as the main thread has it: a worker does the work, and what is open is kept here too. */
import type { Logger } from 'pino';
import { backoff } from '../backoff.js';
import type { Millis, PbxName } from '../call/vocabulary.js';
import { asError, isBridgeError, PermanentError } from '../errors.js';
import type { AgentStates } from './agent-states.js';
import { Condition } from './condition.js';
import type { Credentials } from './credentials.js';
import { DurableCredentials } from './durable-credentials.js';
import { DurableAgentStates } from './durable-agent-states.js';
import { DurableLead, type LeadKeeper } from './durable-lead.js';
import { DurableOutbox } from './durable-outbox.js';
import { beforeAbort, within } from './patience.js';
import type { Input, OperationName, Output, WorkerEvent, WorkerSettings } from './protocol.js';
import { Renewals } from './renewals.js';
import { Retention } from './retention-timer.js';
import type { DurableSettings, StoreContext, StoreTuning } from './settings.js';
import type { Lead, LedElsewhere, Store, StoreKind, StoreState } from './store.js';
import { WorkerLink } from './worker-link.js';
import { WriteQueue } from './write-queue.js';

/** How long a release waits for what is still to be written, and a close at least for the worker's goodbye. */
const RELEASE_MS = 2_000;
const GOODBYE_MS = 1_000;

export class DurableStore implements Store {
  readonly kind: StoreKind;
  readonly outbox: DurableOutbox;
  readonly credentials: Credentials;
  readonly agentStates: AgentStates;
  readonly #context: StoreContext;
  readonly #log: Logger;
  readonly #tuning: StoreTuning;
  readonly #link: WorkerLink;
  readonly #condition: Condition;
  readonly #queue: WriteQueue;
  readonly #renewals: Renewals;
  readonly #retention: Retention;
  readonly #keeper: LeadKeeper;
  readonly #leads = new Map<PbxName, DurableLead>();
  readonly #acquiring = new Set<PbxName>();
  #cancelProbe: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: DurableSettings, worker: WorkerSettings, context: StoreContext, tuning: StoreTuning) {
    const { clock, random, log, metrics } = context;
    this.kind = settings.kind;
    this.#context = context;
    this.#log = log;
    this.#tuning = tuning;
    const shared = settings.kind === 'postgres';
    this.#condition = new Condition({ kind: settings.kind, clock, log, metrics });
    this.#link = new WorkerLink({
      settings: worker,
      clock,
      random,
      log,
      metrics,
      stuck: tuning.stuck,
      onEvent: (event) => {
        this.#heard(event);
      },
    });
    this.#queue = new WriteQueue({
      send: (batch) => this.#link.call('commit', batch),
      shared,
      condition: this.#condition,
      onLost: (pbx, epoch) => {
        this.#lost(pbx, epoch);
      },
      tuning,
      clock,
      random,
      log,
      metrics,
    });
    this.outbox = new DurableOutbox({
      queue: this.#queue,
      ask: (name, input) => this.#ask(name, input),
      mustBeOpen: () => {
        this.#mustBeOpen();
      },
      clock,
      log,
      metrics,
      openPosts: tuning.openPosts,
      answer: tuning.answer,
    });
    this.credentials = new DurableCredentials((name, input) => this.#within(tuning.answer, this.#ask(name, input)));
    this.agentStates = new DurableAgentStates((name, input) => this.#within(tuning.answer, this.#ask(name, input)));
    this.#keeper = { outbox: this.outbox, release: (lead) => this.#release(lead) };
    this.#renewals = new Renewals({
      clock,
      every: tuning.renewEvery,
      ttl: tuning.ttl,
      shared,
      leads: () => [...this.#leads.values()],
      renew: (leads) => this.#ask('renew', leads),
      onLost: (pbx, epoch) => {
        this.#lost(pbx, epoch);
      },
    });
    this.#retention = new Retention({
      clock,
      keep: settings.keep,
      first: tuning.cleanFirst,
      every: tuning.cleanEvery,
      rows: tuning.cleanRows,
      clean: (input) => (this.#leads.size === 0 ? Promise.resolve(0) : this.#ask('clean', input)),
      log,
    });
  }

  get state(): StoreState {
    return this.#condition.state;
  }
  get unwritten(): number {
    return this.#queue.unwritten;
  }

  /**
   * Opens the database. Rejects only where a person must help; what time may mend is tried again, and until then the state says
   * what is wrong. Rejects with a RetriableError `ZPB_STOPPED` as soon as `signal` is aborted.
   */
  async start(signal?: AbortSignal): Promise<void> {
    try {
      await beforeAbort(signal, () => this.#within(this.#tuning.open, this.#link.call('open', undefined)));
    } catch (thrown) {
      if (signal?.aborted === true) {
        // Nobody waits for a disk that does not answer.
        void this.close(0);
        throw thrown;
      }
      if (isBridgeError(thrown) && !thrown.retriable && thrown.code !== 'ZPB_STORE_REFUSED') {
        await this.close(0);
        throw thrown;
      }
      this.#trouble(asError(thrown).message);
    }
    this.#renewals.start();
    this.#retention.start();
  }

  async lead(pbx: PbxName): Promise<Lead | LedElsewhere> {
    this.#mustBeOpen();
    if (this.#leads.has(pbx) || this.#acquiring.has(pbx)) return { holder: 'this process' };
    this.#acquiring.add(pbx);
    try {
      const sentAt = this.#context.clock.monotonic();
      const acquired = await this.#ask('acquire', { pbx });
      this.#mustBeOpen();
      if ('holder' in acquired) return { holder: acquired.holder, address: acquired.address ?? undefined };
      this.outbox.forgetEnded(pbx);
      const until = this.kind === 'postgres' ? sentAt + this.#tuning.ttl : Infinity;
      const lead = new DurableLead(this.#keeper, pbx, acquired.epoch, until);
      this.#leads.set(pbx, lead);
      return lead;
    } finally {
      this.#acquiring.delete(pbx);
    }
  }

  pbxs(): Promise<readonly PbxName[]> {
    return this.outbox.pbxs();
  }

  close(deadline: Millis): Promise<void> {
    this.#closing ??= this.#close(deadline);
    return this.#closing;
  }

  async #release(lead: DurableLead): Promise<void> {
    if (lead.ended.aborted) return;
    lead.end();
    try {
      await this.#queue.flush(RELEASE_MS);
      await this.#within(RELEASE_MS, this.#link.call('release', { pbx: lead.pbx, epoch: lead.epoch }));
    } catch (thrown) {
      this.#log.warn(
        { pbx: lead.pbx, error: asError(thrown) },
        `the lead of PBX ${lead.pbx} could not be given back; others can take it when it has run out`,
      );
    } finally {
      if (this.#leads.get(lead.pbx) === lead) this.#leads.delete(lead.pbx);
    }
  }

  /** Asks the worker, and keeps in mind what its answer says about the store. */
  async #ask<Name extends OperationName>(name: Name, input: Input<Name>): Promise<Output<Name>> {
    this.#mustBeOpen();
    try {
      const output = await this.#link.call(name, input);
      if (this.#condition.state.state === 'gone') this.#well();
      return output;
    } catch (thrown) {
      const error = asError(thrown);
      if (this.kind === 'postgres' && 'code' in error && error.code !== 'ZPB_STORE_WORKER')
        this.#trouble(error.message);
      throw error;
    }
  }

  #trouble(reason: string): void {
    if (this.#closing !== undefined) return;
    this.#condition.trouble(this.kind === 'postgres' ? 'gone' : 'memory', reason);
    this.#probe(1);
  }

  #well(): void {
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
    if (this.#queue.unwritten === 0) this.#condition.well();
    this.#queue.kick();
  }

  /** Tries again and again whether the database can be had. */
  #probe(tries: number): void {
    if (this.#closing !== undefined || (this.#cancelProbe !== undefined && tries === 1)) return;
    const { clock, random } = this.#context;
    this.#cancelProbe = clock.after(backoff(this.#tuning.retry, tries, random()), () => {
      this.#link.call('open', undefined).then(
        () => {
          this.#well();
        },
        (thrown: unknown) => {
          if (this.#closing !== undefined) return;
          this.#condition.trouble(this.kind === 'postgres' ? 'gone' : 'memory', asError(thrown).message);
          this.#probe(tries + 1);
        },
      );
    });
  }

  #heard(event: WorkerEvent): void {
    if (event.kind === 'drained') {
      this.#log.info({ batches: event.batches }, 'store: what was in the emergency journal is in the database now');
      if (this.#queue.unwritten === 0) this.#condition.well();
      this.#queue.kick();
      return;
    }
    const { reason, aside, calls, posts } = event;
    this.#context.metrics.count('store_salvages_total');
    this.#log.error(
      { reason, aside, calls, posts },
      `store: the database file was damaged (${reason}); it was set aside as ${aside}, and a new one was made: ${calls} open calls and ${posts} open posts could be read`,
    );
    for (const lead of this.#leads.values()) {
      this.outbox.putAgain(lead).catch((thrown: unknown) => {
        this.#log.error(
          { pbx: lead.pbx, error: asError(thrown) },
          'store: open calls and posts could not be written anew',
        );
      });
    }
  }

  #lost(pbx: PbxName, epoch: number): void {
    const lead = this.#leads.get(pbx);
    if (lead?.epoch !== epoch) return;
    this.#leads.delete(pbx);
    this.#log.warn({ pbx }, `another bridge leads PBX ${pbx} by now`);
    lead.end();
    this.#queue.discard(lead);
  }

  #mustBeOpen(): void {
    if (this.#closing === undefined) return;
    throw new PermanentError('ZPB_OUTBOX_CLOSED', 'The store is closed: nothing can be written any more');
  }

  async #close(deadline: Millis): Promise<void> {
    const { clock } = this.#context;
    const end = clock.monotonic() + deadline;
    const left = (): Millis => Math.max(GOODBYE_MS, end - clock.monotonic());
    this.#cancelProbe?.();
    this.#renewals.stop();
    this.#retention.stop();
    await this.#queue.flush(deadline);
    const lost = this.#queue.stop();
    if (lost > 0)
      this.#log.error({ rows: lost }, `store: ${lost} rows could not be written before the end and are lost`);
    const leads = [...this.#leads.values()];
    await Promise.allSettled(
      leads.map(({ pbx, epoch }) => this.#within(left(), this.#link.call('release', { pbx, epoch }))),
    );
    await this.#link.close(left());
    for (const lead of leads) lead.end();
    this.#leads.clear();
    this.outbox.clear();
  }

  #within<T>(ms: Millis, task: Promise<T>): Promise<T> {
    return within(this.#context.clock, ms, task);
  }
}
