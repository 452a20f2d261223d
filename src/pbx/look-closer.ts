import type { Logger } from 'pino';
import { asError, type BridgeError } from '../errors.js';
import type { Clock } from '../clock.js';
import type { ProbeFinding, Probes } from './orders.js';

/** What a look at a PBX that is not heard has found. */
export type Trouble = Exclude<ProbeFinding, { kind: 'heard' }>;

export interface LookCloserOptions {
  readonly probes: Probes;
  readonly clock: Clock;
  readonly log: Logger;
  /** A look has ended, and `finding` may be another one. */
  readonly onFinding: () => void;
}

/** From the begin of one look to that of the next. A PBX in trouble must not be troubled by those who look. */
export const LOOK_EVERY_MS = 60_000;

/**
 * Finds out why a PBX is not heard: after a start has failed for a reason that says little (no connection, no answer), the adapter
 * looks closer, beside its own connection. One look at a time, and not often; an error that a person must mend says why by itself.
 */
export class LookCloser {
  #finding: { readonly trouble: Trouble; readonly code: string } | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking = false;
  #said: string | undefined;
  /** Counts the times it was heard. */
  #era = 0;

  constructor(private readonly options: LookCloserOptions) {}

  /** What was found after a failure of this kind; another failure is another story. */
  findingFor({ code }: BridgeError): Trouble | undefined {
    return this.#finding?.code === code ? this.#finding.trouble : undefined;
  }

  /** A start has failed. Does not wait for the look; that ends at once when the signal is aborted. */
  failed(error: BridgeError, signal: AbortSignal): void {
    const { clock } = this.options;
    const now = clock.monotonic();
    if (!error.retriable || this.#looking || signal.aborted || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    this.#looking = true;
    void this.#look(error, signal).finally(() => {
      this.#looking = false;
    });
  }

  /** The PBX is heard: what was found before is of no interest any more. */
  heard(): void {
    this.#era += 1;
    this.#finding = undefined;
    this.#said = undefined;
  }

  async #look({ code, message }: BridgeError, signal: AbortSignal): Promise<void> {
    const { probes, log, onFinding } = this.options;
    const era = this.#era;
    let found: ProbeFinding;
    try {
      found = await probes.probe(signal);
    } catch (thrown) {
      log.debug({ error: asError(thrown) }, 'why the PBX is not heard could not be looked at');
      return;
    }
    if (signal.aborted || era !== this.#era) return;
    // It is heard by now: the next start will say so.
    this.#finding = found.kind === 'heard' ? undefined : { trouble: found, code };
    if (found.kind !== 'heard') this.#say(found, message);
    onFinding();
  }

  /** Once a change, and not what the failure itself has said. */
  #say({ kind, reason, mend }: Trouble, message: string): void {
    const words = `${reason}. ${mend}`;
    if (words !== this.#said && words !== message)
      this.options.log.warn({ found: kind }, `why the PBX is not heard: ${words}`);
    this.#said = words;
  }
}
