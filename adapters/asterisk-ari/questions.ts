import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { asError } from '../../src/errors.js';
import type { AdapterContext } from '../../src/pbx/adapter.js';
import type { AsteriskLegs } from '../asterisk/legs.js';
import { FREEPBX_PRESENTATION, isWithheld } from '../asterisk/presentation.js';
import { askVariable } from './ask.js';
import type { AriRest } from './rest-contract.js';

/** Asked a second time after so long: Asterisk fills in the presentation a moment after the channel is made (measured). */
const AGAIN_MS = 10;
const TIMEOUT_MS = 2_000;
/** Questions under way; a flood of calls must not become a flood of questions. */
const MOST_UNDER_WAY = 500;

export interface QuestionsOptions {
  readonly context: AdapterContext;
  readonly legs: AsteriskLegs;
  readonly rest: AriRest;
  readonly emit: (batch: readonly LegEvent[]) => void;
}

/** Whether a caller withholds his number: every event shows it all the same, only a question tells. Lives as long as one session. */
export class Questions {
  readonly #waiting = new Set<() => void>();
  #underWay = 0;
  #ended = false;

  constructor(private readonly options: QuestionsOptions) {}

  /** Asks what is to be asked after this event. */
  about(event: LegEvent): void {
    if (event.type === 'appeared' && event.withheld === 'asked') this.#ask(event.leg);
  }

  /** Asks what the end of the last connection left open. */
  resume(): void {
    const { legs } = this.options;
    for (const leg of legs.legs()) if (legs.isAsked(leg)) this.#ask(leg);
  }

  /** Somebody else has asked. */
  answered(leg: LegId, withheld: boolean): void {
    this.#tell(leg, withheld);
  }

  /** Asks nothing more and says nothing more. */
  end(): void {
    this.#ended = true;
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }

  #ask(leg: LegId): void {
    const { metrics } = this.options.context;
    if (this.#ended) return;
    if (this.#underWay >= MOST_UNDER_WAY) {
      metrics.count('questions_skipped');
      return;
    }
    this.#underWay += 1;
    void this.#presentation(leg).finally(() => {
      this.#underWay -= 1;
    });
  }

  /** Asked at once, for a call that is over in a moment; the second answer counts, for the first may come too early. */
  async #presentation(leg: LegId): Promise<void> {
    if (await this.#isWithheld(leg, 'CALLERID(pres)')) {
      this.#tell(leg, true);
      return;
    }
    await this.#pause();
    if (!this.options.legs.isAsked(leg)) return;
    const answers = [this.#isWithheld(leg, 'CALLERID(pres)'), this.#isWithheld(leg, FREEPBX_PRESENTATION)];
    this.#tell(leg, (await Promise.all(answers)).includes(true));
  }

  /** Without an answer (channel gone, PBX too busy) the number is taken as shown. */
  async #isWithheld(leg: LegId, variable: string): Promise<boolean> {
    if (this.#ended) return false;
    try {
      const answer = await askVariable(this.options.rest, leg, variable, { timeout: TIMEOUT_MS });
      return answer.kind === 'value' && isWithheld(answer.value);
    } catch (thrown) {
      this.options.context.log.debug(
        { error: asError(thrown), leg },
        'whether the caller withholds his number is not known',
      );
      return false;
    }
  }

  #tell(leg: LegId, withheld: boolean): void {
    if (this.#ended) return;
    const batch = this.options.legs.learn(leg, withheld);
    if (batch.length > 0) this.options.emit(batch);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended) {
        resolve();
        return;
      }
      const done = (): void => {
        this.#waiting.delete(stop);
        resolve();
      };
      const cancel = this.options.context.clock.after(AGAIN_MS, done);
      const stop = (): void => {
        cancel();
        resolve();
      };
      this.#waiting.add(stop);
    });
  }
}
