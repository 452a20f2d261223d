import type { Logger } from 'pino';
import type { AvailabilityNews, AvailabilityWord } from '../call/availability.js';
import { Brain, type BrainHeritage, type BrainSettings } from '../call/brain.js';
import type { Outcome } from '../call/outcome.js';
import type { GateOpening, GateRequest } from '../call/gate.js';
import { REJECT_CAUSE } from '../call/reject.js';
import type { CallId, Cause, LegEvent, Millis, PbxName } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import { asError } from '../errors.js';
import {
  canGate,
  canHangUp,
  canOriginate,
  canPause,
  canRefresh,
  type Adapter,
  type AdapterContext,
  type AgentPhones,
  type GateState,
  type OrderOutcome,
  type OriginateOrder,
  type OriginateOutcome,
  type Originates,
} from './adapter.js';
import { Supervisor, type PbxState } from './supervisor.js';
import { WorkQueue } from './work-queue.js';

/** While there are calls: how often the PBX is asked whether they are all still there. A lost event must not leave one open. */
const SWEEP_EVERY_MS = 5 * 60_000;

export interface PbxLineOptions extends Omit<AdapterContext, 'emit' | 'name'> {
  readonly brain: BrainSettings;
  readonly createAdapter: (context: AdapterContext) => Adapter;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Where what the brain says goes. Never throws. */
  readonly onOutcomes: (outcomes: readonly Outcome[]) => void;
  /** What an earlier run, or another bridge, has left of its calls. */
  readonly heritage?: BrainHeritage | undefined;
  /** The PBX is heard and its snapshot was taken; called after each connect. */
  readonly onHeard?: () => void;
  /** What the PBX says of agents' availability. */
  readonly onAvailability?: (news: AvailabilityNews) => void;
}

/** One PBX with its brain: the adapter's events go in, posts come out, and time passes for the calls. */
export class PbxLine {
  readonly #brain: Brain;
  readonly #adapter: Adapter;
  readonly #supervisor: Supervisor;
  readonly #log: Logger;
  readonly #clock: Clock;
  #cancelTick: (() => void) | undefined;
  #tickAt: number | undefined;
  /** A tick is due, and what came before it is still being done. */
  #tickWaits = false;
  #stopped = false;
  #deaf = false;
  #cancelSweep: (() => void) | undefined;
  /** What the brain is still to be told, in its order. */
  readonly #work: WorkQueue;

  constructor(private readonly options: PbxLineOptions) {
    const { clock, log, metrics, random } = options;
    this.#clock = clock;
    this.#log = log;
    this.#work = new WorkQueue(clock, (thrown) => {
      log.error(
        { error: asError(thrown) },
        'what the PBX said could not be understood; this is a defect of the bridge',
      );
    });
    this.#adapter = options.createAdapter({
      name: options.brain.pbx,
      log,
      metrics,
      clock,
      gate: options.gate,
      emit: (batch) => {
        this.#take(batch);
      },
    });
    const gate = this.gateState?.kind ?? 'off';
    this.#brain = new Brain({ ...options.brain, hasGate: gate !== 'off' });
    this.#supervisor = new Supervisor({
      adapter: this.#adapter,
      log,
      clock,
      random,
      onState: ({ state }) => {
        if (state === 'deaf' && !this.#deaf) {
          this.#do(() => {
            this.#brain.deaf(clock.monotonic());
          });
        }
        this.#deaf = state === 'deaf';
        this.#cancelSweep?.();
        if (state !== 'hearing') return;
        this.#planSweep();
        this.#do(() => options.onHeard?.());
      },
    });
  }

  get name(): PbxName {
    return this.options.brain.pbx;
  }
  /** Whether its calls can wait before any phone rings; undefined: its adapter has no gate. */
  get gateState(): GateState | undefined {
    return canGate(this.#adapter) ? this.#adapter.gateState() : undefined;
  }
  get state(): PbxState {
    return this.#supervisor.state;
  }
  /** Calls that are not over. */
  get openCalls(): number {
    return [...this.#brain.calls()].length;
  }

  /** The call is one of this PBX and not over. */
  has(callId: CallId): boolean {
    return this.#brain.has(callId);
  }

  /** What the PBX has said so far is still being understood: many calls are taken up. */
  get isTakingUp(): boolean {
    return this.#work.busy;
  }
  /** Resolves when that is done. */
  tookUp(): Promise<void> {
    return this.#work.idle();
  }

  /** A call waits at the PBX's gate. What is to be told because of it is handed back, not to `onOutcomes`. */
  openGate(request: GateRequest): GateOpening {
    this.#work.finish();
    const opening = this.#brain.gate(request, this.#clock.monotonic());
    this.#plan();
    return opening;
  }

  /** The PBX was told at its gate to reject the call. */
  rejectAtGate(callId: CallId, cause: Cause): void {
    this.#do(() => {
      this.options.onOutcomes(this.#brain.rejectAtGate(callId, cause));
    });
  }

  /** Takes up what was left, and connects. */
  start(): void {
    const { heritage, onOutcomes } = this.options;
    if (heritage !== undefined) onOutcomes(this.#brain.restore(heritage, this.#clock.monotonic()));
    this.#plan();
    this.#supervisor.start();
  }

  /** Nothing comes out after it has resolved. Calls in progress stay open: the next start takes them up. */
  async stop(): Promise<void> {
    await this.#supervisor.stop();
    await this.#work.idle();
    this.#stopped = true;
    this.#cancelTick?.();
    this.#cancelSweep?.();
  }

  /** Ends a call that Zammad has rejected, if no agent has answered it yet. `cause`: of its hangup. */
  async reject(callId: CallId, cause: Cause): Promise<void> {
    const leg = this.#brain.reject(callId, cause);
    if (leg === undefined) {
      this.#log.info({ callId }, 'the reject came too late: the call is answered or over');
      return;
    }
    if (!canHangUp(this.#adapter)) {
      this.#brain.rejectRefused(callId);
      this.#log.warn({ callId }, 'this PBX cannot hang up calls: the reject has no effect');
      return;
    }
    try {
      const outcome = await this.#adapter.hangUp(leg, REJECT_CAUSE);
      if (outcome.kind === 'refused') {
        this.#brain.rejectRefused(callId);
        this.#log.warn({ callId, reason: outcome.reason }, `the PBX refused to reject the call: ${outcome.reason}`);
        return;
      }
      if (outcome.kind === 'gone') this.#brain.rejectUnsure(callId);
      this.#log.info({ callId, outcome: outcome.kind }, 'call rejected');
    } catch (thrown) {
      // It may have been done, or be done yet.
      this.#brain.rejectUnsure(callId);
      this.#log.warn({ callId, error: asError(thrown) }, 'the PBX does not say whether it rejects the call');
    }
  }

  /** It is connected. */
  get heard(): boolean {
    return this.state.state === 'hearing';
  }
  get canPause(): boolean {
    return canPause(this.#adapter);
  }
  get keepsFlag(): boolean {
    return canPause(this.#adapter) && this.#adapter.keepsFlag === true;
  }
  words(): ReadonlyMap<string, AvailabilityWord> {
    return this.#brain.availability.words();
  }
  word(extension: string): AvailabilityWord | undefined {
    return this.#brain.availability.word(extension);
  }
  setUndisturbed(extension: string, undisturbed: boolean): void {
    this.#brain.availability.set(extension, undisturbed);
  }

  /** Keeps the PBX's calls away from an agent, or puts them through again. Never rejects. */
  async pause(agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    if (!canPause(this.#adapter)) return { kind: 'refused', reason: 'this PBX keeps no such state' };
    try {
      return await this.#adapter.pause(agent, paused);
    } catch (thrown) {
      return { kind: 'refused', reason: asError(thrown).message };
    }
  }

  /** Has the PBX ring an agent and dial for him. Undefined: its adapter cannot. Never rejects. */
  originate(order: OriginateOrder): Promise<OriginateOutcome> | undefined {
    const adapter = this.#adapter;
    return canOriginate(adapter) ? this.#originate(adapter, order) : undefined;
  }

  async #originate(adapter: Originates, order: OriginateOrder): Promise<OriginateOutcome> {
    try {
      return await adapter.originate(order);
    } catch (thrown) {
      this.#log.error({ error: asError(thrown) }, 'the adapter failed to have a number dialled');
      return { kind: 'refused', why: 'failed', reason: 'the adapter failed; the log of the bridge says why' };
    }
  }

  #take(batch: readonly LegEvent[]): void {
    if (!this.#stopped) this.#work.add(this.#apply(batch, this.#clock.monotonic()));
  }

  *#apply(batch: readonly LegEvent[], at: Millis): Generator<unknown, void> {
    for (const outcomes of this.#brain.applyInPieces(batch, at)) {
      this.options.onOutcomes(outcomes);
      yield;
    }
    this.#plan();
    const news = this.#brain.availability.take();
    if (news !== undefined) this.options.onAvailability?.(news);
  }

  *#tick(): Generator<unknown, void> {
    for (const outcomes of this.#brain.tickInPieces(this.#clock.monotonic())) {
      this.options.onOutcomes(outcomes);
      yield;
    }
    this.#tickWaits = false;
    this.#plan();
  }

  /** Behind what is still to be done. */
  #do(what: () => void): void {
    this.#work.do(what);
    this.#plan();
  }

  #planSweep(): void {
    this.#cancelSweep = this.#clock.after(SWEEP_EVERY_MS, () => {
      void this.#sweep();
    });
  }

  async #sweep(): Promise<void> {
    const adapter = this.#adapter;
    try {
      if (this.openCalls > 0 && canRefresh(adapter)) await adapter.refresh();
    } catch (thrown) {
      this.#log.debug({ error: asError(thrown) }, 'the PBX could not be asked whether all calls are still there');
    }
    if (!this.#stopped && !this.#deaf) this.#planSweep();
  }

  /** One timer, for the first thing that is due. */
  #plan(): void {
    if (this.#tickWaits) return;
    const next = this.#stopped ? undefined : this.#brain.nextTick();
    if (next === this.#tickAt) return;
    this.#cancelTick?.();
    this.#cancelTick = undefined;
    this.#tickAt = next;
    if (next === undefined) return;
    this.#cancelTick = this.#clock.after(Math.max(0, next - this.#clock.monotonic()), () => {
      this.#cancelTick = undefined;
      this.#tickAt = undefined;
      this.#tickWaits = true;
      this.#work.add(this.#tick());
    });
  }
}
