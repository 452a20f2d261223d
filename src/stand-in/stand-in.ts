import type { Clock } from '../clock.js';
import type { CallRow } from './call-row.js';
import type { Listener } from './events.js';
import type { Faults } from './faults.js';
import type { JournalEntry } from './journal.js';
import type { Person } from './phone-book.js';
import type { Settings } from './push-endpoint.js';

export interface StandInOptions extends Partial<Settings> {
  /** 0 or absent = any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** In the CTI URL; default `stand-in-token-0123456789a`, as long as a real one. */
  readonly token?: string;
  /** An agent's API token; without one nobody is let in. */
  readonly apiToken?: string;
  /** The API token of a user who is no agent: 403. */
  readonly weakApiToken?: string;
  /** Customers, and (with a login) agents, that Zammad knows. */
  readonly people?: readonly Person[];
  /** How long one post is worked on, one after another, ms. Default 0; a real Zammad takes about 30. */
  readonly processingTime?: number;
  readonly clock?: Clock;
  /** 0 ≤ x < 1, for Error IDs, sessions and faults with a probability. */
  readonly random?: () => number;
  readonly limits?: Partial<StandInLimits>;
}

export interface StandInLimits {
  /** Rows of the caller log; default 10,000. */
  readonly rows: number;
  /** Requests in the journal; default 10,000. */
  readonly requests: number;
  /** Pages that look on; default 100. */
  readonly clients: number;
  /** Bytes of a body; default 1 MiB. */
  readonly body: number;
  /** Connections at one time; default 1000. */
  readonly connections: number;
}

/** A running stand-in for Zammad. */
export interface StandIn {
  /** The full CTI URL, token included, as an admin would paste it. */
  readonly url: string;
  /** `http://127.0.0.1:12345`: the page, the agent's API. */
  readonly origin: string;
  readonly port: number;
  /** The caller log, oldest first. */
  readonly log: () => readonly CallRow[];
  /** The row of a call. */
  readonly row: (callId: string) => CallRow | undefined;
  /** Every request on Zammad's paths, in the order of arrival. */
  readonly requests: () => readonly JournalEntry[];
  readonly faults: Faults;
  /** Returns the function that ends it. */
  readonly subscribe: (listener: Listener) => () => void;
  /**
   * Resolves with what `look` gives as soon as it gives something, looking again at each change; rejects with a
   * RetriableError after `deadline` ms (default 5000), or when the stand-in stops.
   */
  readonly when: <Found>(look: (standIn: StandIn) => Found | undefined | false, deadline?: number) => Promise<Found>;
  /** Sets some of what an admin sets. */
  readonly change: (patch: Partial<Settings>) => void;
  /** Forgets rows and requests. */
  readonly clear: () => void;
  /** Refuses connections, cutting those there are; for `ms`, or until `comeUp`. Memory stays. */
  readonly goDown: (ms?: number) => Promise<void>;
  readonly comeUp: () => Promise<void>;
  /** Closes everything it opened. May be called more than once. */
  readonly stop: () => Promise<void>;
}
