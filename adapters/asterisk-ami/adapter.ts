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
  Pauses,
  ProbeFinding,
  Probes,
  Refreshes,
} from '../../src/pbx/adapter.js';
import { hangUpChannel } from './actions.js';
import { type AsteriskAmiConfig, DEFAULT_GATE_PORT } from './config.js';
import { AVAILABILITY_EVENTS, DoNotDisturb } from './do-not-disturb/do-not-disturb.js';
import { AgiGate } from './fast-agi/agi-gate.js';
import { AheadOfEvents } from './fast-agi/ahead-of-events.js';
import { AsteriskLegs, LEG_EVENTS } from '../asterisk/legs.js';
import type { AmiMessage } from './message.js';
import { Originator } from './originate/originator.js';
import { probe } from './probe.js';
import { Questions } from './questions.js';
import { readTls } from './read-tls.js';
import { Resync } from './resync.js';
import { missingOriginate } from './rights.js';
import { stoppedError } from './session-errors.js';
import { openSession, type AmiSession } from './session.js';
import { Trunks } from './trunks.js';

const WANTED: ReadonlySet<string> = new Set([...LEG_EVENTS, ...AVAILABILITY_EVENTS, 'Reload', 'OriginateResponse']);
const IS_AVAILABILITY: ReadonlySet<string> = new Set(AVAILABILITY_EVENTS);
/** Events kept until it is known which endpoints are trunks: some seconds of a very busy PBX. */
const MOST_HELD = 50_000;
const ORDER_TIMEOUT_MS = 2_000;
/** Q.850, "user busy". */
const BUSY = 17;

/** One Asterisk, heard over its Manager Interface. */
export class AsteriskAmiAdapter implements Adapter, Gates, HangsUp, Originates, Pauses, Probes, Refreshes {
  readonly #legs: AsteriskLegs;
  readonly #trunks: Trunks;
  readonly #resync: Resync;
  readonly #doNotDisturb: DoNotDisturb;
  readonly #gate: AgiGate | undefined;
  readonly #ahead: AheadOfEvents;
  readonly #originator: Originator;
  #session: AmiSession | undefined;
  /** Ends the start that is under way. */
  #starting: AbortController | undefined;
  /** Messages that came before it was known which endpoints are trunks. */
  #held: AmiMessage[] | undefined;
  #questions: Questions | undefined;

  constructor(
    private readonly context: AdapterContext,
    private readonly config: AsteriskAmiConfig,
  ) {
    const { name, clock, log, gate, metrics } = context;
    this.#trunks = new Trunks({ configured: config.trunks, name, clock, log });
    this.#legs = new AsteriskLegs((channel) => this.#trunks.matches(channel), 'asked');
    this.#ahead = new AheadOfEvents(clock);
    if (config.gate !== undefined) {
      this.#gate = new AgiGate({
        ...config.gate,
        gate: {
          ask: (request) => {
            if (this.#legs.channelOf(request.leg) === undefined) this.#ahead.asks(request.leg);
            return gate.ask(request);
          },
        },
        hangUp: (leg) => {
          this.hangUp(leg, BUSY).catch((thrown: unknown) => {
            log.warn({ error: asError(thrown), leg }, 'gate: a rejected call could not be hung up');
          });
        },
        isTrunk: (channel) => this.#trunks.matches(channel),
        clock,
        log,
        count: (what) => {
          metrics.count(what);
        },
      });
    }
    this.#doNotDisturb = new DoNotDisturb({
      settings: config.doNotDisturb,
      clock,
      log,
      emit: (batch) => {
        this.#emit(batch);
      },
    });
    this.#originator = new Originator({
      dial: config.dial,
      name,
      clock,
      log,
      markOurs: (leg) => {
        this.#legs.markOurs(leg, true);
      },
      behind: (leg) => this.#legs.legBehind(leg),
    });
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
    this.#starting = new AbortController();
    const stopped = AbortSignal.any([signal, this.#starting.signal]);
    const { host, port, username, secret, plainLogin } = this.config;
    const held: AmiMessage[] = [];
    this.#held = held;
    const session = await openSession({
      host,
      port,
      tls: await readTls(this.config),
      username,
      secret,
      plainLogin,
      // Queue events come with `agent`, Shutdown with `system`, voicemail with `dialplan`: where the login may read them.
      events: 'call,agent,system,dialplan',
      wanted: WANTED,
      clock: this.context.clock,
      log: this.context.log,
      signal: stopped,
      onMessage: (message) => {
        this.#onMessage(message);
      },
    });
    if (stopped.aborted) throw stoppedError();
    this.#session = session;
    this.#questions?.end();
    this.#questions = new Questions({
      context: this.context,
      legs: this.#legs,
      session,
      askVoicemail: this.config.askVoicemail,
      emit: (batch) => {
        this.#emit(batch);
      },
    });
    this.#questions.resume();
    const unknown = await this.#trunks.learn(session);
    this.#held = undefined;
    for (const message of held) this.#handle(message);
    // First, so that it is known when the calls are told.
    const unasked = await this.#doNotDisturb.begin(session);
    const unheard = await this.#resync.take(session);
    this.#originator.connected(session);
    const unable = this.config.dial === undefined ? undefined : await missingOriginate(session);
    await this.#openGate();
    const gate = this.#gate;
    const lasting = [unknown, unheard, unasked, unable].filter((missing) => missing !== undefined);
    return {
      lost: session.closed,
      get missing() {
        return [...lasting, ...(gate?.missing ?? [])];
      },
    };
  }

  async stop(): Promise<void> {
    this.#starting?.abort();
    this.#trunks.end();
    this.#resync.end();
    this.#doNotDisturb.end();
    this.#originator.end();
    const session = this.#session;
    this.#session = undefined;
    this.#held = undefined;
    this.#questions?.end();
    await Promise.all([session?.close(), this.#gate?.close()]);
  }

  async hangUp(leg: LegId, q850: number): Promise<OrderOutcome> {
    const channel = this.#legs.channelOf(leg);
    if (channel === undefined) return { kind: 'gone' };
    if (this.#session === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    // Its end may be told before the order is answered.
    this.#legs.markOurs(leg, true);
    let isDone = false;
    try {
      const reply = await this.#session.send(hangUpChannel(channel, q850), { timeout: ORDER_TIMEOUT_MS });
      isDone = reply.response === 'Success';
      if (isDone) return { kind: 'done' };
      const reason = reply.get('Message') ?? 'no reason given';
      return /no such channel/i.test(reason) ? { kind: 'gone' } : { kind: 'refused', reason };
    } finally {
      // Also when no answer came: who else ends it is to be told.
      if (!isDone) this.#legs.markOurs(leg, false);
    }
  }

  get keepsFlag(): boolean {
    return this.config.doNotDisturb.deviceState !== undefined;
  }

  pause(agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    return this.#doNotDisturb.pause(agent, paused);
  }

  originate(order: OriginateOrder): Promise<OriginateOutcome> {
    return this.#originator.originate(order);
  }

  probe(signal: AbortSignal): Promise<ProbeFinding> {
    return probe(this.config, this.context, signal);
  }

  async refresh(): Promise<void> {
    const session = this.#session;
    const { name } = this.context;
    if (session === undefined) throw new RetriableError('ZPB_AMI_CLOSED', `the PBX ${name} is not connected`);
    const missing = await this.#resync.take(session);
    if (missing !== undefined)
      throw new RetriableError('ZPB_AMI_NO_SNAPSHOT', `the PBX ${name} gave no list of its calls: ${missing}`);
  }

  gateState(): GateState {
    return this.#gate?.state ?? { kind: 'off', mend: mendGate(this.context.name) };
  }

  /** One that cannot listen is tried again; calls are heard all the same, and go on unasked. */
  async #openGate(): Promise<void> {
    await this.#gate?.open();
    // It may have been stopped meanwhile: then no port stays open.
    if (this.#session === undefined) await this.#gate?.close();
  }

  // ------------------------------------------------------------------ what comes in

  #onMessage(message: AmiMessage): void {
    this.context.metrics.count('events');
    if (this.#held === undefined) {
      this.#handle(message);
      return;
    }
    this.#held.push(message);
    if (this.#held.length > MOST_HELD) {
      this.context.log.warn(`more than ${MOST_HELD} events came before the trunks were known; the PBX is asked anew`);
      this.#starting?.abort();
    }
  }

  #handle(message: AmiMessage): void {
    if (this.#session !== undefined) {
      if (message.event === 'Reload') this.#trunks.reloaded(this.#session);
      if (message.event === 'FullyBooted') this.#trunks.fullyBooted(this.#session);
    }
    if (message.event === 'Reload' || message.event === 'FullyBooted') this.#doNotDisturb.reloaded();
    if (IS_AVAILABILITY.has(message.event ?? '')) this.#doNotDisturb.push(message);
    else this.#emitAndAsk(this.#legs.push(message));
    this.#originator.hear(message);
  }

  #emitAndAsk(batch: readonly LegEvent[]): void {
    this.#emit(batch);
    for (const event of batch) this.#questions?.about(event);
  }

  #emit(batch: readonly LegEvent[]): void {
    const whole = this.#ahead.complete(batch);
    if (whole.length > 0 && this.#session !== undefined) this.context.emit(whole);
  }
}

const mendGate = (pbx: string): string =>
  `set gate: {} of PBX ${pbx}, and in Asterisk put the line AGI(agi://127.0.0.1:${DEFAULT_GATE_PORT}/gate?number=\${EXTEN}) before the Dial of ` +
  'outbound calls (docs/guide-asterisk.md, "Before any phone rings")';
