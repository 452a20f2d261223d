import { agentStateOf, agentStateRow } from './agent-state-rows.js';
import type { AgentStates, KeptAgentState } from './agent-states.js';
import type { Input, OperationName, Output } from './protocol.js';

/** The agents' states in a database, asked for through the worker. */
export class DurableAgentStates implements AgentStates {
  constructor(
    private readonly ask: <Name extends OperationName>(name: Name, input: Input<Name>) => Promise<Output<Name>>,
  ) {}

  async all(): Promise<readonly KeptAgentState[]> {
    return (await this.ask('agentStates', undefined)).flatMap((row) => agentStateOf(row) ?? []);
  }

  async put(states: readonly KeptAgentState[]): Promise<void> {
    if (states.length > 0) await this.ask('putAgentStates', states.map(agentStateRow));
  }
}
