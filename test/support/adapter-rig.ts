/** The Asterisk adapter before a fake Asterisk that answers as the test says. */
import { adapter as definition } from '../../adapters/asterisk-ami/index.js';
import { asPbxName, type LegEvent } from '../../src/call/vocabulary.js';
import type { Clock } from '../../src/clock.js';
import type { Adapter, GatePort, Hearing } from '../../src/pbx/adapter.js';
import { type Answer, FakeAmi, type ReceivedAction } from './fake-ami.js';
import { silent } from './whole-bridge.js';
import { OPEN_GATE } from './open-gate.js';

/**
 * What is answered, by the action's name in lower case; without an entry: no channel, no bridge, permission denied. A test may
 * change it at any time.
 */
export type Answers = Record<string, (action: ReceivedAction) => Answer>;

export const NOTHING_THERE: Answers = {
  status: () => ({ items: [], complete: 'StatusComplete' }),
  bridgelist: () => ({ items: [], complete: 'BridgeListComplete' }),
};

export interface AdapterRig {
  readonly asterisk: FakeAmi;
  readonly adapter: Adapter;
  /** What the adapter said, in order. */
  readonly events: LegEvent[];
  /** What it counted. */
  readonly counted: ReadonlyMap<string, number>;
  readonly start: () => Promise<Hearing>;
}

const opened: AdapterRig[] = [];

/** Not started yet. `closeAdapterRigs` ends it. */
export async function adapterRig(
  answers: Answers,
  settings: object,
  clock: Clock,
  gate: GatePort = OPEN_GATE,
): Promise<AdapterRig> {
  const asterisk = await FakeAmi.start({
    answer: (action) => ({ ...NOTHING_THERE, ...answers })[action.name]?.(action),
  });
  const events: LegEvent[] = [];
  const counted = new Map<string, number>();
  const adapter = definition.create(
    {
      name: asPbxName('pbx'),
      log: silent,
      metrics: { count: (name, by = 1) => void counted.set(name, (counted.get(name) ?? 0) + by) },
      clock,
      gate,
      emit: (batch) => void events.push(...batch),
    },
    definition.configSchema.parse({
      host: '127.0.0.1',
      port: asterisk.port,
      username: 'bridge',
      secret: 'right',
      ...settings,
    }),
  );
  const rig = { asterisk, adapter, events, counted, start: () => adapter.start(new AbortController().signal) };
  opened.push(rig);
  return rig;
}

/** For afterEach. */
export async function closeAdapterRigs(): Promise<void> {
  for (const { asterisk, adapter } of opened.splice(0)) {
    await adapter.stop();
    await asterisk.close();
  }
}
