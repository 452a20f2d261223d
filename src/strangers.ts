import type { Logger } from 'pino';
import { Brain, type BrainSettings } from './call/brain.js';
import type { PbxName } from './call/vocabulary.js';
import type { Clock } from './clock.js';
import { asError } from './errors.js';
import { Pipeline, type PipelineOptions } from './pipeline.js';
import type { Lead, Store } from './store/store.js';
import type { Dispatcher } from './zammad/dispatcher.js';

export interface StrangersOptions {
  readonly store: Store;
  readonly known: readonly PbxName[];
  readonly settings: Omit<BrainSettings, 'pbx' | 'journal'>;
  readonly dispatcher: Pick<Dispatcher, 'take' | 'notify'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: PipelineOptions['count'];
}

/** With a database that others share: whoever has that PBX in his configuration gets so long to come back. */
const SHARED_PATIENCE_MS = 10 * 60_000;

/**
 * PBXs that are gone from the configuration, but have left calls or posts in the store: their calls are closed, and what is to be
 * delivered is delivered. Nobody else would do it, and Zammad would show them for ever.
 */
export class Strangers {
  readonly #leads: Lead[] = [];
  #cancel: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(private readonly options: StrangersOptions) {}

  start(): void {
    const { store, clock } = this.options;
    const wait = store.kind === 'postgres' ? SHARED_PATIENCE_MS : 0;
    this.#cancel = clock.after(wait, () => {
      this.#running = this.#closeAll().catch((thrown: unknown) => {
        this.options.log.warn(
          { error: asError(thrown) },
          'calls of PBXs that are gone from the configuration stay open',
        );
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  async release(): Promise<void> {
    await Promise.all(this.#leads.map((lead) => lead.release()));
  }

  async #closeAll(): Promise<void> {
    const { store, known } = this.options;
    for (const pbx of await store.pbxs()) {
      if (known.includes(pbx) || this.#stopped) continue;
      const lead = await store.lead(pbx);
      // Another bridge has it in its configuration.
      if ('holder' in lead) continue;
      this.#leads.push(lead);
      await this.#close(lead);
    }
  }

  async #close(lead: Lead): Promise<void> {
    const { settings, dispatcher, clock, log, count } = this.options;
    const heritage = await lead.load();
    const { pbx } = lead;
    log.warn(
      { pbx, calls: heritage.calls.length, posts: heritage.posts.length },
      `PBX ${pbx} is not in the configuration any more: its ${heritage.calls.length} open calls are closed`,
    );
    dispatcher.take(lead, heritage.posts, heritage.newCalls);
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
    await pipeline.settled();
  }
}
