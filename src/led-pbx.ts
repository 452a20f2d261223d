import type { Logger } from 'pino';
import { asError } from './errors.js';
import type { Outcome } from './call/outcome.js';
import type { GateDecision, GateRequest } from './call/gate.js';
import type { CallId, Millis } from './call/vocabulary.js';
import { inTime, type Clock } from './clock.js';
import { Gate, type GateOptions } from './gate/gate.js';
import type { GateRules } from './gate/rules.js';
import { questionOf } from './gate-question.js';
import type { Led } from './leads.js';
import { PbxLine, type PbxLineOptions } from './pbx/pbx-line.js';
import { Pipeline, type PipelineOptions } from './pipeline.js';
import type { Heritage, Lead } from './store/store.js';
import type { Dispatcher } from './zammad/dispatcher.js';

export interface LedPbxOptions {
  readonly lead: Lead;
  readonly heritage: Heritage;
  readonly line: Omit<PbxLineOptions, 'onOutcomes' | 'heritage' | 'gate'>;
  readonly dispatcher: Pick<Dispatcher, 'take' | 'notify' | 'handedIn' | 'drop' | 'urgent'>;
  readonly gate: GateRules;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: PipelineOptions['count'] & GateOptions['count'];
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const CONTINUE: GateDecision = { kind: 'continue' };
/** Gated calls remembered for a late reject. */
const GATED_LIMIT = 10_000;

/** How often it is looked whether a person wants posts sent. */
const HANDED_IN_EVERY_MS = 2_000;

/** A PBX for which this bridge speaks: its calls go on where they stood, and what was not delivered goes out. */
export class LedPbx implements Led {
  readonly #options: LedPbxOptions;
  readonly #line: PbxLine;
  readonly #pipeline: Pipeline;
  readonly #gate: Gate;
  /** When each gated call began, by the monotonic clock: too late a reject does not end a call. The oldest first. */
  readonly #gated = new Map<CallId, Millis>();
  #cancelLook: () => void = () => undefined;
  #ended = false;

  constructor(options: LedPbxOptions) {
    const { lead, heritage, line, dispatcher, clock, log, count } = options;
    this.#options = options;
    this.#gate = new Gate({
      clock,
      log,
      remember: options.gate.remember,
      count,
      onLateReject: (callId) => {
        this.#rejectLate(callId);
      },
    });
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
      gate: { ask: (request) => this.#askGate(request) },
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

  /** Zammad wants a call rejected that does not wait at the gate, or no longer: it is ended, if no agent has it and it is not old. */
  reject(callId: CallId, age: Millis): void {
    const { gate, log } = this.#options;
    if (this.#ended) return;
    if (age > gate.lateReject) {
      log.info({ callId, ms: Math.round(age) }, 'the reject came too late: the call is older than gate.lateReject');
      return;
    }
    this.#line.reject(callId, gate.rejectedCause).catch((thrown: unknown) => {
      log.error({ callId, error: asError(thrown) }, 'the call could not be rejected');
    });
  }

  /** Never rejects: whatever goes wrong, the call goes on. */
  async #askGate(request: GateRequest): Promise<GateDecision> {
    const { clock, dispatcher, gate, log, count } = this.#options;
    const deadline = (request.since ?? clock.monotonic()) + gate.budget;
    if (this.#ended) return CONTINUE;
    if (gate.isEmergency(request.dialled)) {
      count('gate_decisions_total', { outcome: 'emergency' });
      return CONTINUE;
    }
    try {
      if (this.#line.isTakingUp && !(await this.#hasTakenUp(deadline))) {
        log.info({ leg: request.leg }, 'gate: nothing was asked, the calls of the PBX are still being taken up');
        count('gate_decisions_total', { outcome: 'pass' });
        return CONTINUE;
      }
      const opening = this.#line.openGate(request);
      const committed = this.#pipeline.takeGated(opening.outcomes);
      if (opening.kind === 'pass') {
        log.debug({ leg: request.leg }, `gate: nothing to ask, ${opening.why}`);
        count('gate_decisions_total', { outcome: 'pass' });
        return CONTINUE;
      }
      const { callId } = opening;
      this.#note(callId, clock.monotonic());
      const answers = committed.then((items) => items.map((item) => questionOf(item, dispatcher.urgent(item))));
      const decision = await this.#gate.decide({ callId, questions: answers, deadline });
      if (decision.kind === 'reject') this.#rejectAtGate(callId);
      return decision;
    } catch (thrown) {
      log.error({ error: asError(thrown), leg: request.leg }, 'gate: a request could not be handled; the call goes on');
      count('gate_decisions_total', { outcome: 'fault' });
      return CONTINUE;
    }
  }

  /** What the PBX has said before its question comes first, and may be much. False: that takes longer than the PBX waits. */
  async #hasTakenUp(deadline: Millis): Promise<boolean> {
    const { clock } = this.#options;
    await inTime(clock, deadline - clock.monotonic(), this.#line.tookUp());
    return !this.#ended && !this.#line.isTakingUp;
  }

  #rejectAtGate(callId: CallId): void {
    // When this bridge has stopped hearing the PBX meanwhile, its calls went on.
    if (!this.#ended) this.#line.rejectAtGate(callId, this.#options.gate.rejectedCause);
  }

  #note(callId: CallId, now: Millis): void {
    this.#gated.set(callId, now);
    for (const [old, at] of this.#gated) {
      if (this.#gated.size <= GATED_LIMIT && now - at <= this.#options.gate.lateReject) break;
      this.#gated.delete(old);
    }
  }

  /** The PBX has been answered already. */
  #rejectLate(callId: CallId): void {
    const at = this.#gated.get(callId);
    if (at !== undefined) this.reject(callId, this.#options.clock.monotonic() - at);
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
