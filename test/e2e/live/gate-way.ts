/** How the dialplan asks: which of its lines. */
export interface GateWay {
  /** Number of the DID that rings agent 100, and of the one that rings the group of 100 and 101. */
  readonly one: number;
  readonly group: number;
  /** What stands before an outside number. */
  readonly prefix: string;
}
export const BY_FAST_AGI: GateWay = { one: 703, group: 704, prefix: '6' };
export const BY_STASIS: GateWay = { one: 713, group: 714, prefix: '7' };
