/** What every store must do with agents' states; called by the contract of stores. */
import { expect, test } from '@jest/globals';
import type { AgentStates, KeptAgentState } from '../../src/store/agent-states.js';
import type { Desk } from '../../src/store/store.js';
import { OFFICE } from './store-rows.js';

export interface AgentStatesUnderTest {
  readonly states: () => AgentStates;
  /** Opens the store again; undefined: it does not outlive the process. */
  readonly reopen: () => Promise<AgentStates | undefined>;
  readonly desk: (() => Promise<Desk>) | undefined;
}

const own = (extension: string, since: number, more: Partial<KeptAgentState> = {}): KeptAgentState => ({
  extension,
  pbx: undefined,
  state: 'do-not-disturb',
  since,
  by: 'api',
  ...more,
});

const inOrder = async (states: AgentStates): Promise<readonly KeptAgentState[]> =>
  [...(await states.all())].sort((a, b) =>
    `${a.extension} ${a.pbx ?? ''}` < `${b.extension} ${b.pbx ?? ''}` ? -1 : 1,
  );

export function describeAgentStates(made: () => AgentStatesUnderTest): void {
  test('come back as they were kept, the own one beside what each PBX says, also when the store is opened again', async () => {
    const { states, reopen } = made();
    expect(await states().all()).toEqual([]);
    const kept = [
      own('100', 1_800_000_000_000),
      own('100', 1_800_000_000_001, { pbx: OFFICE, by: 'pbx', state: 'available' }),
    ];
    await states().put(kept);
    await states().put([]);
    expect(await inOrder(states())).toEqual(kept);
    const again = await reopen();
    if (again !== undefined) expect(await inOrder(again)).toEqual(kept);
  });

  test('the newest word counts, whoever writes it last', async () => {
    const { states } = made();
    await states().put([own('100', 20)]);
    await states().put([own('100', 10, { state: 'available' }), own('101', 10)]);
    expect(await inOrder(states())).toEqual([own('100', 20), own('101', 10)]);
    await states().put([own('100', 20, { state: 'available', by: 'page' })]);
    expect(await inOrder(states())).toEqual([own('100', 20, { state: 'available', by: 'page' }), own('101', 10)]);
  });

  test('many at once', async () => {
    const { states } = made();
    const many = Array.from({ length: 450 }, (_, index) => own(`a${index}`, index + 1));
    await states().put(many);
    expect(await states().all()).toHaveLength(450);
  });

  test('are seen and set from outside, where the store can be seen', async () => {
    const { states, desk } = made();
    if (desk === undefined) return;
    const outside = await desk();
    try {
      await states().put([own('100', 10)]);
      expect(await outside.agentStates.all()).toEqual([own('100', 10)]);
      await outside.agentStates.put([own('100', 11, { state: 'available', by: 'cli' })]);
      expect(await states().all()).toEqual([own('100', 11, { state: 'available', by: 'cli' })]);
    } finally {
      await outside.close();
    }
  });
}
