import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { RetriableError } from '../../src/errors.js';
import type { Adapter, AdapterContext, Hearing, Refreshes } from '../../src/pbx/adapter.js';
import { AsteriskLegs } from '../asterisk/legs.js';
import type { Asking } from './ask.js';
import type { AsteriskAriConfig } from './config.js';
import { stoppedError } from './errors.js';
import type { AriEvent } from './event.js';
import { wantOnly } from './event-filter.js';
import { Questions } from './questions.js';
import { readTls } from './read-tls.js';
import { createRest } from './rest.js';
import type { AriRest } from './rest-contract.js';
import { Resync } from './resync.js';
import { openSession, type AriSession } from './session.js';
import { translate } from './translation.js';
import { Trunks } from './trunks.js';

/** Events kept until it is known which endpoints are trunks: some seconds of a very busy PBX. */
const MOST_HELD = 50_000;

/** The two halves of a connection to one Asterisk. */
interface Line {
  readonly session: AriSession;
  readonly rest: AriRest;
  readonly asking: Asking;
}

/** One Asterisk, heard over its REST Interface. */
export class AsteriskAriAdapter implements Adapter, Refreshes {
  readonly #legs: AsteriskLegs;
  readonly #trunks: Trunks;
  readonly #resync: Resync;
  #line: Line | undefined;
  /** Ends the start that is under way. */
  #starting: AbortController | undefined;
  /** Events that came before it was known which endpoints are trunks. */
  #held: AriEvent[] | undefined;
  #questions: Questions | undefined;

  constructor(
    private readonly context: AdapterContext,
    private readonly config: AsteriskAriConfig,
  ) {
    const { name, clock, log } = context;
    this.#trunks = new Trunks({ configured: config.trunks, name, clock, log });
    this.#legs = new AsteriskLegs((channel) => this.#trunks.matches(channel), 'asked');
    this.#resync = new Resync({
      legs: this.#legs,
      clock,
      log,
      emit: (batch) => {
        this.#emitAndAsk(batch);
      },
    });
  }

  snapshot(): readonly LegId[] {
    return this.#legs.legs();
  }

  async start(signal: AbortSignal): Promise<Hearing> {
    await this.#hangUpLine();
    this.#starting = new AbortController();
    const line = await this.#connect(AbortSignal.any([signal, this.#starting.signal]));
    try {
      return await this.#listen(line);
    } catch (thrown) {
      await this.#hangUpLine();
      throw thrown;
    }
  }

  async stop(): Promise<void> {
    this.#starting?.abort();
    await this.#hangUpLine();
  }

  async refresh(): Promise<void> {
    const { name } = this.context;
    if (this.#line === undefined) throw new RetriableError('ZPB_ARI_CLOSED', `the PBX ${name} is not connected`);
    const missing = await this.#resync.take(this.#line.asking);
    if (missing !== undefined)
      throw new RetriableError('ZPB_ARI_NO_SNAPSHOT', `the PBX ${name} gave no list of its calls: ${missing}`);
  }

  // ------------------------------------------------------------------ connecting

  async #connect(signal: AbortSignal): Promise<Line> {
    const { clock, log } = this.context;
    const { host, port, path, username, secret, app } = this.config;
    const place = { host, port, path, username, secret, clock, tls: await readTls(this.config) };
    this.#held = [];
    const session = await openSession({
      ...place,
      app,
      log,
      signal,
      onEvent: (event) => {
        this.#onEvent(event);
      },
    });
    const rest = createRest(place);
    // What is still asked then is asked in vain.
    void session.closed.then(() => {
      rest.close();
    });
    const line = { session, rest, asking: { rest, at: { host, port }, username } };
    this.#line = line;
    if (signal.aborted) {
      await this.#hangUpLine();
      throw stoppedError();
    }
    return line;
  }

  async #listen({ session, rest, asking }: Line): Promise<Hearing> {
    const unfiltered = await wantOnly(rest, this.config.app, this.context.log);
    await this.#trunks.learn(asking);
    this.#questions = new Questions({
      context: this.context,
      legs: this.#legs,
      rest,
      emit: (batch) => {
        this.#emit(batch);
      },
    });
    this.#questions.resume();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#handle(event);
    await this.#resync.take(asking);
    if (this.#line?.session !== session) throw stoppedError();
    const trunks = this.#trunks;
    const resync = this.#resync;
    return {
      lost: session.closed,
      get missing() {
        return [trunks.missing, resync.missing, unfiltered].filter((missing) => missing !== undefined);
      },
    };
  }

  async #hangUpLine(): Promise<void> {
    this.#trunks.end();
    this.#resync.end();
    this.#questions?.end();
    this.#held = undefined;
    const line = this.#line;
    this.#line = undefined;
    line?.rest.close();
    await line?.session.close();
  }

  // ------------------------------------------------------------------ what comes in

  #onEvent(event: AriEvent): void {
    this.context.metrics.count('events');
    if (this.#held === undefined) {
      this.#handle(event);
      return;
    }
    this.#held.push(event);
    if (this.#held.length > MOST_HELD) {
      this.context.log.warn(`more than ${MOST_HELD} events came before the trunks were known; the PBX is asked anew`);
      this.#starting?.abort();
    }
  }

  #handle(event: AriEvent): void {
    const message = translate(event);
    if (message === undefined) return;
    this.#resync.heard(message);
    this.#emitAndAsk(this.#legs.push(message));
  }

  #emitAndAsk(batch: readonly LegEvent[]): void {
    this.#emit(batch);
    for (const event of batch) this.#questions?.about(event);
  }

  #emit(batch: readonly LegEvent[]): void {
    if (batch.length > 0 && this.#line !== undefined) this.context.emit(batch);
  }
}
