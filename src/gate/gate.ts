/**
 * Decides at the gate: asks every Zammad that is told of the call, and answers the PBX within the budget, whatever they do. No
 * reply in time = the call goes on. Knows no PBX and no HTTP.
 */
import type { Logger } from 'pino';
import type { GateDecision, RejectReason } from '../call/gate.js';
import type { CallId, Millis, Post, ZammadName } from '../call/vocabulary.js';
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
  readonly post: Post;
  /** Settles when it has answered, however late; never rejects. */
  readonly answer: Promise<GateAnswer>;
}

export interface GateCall {
  readonly callId: CallId;
  /** In the order of the configuration; they exist when the newCall is committed, which counts against the deadline too. */
  readonly questions: Promise<readonly GateQuestion[]>;
  /** Monotonic ms: the PBX is answered by then. */
  readonly deadline: Millis;
}

/** How a request came out. `pass`: there was nothing to ask; `fault`: a defect of this program. */
export type GateOutcome = 'continue' | 'reject' | 'dial' | 'timeout' | 'remembered' | 'pass' | 'emergency' | 'fault';

export interface GateOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a number that Zammad rejected is rejected also while Zammad does not answer, ms; 0 = never. */
  readonly remember: Millis;
  readonly count: (
    name: 'gate_decisions_total' | 'gate_late_replies_total',
    labels: Readonly<Record<string, string>>,
    by?: number,
  ) => void;
  /** A Zammad wants the call rejected, but the PBX has been answered already. */
  readonly onLateReject: (callId: CallId, reason: RejectReason) => void;
}

interface Heard {
  readonly answers: readonly { readonly post: Post; readonly said: GateAnswer }[];
  /** The deadline came first. */
  readonly late: boolean;
}

const NOTHING_YET: GateAnswer = { kind: 'silent', why: 'no reply in time' };

export class Gate {
  readonly #rejects: Rejects;

  constructor(private readonly options: GateOptions) {
    this.#rejects = new Rejects(options.remember);
  }

  /** Never rejects. Settles as soon as the answer is sure, at the deadline at the latest. */
  async decide(call: GateCall): Promise<GateDecision> {
    const { clock, count, log } = this.options;
    const began = clock.monotonic();
    const { answers, late } = await this.#hear(call);
    const { decision, outcome } = this.#weigh(answers, late);
    count('gate_decisions_total', { outcome });
    const took = Math.round(clock.monotonic() - began);
    log.info({ callId: call.callId, outcome, ms: took }, `gate: ${outcome} for call ${call.callId} after ${took} ms`);
    return decision;
  }

  /** What the Zammads say until one rejects, all have spoken, or the deadline comes; in the order of the configuration. */
  #hear({ callId, questions, deadline }: GateCall): Promise<Heard> {
    const { clock } = this.options;
    let asked: readonly GateQuestion[] | undefined;
    const heard = new Map<ZammadName, GateAnswer>();
    let over = false;
    return new Promise((resolve) => {
      const end = (late: boolean): void => {
        over = true;
        cancel();
        const answers = (asked ?? []).map(({ zammad, post }) => ({ post, said: heard.get(zammad) ?? NOTHING_YET }));
        resolve({ answers, late });
      };
      const cancel = clock.after(Math.max(0, deadline - clock.monotonic()), () => {
        end(true);
      });
      const take = ({ zammad, post }: GateQuestion, said: GateAnswer): void => {
        this.#learn(post, said);
        if (over) {
          this.#late(callId, said);
          return;
        }
        heard.set(zammad, said);
        if (said.kind === 'reject' || heard.size === asked?.length) end(false);
      };
      questions.then(
        (all) => {
          asked = all;
          for (const question of all) {
            void question.answer.then((said) => {
              take(question, said);
            });
          }
          if (all.length === 0 && !over) end(false);
        },
        () => {
          if (!over) end(false);
        },
      );
    });
  }

  #weigh(answers: Heard['answers'], late: boolean): { readonly decision: GateDecision; readonly outcome: GateOutcome } {
    for (const { said } of answers) if (said.kind === 'reject') return { decision: said, outcome: 'reject' };
    for (const { said } of answers) if (said.kind === 'dial') return { decision: said, outcome: 'dial' };
    const remembered = answers.some(({ said }) => said.kind === 'none') ? undefined : this.#recall(answers[0]?.post);
    if (remembered !== undefined) return { decision: { kind: 'reject', reason: remembered }, outcome: 'remembered' };
    return { decision: { kind: 'continue' }, outcome: late ? 'timeout' : 'continue' };
  }

  #recall(post: Post | undefined): RejectReason | undefined {
    if (post?.direction !== 'in') return undefined;
    return this.#rejects.recall(post.from, this.options.clock.monotonic());
  }

  #learn({ direction, from }: Post, said: GateAnswer): void {
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
