/** The newCall of each call that lives, in case Zammad turns out not to know it (a 500 on its answer or hangup). */
import type { CallId, NewCallPost, PbxName, Post } from '../call/vocabulary.js';
import type { OutboxItem } from '../store/outbox.js';

interface Remembered {
  readonly pbx: PbxName;
  readonly newCall: NewCallPost;
  /** Why Zammad would not take it: nothing that follows can be delivered either. */
  refused?: string | undefined;
}

export class RememberedCalls {
  readonly #calls = new Map<CallId, Remembered>();
  readonly #limit: number;

  /** Beyond `limit` the oldest is forgotten; its newCall is then rebuilt from what answer and hangup carry. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#calls.size;
  }

  remember(pbx: PbxName, newCall: NewCallPost): void {
    if (this.#calls.has(newCall.callId)) return;
    this.#calls.set(newCall.callId, { pbx, newCall });
    if (this.#calls.size <= this.#limit) return;
    const oldest = this.#calls.keys().next();
    if (oldest.done !== true) this.#calls.delete(oldest.value);
  }

  /** As the store has it: with why it was given up, if it was. Other posts than newCalls are passed over. */
  recall({ pbx, post, state, reason }: OutboxItem): void {
    if (post.event !== 'newCall') return;
    this.remember(pbx, post);
    if (state === 'dead') this.refused(post.callId, reason ?? 'given up');
  }

  refused(callId: CallId, reason: string): void {
    const call = this.#calls.get(callId);
    if (call !== undefined) call.refused = reason;
  }

  /** It is in Zammad, or to be tried again: what follows may be sent. */
  notRefused(callId: CallId): void {
    const call = this.#calls.get(callId);
    if (call !== undefined) call.refused = undefined;
  }

  whyRefused(callId: CallId): string | undefined {
    return this.#calls.get(callId)?.refused;
  }

  forget(callId: CallId): void {
    this.#calls.delete(callId);
  }

  /** Another bridge goes on with them. */
  forgetAll(pbx: PbxName): void {
    for (const [callId, call] of this.#calls) if (call.pbx === pbx) this.#calls.delete(callId);
  }

  /** The newCall of the call that `post` belongs to: as it was, or rebuilt (without queue and the phones that rang). */
  newCallOf(post: Post): NewCallPost {
    const known = this.#calls.get(post.callId)?.newCall;
    if (known !== undefined) return known;
    if (post.event === 'newCall') return post;
    const { callId, direction, from, to } = post;
    const user = post.event === 'answer' && post.user !== undefined ? [post.user] : [];
    return { event: 'newCall', callId, direction, from, to, user };
  }
}
