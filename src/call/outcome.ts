import type { CallId, Post, ZammadName } from './vocabulary.js';

/** What the brain says. */
export type Outcome =
  /** To be delivered to these Zammads, in this order. `repeatable`: a second hangup of this call would do no harm. */
  | {
      readonly kind: 'post';
      readonly zammads: readonly ZammadName[];
      readonly post: Post;
      readonly repeatable: boolean;
    }
  /** Why something was done or not done, for people. */
  | { readonly kind: 'note'; readonly callId: CallId; readonly text: string };
