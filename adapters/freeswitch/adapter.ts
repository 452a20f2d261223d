import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { RetriableError } from '../../src/errors.js';
import type { Adapter, AdapterContext, HangsUp, Hearing, OrderOutcome, Refreshes } from '../../src/pbx/adapter.js';
import { readTls } from '../../src/pbx/open-socket.js';
import { wordOf } from './causes.js';
import { isOk } from './commands.js';
import type { FreeSwitchConfig } from './config.js';
import type { EslEvent } from './event.js';
import { CONFERENCE, FreeSwitchLegs, LEG_EVENTS } from './legs.js';
import { Resync } from './resync.js';
import { refusedError, stoppedError, tlsError } from './session-errors.js';
import { openSession } from './session.js';
import type { EslSession } from './session-contract.js';
import { trunkTest } from './trunks.js';

/** CUSTOM goes last: after it every word is a subclass. HEARTBEAT (every 20 s by default) is a sign of life. */
const SUBSCRIBE = `event json ${[...LEG_EVENTS].filter((name) => name !== 'CUSTOM').join(' ')} HEARTBEAT CUSTOM ${CONFERENCE}`;
const ORDER_TIMEOUT_MS = 2_000;

/** One FreeSWITCH, heard over its event socket. */
export class FreeSwitchAdapter implements Adapter, HangsUp, Refreshes {
  readonly #legs: FreeSwitchLegs;
  readonly #resync: Resync;
  #session: EslSession | undefined;
  /** Ends the start that is under way. */
  #starting: AbortController | undefined;

  constructor(
    private readonly context: AdapterContext,
    private readonly config: FreeSwitchConfig,
  ) {
    const { clock, log } = context;
    this.#legs = new FreeSwitchLegs(trunkTest(config.trunks));
    this.#resync = new Resync({
      legs: this.#legs,
      clock,
      log,
      emit: (batch) => {
        this.#emit(batch);
      },
    });
  }

  snapshot(): readonly LegId[] {
    return this.#legs.legs();
  }

  async start(signal: AbortSignal): Promise<Hearing> {
    const starting = new AbortController();
    this.#starting = starting;
    this.#resync.begin();
    const stopped = AbortSignal.any([signal, starting.signal]);
    const { host, port, password } = this.config;
    const session = await openSession({
      host,
      port,
      password,
      tls: await readTls(this.config.tls, ({ message }) => tlsError(this.config, `tls.ca: ${message}`)),
      wanted: LEG_EVENTS,
      clock: this.context.clock,
      log: this.context.log,
      signal: stopped,
      onEvent: (event) => {
        this.#take(event);
      },
    });
    if (stopped.aborted) throw stoppedError();
    this.#session = session;
    const reply = await session.send(SUBSCRIBE);
    if (!isOk(reply)) {
      await session.close();
      throw refusedError(this.config, 'event', reply);
    }
    const missing = await this.#resync.take(session, true);
    if (starting.signal.aborted) throw stoppedError();
    return { lost: session.closed, missing: missing === undefined ? [] : [missing] };
  }

  async stop(): Promise<void> {
    this.#starting?.abort();
    this.#resync.end();
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  async hangUp(leg: LegId, q850: number): Promise<OrderOutcome> {
    if (!this.#legs.has(leg)) return { kind: 'gone' };
    if (this.#session === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    // Its end may be told before the order is answered.
    this.#legs.markOurs(leg, true);
    const reply = await this.#session.api(`uuid_kill ${leg} ${wordOf(q850)}`, ORDER_TIMEOUT_MS);
    if (isOk(reply)) return { kind: 'done' };
    this.#legs.markOurs(leg, false);
    return /no such channel/i.test(reply) ? { kind: 'gone' } : { kind: 'refused', reason: reply.trim().slice(0, 200) };
  }

  async refresh(): Promise<void> {
    const session = this.#session;
    const { name } = this.context;
    if (session === undefined) throw new RetriableError('ZPB_ESL_CLOSED', `the PBX ${name} is not connected`);
    const missing = await this.#resync.take(session, false);
    if (missing !== undefined) throw new RetriableError('ZPB_ESL_LIST', `the PBX ${name}: ${missing}`);
  }

  #take(event: EslEvent): void {
    this.context.metrics.count('events');
    this.#emit(this.#legs.push(event));
  }

  #emit(batch: readonly LegEvent[]): void {
    if (batch.length > 0 && this.#session !== undefined) this.context.emit(batch);
  }
}
