import type { AsteriskEvent } from '../../asterisk/event.js';
import type { PhoneEnd } from '../../asterisk/dial-refusal.js';

const RINGING = '5';
const UP = '6';

/** One phone that an order rings, as its channel's events tell. Pure. */
export class RingingPhone {
  /** What the PBX knows of the phone that it could not call. */
  deviceState: PhoneEnd['deviceState'];
  /** With these words Asterisk, or this program, did not do it. */
  refusal: string | undefined;
  /** The login may not. */
  denied = false;
  /** The order got no answer: the phone may ring all the same. */
  unheard = false;
  #called = false;
  #rang = false;
  #up = false;
  #waits = false;
  #timedOut = false;
  #hangup: Pick<PhoneEnd, 'q850' | 'causeText' | 'techCause'> | undefined;
  #failed = false;

  constructor(
    /** Uniqueid of its channel, chosen by us. */
    readonly id: string,
    /** `PJSIP/100` */
    readonly phone: string,
    /** It is the first of its order. */
    readonly first: boolean,
    /** The only one: it dials when it is taken. Of several each waits, for of two that are taken at the same moment one must not dial. */
    readonly alone = true,
  ) {}

  /** An event of its channel. */
  hear(message: AsteriskEvent): void {
    this.#called = true;
    const state = message.get('ChannelState');
    this.#rang ||= state === RINGING;
    this.#up ||= state === UP;
    if (message.event !== 'Hangup') return;
    const q850 = Number.parseInt(message.get('Cause') ?? '', 10);
    this.#hangup = {
      q850: Number.isNaN(q850) ? undefined : q850,
      causeText: message.get('Cause-txt'),
      techCause: message.get('TechCause'),
    };
  }

  /** It was taken, and waits for what becomes of it. */
  arrive(): void {
    this.#waits = true;
  }

  /** There will be no channel. */
  fail(): void {
    this.#failed = true;
  }
  timeUp(): void {
    if (this.isAlive) this.#timedOut = true;
  }

  get isTaken(): boolean {
    return (this.alone ? this.#up : this.#waits) && this.#hangup === undefined;
  }
  /** There is a channel, or there may be one yet. */
  get isAlive(): boolean {
    return !this.#failed && this.#hangup === undefined;
  }

  end(): PhoneEnd {
    return {
      phone: this.phone,
      called: this.#called,
      rang: this.#rang,
      timedOut: this.#timedOut,
      ...this.#hangup,
      deviceState: this.deviceState,
      refusal: this.refusal,
    };
  }
}
