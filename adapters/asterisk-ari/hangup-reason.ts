import type { RejectReason } from '../../src/pbx/adapter.js';
import type { AriQuery } from './rest-contract.js';

/** ARI's words for Q.850 causes: known to Asterisk 16 and later, which all give the same SIP status for them (measured). */
const WORDS: ReadonlyMap<number, string> = new Map([
  [1, 'unallocated'],
  [16, 'normal'],
  [17, 'busy'],
  [19, 'no_answer'],
  [21, 'rejected'],
  [26, 'answered_elsewhere'],
  [34, 'congestion'],
  [38, 'failure'],
]);

/** The query of a DELETE. `reason_code` is of Asterisk 17 and later: before, such a cause is told as 16. */
export function hangUpQuery(q850: number): AriQuery {
  const reason = WORDS.get(q850);
  return reason === undefined ? { reason_code: q850 } : { reason };
}

/** What a rejected caller's phone is told: SIP 486, 480, 503, 404. */
export const REJECT_CAUSE: Readonly<Record<RejectReason, number>> = {
  busy: 17,
  noAnswer: 19,
  congestion: 34,
  notFound: 1,
};
