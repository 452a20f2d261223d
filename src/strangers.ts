import type { Logger } from 'pino';
import { backoff } from './backoff.js';
import { Brain, type BrainSettings } from './call/brain.js';
import type { PbxName } from './call/vocabulary.js';
import { sleep, type Clock } from './clock.js';
import { asError } from './errors.js';
import { Pipeline, type PipelineOptions } from './pipeline.js';
import type { Lead, Store } from './store/store.js';
import type { Dispatcher } from './zammad/dispatcher.js';

export interface StrangersOptions {
  readonly store: Store;
  readonly known: readonly PbxName[];
  readonly settings: Omit<BrainSettings, 'pbx' | 'journal'>;
  readonly dispatcher: Pick<Dispatcher, 'take' | 'notify' | 'drop' | 'holds'>;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly count: PipelineOptions['count'];
}

/** With a database that others share: whoever has that PBX in his configuration gets so long to come back. */
const SHARED_PATIENCE_MS = 10 * 60_000;
const AGAIN = { first: 1_000, max: 60_000 };
/** How often it is looked whether everything of such a PBX is delivered, or whether somebody else wants to lead it. */
const LOOK_MS = 1_000;

/**
 * PBXs that are gone from the configuration, but have left calls or posts in the store: their calls are closed, what is to be
 * delivered is delivered, and then the lead is given back. Nobody else would do it, and Zammad would show them for ever.
 */
export class Strangers {
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** The one that it had when the bridge was told to stop. */
  #left: Lead | undefined;

  constructor(private readonly options: StrangersOptions) {}

  start(): void {
    this.#running = this.#run();
  }

  /** Begins nothing more. A lead that it has stays, for what is under way, until `release`. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async release(): Promise<void> {
    await this.#left?.release();
  }

  async #run(): Promise<void> {
    const { store, clock, random, log } = this.options;
    const { signal } = this.#stopping;
    if (store.kind === 'postgres') await sleep(clock, SHARED_PATIENCE_MS, signal);
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await this.#closeAll();
        return;
      } catch (thrown) {
        log.warn({ error: asError(thrown) }, 'calls of PBXs that are gone from the configuration are not closed yet');
        await sleep(clock, backoff(AGAIN, failures, random()), signal);
      }
    }
  }

  async #closeAll(): Promise<void> {
    const { store, known } = this.options;
    const strange = (await store.pbxs()).filter((pbx) => !known.includes(pbx));
    for (const pbx of strange) {
      if (this.#stopping.signal.aborted) return;
      const lead = await store.lead(pbx);
      // Another bridge has it in its configuration.
      if ('holder' in lead) continue;
      try {
        await this.#close(lead);
      } finally {
        await this.#giveBack(lead);
      }
    }
  }

  async #giveBack(lead: Lead): Promise<void> {
    if (this.#stopping.signal.aborted) {
      this.#left = lead;
      return;
    }
    await this.options.dispatcher.drop(lead.pbx);
    await lead.release();
  }

  /** Resolves when all is delivered, somebody else leads or wants to, or the bridge stops. */
  async #close(lead: Lead): Promise<void> {
    const { settings, dispatcher, clock, log, count } = this.options;
    const { signal } = this.#stopping;
    const heritage = await lead.load();
    const { pbx } = lead;
    log.warn(
      { pbx, calls: heritage.calls.length, posts: heritage.posts.length },
      `PBX ${pbx} is not in the configuration any more: its open calls (${heritage.calls.length}) are closed`,
    );
    dispatcher.take(lead, heritage.posts, heritage.newCalls);
    let committed = false;
    const pipeline = new Pipeline({
      lead,
      clock,
      log,
      count,
      notify: (items) => {
        dispatcher.notify(items);
      },
    });
    const brain = new Brain({ ...settings, pbx, journal: true });
    const now = clock.monotonic();
    pipeline.take([...brain.restore(heritage, now), ...brain.closeAll(now)]);
    void pipeline.settled().then(() => {
      committed = true;
    });
    const done = (): boolean => (committed && !dispatcher.holds(pbx)) || lead.wanted || lead.ended.aborted;
    while (!done() && !signal.aborted) await sleep(clock, LOOK_MS, signal);
  }
}
