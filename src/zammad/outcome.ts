/** How one request to Zammad came out. Data, not exceptions: every one of these is part of ordinary life. */
import type { Direction, Millis } from '../call/vocabulary.js';
import type { Reply } from './reply.js';

export type Outcome =
  /** 2xx: Zammad has taken it. */
  | { readonly kind: 'delivered'; readonly reply: Reply }
  /** newCall only: Zammad has a call with this id already. */
  | { readonly kind: 'exists' }
  /** 500 on answer or hangup: as a rule Zammad knows no such call, and nothing was changed. */
  | { readonly kind: 'unknownCall'; readonly message: string }
  /** Nothing will be taken until a person mends something; `message` says what and where. */
  | { readonly kind: 'held'; readonly message: string }
  /** Zammad will never take this very post. */
  | { readonly kind: 'refused'; readonly message: string }
  /** It surely was not processed: sending it again can do no harm. */
  | { readonly kind: 'notProcessed'; readonly message: string; readonly retryAfter?: Millis | undefined }
  /** Not a byte of it was sent, because this bridge may not speak for the PBX any more. Says nothing about Zammad. */
  | { readonly kind: 'notSent'; readonly message: string }
  /**
   * It was sent, and nobody can say whether it was processed. `silent`: no answer came (Zammad may be down);
   * `error`: Zammad answered with an error of its own.
   */
  | { readonly kind: 'unknownOutcome'; readonly cause: 'silent' | 'error'; readonly message: string };

/** What a look at Zammad's endpoint found, without telling it a call. */
export type ProbeResult =
  | { readonly kind: 'ok' }
  /** A person must mend something: token, URL, feature switched off. */
  | { readonly kind: 'held'; readonly message: string }
  | { readonly kind: 'down'; readonly message: string };

/** One row of Zammad's caller log. */
export interface LoggedCall {
  readonly callId: string;
  readonly state: string;
  /** False = on the list of open calls: it rings, or it was missed. */
  readonly done: boolean;
  /** What follows is missing where Zammad does not give it. */
  readonly direction?: Direction | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export type CallLogResult =
  | { readonly kind: 'calls'; readonly calls: readonly LoggedCall[] }
  /** No token, or it may not read the caller log. Asking again is useless. */
  | { readonly kind: 'denied'; readonly message: string }
  /** Time may mend it. */
  | { readonly kind: 'failed'; readonly message: string };
