import type { CallRecord } from './call-record.js';
import type { Outcome } from './outcome.js';

/**
 * Takes up each call. One that cannot go on, by damage or by a defect, must not keep the others from it: it is closed with what its
 * first keys say; if even that fails it is said to be over, and `reconcile` finds its row in Zammad.
 */
export function takeUpEach(records: readonly CallRecord[], takeUp: (record: CallRecord) => void): readonly Outcome[] {
  const tried = (record: CallRecord): boolean => {
    try {
      takeUp(record);
      return true;
    } catch {
      return false;
    }
  };
  return records
    .filter((record) => !tried(record) && !tried({ ...record, version: 0 }))
    .flatMap(({ id: callId, root, ordinal }): readonly Outcome[] => [
      { kind: 'note', callId, text: 'its record cannot be read: it is given up' },
      { kind: 'call', callId, root, ordinal },
    ]);
}
