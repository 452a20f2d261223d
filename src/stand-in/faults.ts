import { PermanentError } from '../errors.js';
import { faultRule, type FaultInput, type FaultKind, type FaultRule } from './fault-rules.js';

/** What a fault is looked up for. */
export interface FaultSubject {
  readonly event?: string | undefined;
  readonly callId?: string | undefined;
  readonly direction?: string | undefined;
  readonly reused: boolean;
}

export interface StandingFault {
  readonly id: number;
  readonly rule: FaultRule;
  /** Requests (or connections) it was considered for, those skipped included. */
  readonly matched: number;
  /** Requests (or connections) it met. */
  readonly hits: number;
}

/** At which point of a request a fault is looked for. */
export type FaultStage = 'connection' | 'head' | 'body';

const MAX_RULES = 1000;
const STAGES: Partial<Record<FaultKind, FaultStage | 'none'>> = {
  'accept-and-close': 'connection',
  'reset-before-body': 'head',
  'idle-close': 'none',
};

/** The faults that are ordered, in order: the first one that matches and is not used up meets the request. */
export class Faults {
  readonly #standing = new Map<number, { rule: FaultRule; matched: number; hits: number }>();
  readonly #random: () => number;
  readonly #changed: () => void;
  #lastId = 0;
  constructor(random: () => number, changed: () => void) {
    this.#random = random;
    this.#changed = changed;
  }

  /** Returns the fault's id. Throws a ZodError on a rule that makes no sense, a PermanentError when there are too many. */
  add(input: FaultInput): number {
    if (this.#standing.size >= MAX_RULES) {
      throw new PermanentError('ZPB_STAND_IN_FAULTS', `There are ${MAX_RULES} faults already; clear some first.`);
    }
    const rule = faultRule.parse(input);
    this.#lastId += 1;
    this.#standing.set(this.#lastId, { rule, matched: 0, hits: 0 });
    this.#changed();
    return this.#lastId;
  }

  remove(id: number): boolean {
    const there = this.#standing.delete(id);
    this.#changed();
    return there;
  }

  clear(): void {
    this.#standing.clear();
    this.#changed();
  }

  list(): readonly StandingFault[] {
    return Array.from(this.#standing, ([id, fault]) => ({ id, ...fault }));
  }

  /** How long a connection may idle, or undefined. */
  idleLimit(): number | undefined {
    for (const { rule } of this.#standing.values()) if (rule.kind === 'idle-close') return rule.ms;
    return undefined;
  }

  /** The fault that meets this request at this stage, counted. */
  take(stage: FaultStage, subject: FaultSubject): FaultRule | undefined {
    for (const fault of this.#standing.values()) {
      const { rule } = fault;
      if (rule.kind === 'idle-close' || (STAGES[rule.kind] ?? 'body') !== stage) continue;
      if (rule.times !== undefined && fault.hits >= rule.times) continue;
      if (!matches(rule, subject)) continue;
      fault.matched += 1;
      if (fault.matched <= rule.skip || this.#random() >= rule.probability) continue;
      fault.hits += 1;
      return rule;
    }
    return undefined;
  }
}

function matches(rule: Exclude<FaultRule, { kind: 'idle-close' }>, subject: FaultSubject): boolean {
  if (rule.reused !== undefined && rule.reused !== subject.reused) return false;
  if (rule.kind === 'accept-and-close' || rule.kind === 'reset-before-body') return true;
  return (
    (rule.event === undefined || rule.event === subject.event) &&
    (rule.callId === undefined || rule.callId === subject.callId) &&
    (rule.direction === undefined || rule.direction === subject.direction)
  );
}
