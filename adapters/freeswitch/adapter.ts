import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { asError, RetriableError } from '../../src/errors.js';
import type {
  Adapter,
  AdapterContext,
  AgentPhones,
  Gates,
  GateState,
  HangsUp,
  Hearing,
  OrderOutcome,
  OriginateOrder,
  OriginateOutcome,
  Originates,
  Pauses as PausesAgents,
  ProbeFinding,
  Probes,
  Refreshes,
  SetsCallerId,
} from '../../src/pbx/adapter.js';
import { readTls } from '../../src/pbx/open-socket.js';
import { wordOf } from './causes.js';
import { isOk } from './commands.js';
import { DEFAULT_GATE_PORT, type FreeSwitchConfig } from './config.js';
import { Dialling } from './dialling.js';
import type { EslEvent } from './event.js';
import { CONFERENCE, FreeSwitchLegs, LEG_EVENTS } from './legs.js';
import { CALLER_ID_VARIABLES, isCallerId } from './outbound-socket/decision-commands.js';
import { OutboundGate } from './outbound-socket/outbound-gate.js';
import { Pauses } from './pauses.js';
import { probe } from './probe.js';
import { Resync } from './resync.js';
import { refusedError, stoppedError, tlsError } from './session-errors.js';
import { openSession } from './session.js';
import type { EslSession } from './session-contract.js';
import { trunkTest } from './trunks.js';

/** CUSTOM goes last: after it every word is a subclass. HEARTBEAT (every 20 s by default) is a sign of life. */
const SUBSCRIBE = `event json ${[...LEG_EVENTS].filter((name) => name !== 'CUSTOM').join(' ')} HEARTBEAT CUSTOM ${CONFERENCE}`;
const ORDER_TIMEOUT_MS = 2_000;
const NO_SUCH_LEG = /no such channel/i;

/** One FreeSWITCH, heard over its event socket. */
export class FreeSwitchAdapter
  implements Adapter, HangsUp, Originates, PausesAgents, Probes, Refreshes, Gates, SetsCallerId
{
  readonly #legs: FreeSwitchLegs;
  readonly #dialling: Dialling;
  readonly #pauses: Pauses;
  readonly #resync: Resync;
  readonly #gate: OutboundGate | undefined;
  #session: EslSession | undefined;
  /** Ends the start that is under way. */
  #starting: AbortController | undefined;

  constructor(
    private readonly context: AdapterContext,
    private readonly config: FreeSwitchConfig,
  ) {
    const { clock, log } = context;
    const isTrunk = trunkTest(config.trunks);
    this.#legs = new FreeSwitchLegs(isTrunk);
    if (config.gate !== undefined) {
      this.#gate = new OutboundGate({
        ...config.gate,
        gate: context.gate,
        hangUp: (leg, q850) => {
          void this.#hangUpAtGate(leg, q850);
        },
        begunWith: (leg) => this.#legs.begunWith(leg),
        isTrunk,
        clock,
        log,
        count: (what) => {
          context.metrics.count(what);
        },
      });
    }
    this.#dialling = new Dialling(log);
    this.#pauses = new Pauses(config.doNotDisturb, (batch) => {
      this.#emit(batch);
    });
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
    const reply = await session.send([SUBSCRIBE, this.#pauses.subclass].join(' ').trim());
    if (!isOk(reply)) {
      await session.close();
      throw refusedError(this.config, 'event', reply);
    }
    // First, so that it is known when the calls are told.
    const unasked = await this.#pauses.take(session);
    const unheard = [unasked, await this.#resync.take(session, true)];
    if (starting.signal.aborted) throw stoppedError();
    await this.#openGate();
    const gate = this.#gate;
    return {
      lost: session.closed,
      get missing() {
        return [...unheard.filter((words) => words !== undefined), ...(gate?.missing ?? [])];
      },
    };
  }

  async stop(): Promise<void> {
    this.#starting?.abort();
    this.#resync.end();
    const session = this.#session;
    this.#session = undefined;
    await Promise.all([session?.close(), this.#gate?.close()]);
  }

  gateState(): GateState {
    return this.#gate?.state ?? { kind: 'off', mend: mendGate(this.context.name) };
  }

  async hangUp(leg: LegId, q850: number): Promise<OrderOutcome> {
    if (!this.#legs.has(leg)) return { kind: 'gone' };
    if (this.#session === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    // Its end may be told before the order is answered.
    this.#legs.markOurs(leg, true);
    let isDone = false;
    try {
      const reply = await this.#session.api(`uuid_kill ${leg} ${wordOf(q850)}`, ORDER_TIMEOUT_MS);
      isDone = isOk(reply);
      return isDone ? { kind: 'done' } : refusal(reply);
    } finally {
      // Also when no answer came: who else ends it is to be told.
      if (!isDone) this.#legs.markOurs(leg, false);
    }
  }

  async setCallerId(leg: LegId, number: string): Promise<OrderOutcome> {
    if (!isCallerId(number)) return { kind: 'refused', reason: 'that is no number' };
    if (!this.#legs.has(leg)) return { kind: 'gone' };
    const session = this.#session;
    if (session === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    const replies = await Promise.all(
      CALLER_ID_VARIABLES.map((name) => session.api(`uuid_setvar ${leg} ${name} ${number}`, ORDER_TIMEOUT_MS)),
    );
    const refused = replies.find((reply) => !isOk(reply));
    return refused === undefined ? { kind: 'done' } : refusal(refused);
  }

  originate(order: OriginateOrder): Promise<OriginateOutcome> {
    return this.#dialling.originate(this.#session, this.config.dial, order);
  }

  get keepsFlag(): boolean {
    return this.#pauses.keepsFlag;
  }

  pause(agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    return this.#pauses.pause(this.#session, agent, paused);
  }

  probe(signal: AbortSignal): Promise<ProbeFinding> {
    return probe(this.config, this.context, signal);
  }

  async refresh(): Promise<void> {
    const session = this.#session;
    const { name } = this.context;
    if (session === undefined) throw new RetriableError('ZPB_ESL_CLOSED', `the PBX ${name} is not connected`);
    const missing = await this.#resync.take(session, false);
    if (missing !== undefined) throw new RetriableError('ZPB_ESL_LIST', `the PBX ${name}: ${missing}`);
  }

  /** One that cannot listen is tried again; calls are heard all the same, and go on unasked. */
  async #openGate(): Promise<void> {
    await this.#gate?.open();
    // It may have been stopped meanwhile: then no port stays open.
    if (this.#session === undefined) await this.#gate?.close();
  }

  async #hangUpAtGate(leg: LegId, q850: number): Promise<void> {
    const { log } = this.context;
    const outcome = await this.hangUp(leg, q850).catch(
      (thrown: unknown): OrderOutcome => ({ kind: 'refused', reason: asError(thrown).message }),
    );
    if (outcome.kind === 'refused') log.warn({ leg }, `gate: a rejected call could not be hung up: ${outcome.reason}`);
  }

  #take(event: EslEvent): void {
    this.context.metrics.count('events');
    this.#dialling.note(event);
    this.#pauses.push(event, this.#session);
    this.#resync.inOrder(() => {
      this.#emit(this.#legs.push(event));
    });
  }

  #emit(batch: readonly LegEvent[]): void {
    if (batch.length > 0 && this.#session !== undefined) this.context.emit(batch);
  }
}

const refusal = (reply: string): OrderOutcome =>
  NO_SUCH_LEG.test(reply) ? { kind: 'gone' } : { kind: 'refused', reason: reply.trim().slice(0, 200) };

const mendGate = (pbx: string): string =>
  `set gate: {} of PBX ${pbx}, and in FreeSWITCH put <action application="socket" data="127.0.0.1:${DEFAULT_GATE_PORT} async full"/> before the bridge of ` +
  'outbound calls (docs/guide-freeswitch.md, "Before any phone rings")';
