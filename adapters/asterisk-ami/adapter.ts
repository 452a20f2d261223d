import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { asError, type BridgeError, RetriableError } from '../../src/errors.js';
import type { Adapter, AdapterContext, HangsUp, Hearing, OrderOutcome } from '../../src/pbx/adapter.js';
import { getVariable, hangUpChannel, listBridges, listStatus, listStatusOf } from './actions.js';
import { trunkMatcher, type ChannelName } from './channel-name.js';
import type { AsteriskAmiConfig } from './config.js';
import { AsteriskLegs, LEG_EVENTS } from './legs.js';
import type { AmiMessage } from './message.js';
import { AmiRefusedError } from './replies.js';
import { readTls } from './read-tls.js';
import { openSession, type AmiSession } from './session.js';
import { discoverTrunks } from './trunk-discovery.js';

const LIST_TIMEOUT_MS = 10_000;
/** Asked this long after a channel is there: Asterisk fills in the presentation a moment after Newchannel (measured). */
const PRESENTATION_DELAY_MS = 10;
/** A customer who is connected with nobody: asked after so long what answers him, then again and again. */
const VOICEMAIL_DELAY_MS = 500;
const VOICEMAIL_EVERY_MS = 5_000;
const QUESTION_TIMEOUT_MS = 2_000;
/** Questions about single channels under way; a flood of calls must not become a flood of actions. */
const MOST_QUESTIONS = 200;

/** One Asterisk, heard over its Manager Interface. */
export class AsteriskAmiAdapter implements Adapter, HangsUp {
  readonly #legs: AsteriskLegs;
  #isTrunk: (name: ChannelName) => boolean = () => false;
  #session: AmiSession | undefined;
  /** Ends the start that is under way. */
  #starting: AbortController | undefined;
  /** Messages that came before it was known which endpoints are trunks. */
  #held: AmiMessage[] | undefined;
  readonly #questions = new Set<() => void>();

  constructor(
    private readonly context: AdapterContext,
    private readonly config: AsteriskAmiConfig,
  ) {
    this.#legs = new AsteriskLegs((name) => this.#isTrunk(name));
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
    for (const cancel of this.#questions) cancel();
    this.#questions.clear();
    await session?.close();
  }

  async hangUp(leg: LegId, q850: number): Promise<OrderOutcome> {
    const channel = this.#legs.channelOf(leg);
    if (channel === undefined) return { kind: 'gone' };
    if (this.#session === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    this.#legs.markOurs(leg);
    const reply = await this.#session.send(hangUpChannel(channel, q850), { timeout: QUESTION_TIMEOUT_MS });
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
    const batch = this.#legs.push(message);
    this.#emit(batch);
    for (const event of batch) this.#askAbout(event);
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
          const batch = this.#legs.statusItem(item);
          this.#emit(batch);
          for (const event of batch) this.#askAbout(event);
        },
      });
      this.#emit(this.#legs.endSnapshot());
    } catch (thrown) {
      this.#emit(this.#legs.abandonSnapshot());
      const error = rethrowUnlessAnswer(thrown);
      missing.push(`calls in progress cannot be taken up after a break (${error.message}): give the login write=call`);
    }
  }

  /** What only a question can tell about a customer: whether he withholds his number, and whether voicemail answered him. */
  #askAbout(event: LegEvent): void {
    if (
      event.type === 'appeared' &&
      event.line.kind === 'trunk' &&
      event.origin === 'incoming' &&
      event.withheld !== true
    ) {
      this.#later(PRESENTATION_DELAY_MS, () => this.#askPresentation(event.leg));
    }
    if (this.config.askVoicemail && (event.type === 'up' || event.type === 'left') && this.#legs.isAlone(event.leg)) {
      this.#later(VOICEMAIL_DELAY_MS, () => this.#askVoicemail(event.leg));
    }
  }

  #later(ms: number, question: () => Promise<void>): void {
    if (this.#questions.size >= MOST_QUESTIONS) {
      this.context.metrics.count('questions_skipped');
      return;
    }
    const cancel = this.context.clock.after(ms, () => {
      this.#questions.delete(cancel);
      question().catch((thrown: unknown) => {
        this.context.log.debug({ error: asError(thrown) }, 'a question about a channel was not answered');
      });
    });
    this.#questions.add(cancel);
  }

  async #askPresentation(leg: LegId): Promise<void> {
    const channel = this.#legs.channelOf(leg);
    if (channel === undefined || this.#session === undefined) return;
    const reply = await this.#session.send(getVariable(channel, 'CALLERID(pres)'), { timeout: QUESTION_TIMEOUT_MS });
    if (/^(?:prohib|unavailable)/.test(reply.get('Value') ?? '')) this.#emit(this.#legs.learn(leg, true));
  }

  async #askVoicemail(leg: LegId): Promise<void> {
    const channel = this.#legs.channelOf(leg);
    if (channel === undefined || this.#session === undefined || !this.#legs.isAlone(leg)) return;
    const { action, complete } = listStatusOf(channel);
    const [status] = await this.#session.list(action, complete, { timeout: QUESTION_TIMEOUT_MS });
    if (status?.get('Application') === 'VoiceMail') this.#emit([{ type: 'recorder', leg, kind: 'voicemail' }]);
    else if (this.#legs.isAlone(leg)) this.#later(VOICEMAIL_EVERY_MS, () => this.#askVoicemail(leg));
  }
}

/** A PBX that answered "no", or not in full, is still heard; a connection that broke is not. */
function rethrowUnlessAnswer(thrown: unknown): BridgeError {
  if (thrown instanceof AmiRefusedError) return thrown;
  if (thrown instanceof RetriableError && (thrown.code === 'ZPB_AMI_LIST' || thrown.code === 'ZPB_AMI_TIMEOUT'))
    return thrown;
  throw thrown;
}
