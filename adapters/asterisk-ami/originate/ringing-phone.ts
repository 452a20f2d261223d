import type { PhoneEnd } from '../../asterisk/dial-refusal.js';
import { isLocal } from '../../asterisk/dial-phones.js';
import type { AmiMessage } from '../message.js';
import type { PhoneToRing } from './originate-action.js';

/** OriginateResponse's Reason when the time was up (AST_CONTROL_RINGING, measured). */
const TIMED_OUT = '3';
const RINGING = '5';
const UP = '6';

/**
 * `open`: nothing is decided. `unsure`: decided, but what completes it is still to come; OriginateResponse and the events of
 * the channel come in any order. `taken`, `over`: all is known.
 */
export type PhoneVerdict = 'open' | 'unsure' | 'taken' | 'over';

/** One phone that an order rings, as its events tell. Pure. */
export class RingingPhone {
  /** `PJSIP/100-0000001a`, once it is known. */
  channel: string | undefined;
  deviceState: string | undefined;
  /** With these words Asterisk, or this program, did not do it. */
  refusal: string | undefined;
  /** The order got no answer. */
  unheard = false;
  #rang = false;
  #up = false;
  #response: { readonly success: boolean; readonly reason: string } | undefined;
  #hangup: Pick<PhoneEnd, 'q850' | 'causeText' | 'techCause'> | undefined;

  constructor(readonly plan: PhoneToRing) {}

  get id(): string {
    return this.plan.id;
  }

  /** An event with its Uniqueid. */
  hear(message: AmiMessage): void {
    if (message.event === 'OriginateResponse') {
      const success = message.get('Response') === 'Success';
      this.#response = { success, reason: message.get('Reason') ?? '' };
      // A failed one names the phone as its channel.
      if (success) this.channel ??= message.get('Channel');
      return;
    }
    this.channel = message.get('Channel') ?? this.channel;
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

  get verdict(): PhoneVerdict {
    if (this.refusal !== undefined) return 'over';
    // Who took it at the other end of a Local channel is known when that is up itself.
    if (this.#response?.success === true) return this.#up || !isLocal(this.plan.phone) ? 'taken' : 'unsure';
    if (this.#response === undefined) return this.#hangup === undefined ? 'open' : 'unsure';
    return this.#hangup === undefined ? 'unsure' : 'over';
  }

  /** What it is when nothing more comes. */
  get lastVerdict(): 'taken' | 'over' {
    return this.#response?.success === true ? 'taken' : 'over';
  }

  /** Only the PBX can tell why: there was no channel, or it ended without a cause and a sign. */
  get isRiddle(): boolean {
    if (this.#response?.success !== false || this.#response.reason === TIMED_OUT || this.#rang) return false;
    return this.channel === undefined || this.#hangup?.q850 === 0;
  }

  /** There is a channel, or there may be one yet. */
  get isAlive(): boolean {
    return this.refusal === undefined && this.#hangup === undefined && this.#response?.success !== false;
  }

  end(timedOut: boolean): PhoneEnd {
    return {
      phone: this.plan.phone,
      called: this.channel !== undefined,
      rang: this.#rang,
      timedOut: timedOut || this.#response?.reason === TIMED_OUT,
      ...this.#hangup,
      deviceState: this.deviceState,
      refusal: this.refusal,
    };
  }
}
