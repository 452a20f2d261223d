/** How long the brain waits for what, ms. */
import type { Call } from './call.js';
import type { CallRecord } from './call-record.js';
import type { CallSettings } from './settings.js';
import type { Millis } from './vocabulary.js';

/** After the first phone is called: how long the others of a ring group are waited for. */
export const RING_GROUP_WINDOW: Millis = 150;
/** An inbound call that reaches no phone is told so long after its arrival. */
export const UNRUNG_LIMIT: Millis = 3_000;
/** Where calls are told on arrival, and the PBX may ask before any phone rings: how long it is waited whether it does. What is told already is not asked about. */
export const GATE_WINDOW: Millis = 250;
/** How long an inbound call is kept back until it is known whether the caller wants his number shown. */
export const IDENTITY_LIMIT: Millis = 250;
/** An outbound call whose way out failed is over, unless its caller tries another way until then. */
export const FAILOVER_WINDOW: Millis = 250;
/** Events of different legs come in any order, but not so much later. */
export const ORPHAN_LIMIT: Millis = 2_000;
/** After a restart: how long an outbound call that was looking for a way out waits for the PBX to be heard again. */
const RESTORED_CLOSE_LIMIT: Millis = 10_000;

/** When a call is to be told that an earlier run has left untold, and when one is over that was looking for a way out. */
export function windowsOf(
  record: CallRecord,
  { newCall }: Pick<CallSettings, 'newCall'>,
  now: Millis,
): Partial<Pick<Call, 'announceAt' | 'groupAt' | 'closeAt'>> {
  const closeAt = record.closing ? { closeAt: now + RESTORED_CLOSE_LIMIT } : {};
  if (!record.unannounced) return closeAt;
  if (record.phones.length > 0) {
    return { ...closeAt, announceAt: now + RING_GROUP_WINDOW, groupAt: now + RING_GROUP_WINDOW };
  }
  const atOnce = newCall === 'arrival' || record.direction === 'out';
  return { ...closeAt, announceAt: atOnce ? now : now + UNRUNG_LIMIT };
}
