import { asPbxName, type PbxName } from '../../src/call/vocabulary.js';
import { MemoryAgentStates } from '../../src/store/memory-agent-states.js';
import { createMemoryStore } from '../../src/store/memory-store.js';
import { MemoryCredentials } from '../../src/store/memory-credentials.js';
import type { OutboxItem } from '../../src/store/outbox.js';
import type { Heritage, Lead, LedElsewhere, Store, StoreKind, Turn } from '../../src/store/store.js';

/** A lead that the test takes away, and whose commits it decides. */
export class ScriptedLead implements Lead {
  readonly #ended = new AbortController();
  readonly turns: Turn[] = [];
  until = Infinity;
  wanted = false;
  released = false;
  heritage: Heritage = { calls: [], roots: [], aftermath: [], posts: [], newCalls: [] };
  /** What the next commits come to. */
  onCommit: (turn: Turn) => Promise<readonly OutboxItem[]>;
  onLoad: () => Promise<Heritage> = () => Promise.resolve(this.heritage);
  #seq = 0;

  constructor(
    readonly pbx: PbxName = asPbxName('office'),
    readonly epoch = 1,
  ) {
    this.onCommit = ({ posts }) =>
      Promise.resolve(
        posts.map((post): OutboxItem => {
          this.#seq += 1;
          return { ...post, seq: this.#seq, state: 'waiting', attempts: 0 };
        }),
      );
  }
  get ended(): AbortSignal {
    return this.#ended.signal;
  }
  /** Another bridge has taken it. */
  lose(): void {
    this.#ended.abort();
  }
  load(): Promise<Heritage> {
    return this.onLoad();
  }
  commit(turn: Turn): Promise<readonly OutboxItem[]> {
    this.turns.push(turn);
    return this.onCommit(turn);
  }
  handedIn(): Promise<readonly OutboxItem[]> {
    return Promise.resolve([]);
  }
  knowledge(): Promise<readonly []> {
    return Promise.resolve([]);
  }
  drop(): Promise<void> {
    return Promise.resolve();
  }
  release(): Promise<void> {
    this.released = true;
    this.#ended.abort();
    return Promise.resolve();
  }
}

/** A store whose leads come as the test says. */
export class ScriptedStore implements Store {
  readonly credentials = new MemoryCredentials();
  readonly outbox = createMemoryStore().outbox;
  readonly agentStates = new MemoryAgentStates();
  readonly state = { state: 'ok' } as const;
  readonly unwritten = 0;
  asked = 0;

  constructor(
    readonly kind: StoreKind,
    private readonly script: (attempt: number, pbx: PbxName) => Lead | LedElsewhere | Error,
    private readonly names: readonly PbxName[] = [],
  ) {}
  lead(pbx: PbxName): Promise<Lead | LedElsewhere> {
    this.asked += 1;
    const what = this.script(this.asked, pbx);
    return what instanceof Error ? Promise.reject(what) : Promise.resolve(what);
  }
  pbxs(): Promise<readonly PbxName[]> {
    return Promise.resolve(this.names);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
