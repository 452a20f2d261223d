import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { asError } from '../../src/errors.js';
import type { AdapterContext } from '../../src/pbx/adapter.js';
import { getVariable, listStatusOf } from './actions.js';
import type { AsteriskLegs } from '../asterisk/legs.js';
import { FREEPBX_PRESENTATION, isWithheld } from '../asterisk/presentation.js';
import { isNoWholeAnswer } from './replies.js';
import type { AmiSession } from './session.js';

/** Asked a second time after so long: Asterisk fills in the presentation a moment after Newchannel (measured). */
const PRESENTATION_AGAIN_MS = 10;
/** A customer who is connected with nobody: asked after so long what answers him, then again and again. */
const VOICEMAIL_FIRST_MS = 500;
const VOICEMAIL_EVERY_MS = 5_000;
const TIMEOUT_MS = 2_000;
/** Questions under way; a flood of calls must not become a flood of actions. */
const MOST_UNDER_WAY = 500;
/** Customers who are asked about again and again. Theirs are half of the questions at most: who withholds his number is more urgent. */
const MOST_WATCHED = 1_000;

export interface QuestionsOptions {
  readonly context: AdapterContext;
  readonly legs: AsteriskLegs;
  readonly session: AmiSession;
  readonly askVoicemail: boolean;
  readonly emit: (batch: readonly LegEvent[]) => void;
}

/**
 * What only a question can tell about a customer's channel: whether he withholds his number (every event shows it all the
 * same), and whether voicemail answered him. Lives as long as one session.
 */
export class Questions {
  readonly #waiting = new Set<() => void>();
  /** Customers of whom it is found out whether voicemail has answered them. */
  readonly #watched = new Set<LegId>();
  #underWay = 0;
  #ended = false;

  constructor(private readonly options: QuestionsOptions) {}

  /** Asks what is to be asked after this event. */
  about(event: LegEvent): void {
    if (event.type === 'appeared' && event.withheld === 'asked') this.#ask(() => this.#presentation(event.leg));
    if (event.type === 'up' || event.type === 'left') this.#watch(event.leg);
  }

  /** Asks what the end of the last connection left open. */
  resume(): void {
    const { legs } = this.options;
    for (const leg of legs.legs()) {
      if (legs.isAsked(leg)) this.#ask(() => this.#presentation(leg));
      this.#watch(leg);
    }
  }

  /** Asks nothing more and says nothing more. */
  end(): void {
    this.#ended = true;
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
    this.#watched.clear();
  }

  /** Asked at once, for a call that is over in a moment; the second answer counts, for the first may come too early. */
  async #presentation(leg: LegId): Promise<void> {
    if (await this.#isWithheld(leg, 'CALLERID(pres)')) this.#tell(leg, true);
    else
      this.#later(PRESENTATION_AGAIN_MS, () => {
        this.#ask(async () => {
          const answers = [this.#isWithheld(leg, 'CALLERID(pres)'), this.#isWithheld(leg, FREEPBX_PRESENTATION)];
          this.#tell(leg, (await Promise.all(answers)).includes(true));
        });
      });
  }

  /** Without an answer (no right to ask, channel gone) the number is taken as shown. */
  async #isWithheld(leg: LegId, variable: string): Promise<boolean> {
    const channel = this.options.legs.channelOf(leg);
    if (channel === undefined) return false;
    try {
      const reply = await this.options.session.send(getVariable(channel, variable), { timeout: TIMEOUT_MS });
      return isWithheld(reply.get('Value'));
    } catch (thrown) {
      this.options.context.log.debug(
        { error: asError(thrown), leg },
        'whether the caller withholds his number is not known',
      );
      return false;
    }
  }

  #watch(leg: LegId): void {
    const { legs, askVoicemail, context } = this.options;
    if (!askVoicemail || !legs.isAlone(leg) || this.#watched.has(leg)) return;
    if (this.#watched.size >= MOST_WATCHED) {
      context.metrics.count('questions_skipped');
      return;
    }
    this.#watched.add(leg);
    this.#askVoicemail(leg, VOICEMAIL_FIRST_MS);
  }

  #askVoicemail(leg: LegId, after: number): void {
    this.#later(after, () => {
      if (this.#underWay > MOST_UNDER_WAY / 2) this.#askVoicemail(leg, VOICEMAIL_EVERY_MS);
      else this.#ask(() => this.#voicemail(leg));
    });
  }

  /** Asks what answers a customer, until it is voicemail or somebody hears him. */
  async #voicemail(leg: LegId): Promise<void> {
    const { legs } = this.options;
    const answer = legs.isAlone(leg) ? await this.#applicationOf(leg) : undefined;
    if (answer === 'VoiceMail') this.#emit([{ type: 'recorder', leg, kind: 'voicemail' }]);
    else if (answer !== 'refused' && legs.isAlone(leg)) {
      this.#askVoicemail(leg, VOICEMAIL_EVERY_MS);
      return;
    }
    this.#watched.delete(leg);
  }

  /** What runs on a channel; `refused` = the PBX does not say, or has it no longer; undefined = no answer this time. */
  async #applicationOf(leg: LegId): Promise<string | undefined> {
    try {
      const { action, complete } = listStatusOf(this.options.legs.channelOf(leg) ?? '');
      const [status] = await this.options.session.list(action, complete, { timeout: TIMEOUT_MS });
      return status?.get('Application');
    } catch (thrown) {
      return isNoWholeAnswer(thrown) ? undefined : 'refused';
    }
  }

  #tell(leg: LegId, withheld: boolean): void {
    this.#emit(this.options.legs.learn(leg, withheld));
  }

  #emit(batch: readonly LegEvent[]): void {
    if (!this.#ended && batch.length > 0) this.options.emit(batch);
  }

  #later(ms: number, task: () => void): void {
    if (this.#ended) return;
    const cancel = this.options.context.clock.after(ms, () => {
      this.#waiting.delete(cancel);
      task();
    });
    this.#waiting.add(cancel);
  }

  #ask(question: () => Promise<void>): void {
    const { metrics, log } = this.options.context;
    if (this.#ended) return;
    if (this.#underWay >= MOST_UNDER_WAY) {
      metrics.count('questions_skipped');
      return;
    }
    this.#underWay += 1;
    question()
      .catch((thrown: unknown) => {
        log.debug({ error: asError(thrown) }, 'a question about a channel was not answered');
      })
      .finally(() => {
        this.#underWay -= 1;
      });
  }
}
