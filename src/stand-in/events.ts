import type { CallRow } from './call-row.js';
import type { JournalEntry } from './journal.js';

/** What a stand-in tells its listeners, as it happens. */
export type StandInEvent =
  | { readonly type: 'row'; readonly row: CallRow }
  /** Comes for an entry when it opens, when more is known, and when it is closed. */
  | { readonly type: 'request'; readonly entry: JournalEntry }
  /** An inbound answer opened an agent's ticket screen. */
  | { readonly type: 'screen'; readonly agent: string; readonly row: CallRow }
  | { readonly type: 'cleared' };

export type Listener = (event: StandInEvent) => void;

/** Hands each event to every listener, in order. */
export class Announcer {
  readonly #listeners = new Set<Listener>();
  /** Returns the function that ends it. */
  readonly subscribe = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };
  tell(event: StandInEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
