/** How the dialplan asks: which of its lines. */
export interface GateWay {
  /** Number of the DID that rings agent 100, and of the one that rings the group of 100 and 101. */
  readonly one: number;
  readonly group: number;
  /** What stands before an outside number. */
  readonly prefix: string;
  /** How the bridge writes down for how long it held a call, ms. */
  readonly held: RegExp;
}
export const BY_FAST_AGI: GateWay = {
  one: 703,
  group: 704,
  prefix: '6',
  held: /gate: \w+ for call \S+ after (\d+) ms/g,
};
export const BY_STASIS: GateWay = { one: 713, group: 714, prefix: '7', held: /a call was held for (\d+) ms/g };
