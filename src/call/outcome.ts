import type { CallRecord } from './call-record.js';
import type { CallId, LegId, Post, ZammadName } from './vocabulary.js';

/** What the brain says. */
export type Outcome =
  /** To be delivered to these Zammads, in this order. `repeatable`: a second hangup of this call would do no harm. */
  | {
      readonly kind: 'post';
      readonly zammads: readonly ZammadName[];
      readonly post: Post;
      readonly repeatable: boolean;
      /** A PBX waits at its gate for what is replied to this newCall. */
      readonly gated?: boolean;
    }
  /**
   * How a call is to be kept from now on; without `record` it is over, and `aftermath` are the legs that had a part in it and
   * still live: none of them begins a call of its own. Comes after the posts that it has caused.
   */
  | {
      readonly kind: 'call';
      readonly callId: CallId;
      readonly root: LegId;
      readonly ordinal: number;
      readonly record?: CallRecord | undefined;
      readonly aftermath?: readonly LegId[] | undefined;
    }
  /** Why something was done or not done, for people. */
  | { readonly kind: 'note'; readonly callId: CallId; readonly text: string };
