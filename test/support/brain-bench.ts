/** Feeds a brain by hand: the clock of the test is a number. */
import { Brain, type BrainHeritage, type BrainSettings } from '../../src/call/brain.js';
import { VERSION, type CallRecord } from '../../src/call/call-record.js';
import type { GateOpening, GateRequest } from '../../src/call/gate.js';
import { checkedRecord } from '../../src/call/record-shape.js';
import type { Outcome } from '../../src/call/outcome.js';
import { createDirectory } from '../../src/call/directory.js';
import type { Agent, CallSettings, Destination, Did, Filter } from '../../src/call/settings.js';
import {
  asConversationId,
  asLegId,
  asPbxName,
  asZammadName,
  type CallId,
  type LegEvent,
  type LegId,
  type Post,
  type ZammadName,
} from '../../src/call/vocabulary.js';

export const AGENTS: readonly Agent[] = [
  { extension: '100', name: 'Alice Agent', devices: ['PJSIP/alice'], phones: ['+491711111111'] },
  { extension: '101', name: 'Bob Agent', devices: [], phones: [] },
  { extension: '102', name: 'Carol Agent', devices: [], phones: [] },
];
export const CALLS: CallSettings = {
  country: 'DE',
  newCall: 'ringing',
  answerAgain: true,
  sendQueue: false,
  reportConsultations: true,
  maxSilence: 4 * 3_600_000,
};

export interface BenchOptions {
  readonly calls?: Partial<CallSettings>;
  readonly filter?: Filter;
  readonly destinations?: readonly Destination[];
  readonly dids?: readonly Did[];
  readonly agents?: readonly Agent[];
  readonly hasGate?: boolean;
}

/** One post as it went out: when, to whom, what. */
export interface Told {
  readonly at: number;
  readonly to: readonly ZammadName[];
  readonly post: Post;
  /** A PBX waits at its gate for the reply. */
  readonly gated: boolean;
}

/** A brain, its clock and what it said. */
export class BrainBench {
  brain: Brain;
  readonly told: Told[] = [];
  readonly notes: string[] = [];
  now = 0;
  readonly #settings: BrainSettings;
  readonly #calls = new Map<CallId, string>();
  readonly #roots = new Map<LegId, number>();
  readonly #aftermath: LegId[] = [];

  constructor(options: BenchOptions = {}) {
    const calls = { ...CALLS, ...options.calls };
    this.#settings = {
      journal: true,
      hasGate: options.hasGate ?? false,
      pbx: asPbxName('pbx'),
      calls,
      filter: options.filter ?? {},
      destinations: options.destinations ?? [{ name: asZammadName('main'), filter: {} }],
      directory: createDirectory(options.agents ?? AGENTS, options.dids ?? [], calls.country),
    };
    this.brain = new Brain(this.#settings);
  }

  /** The calls, roots and legs that a store would hold now. */
  heritage(): BrainHeritage {
    return {
      calls: [...this.#calls.values()].map(readRecord),
      roots: [...this.#roots].map(([root, count]) => ({ root, count })),
      aftermath: this.#aftermath,
    };
  }
  /** The bridge dies, and the next run, perhaps with other settings, goes on with what the store holds. */
  restart({
    heritage = this.heritage(),
    ...settings
  }: Partial<BrainSettings> & { heritage?: BrainHeritage } = {}): this {
    this.brain = new Brain({ ...this.#settings, ...settings });
    this.#note(this.brain.restore(heritage, this.now));
    return this;
  }

  /** Lets time pass until `at`, with every tick that is due on the way. */
  until(at: number): this {
    for (;;) {
      const next = this.brain.nextTick();
      if (next === undefined || next > at) break;
      this.now = Math.max(this.now, next);
      this.#note(this.brain.tick(this.now));
    }
    this.now = Math.max(this.now, at);
    return this;
  }
  /** One batch now. */
  say(...batch: LegEvent[]): this {
    this.#note(this.brain.apply(batch, this.now));
    return this;
  }
  /** A PBX asks at its gate. */
  ask(request: GateRequest): GateOpening {
    const opening = this.brain.gate(request, this.now);
    this.#note(opening.outcomes);
    return opening;
  }
  get events(): string[] {
    return this.told.map(({ post }) => post.event);
  }
  get last(): Post | undefined {
    return this.told.at(-1)?.post;
  }

  #note(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.kind === 'note') this.notes.push(outcome.text);
      else if (outcome.kind === 'post') this.told.push(toldOf(outcome, this.now));
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

const toldOf = (outcome: Extract<Outcome, { kind: 'post' }>, at: number): Told => ({
  at,
  to: outcome.zammads,
  post: outcome.post,
  gated: outcome.gated === true,
});

// ---- legs' events, short
const leg = asLegId;
export const customerIn = (
  id: string,
  from = '+4930123456',
  dialled = '+4930555200',
  extra: { withheld?: boolean | 'asked' } = {},
): LegEvent => ({
  type: 'appeared',
  leg: leg(id),
  line: { kind: 'trunk', name: 'trunk' },
  origin: 'incoming',
  from,
  dialled,
  ...extra,
});
export const trunkOut = (id: string, dialled: string, by?: string, from?: string): LegEvent => ({
  type: 'appeared',
  leg: leg(id),
  line: { kind: 'trunk', name: 'trunk' },
  origin: 'outgoing',
  dialled,
  from,
  ...(by === undefined ? {} : { by: leg(by) }),
});
export const phone = (
  id: string,
  extension: string,
  origin: 'incoming' | 'outgoing' = 'outgoing',
  device = `PJSIP/${extension}`,
): LegEvent => ({
  type: 'appeared',
  leg: leg(id),
  line: { kind: 'agent', extension, device },
  origin,
});
export const called = (id: string, by?: string): LegEvent => ({
  type: 'called',
  leg: leg(id),
  ...(by === undefined ? {} : { by: leg(by) }),
});
export const up = (id: string): LegEvent => ({ type: 'up', leg: leg(id) });
export const joined = (id: string, conversation: string): LegEvent => ({
  type: 'joined',
  leg: leg(id),
  conversation: asConversationId(conversation),
});
export const left = (id: string, conversation: string): LegEvent => ({
  type: 'left',
  leg: leg(id),
  conversation: asConversationId(conversation),
});
export const ended = (id: string, q850?: number, by: 'far' | 'pbx' | 'us' = 'pbx'): LegEvent => ({
  type: 'ended',
  leg: leg(id),
  by,
  ...(q850 === undefined ? {} : { q850 }),
});
export const snapshot = (...ids: string[]): LegEvent => ({ type: 'snapshot', legs: ids.map(leg) });

/** As the store does; whatever a brain has put into a record must pass. */
function readRecord(text: string): CallRecord {
  const record = checkedRecord(JSON.parse(text));
  if (record?.version !== VERSION) throw new Error(`a brain's own record is not of its shape: ${text}`);
  return record;
}
