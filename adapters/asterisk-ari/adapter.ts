import type { LegEvent, LegId, Millis } from '../../src/call/vocabulary.js';
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
  SetsCallerId,
} from '../../src/pbx/adapter.js';
import { AsteriskLegs } from '../asterisk/legs.js';
import { askList, type Asking } from './ask.js';
import { endLate, endStranded, isAboutAskingChannel, withoutAsking } from './asking-channel.js';
import type { AsteriskAriConfig } from './config.js';
import { DoNotDisturb } from './do-not-disturb.js';
import { stillReplacedError, stoppedError } from './errors.js';
import type { AriEvent } from './event.js';
import { wantOnly } from './event-filter.js';
import { Orders } from './orders.js';
import { Originator } from './originate/originator.js';
import { probe } from './probe.js';
import { Questions } from './questions.js';
import { readTls } from './read-tls.js';
import { createRest } from './rest.js';
import type { AriRest } from './rest-contract.js';
import { Resync } from './resync.js';
import { openSession, type AriSession } from './session.js';
import { StasisGate } from './stasis-gate.js';
import { DEVICE_STATE_EVENT, translate, WANTED_EVENTS } from './translation.js';
import { Trunks } from './trunks.js';

/** Events kept until it is known which endpoints are trunks: some seconds of a very busy PBX. */
const MOST_HELD = 50_000;

/** An application that another program has taken is taken back after so long, or when that one has gone. */
const TAKE_BACK_MS = 300_000;

/** The two halves of a connection to one Asterisk. */
interface Line {
  readonly session: AriSession;
  readonly rest: AriRest;
  readonly asking: Asking;
}

/** One Asterisk, heard over its REST Interface. */
export class AsteriskAriAdapter
  implements Adapter, Gates, HangsUp, Originates, Pauses, Probes, Refreshes, SetsCallerId
{
  readonly #legs: AsteriskLegs;
  readonly #trunks: Trunks;
  readonly #resync: Resync;
  readonly #gate: StasisGate;
  readonly #orders: Orders;
  readonly #originator: Originator;
  readonly #doNotDisturb: DoNotDisturb;
  /** What keeps the gate closed although the PBX is heard. */
  #readOnly: string | undefined;
  #line: Line | undefined;
  /** Ends the start that is under way. */
  #starting: AbortController | undefined;
  /** Events that came before it was known which endpoints are trunks. */
  #held: AriEvent[] | undefined;
  #questions: Questions | undefined;
  /** When another program took the application, which it may have still. Not known any more to who leads anew: he takes it. */
  #replacedAt: Millis | undefined;

  constructor(
    private readonly context: AdapterContext,
    private readonly config: AsteriskAriConfig,
  ) {
    const { name, clock, log, metrics } = context;
    this.#trunks = new Trunks({ configured: config.trunks, name, clock, log });
    this.#legs = new AsteriskLegs((channel) => this.#trunks.matches(channel), 'asked');
    this.#resync = new Resync({
      legs: this.#legs,
      clock,
      log,
      emit: (batch) => {
        this.#emitAndAsk(batch);
      },
      onChannels: (channels) => {
        void this.#gate.release(channels);
      },
    });
    this.#gate = new StasisGate({
      app: config.app,
      setName: config.gate?.setName ?? false,
      gate: config.gate === undefined ? undefined : context.gate,
      isReady: () => this.#trunks.areKnown,
      isTrunk: (channel) => this.#trunks.matches(channel),
      onClicked: (id) => {
        this.#originator.arrived(id);
      },
      dialledOf: (leg) => this.#legs.dialledOf(leg),
      onPresentation: (leg, withheld) => {
        this.#questions?.answered(leg, withheld);
      },
      markOurs: (leg, ours) => {
        this.#legs.markOurs(leg, ours);
      },
      clock,
      log,
      count: (what) => {
        metrics.count(what);
      },
    });
    this.#orders = new Orders({
      rest: () => this.#line?.rest,
      markOurs: (leg, ours) => {
        this.#legs.markOurs(leg, ours);
      },
    });
    this.#doNotDisturb = new DoNotDisturb({
      deviceState: config.doNotDisturb.deviceState,
      app: config.app,
      clock,
      log,
      emit: (batch) => {
        this.#emit(batch);
      },
    });
    this.#originator = new Originator({
      app: config.app,
      dial: config.dial,
      name,
      clock,
      log,
      markOurs: (leg) => {
        this.#legs.markOurs(leg, true);
      },
      behind: (leg) => this.#legs.legBehind(leg),
    });
  }

  snapshot(): readonly LegId[] {
    return this.#legs.legs();
  }

  async start(signal: AbortSignal): Promise<Hearing> {
    await this.#hangUpLine();
    const starting = new AbortController();
    const abort = (): void => {
      starting.abort();
    };
    this.#starting = starting;
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      return await this.#listen(await this.#connectAsItMay(starting.signal));
    } catch (thrown) {
      await this.#hangUpLine();
      throw thrown;
    } finally {
      // From now on `stop` ends it, when who waits in Stasis has been let go.
      signal.removeEventListener('abort', abort);
      if (this.#starting === starting) this.#starting = undefined;
    }
  }

  async stop(): Promise<void> {
    this.#starting?.abort();
    await this.#hangUpLine();
  }

  hangUp(leg: LegId, q850: number): Promise<OrderOutcome> {
    return this.#orders.hangUp(leg, q850);
  }

  setCallerId(leg: LegId, number: string): Promise<OrderOutcome> {
    return this.#orders.setCallerId(leg, number);
  }

  originate(order: OriginateOrder): Promise<OriginateOutcome> {
    return this.#originator.originate(order);
  }

  pause(agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    return this.#doNotDisturb.pause(agent, paused);
  }

  /** Whoever is this application now is the bridge itself, as long as that is connected. */
  probe(signal: AbortSignal): Promise<ProbeFinding> {
    return probe(this.config, this.context, this.#line !== undefined, signal);
  }

  gateState(): GateState {
    const { gate, app } = this.config;
    if (gate === undefined) return { kind: 'off', mend: mendGate(this.context.name, app) };
    const closed = this.#line === undefined ? 'the PBX is not connected' : this.#readOnly;
    return closed === undefined ? { kind: 'open' } : { kind: 'closed', reason: closed };
  }

  async refresh(): Promise<void> {
    const { name } = this.context;
    if (this.#line === undefined) throw new RetriableError('ZPB_ARI_CLOSED', `the PBX ${name} is not connected`);
    const missing = await this.#resync.take(this.#line.asking);
    if (missing !== undefined)
      throw new RetriableError('ZPB_ARI_NO_SNAPSHOT', `the PBX ${name} gave no list of its calls: ${missing}`);
  }

  // ------------------------------------------------------------------ connecting

  /** With a login that may only read, who waits in the application could not be let go: then it has one that no dialplan names. */
  async #connectAsItMay(signal: AbortSignal): Promise<Line> {
    const { config, context } = this;
    const line = await this.#connect(signal, config.app);
    const wanted =
      config.doNotDisturb.deviceState === undefined ? WANTED_EVENTS : [...WANTED_EVENTS, DEVICE_STATE_EVENT];
    this.#readOnly = await wantOnly(line.rest, config.app, wanted, context.log);
    if (this.#readOnly === undefined) return line;
    await this.#hangUpLine();
    return this.#connect(signal, `${config.app}-read-only`);
  }

  async #connect(signal: AbortSignal, app: string): Promise<Line> {
    const { clock, log } = this.context;
    const { host, port, path, username, secret } = this.config;
    const place = { host, port, path, username, secret, clock, tls: await readTls(this.config) };
    this.#held = [];
    const rest = createRest(place);
    await this.#leaveToOther(rest, app, signal);
    // Somebody may come to wait as soon as the session stands, before this hears of it.
    this.#gate.open(rest);
    const session = await openSession({
      ...place,
      app,
      log,
      signal,
      onEvent: (event) => {
        this.#onEvent(event);
      },
    });
    // Who waits goes on: requests often get through where the events do not. What else is still asked then is asked in vain.
    void session.closed
      .then((reason) => {
        if (reason.code === 'ZPB_ARI_REPLACED') this.#replacedAt = clock.monotonic();
        return this.#gate.close();
      })
      .then(() => {
        rest.close();
      });
    const line = { session, rest, asking: { rest, at: { host, port }, username } };
    this.#line = line;
    void this.#releaseStranded(line.asking);
    if (signal.aborted) {
      await this.#hangUpLine();
      throw stoppedError();
    }
    return line;
  }

  /**
   * Two bridges of one name would take the events from each other for ever.
   * @throws RetriableError ZPB_ARI_REPLACED while the other program is connected; and as `AriRest.request`
   */
  async #leaveToOther(rest: AriRest, app: string, signal: AbortSignal): Promise<void> {
    const { host, port } = this.config;
    if (this.#replacedAt === undefined) return;
    try {
      // Asterisk 16 keeps an application that nobody has any more: so it is believed for a time only (measured).
      if (this.context.clock.monotonic() - this.#replacedAt < TAKE_BACK_MS) {
        const { status } = await rest.request({ method: 'GET', path: ['applications', app], signal });
        if (status === 200) throw stillReplacedError({ host, port }, app);
      }
      this.#replacedAt = undefined;
    } catch (thrown) {
      rest.close();
      throw thrown;
    }
  }

  /** At once, for whoever waits there has waited long enough. If it fails, the lists of the snapshot do it. Never rejects. */
  async #releaseStranded(asking: Asking): Promise<void> {
    try {
      const channels = await askList(asking, ['channels']);
      await Promise.all([
        this.#gate.release(withoutAsking(channels)),
        endStranded(asking.rest, this.config.app, channels),
      ]);
    } catch (thrown) {
      this.context.log.debug(
        { error: asError(thrown) },
        'gate: whether calls wait for a bridge of before is not known yet',
      );
    }
  }

  async #listen({ session, rest, asking }: Line): Promise<Hearing> {
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
    // First, so that it is known when the calls are told.
    await this.#doNotDisturb.begin(rest);
    await this.#resync.take(asking);
    if (this.#line?.session !== session) throw stoppedError();
    this.#originator.connected({ rest, lost: session.closed });
    const trunks = this.#trunks;
    const resync = this.#resync;
    const readOnly = this.#readOnly;
    const states = this.#doNotDisturb;
    return {
      lost: session.closed,
      get missing() {
        return [trunks.missing, resync.missing, readOnly, states.missing].filter((missing) => missing !== undefined);
      },
    };
  }

  async #hangUpLine(): Promise<void> {
    this.#trunks.end();
    this.#resync.end();
    this.#questions?.end();
    this.#doNotDisturb.end();
    this.#held = undefined;
    const line = this.#line;
    this.#line = undefined;
    // Who waits in Stasis goes on before the application is gone, and no phone rings in vain.
    await Promise.all([this.#gate.close(), this.#originator.end()]);
    line?.rest.close();
    await line?.session.close();
  }

  // ------------------------------------------------------------------ what comes in

  #onEvent(event: AriEvent): void {
    this.context.metrics.count('events');
    if (isAboutAskingChannel(event)) {
      if (this.#line !== undefined) void endLate(this.#line.rest, event);
      return;
    }
    this.#gate.take(event);
    if (this.#held === undefined) {
      // Once it is being closed nothing is told: the legs must not believe that it was.
      if (this.#line !== undefined) this.#handle(event);
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
    if (message.event === 'DeviceStateChange') {
      this.#doNotDisturb.push(message);
      return;
    }
    this.#resync.inOrder(() => {
      this.#resync.heard(message);
      this.#emitAndAsk(this.#legs.push(message));
      this.#originator.hear(message);
    });
  }

  #emitAndAsk(batch: readonly LegEvent[]): void {
    this.#emit(batch);
    for (const event of batch) this.#questions?.about(event);
  }

  #emit(batch: readonly LegEvent[]): void {
    if (batch.length > 0 && this.#line !== undefined) this.context.emit(batch);
  }
}

const mendGate = (pbx: string, app: string): string =>
  `set gate: {} of PBX ${pbx}, and in Asterisk put the line Stasis(${app},number=\${EXTEN}) before the Dial of outbound calls ` +
  '(docs/guide-asterisk.md, "Before any phone rings")';
