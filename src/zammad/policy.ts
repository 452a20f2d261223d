/**
 * What follows from the outcome of a request: the delivery rules, as pure functions. They are forced by Zammad's code:
 * a second newCall is harmless (500 "already exists"), a second answer moves times and opens the agent's ticket screen
 * again, and a second hangup of a missed call makes it vanish from the list of missed calls, for good.
 */
import type { Post } from '../call/vocabulary.js';
import type { CallLogResult, Outcome } from './outcome.js';

export type Next =
  /** Done with this post. */
  | { readonly do: 'delivered' }
  /** Give it up and list it for a person. */
  | { readonly do: 'dead'; readonly reason: string }
  /** Nobody can say; list it for a person and go on with the call's next post. */
  | { readonly do: 'unknown'; readonly reason: string }
  /** Surely not processed: send it again after a back-off. */
  | { readonly do: 'again'; readonly reason: string; readonly retryAfter?: number | undefined }
  /** Nothing was tried: when this bridge may speak for the PBX again. */
  | { readonly do: 'later'; readonly reason: string }
  /** Perhaps processed, but sending it again does no (or bearable) harm: after a back-off. */
  | { readonly do: 'resend'; readonly reason: string }
  /** Tell the call anew (newCall), then send this post. */
  | { readonly do: 'recreate'; readonly reason: string }
  /** The call was told anew: now send this post, at once. */
  | { readonly do: 'send' }
  /**
   * Look into Zammad's caller log: at once if the request was `answered`, else not before its own deadline, and it may show up there
   * even later.
   */
  | { readonly do: 'readBack'; readonly reason: string; readonly answered: boolean }
  /** The caller log does not show it, but it may still come: look again later. */
  | { readonly do: 'lookAgain'; readonly reason: string };

export interface Circumstances {
  readonly event: Post['event'];
  /** A second hangup does no harm: answered, outbound or forwarded. */
  readonly repeatable: boolean;
  /** There is an API token. */
  readonly canReadBack: boolean;
  /** Unknown outcomes of this post before this one. */
  readonly unknowns: number;
  /** An earlier attempt at it may have been processed. */
  readonly unsure: boolean;
}

/** After the post itself was sent. */
export function afterPost(outcome: Outcome, circumstances: Circumstances): Next {
  switch (outcome.kind) {
    case 'delivered':
    case 'exists':
      return { do: 'delivered' };
    case 'unknownCall':
      return { do: 'recreate', reason: outcome.message };
    case 'refused':
      // Perhaps because it is there already, said in words that are not known.
      if (circumstances.unsure)
        return { do: 'unknown', reason: `${outcome.message}. An earlier try may have been taken` };
      return { do: 'dead', reason: outcome.message };
    case 'held':
      return { do: 'again', reason: outcome.message };
    case 'notSent':
      return { do: 'later', reason: outcome.message };
    case 'notProcessed':
      return { do: 'again', reason: outcome.message, retryAfter: outcome.retryAfter };
    case 'unknownOutcome':
      return afterUnknown(outcome.message, circumstances, false);
  }
}

/** After newCall was sent again because Zammad answered 500 to an answer or hangup. */
export function afterRecreation(outcome: Outcome, circumstances: Circumstances): Next {
  switch (outcome.kind) {
    case 'delivered':
      return { do: 'send' };
    case 'exists':
      // So the call was known, and the 500 was Zammad's own: perhaps after it had saved the change. (Or it exists because of
      // our own newCall, whose answer was lost: nothing tells the two apart, and a second hangup could do harm.)
      return afterUnknown('Zammad knows the call and yet answered 500', circumstances, true);
    case 'refused':
      return { do: 'dead', reason: `The call is not known to Zammad and cannot be told again: ${outcome.message}` };
    case 'notSent':
      return { do: 'later', reason: outcome.message };
    case 'notProcessed':
    case 'held':
    case 'unknownCall':
    case 'unknownOutcome':
      return { do: 'recreate', reason: outcome.message };
  }
}

/**
 * After a look into the caller log for a hangup of unknown outcome.
 * @param final what is not there by now will not come any more.
 * @param repeatable a second hangup does no harm: where looking does not help, it is sent again.
 */
export function afterReadBack(result: CallLogResult, callId: string, final: boolean, repeatable: boolean): Next {
  switch (result.kind) {
    case 'failed':
      return { do: 'readBack', reason: result.message, answered: false };
    case 'denied':
      return repeatable ? { do: 'resend', reason: result.message } : { do: 'unknown', reason: result.message };
    case 'calls': {
      const call = result.calls.find((candidate) => candidate.callId === callId);
      if (call === undefined) {
        const reason = 'The call is not among the newest rows of the caller log that the API token may see';
        return repeatable ? { do: 'resend', reason } : { do: 'unknown', reason };
      }
      if (call.state === 'hangup') return { do: 'delivered' };
      const reason = `The caller log says that the call is still in state ${quoted(call.state)}`;
      return final ? { do: 'again', reason } : { do: 'lookAgain', reason };
    }
  }
}

/**
 * A repeated answer moves the waiting time and opens the ticket screen again, which an agent can bear a few times; one that is
 * lost makes an answered call a missed one, for good.
 */
export const ANSWER_REPEATS = 8;

function afterUnknown(
  reason: string,
  { event, repeatable, canReadBack, unknowns }: Circumstances,
  answered: boolean,
): Next {
  switch (event) {
    case 'newCall':
      return { do: 'resend', reason };
    case 'answer':
      return unknowns < ANSWER_REPEATS ? { do: 'resend', reason } : { do: 'unknown', reason };
    case 'hangup':
      // Looking is better than repeating, also where a second hangup would only move times.
      if (canReadBack) return { do: 'readBack', reason, answered };
      return repeatable ? { do: 'resend', reason } : { do: 'unknown', reason };
  }
}

const quoted = (foreign: string): string => JSON.stringify(foreign.slice(0, 32));
