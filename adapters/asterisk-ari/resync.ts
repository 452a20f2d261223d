import type { Logger } from 'pino';
import type { LegEvent } from '../../src/call/vocabulary.js';
import { sleep, type Clock } from '../../src/clock.js';
import { asError, isBridgeError, type BridgeError } from '../../src/errors.js';
import { WorkQueue } from '../../src/pbx/work-queue.js';
import type { AsteriskEvent } from '../asterisk/event.js';
import type { AsteriskLegs } from '../asterisk/legs.js';
import type { Asking } from './ask.js';
import { stoppedError } from './errors.js';
import { takeListing, type Listing, type ListingOptions } from './listing.js';

const LIST_TIMEOUT_MS = 10_000;
/** A PBX that gave no whole list is asked again after so long. */
const AGAIN_MS = 30_000;
/** How long the events may be behind the answers: two connections, which Asterisk serves with two threads. */
const BEHIND_MS = 300;
/** Events kept while the lists are asked for: some seconds of a very busy PBX. */
const MOST_HEARD = 50_000;

export interface ResyncOptions {
  readonly legs: AsteriskLegs;
  readonly clock: Clock;
  readonly log: Logger;
  readonly emit: (batch: readonly LegEvent[]) => void;
  readonly onChannels?: ListingOptions['onChannels'];
}

/**
 * Takes the snapshot after a connect. The lists come over another connection than the events, so neither is older than the other
 * by itself: what was heard since the lists were asked for is taken as said once more behind them, and a channel that they lack
 * gets a moment for its own end to be heard.
 */
export class Resync {
  #cancel: () => void = () => undefined;
  #underWay: Promise<string | undefined> | undefined;
  #heard: AsteriskEvent[] | undefined;
  #ended = new AbortController();
  #missing: string | undefined;
  /** The lists of a large PBX are merged in pieces; events that come meanwhile are taken behind them. */
  readonly #work: WorkQueue;

  constructor(private readonly options: ResyncOptions) {
    this.#work = new WorkQueue(options.clock, (thrown) => {
      options.log.error(
        { error: asError(thrown) },
        'an event could not be understood; this is a defect of the adapter',
      );
    });
  }

  /** What is missing, in words for the admin, since the lists were last asked for. */
  get missing(): string | undefined {
    return this.#missing;
  }

  /** Takes an event: at once, or behind the lists that are being merged. */
  inOrder(take: () => void): void {
    this.#work.do(take);
  }

  /** An event that was handled while the lists may be under way. */
  heard(message: AsteriskEvent): void {
    if (this.#heard !== undefined && this.#heard.length <= MOST_HEARD) this.#heard.push(message);
  }

  /**
   * Returns what is missing when the PBX refused, or gave no whole list (then it is asked again by itself).
   * @throws BridgeError when the connection broke, or `end` was called.
   */
  take(asking: Asking): Promise<string | undefined> {
    this.#underWay ??= this.#take(asking)
      .then((missing) => {
        this.#missing = missing;
        return missing;
      })
      .finally(() => {
        this.#underWay = undefined;
      });
    return this.#underWay;
  }

  /** Ends what is under way, and asks nothing more until `take`. */
  end(): void {
    this.#cancel();
    // What the legs have taken up is told: they believe that it was.
    this.#work.finish();
    this.#ended.abort();
    this.#ended = new AbortController();
  }

  async #take(asking: Asking): Promise<string | undefined> {
    const { legs, emit, clock, onChannels } = this.options;
    const { signal } = this.#ended;
    legs.beginSnapshot();
    const heard: AsteriskEvent[] = [];
    this.#heard = heard;
    try {
      const listing = await takeListing(asking, (channel) => legs.isPlaced(channel), {
        timeout: LIST_TIMEOUT_MS,
        signal,
        onChannels,
      });
      if (heard.length > MOST_HEARD) throw new Error('more events came meanwhile than can be kept');
      await this.#work.takeUp(this.#mergeInSteps(listing, heard));
      if (legs.unlisted().length > 0) await sleep(clock, BEHIND_MS, signal);
      if (signal.aborted) throw stoppedError();
      emit(legs.endSnapshot());
      return undefined;
    } catch (thrown) {
      emit(legs.abandonSnapshot(!signal.aborted));
      if (isBridgeError(thrown) && isBroken(thrown)) throw thrown;
      this.#takeLater(asking);
      const lost = 'calls in progress cannot be taken up after a break';
      return `${lost} yet (${asError(thrown).message}): the PBX is asked again every ${AGAIN_MS / 1000} s`;
    } finally {
      if (this.#heard === heard) this.#heard = undefined;
    }
  }

  *#mergeInSteps({ bridges, channels }: Listing, heard: readonly AsteriskEvent[]): Generator<unknown, void> {
    const { legs, emit } = this.options;
    for (const bridge of bridges) legs.bridgeItem(bridge);
    const events: LegEvent[] = [];
    for (const channel of channels) {
      events.push(...legs.statusItem(channel));
      yield;
    }
    for (const message of heard) {
      // What has ended meanwhile stays ended.
      if (message.event === 'Hangup' || legs.hasEnded(message.get('Uniqueid') ?? '')) continue;
      events.push(...legs.push(message));
      yield;
    }
    emit(events);
  }

  #takeLater(asking: Asking): void {
    const { clock, log } = this.options;
    this.#cancel();
    this.#cancel = clock.after(AGAIN_MS, () => {
      this.take(asking).then(
        (missing) => {
          if (missing === undefined) log.info('calls in progress are taken up');
          else log.warn(missing);
        },
        (thrown: unknown) => {
          log.debug({ error: asError(thrown) }, 'the connection ended before the calls in progress were taken up');
        },
      );
    });
  }
}

/** There is no PBX any more to give a list. */
const isBroken = ({ code }: BridgeError): boolean => code === 'ZPB_ARI_CONNECT' || code === 'ZPB_ARI_STOPPED';
