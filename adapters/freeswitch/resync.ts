import type { Logger } from 'pino';
import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { sleep, type Clock } from '../../src/clock.js';
import { asError, isBridgeError, RetriableError } from '../../src/errors.js';
import { WorkQueue } from '../../src/pbx/work-queue.js';
import { type EslEvent, readJsonEvent } from './event.js';
import { type LegNumbers, legOf } from './headers.js';
import type { FreeSwitchLegs } from './legs.js';
import { type ListedLeg, readChannelList } from './listing.js';
import type { EslSession } from './session-contract.js';

const LIST_TIMEOUT_MS = 15_000;
const DESCRIBE_TIMEOUT_MS = 10_000;
/** Descriptions asked for at once. Each is some 10 KB. */
const AT_ONCE = 16;
/** A list that failed is asked for again after so long. */
const AGAIN_MS = 15_000;
/**
 * A leg may be gone before its last event is on the way: FreeSWITCH answers at once, and hands on events in steps of 20 ms
 * (10 to 40 ms were measured).
 */
const EVENTS_LATE_MS = 150;
const GONE = /no such channel/i;

export interface ResyncOptions {
  readonly legs: FreeSwitchLegs;
  readonly clock: Clock;
  readonly log: Logger;
  readonly emit: (batch: readonly LegEvent[]) => void;
}

/** Asks FreeSWITCH which legs there are: the list says their ids and first numbers, a description of each says everything else. */
export class Resync {
  #cancel: () => void = () => undefined;
  #ending = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  /** The list of a large PBX is taken up in pieces; events that come meanwhile are taken behind it. */
  readonly #work: WorkQueue;

  constructor(private readonly options: ResyncOptions) {
    this.#work = new WorkQueue(options.clock, (thrown) => {
      options.log.error(
        { error: asError(thrown) },
        'an event could not be understood; this is a defect of the adapter',
      );
    });
  }

  /** Takes an event: at once, or behind the list that is being taken up. */
  inOrder(take: () => void): void {
    this.#work.do(take);
  }

  /**
   * @param first of this connection.
   * @returns what is missing, in words for an admin; undefined: all legs are told. Then the `snapshot` event was emitted; else nothing.
   * @throws the reason why the session ended.
   */
  take(session: EslSession, first: boolean): Promise<string | undefined> {
    // One at a time: each says what is gone since it was begun.
    const taken = this.#last.then(() => this.#take(session, first));
    this.#last = taken.catch(() => undefined);
    return taken;
  }

  async #take(session: EslSession, first: boolean): Promise<string | undefined> {
    const { legs, clock } = this.options;
    const { signal } = this.#ending;
    this.#cancel();
    legs.beginListing(!first);
    try {
      const listed = await this.#list(session);
      const described = await this.#describe(session, [...new Set([...listed.keys(), ...legs.allIds()])]);
      const gone = [...described].some(
        ([id, description]) => description === undefined && (legs.has(id) || listed.has(id)),
      );
      if (gone) await sleep(clock, EVENTS_LATE_MS, signal);
      if (signal.aborted) return undefined;
      const found = [...described].flatMap(([id, description]): ListedLeg[] =>
        description === undefined ? [] : [{ id, description, first: listed.get(id) }],
      );
      await this.#work.takeUp(this.#takeUp(found));
      return undefined;
    } catch (thrown) {
      legs.abandonListing();
      if (!isBridgeError(thrown) || !NO_WHOLE_ANSWER.has(thrown.code)) throw thrown;
      if (!signal.aborted) this.#takeLater(session);
      return `calls in progress cannot be taken up after a break yet (${thrown.message}): the PBX is asked again every ${AGAIN_MS / 1000} s`;
    }
  }

  *#takeUp(found: readonly ListedLeg[]): Generator<unknown, void> {
    const { legs, emit } = this.options;
    emit(yield* legs.takeListingInSteps({ legs: found }));
  }

  /** Asks nothing more, until the next `begin`. */
  end(): void {
    // What the legs have taken up is told: they believe that it was.
    this.#work.finish();
    this.#ending.abort();
    this.#cancel();
  }
  begin(): void {
    this.#ending = new AbortController();
  }

  async #list(session: EslSession): Promise<ReadonlyMap<LegId, LegNumbers>> {
    const reply = await session.api('show channels as json', LIST_TIMEOUT_MS);
    const list = readChannelList(reply);
    if (list === undefined)
      throw listError(`"show channels as json" was answered ${JSON.stringify(reply.slice(0, 100))}`);
    return list;
  }

  /** undefined: there is no such leg. */
  async #describe(session: EslSession, ids: readonly LegId[]): Promise<ReadonlyMap<LegId, EslEvent | undefined>> {
    const described = new Map<LegId, EslEvent | undefined>();
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE);
      const replies = await Promise.all(some.map((id) => session.api(`uuid_dump ${id} json`, DESCRIBE_TIMEOUT_MS)));
      for (const [index, id] of some.entries()) {
        const reply = replies[index] ?? '';
        const description = readJsonEvent(reply);
        const known = description !== undefined && legOf(description) === id;
        if (!known && !GONE.test(reply))
          throw listError(`"uuid_dump" was answered ${JSON.stringify(reply.slice(0, 100))}`);
        described.set(id, known ? description : undefined);
      }
    }
    return described;
  }

  #takeLater(session: EslSession): void {
    const { clock, log } = this.options;
    this.#cancel = clock.after(AGAIN_MS, () => {
      this.take(session, false).then(
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

const listError = (what: string): RetriableError =>
  new RetriableError('ZPB_ESL_LIST', `FreeSWITCH gave no whole list of its calls: ${what}.`);
/** The connection stands, but there was no whole list. */
const NO_WHOLE_ANSWER = new Set(['ZPB_ESL_LIST', 'ZPB_ESL_TIMEOUT', 'ZPB_ESL_BUSY']);
