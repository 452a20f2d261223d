import type { RingingPhone } from './ringing-phone.js';

/** The phone that was taken; `over`: none was; `lost`: the PBX is heard no longer. */
export type RaceOutcome = RingingPhone | 'over' | 'lost';

/** Some phones ring for one agent: the first that is taken wins. */
export class PhoneRace {
  readonly outcome: Promise<RaceOutcome>;
  #settle: (outcome: RaceOutcome) => void = () => undefined;

  constructor(readonly phones: readonly RingingPhone[]) {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Something was learned about one of the phones. */
  look(): void {
    const taken = this.phones.find(({ isTaken }) => isTaken);
    if (taken !== undefined) this.#settle(taken);
    else if (!this.phones.some(({ isAlive }) => isAlive)) this.#settle('over');
  }

  timeUp(): void {
    for (const phone of this.phones) phone.timeUp();
    this.#settle('over');
  }

  lost(): void {
    this.#settle('lost');
  }
}
