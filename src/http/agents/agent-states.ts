/** Whom the HTTP room asks whether an agent wishes to be disturbed. */

export const AGENT_STATES = ['available', 'do-not-disturb'] as const;
export type AgentStateWord = (typeof AGENT_STATES)[number];

export interface AgentStateShown {
  readonly extension: string;
  readonly state: AgentStateWord;
  /** Wall clock, ms since 1970; undefined: it was never anything else. */
  readonly since?: number | undefined;
  readonly by?: string | undefined;
}

export interface AgentStateSet extends AgentStateShown {
  /** It is in the store. */
  readonly kept: boolean;
  /** What became of it at each PBX. */
  readonly pbxs: readonly { readonly pbx: string; readonly outcome: string; readonly reason?: string | undefined }[];
}

export interface AgentStatesDesk {
  /** From memory. Undefined: no such agent. */
  state(extension: string): AgentStateShown | undefined;
  /** Resolves when each PBX has answered, within some seconds. */
  set(extension: string, state: AgentStateWord, by: 'api' | 'page'): Promise<AgentStateSet | undefined>;
}
