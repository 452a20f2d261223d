import type { Direction, Millis, ZammadName } from './vocabulary.js';

/** One person inside, as configured. */
export interface Agent {
  /** Unique; what `answeringNumber` carries. */
  readonly extension: string;
  /** What Zammad shows. */
  readonly name: string;
  /** The PBX's names of this agent's phones, besides the one that is called like the extension: `PJSIP/alice`. */
  readonly devices: readonly string[];
  /** Outside numbers that are this agent's phones too (mobile members of ring groups), E.164. */
  readonly phones: readonly string[];
}

/** What is known beforehand about a number that customers dial. */
export interface Did {
  readonly number: string;
  /** Extensions. Used when a gated call must be told before any phone is called. */
  readonly agents: readonly string[];
  /** Goes out as `queue` with calls to this number. */
  readonly queue?: string | undefined;
}

/** Which calls are told. Every list that is given must match; none given = every call. */
export interface Filter {
  readonly pbx?: readonly string[] | undefined;
  /** Numbers that customers dial, or `*` patterns of them; outbound: the number shown. */
  readonly dids?: readonly string[] | undefined;
  readonly queues?: readonly string[] | undefined;
  readonly agents?: readonly string[] | undefined;
  readonly direction?: Direction | undefined;
}

/** A Zammad that calls may be told to, with its own filter. */
export interface Destination {
  readonly name: ZammadName;
  readonly filter: Filter;
}

/** How calls are told. */
export interface CallSettings {
  /** ISO 3166 country by which national numbers are read, e.g. `DE`. */
  readonly country: string;
  /** When an inbound call is told: when the first phone is called, or when it arrives. */
  readonly newCall: 'ringing' | 'arrival';
  /** Tell Zammad again who talks after a transfer, pick-up from park, … */
  readonly answerAgain: boolean;
  /** Send the PBX's queue name when no `dids` entry names one. */
  readonly sendQueue: boolean;
  /** Calls between an agent and an outside number while the agent has a customer on hold. */
  readonly reportConsultations: boolean;
  /** A PBX that says nothing for so long: its calls are closed. */
  readonly maxSilence: Millis;
}
