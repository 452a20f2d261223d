import type { JournalEntry } from '../../src/stand-in/journal.js';
import type { StandIn } from '../../src/stand-in/stand-in.js';

/** A post as the stand-in saw it. Times: ms of the run's clock. */
export interface SeenPost {
  readonly seq: number;
  readonly event: 'newCall' | 'answer' | 'hangup';
  readonly callId: string;
  readonly arrived: number;
  /** When Zammad carried it out; undefined: never. */
  readonly processed: number | undefined;
  readonly entry: JournalEntry;
}

const EVENTS: ReadonlySet<string | undefined> = new Set(['newCall', 'answer', 'hangup']);

/** Listens to a stand-in and keeps every post with the times at which it came and was carried out. */
export class Evidence {
  readonly #posts = new Map<number, SeenPost>();
  readonly #arrived = new Map<number, number>();
  readonly #end: () => void;
  #changed: number;

  constructor(
    private readonly zammad: StandIn,
    private readonly now: () => number,
  ) {
    this.#changed = now();
    this.#end = zammad.subscribe((event) => {
      if (event.type === 'request') this.#take(event.entry);
    });
  }

  /** In the order in which they came. */
  posts(): readonly SeenPost[] {
    return [...this.#posts.values()].sort((a, b) => a.seq - b.seq);
  }

  /** When a request last came, or was answered. */
  get changed(): number {
    return this.#changed;
  }

  /** Requests that are being worked on. */
  get open(): number {
    return this.zammad.requests().filter(({ state }) => state === 'open').length;
  }

  close(): void {
    this.#end();
  }

  #take(entry: JournalEntry): void {
    const now = this.now();
    this.#changed = now;
    if (!this.#arrived.has(entry.seq)) this.#arrived.set(entry.seq, now);
    if (!EVENTS.has(entry.event) || entry.callId === undefined || entry.method !== 'POST') return;
    const before = this.#posts.get(entry.seq);
    this.#posts.set(entry.seq, {
      seq: entry.seq,
      event: entry.event as SeenPost['event'],
      callId: entry.callId,
      arrived: this.#arrived.get(entry.seq) ?? now,
      processed: before?.processed ?? (entry.processed ? now : undefined),
      entry,
    });
  }
}
