import type { PbxName } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import type { AgentState, AgentStates, KeptAgentState, StateOrigin } from '../store/agent-states.js';

/** Agents and PBXs of which something is kept at most: what a PBX with endless members of queues would fill is no memory of ours. */
const MOST_STATES = 50_000;

const keyOf = (extension: string, pbx: PbxName | undefined): string => `${extension} ${pbx ?? ''}`;

/** The agents' states in memory, and what is still to be written of them. */
export class StateBook {
  readonly #states = new Map<string, KeptAgentState>();
  readonly #unwritten = new Map<string, KeptAgentState>();
  /** Those that do not wish to be disturbed. */
  readonly #undisturbed = new Set<string>();
  #syncing: Promise<readonly string[]> | undefined;

  constructor(
    private readonly store: AgentStates,
    private readonly clock: Clock,
  ) {}

  /** The agent's own state; undefined: nobody has ever said anything. */
  agent(extension: string): KeptAgentState | undefined {
    return this.#states.get(keyOf(extension, undefined));
  }

  /** What a PBX said of him last. */
  said(pbx: PbxName, extension: string): AgentState {
    return this.#states.get(keyOf(extension, pbx))?.state ?? 'available';
  }

  /** Agents who do not wish to be disturbed. */
  undisturbed(): ReadonlySet<string> {
    return this.#undisturbed;
  }

  /** Of whom the PBX said last that he does not wish to be disturbed. */
  undisturbedAt(pbx: PbxName): readonly string[] {
    return [...this.#states.values()]
      .filter((kept) => kept.pbx === pbx && kept.state === 'do-not-disturb')
      .map(({ extension }) => extension);
  }

  /** From now on it is so. `pbx`: the PBX says it; else it is the agent's state. */
  note(extension: string, state: AgentState, by: StateOrigin, pbx?: PbxName): void {
    const key = keyOf(extension, pbx);
    const before = this.#states.get(key);
    // Who sets it himself is one of the agents of the configuration, which has an end.
    if (before === undefined && by === 'pbx' && this.#states.size >= MOST_STATES) return;
    // Also where the clock was set back: a newer word must look newer.
    const since = Math.max(this.clock.wall(), (before?.since ?? -Infinity) + 1);
    const kept: KeptAgentState = { extension, pbx, state, since, by };
    this.#keep(kept);
    this.#unwritten.set(key, kept);
  }

  get unwritten(): number {
    return this.#unwritten.size;
  }

  /**
   * Writes what is to be written, and reads what others have written. Returns the agents whose own state has changed by that. Rejects
   * when the store cannot be asked now; what is not written stays to be written.
   */
  async sync(): Promise<readonly string[]> {
    while (this.#syncing !== undefined) await this.#syncing.catch(() => undefined);
    this.#syncing = this.#sync().finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  async #sync(): Promise<readonly string[]> {
    const writing = [...this.#unwritten];
    await this.store.put(writing.map(([, kept]) => kept));
    for (const [key, kept] of writing) if (this.#unwritten.get(key) === kept) this.#unwritten.delete(key);
    const changed: string[] = [];
    for (const kept of await this.store.all()) {
      const key = keyOf(kept.extension, kept.pbx);
      const before = this.#states.get(key);
      if (before === undefined && this.#states.size >= MOST_STATES) continue;
      // Of two machines that have written the same time the one that the store has counts.
      const isNews = before === undefined || before.since < kept.since;
      if (!isNews && (before.since > kept.since || this.#unwritten.has(key))) continue;
      this.#keep(kept);
      if (kept.pbx === undefined && (before?.state ?? 'available') !== kept.state) changed.push(kept.extension);
    }
    return changed;
  }

  #keep(kept: KeptAgentState): void {
    const { extension, pbx, state } = kept;
    this.#states.set(keyOf(extension, pbx), kept);
    if (pbx !== undefined) return;
    if (state === 'do-not-disturb') this.#undisturbed.add(extension);
    else this.#undisturbed.delete(extension);
  }
}
