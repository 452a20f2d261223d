import type { Logger } from 'pino';
import { backoff } from '../backoff.js';
import { sleep, type Clock } from '../clock.js';
import { asError, isBridgeError, RetriableError, type BridgeError } from '../errors.js';
import { canProbe, type Adapter, type Hearing } from './adapter.js';
import { LookCloser } from './look-closer.js';
import { rangeFor } from './retry-ranges.js';

/** How a PBX is heard, for readiness and people. */
export interface PbxState {
  readonly state: 'connecting' | 'hearing' | 'deaf';
  /** Why it is not heard; what is missing although it is. */
  readonly reason?: string | undefined;
  /** What to do about it, where a look at the PBX has told; else `reason` has it. */
  readonly mend?: string | undefined;
  /** Monotonic ms. */
  readonly since: number;
}

export interface SupervisorOptions {
  readonly adapter: Adapter;
  readonly log: Logger;
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Called when the PBX is heard, and when it no longer is. */
  readonly onState?: (state: PbxState) => void;
}

/** A connection must hold so long before its end counts as a first failure again. */
const STABLE_MS = 30_000;
/** A stop may not be held up by an adapter. */
const STOP_LIMIT_MS = 3_000;

/**
 * Keeps one adapter connected: start, wait until it hears no longer, stop, back off with jitter, start again. A permanent
 * error (wrong password) is said once and retried after minutes.
 */
export class Supervisor {
  #state: PbxState;
  #hearing: Pick<Hearing, 'missing'> = { missing: [] };
  #running: Promise<void> | undefined;
  readonly #ending = new AbortController();
  readonly #ended = aborted(this.#ending.signal);
  /** What was logged last: the same failure again is not said again. */
  #said: string | undefined;
  /** Why it is not heard now. */
  #reason: BridgeError | undefined;
  readonly #closer: LookCloser | undefined;

  constructor(private readonly options: SupervisorOptions) {
    const { adapter, clock, log } = options;
    this.#state = { state: 'connecting', since: clock.monotonic() };
    const onFinding = (): void => {
      if (this.#state.state === 'deaf' && this.#reason !== undefined) this.#setDeaf(this.#reason);
    };
    if (canProbe(adapter)) this.#closer = new LookCloser({ probes: adapter, clock, log, onFinding });
  }

  get state(): PbxState {
    const { state, since } = this.#state;
    // What is missing may be mended while it is heard.
    return state === 'hearing' ? { state, since, ...missingIn(this.#hearing) } : this.#state;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the connection. No event of the adapter comes after it has resolved. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { adapter, clock, random, log } = this.options;
    const { signal } = this.#ending;
    let failures = 0;
    while (!signal.aborted) {
      const began = clock.monotonic();
      const error = await this.#session(signal);
      await this.#stopAdapter(adapter);
      // The signal may be aborted while a session runs; only the compiler believes otherwise.
      if (this.#ending.signal.aborted) break;
      failures = clock.monotonic() - began >= STABLE_MS ? 1 : failures + 1;
      const wait = backoff(rangeFor(error), failures, random());
      const wasHeard = this.#state.state === 'hearing';
      this.#setDeaf(error);
      if (!wasHeard) this.#closer?.failed(error, this.#ending.signal);
      const said = `${error.code} ${error.message}`;
      const level = said === this.#said ? 'debug' : error.retriable ? 'warn' : 'error';
      this.#said = said;
      log[level]({ code: error.code, retryInMs: wait }, `the PBX is not heard: ${error.message}`);
      await sleep(clock, wait, signal);
    }
  }

  /** One connection, from the attempt to its end. Resolves with the reason of the end. */
  async #session(signal: AbortSignal): Promise<BridgeError> {
    const { adapter, clock, log } = this.options;
    try {
      const hearing = await adapter.start(signal);
      this.#hearing = hearing;
      this.#set({ state: 'hearing', since: clock.monotonic(), ...missingIn(hearing) });
      log.info(this.#said === undefined ? 'the PBX is heard' : 'the PBX is heard again');
      this.#said = undefined;
      this.#closer?.heard();
      for (const missing of hearing.missing) log.warn(missing);
      return await Promise.race([hearing.lost, this.#ended]);
    } catch (thrown) {
      if (isBridgeError(thrown)) return thrown;
      const error = asError(thrown);
      log.error({ error }, 'the adapter failed in a way it should not');
      return new RetriableError(
        'ZPB_ADAPTER_FAULT',
        `the adapter failed: ${error.message}; this is a defect of the adapter`,
        { cause: error },
      );
    }
  }

  async #stopAdapter(adapter: Adapter): Promise<void> {
    const { clock, log } = this.options;
    const late = new AbortController();
    const stopped = adapter.stop().then(
      () => true,
      (thrown: unknown) => {
        log.error({ error: asError(thrown) }, 'the adapter failed to stop');
        return true;
      },
    );
    const inTime = await Promise.race([stopped, sleep(clock, STOP_LIMIT_MS, late.signal).then(() => false)]);
    late.abort();
    if (!inTime) log.error('the adapter did not stop within 3 s; it is left behind');
  }

  #setDeaf(error: BridgeError): void {
    this.#reason = error;
    const found = this.#closer?.findingFor(error);
    this.#set({
      state: 'deaf',
      ...(found === undefined ? { reason: error.message } : { reason: found.reason, mend: found.mend }),
      since: this.#state.state === 'deaf' ? this.#state.since : this.options.clock.monotonic(),
    });
  }

  #set(state: PbxState): void {
    this.#state = state;
    this.options.onState?.(state);
  }
}

const missingIn = ({ missing }: Pick<Hearing, 'missing'>): { readonly reason?: string } =>
  missing.length === 0 ? {} : { reason: missing.join('; ') };

const aborted = (signal: AbortSignal): Promise<BridgeError> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(new RetriableError('ZPB_STOPPED', 'the bridge stops'));
    });
  });
