/**
 * Decides at the gate: asks every Zammad that is told of the call, and answers the PBX within the budget, whatever they do. No
 * reply in time = the call goes on. Knows no PBX and no HTTP.
 */
import type { Logger } from 'pino';
import type { GateDecision, RejectReason } from '../call/gate.js';
import { ANONYMOUS } from '../call/numbers.js';
import type { CallId, Millis, Post, ZammadName } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import { Rejects } from './rejects.js';

/** What one Zammad says. */
export type GateAnswer =
  /** It has taken the call and wants nothing. */
  | { readonly kind: 'none' }
  /** It has answered, and not so that one could understand it: the call goes on, and nothing is learnt of its caller. */
  | { readonly kind: 'odd' }
  /** It has said nothing. `why` is for people. */
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
  /** How long a number that a Zammad rejected is rejected also while that Zammad does not answer, ms; 0 = never. */
  readonly remember: Millis;
  readonly count: (
    name: 'gate_decisions_total' | 'gate_late_replies_total',
    labels: Readonly<Record<string, string>>,
    by?: number,
  ) => void;
  /** A Zammad wants the call rejected, but the PBX has been answered already. */
  readonly onLateReject: (callId: CallId, reason: RejectReason) => void;
}

interface Heard extends Pick<GateQuestion, 'zammad' | 'post'> {
  readonly said: GateAnswer;
}

interface Verdict {
  readonly decision: GateDecision;
  readonly outcome: GateOutcome;
  readonly heard: readonly Heard[];
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
    const { decision, outcome, heard } = await this.#hear(call);
    count('gate_decisions_total', { outcome });
    const took = Math.round(clock.monotonic() - began);
    const silent = heard.flatMap(({ zammad, said }) => (said.kind === 'silent' ? [`${zammad}: ${said.why}`] : []));
    log.info(
      { callId: call.callId, outcome, ms: took, ...(silent.length > 0 ? { silent } : {}) },
      `gate: ${outcome} for call ${call.callId} after ${took} ms`,
    );
    return decision;
  }

  /** What the Zammads say until one rejects, all have spoken, or the deadline comes; in the order of the configuration. */
  #hear({ callId, questions, deadline }: GateCall): Promise<Verdict> {
    const { clock } = this.options;
    let asked: readonly GateQuestion[] | undefined;
    const heard = new Map<ZammadName, GateAnswer>();
    let verdict: Verdict | undefined;
    return new Promise((resolve) => {
      const end = (late: boolean): void => {
        if (verdict !== undefined) return;
        cancel();
        const all = (asked ?? []).map(({ zammad, post }) => ({ zammad, post, said: heard.get(zammad) ?? NOTHING_YET }));
        verdict = { ...this.#weigh(all, late), heard: all };
        resolve(verdict);
      };
      const cancel = clock.after(Math.max(0, deadline - clock.monotonic()), () => {
        end(true);
      });
      const take = (question: GateQuestion, said: GateAnswer): void => {
        this.#learn(question, said);
        if (verdict !== undefined) {
          this.#late(callId, said, verdict.decision);
          return;
        }
        heard.set(question.zammad, said);
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
          if (all.length === 0) end(false);
        },
        () => {
          end(false);
        },
      );
    });
  }

  #weigh(all: readonly Heard[], late: boolean): Pick<Verdict, 'decision' | 'outcome'> {
    for (const { said } of all) if (said.kind === 'reject') return { decision: said, outcome: 'reject' };
    for (const { said } of all) if (said.kind === 'dial') return { decision: said, outcome: 'dial' };
    for (const { zammad, post, said } of all) {
      const reason = said.kind === 'silent' ? this.#recall(zammad, post) : undefined;
      if (reason !== undefined) return { decision: { kind: 'reject', reason }, outcome: 'remembered' };
    }
    return { decision: { kind: 'continue' }, outcome: late ? 'timeout' : 'continue' };
  }

  /** What a Zammad that is silent said of this caller the last time. */
  #recall(zammad: ZammadName, post: Post): RejectReason | undefined {
    return isSomebody(post) ? this.#rejects.recall(zammad, post.from, this.options.clock.monotonic()) : undefined;
  }

  #learn({ zammad, post }: GateQuestion, said: GateAnswer): void {
    if (!isSomebody(post) || said.kind === 'silent' || said.kind === 'odd') return;
    const reason = said.kind === 'reject' ? said.reason : undefined;
    this.#rejects.learn(zammad, post.from, reason, this.options.clock.monotonic());
  }

  /** The PBX was answered before: a caller id comes too late for good, a reject may still end a call that was let go on. */
  #late(callId: CallId, said: GateAnswer, decided: GateDecision): void {
    const { count, onLateReject } = this.options;
    if (decided.kind === 'reject' || (said.kind !== 'reject' && said.kind !== 'dial')) return;
    count('gate_late_replies_total', { kind: said.kind });
    if (said.kind === 'reject') onLateReject(callId, said.reason);
  }
}

/** Of one who withholds his number nothing can be remembered: the next one is somebody else. */
const isSomebody = ({ direction, from }: Post): boolean => direction === 'in' && from !== ANONYMOUS;
