import { adapter as definition } from '../../../adapters/asterisk-ami/index.js';
import { asPbxName } from '../../../src/call/vocabulary.js';
import { systemClock } from '../../../src/clock.js';
import { type Adapter, canOriginate, type Originates } from '../../../src/pbx/adapter.js';
import type { AsteriskProcess } from '../../lab/asterisk-process.js';
import { OPEN_GATE } from '../../support/open-gate.js';
import { silent } from '../../support/whole-bridge.js';

/** The context in which the lab's agents dial. */
export const DIALS = { context: 'from-internal' };

/** The adapter with a login of its own at a lab's Asterisk: to click with, beside the bridge that listens. Stop it at the end. */
export async function clickingAdapter(pbx: AsteriskProcess, dial: object = DIALS): Promise<Adapter & Originates> {
  const adapter = definition.create(
    {
      name: asPbxName('office'),
      log: silent,
      metrics: { count: () => undefined },
      clock: systemClock,
      gate: OPEN_GATE,
      emit: () => undefined,
    },
    definition.configSchema.parse({
      host: '127.0.0.1',
      port: pbx.ports.ami,
      username: 'bridge-dial',
      secret: pbx.secret,
      trunks: ['trunk'],
      dial,
    }),
  );
  if (!canOriginate(adapter)) throw new Error('it cannot originate');
  await adapter.start(new AbortController().signal);
  return adapter;
}
