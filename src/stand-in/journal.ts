import type { Clock } from '../clock.js';
import type { FaultKind } from './fault-rules.js';
import type { ParamMap } from './parameters.js';

/** One request, from its head to its end. */
export interface JournalEntry {
  readonly seq: number;
  /** Arrival, ms since 1970. */
  readonly at: number;
  readonly method: string;
  /** Without the token. */
  readonly path: string;
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
  /** As Zammad understood them; absent when unreadable or over 16 KiB. */
  readonly params?: ParamMap | undefined;
  /** newCall, answer, hangup, or whatever was sent; `log` and `done` for an agent's requests. */
  readonly event?: string | undefined;
  readonly callId?: string | undefined;
  /** It came while another post of the same call was still being worked on. */
  readonly overlapped: boolean;
  /** The fault it met. */
  readonly fault?: FaultKind | undefined;
  /** It reached Zammad's own code. */
  readonly processed: boolean;
  /** What a post did, whatever the client was told: Zammad took it. */
  readonly accepted: boolean;
  readonly state: 'open' | 'replied' | 'cut' | 'client-gone';
  /** What was sent, or would have been had the client stayed; null = no status line was sent. */
  readonly status: number | null;
  /** Body of the reply, at most 1024 characters. */
  readonly reply: string;
  /** From the head to the end, ms; null while it is open. */
  readonly took: number | null;
}

export type JournalPatch = Partial<Omit<JournalEntry, 'seq' | 'at' | 'took'>>;

const MAX_PARAMS = 16 * 1024;
const MAX_REPLY = 1024;

/** The newest requests, in the order in which they came. */
export class Journal {
  readonly #entries = new Map<number, JournalEntry>();
  readonly #begun = new Map<number, number>();
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #changed: (entry: JournalEntry) => void;
  #lastSeq = 0;
  constructor(limit: number, clock: Clock, changed: (entry: JournalEntry) => void) {
    this.#limit = limit;
    this.#clock = clock;
    this.#changed = changed;
  }

  list(): readonly JournalEntry[] {
    return [...this.#entries.values()];
  }

  clear(): void {
    this.#entries.clear();
  }

  open(request: Pick<JournalEntry, 'method' | 'path' | 'contentType' | 'accept' | 'event'>): number {
    this.#lastSeq += 1;
    const seq = this.#lastSeq;
    this.#begun.set(seq, this.#clock.monotonic());
    const blank = {
      overlapped: false,
      processed: false,
      accepted: false,
      state: 'open',
      status: null,
      reply: '',
      took: null,
    } as const;
    this.#store({ seq, at: this.#clock.wall(), ...request, ...blank });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limit) break;
      this.#entries.delete(oldest);
    }
    return seq;
  }

  /** Adds what has become known. An entry that fell out meanwhile stays out. */
  note(seq: number, patch: JournalPatch): void {
    const entry = this.#entries.get(seq);
    if (entry === undefined) return;
    const params =
      patch.params !== undefined && JSON.stringify(patch.params).length > MAX_PARAMS ? undefined : patch.params;
    this.#store({ ...entry, ...patch, ...(patch.params === undefined ? {} : { params }) });
  }

  close(seq: number, state: Exclude<JournalEntry['state'], 'open'>, status: number | null, reply: string): void {
    const begun = this.#begun.get(seq);
    this.#begun.delete(seq);
    const entry = this.#entries.get(seq);
    if (entry === undefined || begun === undefined) return;
    const took = this.#clock.monotonic() - begun;
    this.#store({ ...entry, state, status, reply: reply.slice(0, MAX_REPLY), took });
  }

  #store(entry: JournalEntry): void {
    this.#entries.set(entry.seq, entry);
    this.#changed(entry);
  }
}
