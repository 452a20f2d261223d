/** An agent's state as a row of a database; see `AgentStates`. */
import type { PbxName } from '../call/vocabulary.js';
import { AGENT_STATES, STATE_ORIGINS, type AgentState, type KeptAgentState, type StateOrigin } from './agent-states.js';

export interface AgentStateRow {
  readonly extension: string;
  /** '': the agent's own. */
  readonly pbx: string;
  readonly state: AgentState;
  readonly since: number;
  readonly set_by: StateOrigin;
}

export const agentStateRow = ({ extension, pbx, state, since, by }: KeptAgentState): AgentStateRow => ({
  extension,
  pbx: pbx ?? '',
  state,
  since,
  set_by: by,
});

/** Undefined: the row comes out of a damaged file, or was written by a program that knows more states. */
export function agentStateOf({ extension, pbx, state, since, set_by: by }: AgentStateRow): KeptAgentState | undefined {
  if (!AGENT_STATES.includes(state) || !STATE_ORIGINS.includes(by)) return undefined;
  return { extension, pbx: pbx === '' ? undefined : (pbx as PbxName), state, since, by };
}
