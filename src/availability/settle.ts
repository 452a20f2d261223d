import type { AvailabilityWord } from '../call/availability.js';
import type { AgentState, StateOrigin } from '../store/agent-states.js';

/** What the bridge knows when a PBX says something of an agent. */
export interface KnownState {
  /** The agent's state as the bridge has it. */
  readonly agent: { readonly state: AgentState; readonly by: StateOrigin };
  /** What this PBX said, or was made to say, last. */
  readonly said: AgentState;
  /** What it is being told at this moment. */
  readonly ordered?: AgentState | undefined;
  /** Another PBX still says that he does not wish to be disturbed. */
  readonly elsewhere?: boolean | undefined;
}

/** `follow`: the agent's state becomes what the PBX says. `carry out`: the PBX is to be told the agent's state. */
export type Verdict = 'agree' | 'follow' | 'carry out';

export const stateOf = ({ doNotDisturb }: Pick<AvailabilityWord, 'doNotDisturb'>): AgentState =>
  doNotDisturb ? 'do-not-disturb' : 'available';

/**
 * Who is right when a PBX and the bridge differ (docs/decisions/012-do-not-disturb.md): whoever has changed it since they last agreed. A
 * PBX that says what it said before has changed nothing; nor has one that has forgotten, unless what it has forgotten was its own and is
 * said nowhere else. A PBX that says one thing at the phone and another in its queues is made to agree with itself: by what it said last,
 * or, where that was not heard, by what it had not said before.
 */
export function settle(word: AvailabilityWord, { agent, said, ordered, elsewhere = false }: KnownState): Verdict {
  const now = stateOf(word);
  if (now === agent.state) return word.mixed !== false && ordered !== now ? 'carry out' : 'agree';
  if (now === ordered || now === said) return 'carry out';
  const isNobodysWord = word.initial === 'partly' || (word.initial && (agent.by !== 'pbx' || elsewhere));
  return isNobodysWord ? 'carry out' : 'follow';
}
