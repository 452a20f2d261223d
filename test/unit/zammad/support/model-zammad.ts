/**
 * A Zammad in memory that keeps the rows of its caller log as the real one does (facts: cti/log.rb), behind the client's
 * interface, with faults to order.
 */
import type { CallId, Post } from '../../../../src/call/vocabulary.js';
import type { RequestOptions, ZammadClient } from '../../../../src/zammad/client.js';
import type { CallLogResult, Outcome, ProbeResult } from '../../../../src/zammad/outcome.js';
import type { Reply } from '../../../../src/zammad/reply.js';
import type { ManualClock } from '../../../support/manual-clock.js';

export type Fault =
  | 'none'
  /** Does not reach it. */
  | 'refusedConnection'
  /** Reaches it, is processed, and the answer is lost. */
  | 'answerLost'
  /** Reaches something, is not processed, and no answer comes. */
  | 'swallowed'
  /** Reaches it, no answer comes, and it is processed `lateBy` ms after it came. */
  | 'late'
  /** 500 after the change was saved. */
  | 'errorAfterSave'
  | 'tokenWrong'
  | 'refused';

export interface Row {
  state: 'newCall' | 'answer' | 'hangup';
  done: boolean;
  /** What changed the row, in order. */
  readonly history: Post['event'][];
}

export class ModelZammad implements ZammadClient {
  readonly rows = new Map<CallId, Row>();
  /** Every request that was made, in order. */
  readonly sent: { readonly post: Post; readonly at: number; readonly options: RequestOptions }[] = [];
  readonly callLogReads: number[] = [];
  probes = 0;
  /** Most requests under way at once, and for one call. */
  most = 0;
  mostPerCall = 0;
  canReadBack = false;
  lateBy = 15_000;
  /** ms one request takes. */
  latency = 20;
  /** Decides the fate of the n-th request (0, 1, …). */
  fault: (post: Post, n: number) => Fault = () => 'none';
  probeResult: () => ProbeResult = () => ({ kind: 'ok' });
  callLogResult: () => CallLogResult | undefined = () => undefined;
  reply: Reply = { kind: 'none' };
  readonly #clock: ManualClock;
  readonly #underWay = new Map<CallId, number>();
  #busy = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  events(callId?: string): readonly string[] {
    return this.sent.filter(({ post }) => callId === undefined || post.callId === callId).map(({ post }) => post.event);
  }

  async post(post: Post, options: RequestOptions): Promise<Outcome> {
    if (options.mayBegin?.() === false) return { kind: 'notSent', message: 'fenced' };
    const n = this.sent.push({ post, at: this.#clock.monotonic(), options }) - 1;
    const fault = this.fault(post, n);
    const perCall = (this.#underWay.get(post.callId) ?? 0) + 1;
    this.#underWay.set(post.callId, perCall);
    this.#busy += 1;
    this.most = Math.max(this.most, this.#busy);
    this.mostPerCall = Math.max(this.mostPerCall, perCall);
    const lost = fault === 'answerLost' || fault === 'swallowed' || fault === 'late';
    if (fault === 'late') this.#clock.after(this.lateBy, () => this.#process(post));
    const halfway = fault === 'none' || fault === 'answerLost' || fault === 'errorAfterSave';
    await this.#wait(this.latency / 2, options.signal);
    const outcome = halfway && options.signal?.aborted !== true ? this.#process(post) : undefined;
    await this.#wait(lost ? options.timeout - this.latency / 2 : this.latency / 2, options.signal);
    this.#busy -= 1;
    this.#underWay.set(post.callId, perCall - 1);
    if (options.signal?.aborted === true) return { kind: 'unknownOutcome', cause: 'silent', message: 'stopped' };
    switch (fault) {
      case 'none':
        return outcome ?? { kind: 'exists' };
      case 'refusedConnection':
        return { kind: 'notProcessed', message: 'connection refused' };
      case 'answerLost':
      case 'swallowed':
      case 'late':
        return { kind: 'unknownOutcome', cause: 'silent', message: 'no answer' };
      case 'errorAfterSave':
        if (outcome?.kind === 'exists') return outcome;
        return post.event === 'newCall'
          ? { kind: 'unknownOutcome', cause: 'error', message: '500' }
          : { kind: 'unknownCall', message: '500' };
      case 'tokenWrong':
        return { kind: 'held', message: 'the token is wrong' };
      case 'refused':
        return { kind: 'refused', message: 'status 400' };
    }
  }

  async reach(options: RequestOptions): Promise<ProbeResult> {
    return this.probe(options);
  }

  async probe({ signal }: RequestOptions): Promise<ProbeResult> {
    this.probes += 1;
    await this.#wait(this.latency, signal);
    if (signal?.aborted === true) return { kind: 'down', message: 'stopped' };
    return this.probeResult();
  }

  async callLog({ signal }: RequestOptions): Promise<CallLogResult> {
    this.callLogReads.push(this.#clock.monotonic());
    await this.#wait(this.latency, signal);
    if (signal?.aborted === true) return { kind: 'failed', message: 'stopped' };
    const calls = [...this.rows].map(([callId, { state, done }]) => ({ callId, state, done }));
    return this.callLogResult() ?? { kind: 'calls', calls };
  }

  close(): void {
    // Holds nothing.
  }

  #process(post: Post): Outcome {
    const row = this.rows.get(post.callId);
    if (post.event === 'newCall') {
      if (row !== undefined) return { kind: 'exists' };
      this.rows.set(post.callId, { state: 'newCall', done: post.direction === 'out', history: ['newCall'] });
      return { kind: 'delivered', reply: this.reply };
    }
    if (row === undefined) return { kind: 'unknownCall', message: '500' };
    if (post.event === 'answer' && row.state === 'hangup') return { kind: 'delivered', reply: { kind: 'none' } };
    row.history.push(post.event);
    row.done = post.event === 'answer' || post.direction === 'out' || row.state !== 'newCall';
    row.state = post.event;
    return { kind: 'delivered', reply: { kind: 'none' } };
  }

  #wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      signal?.addEventListener('abort', done);
    });
  }
}
