import type { Logger } from 'pino';
import { asError } from './errors.js';
import type { Outcome } from './call/outcome.js';
import type { CallId } from './call/vocabulary.js';
import type { Clock } from './clock.js';
import type { Led } from './leads.js';
import { PbxLine, type PbxLineOptions } from './pbx/pbx-line.js';
import { Pipeline, type PipelineOptions } from './pipeline.js';
import type { Heritage, Lead } from './store/store.js';
import type { Dispatcher } from './zammad/dispatcher.js';

export interface LedPbxOptions {
  readonly lead: Lead;
  readonly heritage: Heritage;
  readonly line: Omit<PbxLineOptions, 'onOutcomes' | 'heritage'>;
  readonly dispatcher: Pick<Dispatcher, 'take' | 'notify' | 'handedIn' | 'drop'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: PipelineOptions['count'];
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** How often it is looked whether a person wants posts sent. */
const HANDED_IN_EVERY_MS = 2_000;

/** A PBX for which this bridge speaks: its calls go on where they stood, and what was not delivered goes out. */
export class LedPbx implements Led {
  readonly #options: LedPbxOptions;
  readonly #line: PbxLine;
  readonly #pipeline: Pipeline;
  #cancelLook: () => void = () => undefined;
  #ended = false;

  constructor(options: LedPbxOptions) {
    const { lead, heritage, line, dispatcher, clock, log, count } = options;
    this.#options = options;
    this.#pipeline = new Pipeline({
      lead,
      clock,
      log,
      count,
      notify: (items) => {
        dispatcher.notify(items);
      },
    });
    this.#line = new PbxLine({
      ...line,
      heritage,
      onOutcomes: (outcomes: readonly Outcome[]) => {
        this.#pipeline.take(outcomes);
      },
    });
  }

  get line(): PbxLine {
    return this.#line;
  }

  has(callId: CallId): boolean {
    return this.#line.has(callId);
  }

  start(): void {
    const { lead, heritage, dispatcher, log } = this.#options;
    const { calls, posts, newCalls } = heritage;
    if (calls.length + posts.length > 0) {
      log.info(
        { calls: calls.length, posts: posts.length },
        `goes on with what was left: ${counted(calls.length, 'call')}, ${counted(posts.length, 'post')}`,
      );
    }
    dispatcher.take(lead, posts, newCalls);
    this.#line.start();
    this.#planLook();
  }

  /** Hears nothing more; resolves when what was heard is committed, which a store that is gone can hold up for ever. */
  async stop(): Promise<void> {
    this.#end();
    await this.#line.stop();
    await this.#pipeline.settled();
  }

  async lose(): Promise<void> {
    this.#end();
    await Promise.all([this.#line.stop(), this.#options.dispatcher.drop(this.#options.lead.pbx)]);
  }

  #end(): void {
    this.#ended = true;
    this.#cancelLook();
  }

  #planLook(): void {
    this.#cancelLook = this.#options.clock.after(HANDED_IN_EVERY_MS, () => {
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    const { lead, dispatcher, log } = this.#options;
    try {
      const items = await lead.handedIn();
      // Given out once, also while this bridge stops: they are written as waiting, and the next run has them.
      if (items.length > 0 && !lead.ended.aborted) dispatcher.handedIn(items);
    } catch (thrown) {
      log.debug({ error: asError(thrown) }, 'it could not be seen whether posts are to be sent again');
    }
    if (!this.#ended) this.#planLook();
  }
}
