/** The newCall of each call that lives, in case Zammad turns out not to know it (a 500 on its answer or hangup). */
import type { CallId, NewCallPost, Post } from '../call/vocabulary.js';

interface Remembered {
  readonly newCall: NewCallPost;
  /** Why Zammad would not take it: nothing that follows can be delivered either. */
  refused?: string;
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

  remember(newCall: NewCallPost): void {
    if (this.#calls.has(newCall.callId)) return;
    this.#calls.set(newCall.callId, { newCall });
    if (this.#calls.size <= this.#limit) return;
    const oldest = this.#calls.keys().next();
    if (oldest.done !== true) this.#calls.delete(oldest.value);
  }

  refused(callId: CallId, reason: string): void {
    const call = this.#calls.get(callId);
    if (call !== undefined) call.refused = reason;
  }

  whyRefused(callId: CallId): string | undefined {
    return this.#calls.get(callId)?.refused;
  }

  forget(callId: CallId): void {
    this.#calls.delete(callId);
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
