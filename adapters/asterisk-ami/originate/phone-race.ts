import type { Clock } from '../../../src/clock.js';
import type { AmiMessage } from '../message.js';
import type { RingingPhone } from './ringing-phone.js';

/** Between two messages that belong together, and for the answer to a question about a phone. */
const PAIR_MS = 500;
/** The device states that say why there was no channel. */
const DECISIVE = new Set(['UNAVAILABLE', 'INVALID']);

/** The phone that was taken; `over`: none was; `late`: not all has been said in time; `lost`: the PBX is heard no longer. */
export type RaceOutcome = RingingPhone | 'over' | 'late' | 'lost';

export interface PhoneRaceOptions {
  readonly phones: readonly RingingPhone[];
  readonly clock: Clock;
  /** For all of it, ms. */
  readonly limit: number;
  readonly stateOf: (phone: string) => Promise<string | undefined>;
}

/** Some phones ring for one agent: the first that is taken wins. */
export class PhoneRace {
  readonly outcome: Promise<RaceOutcome>;
  readonly #over = new Set<RingingPhone>();
  readonly #timers = new Map<RingingPhone | 'all', () => void>();
  readonly #asked = new Set<RingingPhone>();
  #settle: (outcome: RaceOutcome) => void = () => undefined;
  #settled = false;

  constructor(private readonly options: PhoneRaceOptions) {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { clock, limit } = options;
    this.#timers.set(
      'all',
      clock.after(limit, () => {
        this.#finish('late');
      }),
    );
  }

  /** The PBX is heard no longer. */
  lose(): void {
    this.#finish('lost');
  }

  hear(message: AmiMessage): void {
    const phone = this.options.phones.find(({ id }) => id === message.get('Uniqueid'));
    if (phone === undefined) return;
    phone.hear(message);
    this.#look(phone);
  }

  /** Asterisk does not call this phone. */
  refused(phone: RingingPhone, refusal: string): void {
    phone.refusal = refusal;
    this.#look(phone);
  }

  #look(phone: RingingPhone): void {
    const { verdict } = phone;
    if (verdict === 'open' || this.#settled) return;
    if (phone.isRiddle) this.#solve(phone);
    else if (verdict === 'unsure') this.#wait(phone);
    else this.#decide(phone, verdict);
  }

  /** What completes it comes within a moment, or not at all. */
  #wait(phone: RingingPhone): void {
    if (this.#timers.has(phone)) return;
    const cancel = this.options.clock.after(PAIR_MS, () => {
      this.#decide(phone, phone.lastVerdict);
    });
    this.#timers.set(phone, cancel);
  }

  #solve(phone: RingingPhone): void {
    this.#wait(phone);
    if (this.#asked.has(phone)) return;
    this.#asked.add(phone);
    void this.options.stateOf(phone.plan.phone).then((state) => {
      phone.deviceState = state;
      // Another state than these says nothing, and its channel's end may still be under way.
      if (phone.verdict === 'over' || DECISIVE.has(state ?? '')) this.#decide(phone, 'over');
    });
  }

  #decide(phone: RingingPhone, verdict: 'taken' | 'over'): void {
    if (verdict === 'taken') {
      this.#finish(phone);
      return;
    }
    this.#over.add(phone);
    if (this.#over.size === this.options.phones.length) this.#finish('over');
  }

  #finish(outcome: RaceOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#settle(outcome);
  }
}
