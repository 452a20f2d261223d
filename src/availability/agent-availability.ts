import type { Logger } from 'pino';
import type { AvailabilityNews, AvailabilityWord } from '../call/availability.js';
import type { Millis, PbxName } from '../call/vocabulary.js';
import { inTime, type Clock } from '../clock.js';
import { asError } from '../errors.js';
import type { AgentPhones, OrderOutcome } from '../pbx/orders.js';
import type { AgentState, AgentStates, StateOrigin } from '../store/agent-states.js';
import { settle, stateOf } from './settle.js';
import { StateBook } from './state-book.js';

/** A PBX that this bridge leads, as far as agents' availability goes. */
export interface AvailabilityPort {
  /** It is connected. */
  readonly heard: boolean;
  /** It has something of its own that keeps calls away from an agent. */
  readonly canPause: boolean;
  /** Beside what it says it keeps the state in a place of which it may say nothing: that is to be set too where the PBX was first. */
  readonly keepsFlag: boolean;
  /** Never rejects. */
  pause(agent: AgentPhones, paused: boolean): Promise<OrderOutcome>;
  /** What it says now, by extension; of others it keeps no state. */
  words(): ReadonlyMap<string, AvailabilityWord>;
  word(extension: string): AvailabilityWord | undefined;
  /** Whether the agent is left out of what is told of calls. */
  setUndisturbed(extension: string, undisturbed: boolean): void;
}

/** What became of a state at one PBX. */
export interface PbxReport {
  readonly pbx: PbxName;
  /** `done`: it keeps his calls away, or puts them through again. `none`: it has nothing to keep the state in. `later`: with the next connect. */
  readonly outcome: 'done' | 'none' | 'later' | 'refused';
  readonly reason?: string | undefined;
}

export interface StateReport {
  readonly extension: string;
  readonly state: AgentState;
  /** Wall clock, ms since 1970; undefined: it was never anything else. */
  readonly since?: number | undefined;
  readonly by?: StateOrigin | undefined;
}

export interface SetReport extends StateReport {
  /** It is in the store; else in memory, until the store takes it. */
  readonly kept: boolean;
  readonly pbxs: readonly PbxReport[];
}

export interface AgentAvailabilityOptions {
  readonly store: AgentStates;
  readonly pbxs: readonly PbxName[];
  readonly agents: readonly AgentPhones[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'agent_state_changes_total', labels: Readonly<Record<string, string>>) => void;
  readonly gauge: (name: 'agents_undisturbed', value: number) => void;
}

interface Order {
  readonly state: AgentState;
  readonly outcome: Promise<OrderOutcome>;
  /** The PBX has said something meanwhile that this order may not have seen. */
  isDoubted: boolean;
}

interface Run {
  readonly port: AvailabilityPort;
  /** What is being ordered for each agent. */
  readonly orders: Map<string, Order>;
  /** What it refused last of each agent, and when, by the monotonic clock. */
  readonly refused: Map<string, { readonly state: AgentState; readonly reason: string; at: Millis }>;
  /** Said before it was known what the store holds. */
  held: AvailabilityNews[] | undefined;
}

const CONTRARY = { available: 'do-not-disturb', 'do-not-disturb': 'available' } as const;
const FORGOTTEN: AvailabilityWord = { doNotDisturb: false, initial: true, mixed: false };
/** How often it is looked what others (another machine, the command line) have set. */
const LOOK_EVERY_MS = 2_000;
/** How long a PBX that is heard waits for what the store holds. */
const STORE_PATIENCE_MS = 2_000;
/** What a PBX refuses is tried again with the next connect, and so often. */
const REFUSED_AGAIN_MS = 60_000;
/** How long somebody who sets a state waits for a PBX to have done its part. */
const PBX_PATIENCE_MS = 8_000;

/**
 * One state of each agent, whoever sets it: the bridge's own ways in, or a PBX. What differs is settled by `settle`; what the bridge
 * decides is carried out at every PBX that it leads.
 */
export class AgentAvailability {
  readonly #book: StateBook;
  readonly #runs = new Map<PbxName, Run>();
  readonly #phones: ReadonlyMap<string, AgentPhones>;
  /** What unclear words mean: decided once. */
  readonly #meanings = new WeakMap<AvailabilityWord, AgentState>();
  #cancelLook: () => void = () => undefined;
  #stopped = false;
  #storeTrouble = false;

  constructor(private readonly options: AgentAvailabilityOptions) {
    this.#book = new StateBook(options.store, options.clock);
    this.#phones = new Map(options.agents.map((agent) => [agent.extension, agent]));
  }

  /** Begins to look what others have set. */
  start(): void {
    this.#planLook();
  }

  /** Writes what is still to be written, within `deadline` ms. */
  async stop(deadline: Millis): Promise<void> {
    this.#stopped = true;
    this.#cancelLook();
    await inTime(this.options.clock, deadline, this.#sync());
  }

  /** This bridge speaks for the PBX from now on. What its store holds is read anew before anything that the PBX says is judged. */
  lead(pbx: PbxName, port: AvailabilityPort): void {
    const run: Run = { port, orders: new Map(), refused: new Map(), held: [] };
    this.#runs.set(pbx, run);
    this.#apply(run);
    void inTime(this.options.clock, STORE_PATIENCE_MS, this.#sync()).then(() => {
      const { held = [] } = run;
      run.held = undefined;
      if (this.#runs.get(pbx) !== run) return;
      this.#apply(run);
      for (const news of held) this.news(pbx, news);
      this.heard(pbx);
    });
  }

  lose(pbx: PbxName): void {
    this.#runs.delete(pbx);
  }

  /** The PBX has said something of agents. */
  news(pbx: PbxName, news: AvailabilityNews): void {
    const run = this.#runs.get(pbx);
    if (run === undefined) return;
    if (run.held !== undefined) {
      run.held.push(news);
      return;
    }
    const { port } = run;
    const silent = news.complete ? this.#book.undisturbedAt(pbx).filter((one) => port.word(one) === undefined) : [];
    const forgotten = new Set([...silent, ...news.words.filter(({ word }) => word === undefined).map(agentOf)]);
    for (const agent of forgotten) this.#forget(pbx, run, agent);
    for (const { extension, word } of news.words) if (word !== undefined) this.#judge(pbx, run, extension, word);
    // An order may have come before the PBX had loaded its queues.
    if (news.complete) for (const [extension] of this.#unsettled(pbx, run)) this.#tell(pbx, run, extension);
    this.#write();
  }

  /** The PBX is connected, and has said how things are: what differs is settled, what was set meanwhile is carried out. */
  heard(pbx: PbxName): void {
    const run = this.#runs.get(pbx);
    if (run === undefined || run.held !== undefined || !run.port.heard) return;
    run.refused.clear();
    for (const [extension, word] of run.port.words()) this.#judge(pbx, run, extension, word);
    for (const extension of new Set([...this.#book.undisturbed(), ...this.#book.undisturbedAt(pbx)])) {
      if (this.#hasFlag(run, extension)) this.#tell(pbx, run, extension);
      else if (run.port.word(extension) === undefined) this.#align(pbx, run, extension);
    }
    this.#write();
  }

  /** The agent's state as it is now. Undefined: no such agent in the configuration. */
  state(extension: string): StateReport | undefined {
    return this.#phones.has(extension) ? this.#report(extension) : undefined;
  }

  /** Sets it, for good and everywhere. Undefined: no such agent in the configuration. */
  async set(extension: string, state: AgentState, by: StateOrigin): Promise<SetReport | undefined> {
    if (!this.#phones.has(extension)) return undefined;
    // What another machine has set a moment ago must be known: what is set now is newer.
    await inTime(this.options.clock, STORE_PATIENCE_MS, this.#sync());
    if ((this.#book.agent(extension)?.state ?? 'available') !== state) this.#change(extension, state, by);
    const kept = this.#sync();
    const pbxs = await Promise.all(this.options.pbxs.map((pbx) => this.#reportOf(pbx, extension)));
    return { ...this.#report(extension), kept: await kept, pbxs };
  }

  #report(extension: string): StateReport {
    const kept = this.#book.agent(extension);
    return { extension, state: kept?.state ?? 'available', since: kept?.since, by: kept?.by };
  }

  async #reportOf(pbx: PbxName, extension: string): Promise<PbxReport> {
    const run = this.#runs.get(pbx);
    if (run === undefined) return { pbx, outcome: 'later', reason: 'this bridge does not speak for it now' };
    if (!run.port.canPause) return { pbx, outcome: 'none' };
    if (!run.port.heard) return { pbx, outcome: 'later', reason: 'it is not connected' };
    let outcome: OrderOutcome | undefined;
    const order = this.#carryOut(pbx, run, extension).then((settled) => {
      outcome = settled;
    });
    await inTime(this.options.clock, PBX_PATIENCE_MS, order);
    if (outcome === undefined) return { pbx, outcome: 'later', reason: 'it has not answered yet' };
    if (outcome.kind === 'refused') return { pbx, outcome: 'refused', reason: outcome.reason };
    return { pbx, outcome: outcome.kind === 'gone' ? 'none' : 'done' };
  }

  // ------------------------------------------------------------------ what the PBXs say

  /** The PBX says nothing of him any more: as with one who has just come, what it had said is not there. */
  #forget(pbx: PbxName, run: Run, extension: string): void {
    const { state, by } = this.#report(extension);
    const isItsOwn = state === 'do-not-disturb' && by === 'pbx' && !this.#isSaidElsewhere(pbx, extension);
    // A flag stays as it was set.
    if (this.#hasFlag(run, extension) && !isItsOwn) this.#align(pbx, run, extension);
    else this.#judge(pbx, run, extension, FORGOTTEN);
  }

  /** Flags are for agents of the configuration. */
  #hasFlag({ port }: Run, extension: string): boolean {
    return port.keepsFlag && this.#phones.has(extension);
  }

  #isSaidElsewhere(pbx: PbxName, extension: string): boolean {
    return this.options.pbxs.some((one) => one !== pbx && this.#book.said(one, extension) === 'do-not-disturb');
  }

  #judge(pbx: PbxName, run: Run, extension: string, word: AvailabilityWord): void {
    const agent = this.#book.agent(extension) ?? { state: 'available', by: 'pbx' };
    const said = this.#book.said(pbx, extension);
    const now = this.#meant(word, said);
    const ordered = run.orders.get(extension)?.state;
    const verdict = settle(
      { ...word, doNotDisturb: now === 'do-not-disturb' },
      { agent, said, ordered, elsewhere: this.#isSaidElsewhere(pbx, extension) },
    );
    if (said !== now) this.#book.note(extension, now, 'pbx', pbx);
    if (verdict === 'follow') {
      this.options.log.info(
        { pbx, agent: extension, state: now },
        `agent ${extension} is ${words(now)}: the PBX says so`,
      );
      this.#change(extension, now, 'pbx');
      for (const [other, otherRun] of this.#runs) if (other !== pbx) this.#align(other, otherRun, extension);
      if (word.mixed !== false || this.#hasFlag(run, extension)) this.#tell(pbx, run, extension);
    } else if (verdict === 'carry out') {
      run.port.setUndisturbed(extension, agent.state === 'do-not-disturb');
      this.#tell(pbx, run, extension);
    }
  }

  /** The state that the PBX means. Where it says two things, and which was the last one nobody heard: what it had not said before. */
  #meant(word: AvailabilityWord, said: AgentState): AgentState {
    if (word.mixed !== 'unclear') return stateOf(word);
    const meant = this.#meanings.get(word) ?? CONTRARY[said];
    this.#meanings.set(word, meant);
    return meant;
  }

  /** The agent's state from now on, for everything that the bridge tells. */
  #change(extension: string, state: AgentState, by: StateOrigin): void {
    this.#book.note(extension, state, by);
    this.options.count('agent_state_changes_total', { by });
    this.#applyOne(extension);
  }

  #applyOne(extension: string): void {
    const undisturbed = this.#book.undisturbed();
    for (const { port } of this.#runs.values()) port.setUndisturbed(extension, undisturbed.has(extension));
    this.options.gauge('agents_undisturbed', undisturbed.size);
  }

  #apply({ port }: Run): void {
    for (const extension of this.#book.undisturbed()) port.setUndisturbed(extension, true);
    this.options.gauge('agents_undisturbed', this.#book.undisturbed().size);
  }

  // ------------------------------------------------------------------ what the PBXs are told

  /** Tells the PBX, unless it says so already. */
  #align(pbx: PbxName, run: Run, extension: string): void {
    const { state } = this.#report(extension);
    const word = run.port.word(extension);
    const before = this.#book.said(pbx, extension);
    const said = word === undefined ? before : this.#meant(word, before);
    if (said !== state) this.#tell(pbx, run, extension);
  }

  /** But what it has refused a moment ago. */
  #tell(pbx: PbxName, run: Run, extension: string): void {
    const underWay = run.orders.get(extension);
    if (underWay !== undefined) underWay.isDoubted = true;
    if (run.refused.get(extension)?.state !== this.#report(extension).state) void this.#carryOut(pbx, run, extension);
  }

  /** Agents of whom a PBX that is connected says what it said before, and the bridge something else. */
  #unsettled(pbx: PbxName, { port }: Run): [string, AvailabilityWord][] {
    return [...(port.heard ? port.words() : [])].filter(([extension, word]) => {
      const said = this.#book.said(pbx, extension);
      return this.#meant(word, said) === said && said !== this.#report(extension).state;
    });
  }

  #tryRefusedAgain(): void {
    const now = this.options.clock.monotonic();
    for (const [pbx, run] of this.#runs) {
      for (const [extension, refusal] of run.refused) {
        if (now - refusal.at < REFUSED_AGAIN_MS || !run.port.heard) continue;
        refusal.at = now;
        if (refusal.state === this.#report(extension).state) void this.#carryOut(pbx, run, extension);
        else run.refused.delete(extension);
      }
    }
  }

  /** Tells the PBX the agent's state; one order for an agent at a time, and the last state is the one that counts. */
  async #carryOut(pbx: PbxName, run: Run, extension: string): Promise<OrderOutcome> {
    const { port, orders } = run;
    if (!port.canPause) return { kind: 'gone' };
    for (;;) {
      const { state } = this.#report(extension);
      const underWay = orders.get(extension);
      const outcome = await (underWay?.outcome ?? this.#order(pbx, run, extension, state));
      const same = this.#report(extension).state === (underWay?.state ?? state);
      if (same || this.#stopped || this.#runs.get(pbx) !== run) return outcome;
    }
  }

  async #order(pbx: PbxName, run: Run, extension: string, state: AgentState): Promise<OrderOutcome> {
    const { port, orders } = run;
    if (!port.heard) return { kind: 'refused', reason: 'the PBX is not connected' };
    const agent = this.#phones.get(extension) ?? { extension, devices: [] };
    const outcome = port.pause(agent, state === 'do-not-disturb');
    const order: Order = { state, outcome, isDoubted: false };
    orders.set(extension, order);
    const settled = await outcome;
    orders.delete(extension);
    // Of one that another bridge leads by now it is that one's to say.
    if (this.#runs.get(pbx) !== run) return settled;
    this.#noteOrder(pbx, run, extension, state, settled);
    const word = port.word(extension);
    if (order.isDoubted && word !== undefined && (word.mixed !== false || stateOf(word) !== state))
      this.#tell(pbx, run, extension);
    return settled;
  }

  #noteOrder(pbx: PbxName, run: Run, extension: string, state: AgentState, settled: OrderOutcome): void {
    const { log, clock } = this.options;
    if (settled.kind === 'refused') {
      const { reason } = settled;
      const isSaid = run.refused.get(extension)?.reason === reason;
      run.refused.set(extension, { state, reason, at: clock.monotonic() });
      log[isSaid ? 'debug' : 'warn'](
        { pbx, agent: extension, reason },
        `PBX ${pbx} did not make agent ${extension} ${words(state)}: ${reason}`,
      );
      return;
    }
    run.refused.delete(extension);
    const isDone = settled.kind === 'done';
    log[isDone ? 'info' : 'debug'](
      { pbx, agent: extension, outcome: settled.kind },
      `agent ${extension} is to be ${words(state)}: PBX ${pbx} ${isDone ? 'was told' : 'has nothing to keep that in'}`,
    );
    // Where there is nothing to keep it in, nobody is kept undisturbed.
    if ((isDone || state === 'available') && this.#book.said(pbx, extension) !== state) {
      this.#book.note(extension, state, 'pbx', pbx);
      this.#write();
    }
  }

  // ------------------------------------------------------------------ the store

  #write(): void {
    if (this.#book.unwritten > 0) void this.#sync();
  }

  /** Never rejects; whether all is in the store now. */
  async #sync(): Promise<boolean> {
    const { log } = this.options;
    try {
      const changed = await this.#book.sync();
      if (this.#storeTrouble) log.info("agents' states are kept in the store again");
      this.#storeTrouble = false;
      for (const extension of changed) {
        this.#applyOne(extension);
        for (const [pbx, run] of this.#runs) if (run.held === undefined) this.#align(pbx, run, extension);
      }
      return true;
    } catch (thrown) {
      if (!this.#storeTrouble)
        log.warn({ error: asError(thrown) }, "agents' states cannot be kept in the store now; it is tried again");
      this.#storeTrouble = true;
      return false;
    }
  }

  #planLook(): void {
    this.#cancelLook = this.options.clock.after(LOOK_EVERY_MS, () => {
      void this.#sync().then(() => {
        if (this.#stopped) return;
        this.#tryRefusedAgain();
        this.#planLook();
      });
    });
  }
}

const agentOf = ({ extension }: { readonly extension: string }): string => extension;
const words = (state: AgentState): string => (state === 'available' ? 'available' : 'undisturbed');
