import { Brain, type BrainSettings } from '../../src/call/brain.js';
import type { CallRecord } from '../../src/call/call-record.js';
import { createDirectory } from '../../src/call/directory.js';
import type { Outcome } from '../../src/call/outcome.js';
import type { Agent, CallSettings } from '../../src/call/settings.js';
import { asPbxName, asZammadName, type LegEvent, type LegId, type Post } from '../../src/call/vocabulary.js';
import { CALLS } from './brain-bench.js';

export interface LegBenchOptions {
  readonly agents: readonly Agent[];
  readonly calls?: Partial<CallSettings> | undefined;
}
/** A post, and when: ms of the recording's clock. */
export interface TimedPost {
  readonly t: number;
  readonly post: Post;
}

/** The brain behind an adapter's legs, fed by hand, and what a store would hold of it. */
export class LegBench {
  readonly posts: TimedPost[] = [];
  readonly notes: string[] = [];
  brain: Brain;
  now = 0;
  readonly #settings: BrainSettings;
  readonly #calls = new Map<string, string>();
  readonly #roots = new Map<LegId, number>();
  readonly #aftermath: LegId[] = [];

  constructor(options: LegBenchOptions) {
    const calls = { ...CALLS, ...options.calls };
    this.#settings = {
      journal: true,
      pbx: asPbxName('lab'),
      calls,
      filter: {},
      destinations: [{ name: asZammadName('main'), filter: {} }],
      directory: createDirectory(options.agents, [], calls.country),
    };
    this.brain = new Brain(this.#settings);
  }

  /** Lets time pass, with every tick that is due on the way. */
  until(at: number): this {
    for (;;) {
      const next = this.brain.nextTick();
      if (next === undefined || next > at) break;
      this.now = Math.max(this.now, next);
      this.#take(this.brain.tick(this.now));
    }
    this.now = Math.max(this.now, at);
    return this;
  }
  /** Hands one batch to the brain. */
  tell(batch: readonly LegEvent[]): this {
    this.#take(this.brain.apply(batch, this.now));
    return this;
  }
  /** The bridge dies, and another one goes on with what the store holds. */
  crash(): this {
    this.brain = new Brain(this.#settings);
    const roots = [...this.#roots].map(([root, count]) => ({ root, count }));
    this.#take(this.brain.restore({ calls: this.records(), roots, aftermath: this.#aftermath }, this.now));
    return this;
  }
  /** The calls that a store would hold now. */
  records(): readonly CallRecord[] {
    return [...this.#calls.values()].map((text) => JSON.parse(text) as CallRecord);
  }
  /** What is due at the end of a recording. */
  finish(): this {
    return this.until(this.now + 10_000);
  }

  #take(outcomes: ReturnType<Brain['apply']>): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'post') this.posts.push({ t: this.now, post: outcome.post });
      else if (outcome.kind === 'note') this.notes.push(outcome.text);
      else this.#keep(outcome);
    }
  }

  #keep({ callId, root, ordinal, record, aftermath = [] }: Extract<Outcome, { kind: 'call' }>): void {
    this.#roots.set(root, Math.max(ordinal, this.#roots.get(root) ?? 0));
    this.#aftermath.push(...aftermath);
    if (record === undefined) this.#calls.delete(callId);
    else this.#calls.set(callId, JSON.stringify(record));
  }
}
