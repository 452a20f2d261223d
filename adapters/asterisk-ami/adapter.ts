import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { type BridgeError, RetriableError } from '../../src/errors.js';
import type { Adapter, AdapterContext, HangsUp, Hearing, OrderOutcome } from '../../src/pbx/adapter.js';
import { hangUpChannel, listBridges, listStatus } from './actions.js';
import { trunkMatcher, type ChannelName } from './channel-name.js';
import type { AsteriskAmiConfig } from './config.js';
import { AsteriskLegs, LEG_EVENTS } from './legs.js';
import type { AmiMessage } from './message.js';
import { AmiRefusedError } from './replies.js';
import { Questions } from './questions.js';
import { readTls } from './read-tls.js';
import { openSession, type AmiSession } from './session.js';
import { discoverTrunks } from './trunk-discovery.js';

const LIST_TIMEOUT_MS = 10_000;
const ORDER_TIMEOUT_MS = 2_000;

/** One Asterisk, heard over its Manager Interface. */
export class AsteriskAmiAdapter implements Adapter, HangsUp {
  readonly #legs: AsteriskLegs;
  #isTrunk: (name: ChannelName) => boolean = () => false;
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
    this.#legs = new AsteriskLegs((name) => this.#isTrunk(name), 'asked');
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
      wanted: LEG_EVENTS,
      clock: this.context.clock,
      log: this.context.log,
      signal: stopped,
      onMessage: (message) => {
        this.#onMessage(message);
      },
    });
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
    const missing: string[] = [];
    await this.#learnTrunks(session, missing);
    this.#held = undefined;
    for (const message of held) this.#handle(message);
    await this.#takeSnapshot(session, missing);
    return { lost: session.closed, missing };
  }

  async stop(): Promise<void> {
    this.#starting?.abort();
    const session = this.#session;
    this.#session = undefined;
    this.#held = undefined;
    this.#questions?.end();
    await session?.close();
  }

  async hangUp(leg: LegId, q850: number): Promise<OrderOutcome> {
    const channel = this.#legs.channelOf(leg);
    if (channel === undefined) return { kind: 'gone' };
    if (this.#session === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    this.#legs.markOurs(leg);
    const reply = await this.#session.send(hangUpChannel(channel, q850), { timeout: ORDER_TIMEOUT_MS });
    if (reply.response === 'Success') return { kind: 'done' };
    const reason = reply.get('Message') ?? 'no reason given';
    return /no such channel/i.test(reason) ? { kind: 'gone' } : { kind: 'refused', reason };
  }

  // ------------------------------------------------------------------ what comes in

  #onMessage(message: AmiMessage): void {
    this.context.metrics.count('events');
    if (this.#held === undefined) this.#handle(message);
    else this.#held.push(message);
  }

  #handle(message: AmiMessage): void {
    this.#emitAndAsk(this.#legs.push(message));
  }

  #emitAndAsk(batch: readonly LegEvent[]): void {
    this.#emit(batch);
    for (const event of batch) this.#questions?.about(event);
  }

  #emit(batch: readonly LegEvent[]): void {
    if (batch.length > 0 && this.#session !== undefined) this.context.emit(batch);
  }

  // ------------------------------------------------------------------ what the PBX is asked

  /** Which endpoints lead outside. Nothing is guessed: without an answer none does, and that is said. */
  async #learnTrunks(session: AmiSession, missing: string[]): Promise<void> {
    const { name, log } = this.context;
    const setting = `trunks: [NAME] of PBX ${name}`;
    if (this.config.trunks !== undefined) {
      this.#isTrunk = trunkMatcher(this.config.trunks);
      return;
    }
    try {
      const trunks = await discoverTrunks(session, LIST_TIMEOUT_MS);
      this.#isTrunk = trunkMatcher(trunks.map((trunk) => `PJSIP/${trunk}`));
      if (trunks.length > 0) log.info({ trunks }, `trunks found: ${trunks.join(', ')}`);
      else missing.push(`no PJSIP endpoint looks like a trunk, so no call can be told: set ${setting}`);
    } catch (thrown) {
      const error = rethrowUnlessAnswer(thrown);
      missing.push(
        `it is not known which endpoints are trunks (${error.message}), so no call can be told: set ${setting}, or give the login write=system`,
      );
    }
  }

  /** All channels, merged with the events between which their list stands. */
  async #takeSnapshot(session: AmiSession, missing: string[]): Promise<void> {
    this.#legs.beginSnapshot();
    try {
      await session.list(listBridges.action, listBridges.complete, {
        timeout: LIST_TIMEOUT_MS,
        onItem: (item) => {
          this.#legs.bridgeItem(item);
        },
      });
      await session.list(listStatus.action, listStatus.complete, {
        timeout: LIST_TIMEOUT_MS,
        onItem: (item) => {
          this.#emitAndAsk(this.#legs.statusItem(item));
        },
      });
      this.#emit(this.#legs.endSnapshot());
    } catch (thrown) {
      this.#emit(this.#legs.abandonSnapshot());
      const error = rethrowUnlessAnswer(thrown);
      missing.push(`calls in progress cannot be taken up after a break (${error.message}): give the login write=call`);
    }
  }
}

/** A PBX that answered "no", or not in full, is still heard; a connection that broke is not. */
function rethrowUnlessAnswer(thrown: unknown): BridgeError {
  if (thrown instanceof AmiRefusedError) return thrown;
  if (thrown instanceof RetriableError && (thrown.code === 'ZPB_AMI_LIST' || thrown.code === 'ZPB_AMI_TIMEOUT'))
    return thrown;
  throw thrown;
}
