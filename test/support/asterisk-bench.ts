import { trunkMatcher } from '../../adapters/asterisk-ami/channel-name.js';
import { AsteriskLegs } from '../../adapters/asterisk-ami/legs.js';
import type { AmiMessage } from '../../adapters/asterisk-ami/message.js';
import { Brain, type BrainSettings } from '../../src/call/brain.js';
import type { CallRecord } from '../../src/call/call-record.js';
import type { Outcome } from '../../src/call/outcome.js';
import { createDirectory } from '../../src/call/directory.js';
import type { Agent, CallSettings } from '../../src/call/settings.js';
import { asPbxName, asZammadName, type LegEvent, type LegId, type Post } from '../../src/call/vocabulary.js';
import { CALLS } from './brain-bench.js';

/** The agents of the PBX that was recorded. */
export const LAB_AGENTS: readonly Agent[] = [
  ['100', 'Alice Agent'],
  ['101', 'Bob Agent'],
  ['102', 'Carol Agent'],
  ['103', 'Dave Agent'],
  ['104', 'Erin Agent'],
  ['105', 'Frank Agent'],
  ['106', 'Grace Agent'],
].map(([extension = '', name = '']) => ({ extension, name, devices: [], phones: [] }));

export interface AsteriskBenchOptions {
  readonly trunks?: readonly string[];
  readonly agents?: readonly Agent[];
  readonly calls?: Partial<CallSettings>;
}
/** A post, and when: ms of the recording's clock. */
export interface TimedPost {
  readonly t: number;
  readonly post: Post;
}

/** Asterisk's legs and the brain behind them, fed by hand. */
export class AsteriskBench {
  readonly posts: TimedPost[] = [];
  readonly notes: string[] = [];
  brain: Brain;
  legs: AsteriskLegs;
  now = 0;
  readonly #isTrunk: ReturnType<typeof trunkMatcher>;
  readonly #settings: BrainSettings;
  /** What a store would hold. */
  readonly #calls = new Map<string, string>();
  readonly #roots = new Map<LegId, number>();
  readonly #aftermath: LegId[] = [];

  constructor(options: AsteriskBenchOptions = {}) {
    const calls = { ...CALLS, ...options.calls };
    this.#settings = {
      journal: true,
      pbx: asPbxName('lab'),
      calls,
      filter: {},
      destinations: [{ name: asZammadName('main'), filter: {} }],
      directory: createDirectory(options.agents ?? LAB_AGENTS, [], calls.country),
    };
    this.brain = new Brain(this.#settings);
    this.#isTrunk = trunkMatcher(options.trunks ?? ['trunk']);
    this.legs = new AsteriskLegs(this.#isTrunk);
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
  hear(message: AmiMessage, at = this.now): this {
    return this.until(at).tell(this.legs.push(message));
  }
  /** Hands one batch to the brain. */
  tell(batch: readonly LegEvent[]): this {
    this.#take(this.brain.apply(batch, this.now));
    return this;
  }
  /** The bridge dies, and another one goes on with what the store holds. */
  crash(): this {
    this.legs = new AsteriskLegs(this.#isTrunk);
    this.brain = new Brain(this.#settings);
    const calls = this.records();
    const roots = [...this.#roots].map(([root, count]) => ({ root, count }));
    this.#take(this.brain.restore({ calls, roots, aftermath: this.#aftermath }, this.now));
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
  /** The PBX answers the questions of a connect; item by item, as the adapter hands them on. */
  resync(bridges: readonly AmiMessage[], channels: readonly AmiMessage[], meanwhile: readonly AmiMessage[] = []): this {
    this.legs.beginSnapshot();
    for (const message of meanwhile) this.hear(message);
    for (const item of bridges) this.legs.bridgeItem(item);
    for (const item of channels) this.tell(this.legs.statusItem(item));
    return this.tell(this.legs.endSnapshot());
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
