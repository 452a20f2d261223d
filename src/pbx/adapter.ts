/**
 * The adapter contract: what code must do to bring a PBX to this bridge. The rules in words, with MUST and SHOULD, are in
 * docs/adapter-contract.md; `test/conformance` holds every adapter of adapters/index.ts to them.
 */
import type { z } from 'zod';
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import type { BridgeError } from '../errors.js';
import type { GateDecision, GateRequest } from '../call/gate.js';
import type { LegEvent, LegId, Millis, PbxName } from '../call/vocabulary.js';

export type { GateDecision, GateRequest, RejectReason } from '../call/gate.js';
export * from './orders.js';

/** Counters an adapter may raise. Names are documented in docs/metrics.md. */
export interface AdapterMetrics {
  /** Adds to a counter: `frames`, `events`, `bytes`, `dropped`, `reconnects`, … */
  count(name: string, by?: number): void;
}

/** Whom an adapter asks when its PBX waits at the gate, before any phone rings. */
export interface GatePort {
  /**
   * Never rejects, and settles within `gate.budget` (500 ms unless configured), whatever Zammad does: no reply in time = `continue`.
   * The leg that waits need not have been told of before. To be asked once a call.
   */
  ask(request: GateRequest): Promise<GateDecision>;
}

/** Everything an adapter gets. It never sees Zammad, the store or another adapter. */
export interface AdapterContext {
  readonly name: PbxName;
  readonly log: Logger;
  readonly metrics: AdapterMetrics;
  readonly clock: Clock;
  /** For adapters whose PBX can wait. The port that the PBX asks at is open from `start` to `stop` only. */
  readonly gate: GatePort;
  /**
   * Hands over what one message of the PBX means. The events of one batch are judged together, so an adapter puts all that
   * one message (or one snapshot) says into one batch. MUST NOT be called before `start` or after `stop` has resolved.
   */
  emit(batch: readonly LegEvent[]): void;
}

/** The adapter hears its PBX. */
export interface Hearing {
  /** Settles, never rejects, when it hears it no longer, with the reason. */
  readonly lost: Promise<BridgeError>;
  /**
   * What the login may not do and what is therefore missing, in words for the admin. Empty when all is well. Read again whenever
   * somebody asks how the PBX is heard: what was mended meanwhile is no longer in it.
   */
  readonly missing: readonly string[];
}

export interface Adapter {
  /**
   * Connects, logs in, subscribes and takes a snapshot. Resolves when the PBX is heard and the snapshot's events are emitted.
   * Rejects with a PermanentError (wrong password) or RetriableError. May be called again after `stop`, or after `lost`:
   * what is gone meanwhile is not in the `snapshot` event that ends the resync, which is how the brain learns it.
   * An aborted signal ends every wait in it at once.
   */
  start(signal: AbortSignal): Promise<Hearing>;
  /** Closes everything it opened. No event comes after it has resolved. May be called at any time, more than once. */
  stop(): Promise<void>;
  /** The ids of the legs it knows of now. */
  snapshot(): readonly LegId[];
}

/** Optional: the adapter can ask its PBX anew which legs there are. */
export interface Refreshes {
  /**
   * Takes a snapshot again, as `start` did: what it says is emitted, the `snapshot` event last. Rejects with a BridgeError when
   * the PBX gave no whole answer, or is not heard; then nothing is closed by it.
   */
  refresh(): Promise<void>;
}
export const canRefresh = (adapter: Adapter): adapter is Adapter & Refreshes =>
  typeof (adapter as Partial<Refreshes>).refresh === 'function';

/** Reads recorded bytes of the PBX: the adapter's brainless half, for `replay`. */
export interface RecordingReader {
  /**
   * Feeds the next bytes; returns what they mean, each batch with the time at which the PBX said it.
   * `at`: time from a FILE.times, if there is one; else the messages' own stamps count.
   */
  push(chunk: Uint8Array, at?: Millis): readonly TimedBatch[];
}
export interface TimedBatch {
  readonly at: Millis;
  readonly batch: readonly LegEvent[];
}

/** Raw bytes of a PBX, as they come: for `record`. */
export interface Recorder {
  /** Connects with all the rights the login has and hands over every byte until the signal is aborted. */
  record(signal: AbortSignal, onBytes: (bytes: Uint8Array) => void): Promise<void>;
}

/**
 * Which PBX an entry means. A string (`freeswitch 10.0.0.5:8021`): the same one is the same PBX. For a PBX that has several
 * interfaces: two entries for one machine mean one PBX unless they are for two ports of the same interface.
 */
export type PbxIdentity =
  | string
  | {
      /** Kind and host: `asterisk 10.0.0.5`. */
      readonly pbx: string;
      /** Name of the interface, for messages: `AMI`. */
      readonly over: string;
      readonly port: number;
    };

export interface AdapterDefinition<Schema extends z.ZodType = z.ZodType> {
  /** The word in the configuration: `adapter: asterisk-ami`. */
  readonly type: string;
  /**
   * Its own keys of a `pbx` entry (without name, adapter, filter …). A strict object: unknown keys are errors.
   * A key that holds a secret is declared with `secretField` of config/secrets.ts.
   */
  readonly configSchema: Schema;
  /**
   * Which PBX an entry means: two entries for one are refused, because each call would be told twice. `config` may lack its
   * secrets; none may be in the result.
   */
  identity?(config: z.output<Schema>): PbxIdentity;
  /** Pure: no connection, no timer. */
  create(context: AdapterContext, config: z.output<Schema>): Adapter;
  /** For `replay`: pure, and quick to load. `config` may lack its secrets. */
  readRecording?(config: z.output<Schema>): RecordingReader;
  /** For `record`. */
  createRecorder?(context: Omit<AdapterContext, 'emit' | 'gate'>, config: z.output<Schema>): Recorder;
}

/** Checks a definition's types where it is written. */
export const defineAdapter = <Schema extends z.ZodType>(
  definition: AdapterDefinition<Schema>,
): AdapterDefinition<Schema> => definition;
