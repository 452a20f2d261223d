import { asCallId, type CallId, type LegId, type PbxName } from './vocabulary.js';

const LONGEST_CALL_ID = 250;

/** The id of a call: its PBX and the leg that started it. A leg's second call is `….2`, and so on. */
export function callIdOf(pbx: PbxName, root: LegId, ordinal: number): CallId {
  const suffix = ordinal === 1 ? '' : `.${String(ordinal)}`;
  return asCallId(`${`${pbx}-${root}`.slice(0, LONGEST_CALL_ID - suffix.length)}${suffix}`);
}
