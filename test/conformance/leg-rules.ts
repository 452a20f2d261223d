import type { LegEvent, LegId } from '../../src/call/vocabulary.js';

/**
 * What every stream of batches must keep to, whatever the PBX (docs/adapter-contract.md §3): returns one line for each breach.
 * `known`: the legs that may still be there from an earlier connection.
 */
export function breaches(batches: readonly (readonly LegEvent[])[]): string[] {
  const found: string[] = [];
  const there = new Set<LegId>();
  const over = new Set<LegId>();
  /** Named by a snapshot before they were told of. */
  const named = new Set<LegId>();
  const begun = (leg: LegId, what: string): void => {
    if (!there.has(leg)) found.push(`${what} of ${leg}, which ${over.has(leg) ? 'has ended' : 'never appeared'}`);
  };
  for (const batch of batches) {
    if (batch.length === 0) found.push('an empty batch');
    for (const event of batch) {
      switch (event.type) {
        case 'appeared':
          if (over.has(event.leg)) found.push(`appeared of ${event.leg}, which has ended: ids must never come again`);
          there.add(event.leg);
          break;
        case 'ended':
          // Idempotent: a second end is allowed, an end of what never was is not.
          if (!over.has(event.leg) && !named.has(event.leg)) begun(event.leg, event.type);
          there.delete(event.leg);
          over.add(event.leg);
          break;
        case 'replaced':
          begun(event.old, event.type);
          there.delete(event.old);
          over.add(event.old);
          there.add(event.new);
          break;
        case 'snapshot': {
          for (const leg of event.legs) {
            if (over.has(leg)) begun(leg, event.type);
            named.add(leg);
          }
          // What a snapshot lacks is over, told as ended or not.
          const present = new Set(event.legs);
          for (const leg of there) {
            if (present.has(leg)) continue;
            there.delete(leg);
            over.add(leg);
          }
          if (batch.at(-1) !== event) found.push('snapshot is not the last event of its batch');
          break;
        }
        case 'stopping':
        case 'availability':
        case 'availabilities':
          break;
        case 'called':
        case 'up':
        case 'joined':
        case 'left':
        case 'queued':
        case 'recorder':
          begun(event.leg, event.type);
          break;
      }
    }
  }
  return found;
}
