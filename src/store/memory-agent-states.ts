import type { AgentStates, KeptAgentState } from './agent-states.js';

/** The agents' states of a store without a disk. As many as there are agents and PBXs. */
export class MemoryAgentStates implements AgentStates {
  readonly #kept = new Map<string, KeptAgentState>();

  all(): Promise<readonly KeptAgentState[]> {
    return Promise.resolve([...this.#kept.values()]);
  }

  put(states: readonly KeptAgentState[]): Promise<void> {
    for (const state of states) {
      const key = `${state.extension} ${state.pbx ?? ''}`;
      if ((this.#kept.get(key)?.since ?? -Infinity) <= state.since) this.#kept.set(key, state);
    }
    return Promise.resolve();
  }

  clear(): void {
    this.#kept.clear();
  }
}
