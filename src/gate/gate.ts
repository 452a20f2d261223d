/**
 * Decides at the gate: asks every Zammad that is told of the call, and answers the PBX within the budget, whatever they do. No
 * reply in time = the call goes on. Knows no PBX and no HTTP.
 */
import type { Logger } from 'pino';
import type { GateDecision, RejectReason } from '../call/gate.js';
import type { CallId, Millis, NewCallPost, ZammadName } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import { Rejects } from './rejects.js';

/** What one Zammad says. */
export type GateAnswer =
  /** It has taken the call and wants nothing. */
  | { readonly kind: 'none' }
  /** It has said nothing that counts. `why` is for people. */
  | { readonly kind: 'silent'; readonly why: string }
  | { readonly kind: 'reject'; readonly reason: RejectReason }
  | { readonly kind: 'dial'; readonly callerId: string };

/** One Zammad that is asked. */
export interface GateQuestion {
  readonly zammad: ZammadName;
  readonly post: NewCallPost;
  /** Settles when it has answered, however late; never rejects. */
  readonly answer: Promise<GateAnswer>;
}

export interface GateCall {
  readonly callId: CallId;
  /** In the order of the configuration. */
  readonly questions: readonly GateQuestion[];
  /** Monotonic ms: the PBX is answered by then. */
  readonly deadline: Millis;
}

export type GateOutcome = 'continue' | 'reject' | 'dial' | 'timeout' | 'remembered';

export interface GateOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a number that Zammad rejected is rejected also while Zammad does not answer, ms; 0 = never. */
  readonly remember: Millis;
  readonly count: (
    name: 'gate_decisions_total' | 'gate_late_replies_total',
    labels: Readonly<Record<string, string>>,
  ) => void;
  /** A Zammad wants the call rejected, but the PBX has been answered already. */
  readonly onLateReject: (callId: CallId, reason: RejectReason) => void;
}

export class Gate {
  readonly #rejects: Rejects;

  constructor(private readonly options: GateOptions) {
    this.#rejects = new Rejects(options.remember);
  }

  /** Never rejects. Settles as soon as the answer is sure, at the deadline at the latest. */
  async decide(call: GateCall): Promise<GateDecision> {
    const { clock, count, log } = this.options;
    const began = clock.monotonic();
    const heard = new Map<ZammadName, GateAnswer>();
    const decided = await new Promise<'sure' | 'timeout'>((resolve) => {
      const cancel = clock.after(Math.max(0, call.deadline - began), () => {
        over = true;
        resolve('timeout');
      });
      let over = false;
      const settle = (): void => {
        if (over) return;
        const rejected = [...heard.values()].some(({ kind }) => kind === 'reject');
        if (!rejected && heard.size < call.questions.length) return;
        over = true;
        cancel();
        resolve('sure');
      };
      for (const { zammad, post, answer } of call.questions) {
        void answer.then((said) => {
          this.#learn(post, said);
          if (over) {
            this.#late(call.callId, said);
            return;
          }
          heard.set(zammad, said);
          settle();
        });
      }
      settle();
    });
    const { decision, outcome } = this.#weigh(call, heard, decided === 'timeout');
    count('gate_decisions_total', { outcome });
    const took = Math.round(clock.monotonic() - began);
    log.info({ callId: call.callId, outcome, ms: took }, `gate: ${outcome} for call ${call.callId} after ${took} ms`);
    return decision;
  }

  #weigh(
    { questions }: GateCall,
    heard: ReadonlyMap<ZammadName, GateAnswer>,
    late: boolean,
  ): { readonly decision: GateDecision; readonly outcome: GateOutcome } {
    const answers = questions.flatMap(({ zammad }) => heard.get(zammad) ?? []);
    for (const answer of answers) if (answer.kind === 'reject') return { decision: answer, outcome: 'reject' };
    for (const answer of answers) if (answer.kind === 'dial') return { decision: answer, outcome: 'dial' };
    const remembered = answers.some(({ kind }) => kind === 'none') ? undefined : this.#recall(questions[0]?.post);
    if (remembered !== undefined) return { decision: { kind: 'reject', reason: remembered }, outcome: 'remembered' };
    return { decision: { kind: 'continue' }, outcome: late ? 'timeout' : 'continue' };
  }

  #recall(post: NewCallPost | undefined): RejectReason | undefined {
    if (post?.direction !== 'in') return undefined;
    return this.#rejects.recall(post.from, this.options.clock.monotonic());
  }

  #learn({ direction, from }: NewCallPost, said: GateAnswer): void {
    if (direction !== 'in' || said.kind === 'silent') return;
    this.#rejects.learn(from, said.kind === 'reject' ? said.reason : undefined, this.options.clock.monotonic());
  }

  /** The PBX was answered before: a caller id comes too late for good, a reject may still end the call. */
  #late(callId: CallId, said: GateAnswer): void {
    const { count, onLateReject } = this.options;
    if (said.kind !== 'reject' && said.kind !== 'dial') return;
    count('gate_late_replies_total', { kind: said.kind });
    if (said.kind === 'reject') onLateReject(callId, said.reason);
  }
}
