/** Whether agents wish to be disturbed, as the store keeps it: over restarts, and for every machine that shares the store. */
import type { PbxName } from '../call/vocabulary.js';

export const AGENT_STATES = ['available', 'do-not-disturb'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

/** Who said so: a program (`api`), a person at the page or the command line, or the PBX. */
export const STATE_ORIGINS = ['api', 'page', 'cli', 'pbx'] as const;
export type StateOrigin = (typeof STATE_ORIGINS)[number];

export interface KeptAgentState {
  readonly extension: string;
  /** The PBX that said so last; undefined: this is the agent's state. */
  readonly pbx?: PbxName | undefined;
  readonly state: AgentState;
  /** Wall clock, ms since 1970. */
  readonly since: number;
  readonly by: StateOrigin;
}

/** Any process that has the store open may use it; it needs no lead. Rejects with a RetriableError when the store cannot be asked now. */
export interface AgentStates {
  all(): Promise<readonly KeptAgentState[]>;
  /** Keeps them, all or nothing; one of which the store has a newer word is passed over. */
  put(states: readonly KeptAgentState[]): Promise<void>;
}
