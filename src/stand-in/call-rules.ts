/** What an admin sets in Zammad for its CTI integration: the block list, and the caller ids of outbound calls. */
export interface CallRules {
  /** Inbound: `from` exactly equal to one of these is rejected. */
  readonly blockList: readonly string[];
  /** Outbound: the first row whose `dest` matches `to` gives the caller id. `*` = one or more characters; else a regex. */
  readonly routingTable: readonly { readonly dest: string; readonly callerId: string }[];
  /** Outbound, when no row matches; '' = none. */
  readonly defaultCallerId: string;
  /** The key in the reply: real Zammad says `caller_id`, one example of its public documentation `callerId`. */
  readonly callerIdKey: 'caller_id' | 'callerId';
}

/** Exact text: `+49…` does not match `49…`. A number that came as a JSON number matches nothing. */
export const isBlocked = (rules: CallRules, from: unknown): boolean =>
  typeof from === 'string' && rules.blockList.includes(from);

/** The caller id for a number dialled; undefined = none set. Throws SyntaxError on a broken pattern, as Zammad does. */
export function callerIdFor(rules: CallRules, to: string): string | undefined {
  for (const { dest, callerId } of rules.routingTable) {
    // The group keeps the anchor apart, so that `+41*` repeats the anchor as Ruby does and matches 4147, not +4147.
    if (new RegExp(`(?:^)${dest.replaceAll('*', '.+?')}$`, 'm').test(to)) return callerId;
  }
  return rules.defaultCallerId === '' ? undefined : rules.defaultCallerId;
}
