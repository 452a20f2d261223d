import type { LegEvent, LegId } from '../../src/call/vocabulary.js';
import { asError } from '../../src/errors.js';
import type { AdapterContext } from '../../src/pbx/adapter.js';
import { getVariable, listStatusOf } from './actions.js';
import type { AsteriskLegs } from './legs.js';
import type { AmiSession } from './session.js';

/** Asked a second time after so long: Asterisk fills in the presentation a moment after Newchannel (measured). */
const PRESENTATION_AGAIN_MS = 10;
/** A customer who is connected with nobody: asked after so long what answers him, then again and again. */
const VOICEMAIL_FIRST_MS = 500;
const VOICEMAIL_EVERY_MS = 5_000;
const TIMEOUT_MS = 2_000;
/** Questions that wait or are under way; a flood of calls must not become a flood of actions. */
const MOST = 500;

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
  #underWay = 0;
  #ended = false;

  constructor(private readonly options: QuestionsOptions) {}

  /** Asks what is to be asked after this event. */
  about(event: LegEvent): void {
    const { legs, askVoicemail } = this.options;
    if (event.type === 'appeared' && event.withheld === 'asked') this.#ask(() => this.#presentation(event.leg));
    if (askVoicemail && (event.type === 'up' || event.type === 'left') && legs.isAlone(event.leg)) {
      this.#later(VOICEMAIL_FIRST_MS, () => this.#voicemail(event.leg));
    }
  }

  /** Asks nothing more and says nothing more. */
  end(): void {
    this.#ended = true;
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }

  /** Asked at once, for a call that is over in a moment; the second answer counts, for the first may come too early. */
  async #presentation(leg: LegId): Promise<void> {
    if (await this.#isWithheld(leg)) this.#tell(leg, true);
    else
      this.#later(PRESENTATION_AGAIN_MS, async () => {
        this.#tell(leg, await this.#isWithheld(leg));
      });
  }

  /** Without an answer (no right to ask, channel gone) the number is taken as shown. */
  async #isWithheld(leg: LegId): Promise<boolean> {
    const channel = this.options.legs.channelOf(leg);
    if (channel === undefined) return false;
    try {
      const reply = await this.options.session.send(getVariable(channel, 'CALLERID(pres)'), { timeout: TIMEOUT_MS });
      return /^(?:prohib|unavailable)/.test(reply.get('Value') ?? '');
    } catch (thrown) {
      this.options.context.log.debug(
        { error: asError(thrown), leg },
        'whether the caller withholds his number is not known',
      );
      return false;
    }
  }

  async #voicemail(leg: LegId): Promise<void> {
    const { legs, session } = this.options;
    const channel = legs.channelOf(leg);
    if (channel === undefined || !legs.isAlone(leg)) return;
    const { action, complete } = listStatusOf(channel);
    const [status] = await session.list(action, complete, { timeout: TIMEOUT_MS });
    if (status?.get('Application') === 'VoiceMail') this.#emit([{ type: 'recorder', leg, kind: 'voicemail' }]);
    else if (legs.isAlone(leg)) this.#later(VOICEMAIL_EVERY_MS, () => this.#voicemail(leg));
  }

  #tell(leg: LegId, withheld: boolean): void {
    this.#emit(this.options.legs.learn(leg, withheld));
  }

  #emit(batch: readonly LegEvent[]): void {
    if (!this.#ended && batch.length > 0) this.options.emit(batch);
  }

  #later(ms: number, question: () => Promise<void>): void {
    if (this.#ended) return;
    const cancel = this.options.context.clock.after(ms, () => {
      this.#waiting.delete(cancel);
      this.#ask(question);
    });
    this.#waiting.add(cancel);
  }

  #ask(question: () => Promise<void>): void {
    const { metrics, log } = this.options.context;
    if (this.#ended) return;
    if (this.#underWay + this.#waiting.size >= MOST) {
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
