import type { AgentStateRow } from './agent-state-rows.js';
import { chunks } from './chunks.js';
import type { Database, Within } from './schema.js';

const ROWS_OF_A_STATEMENT = 100;

export async function readAgentStates(db: Database): Promise<readonly AgentStateRow[]> {
  return db.selectFrom('zpb_agent_states').selectAll().orderBy('extension').orderBy('pbx').execute();
}

/** In one order for everybody, so that two bridges do not wait for each other. */
export async function putAgentStates(trx: Within, rows: readonly AgentStateRow[]): Promise<void> {
  const inOrder = [...rows].sort((a, b) => compare(a.extension, b.extension) || compare(a.pbx, b.pbx));
  for (const part of chunks(inOrder, ROWS_OF_A_STATEMENT)) {
    await trx
      .insertInto('zpb_agent_states')
      .values([...part])
      .onConflict((conflict) =>
        conflict
          .columns(['extension', 'pbx'])
          .doUpdateSet((eb) => ({
            state: eb.ref('excluded.state'),
            since: eb.ref('excluded.since'),
            set_by: eb.ref('excluded.set_by'),
          }))
          .whereRef('zpb_agent_states.since', '<=', 'excluded.since'),
      )
      .execute();
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
