import { adapter as ami } from '../../../adapters/asterisk-ami/index.js';
import { adapter as ari } from '../../../adapters/asterisk-ari/index.js';
import { asPbxName } from '../../../src/call/vocabulary.js';
import { systemClock } from '../../../src/clock.js';
import { type Adapter, type AdapterContext, canOriginate, type Originates } from '../../../src/pbx/adapter.js';
import type { AsteriskProcess } from '../../lab/asterisk-process.js';
import { OPEN_GATE } from '../../support/open-gate.js';
import { silent } from '../../support/whole-bridge.js';

/** The context in which the lab's agents dial. */
export const DIALS = { context: 'from-internal' };

/** The adapter with a login, or an application, of its own at a lab's Asterisk: to click with, beside the bridge that listens. Stop it at the end. */
export async function clickingAdapter(
  pbx: AsteriskProcess,
  over: 'ami' | 'ari',
  dial: object = DIALS,
): Promise<Adapter & Originates> {
  const context: AdapterContext = {
    name: asPbxName('office'),
    log: silent,
    metrics: { count: () => undefined },
    clock: systemClock,
    gate: OPEN_GATE,
    emit: () => undefined,
  };
  const common = { host: '127.0.0.1', secret: pbx.secret, trunks: ['trunk'], dial };
  const overAmi = { ...common, port: pbx.ports.ami, username: 'bridge-dial' };
  const overAri = { ...common, port: pbx.ports.ari, username: 'bridge', app: 'clicks' };
  const adapter =
    over === 'ami'
      ? ami.create(context, ami.configSchema.parse(overAmi))
      : ari.create(context, ari.configSchema.parse(overAri));
  if (!canOriginate(adapter)) throw new Error('it cannot originate');
  await adapter.start(new AbortController().signal);
  return adapter;
}
