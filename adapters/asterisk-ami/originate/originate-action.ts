import type { OriginateOrder } from '../../../src/pbx/adapter.js';
import { dialVariables, isLocal } from '../../asterisk/dial-phones.js';
import type { DialSettings } from '../../asterisk/dial-settings.js';
import type { AmiAction } from '../writer.js';

/** Which phone rings, and under which id. */
export interface PhoneToRing {
  /** Uniqueid of its channel, chosen by us. */
  readonly id: string;
  /** `PJSIP/100` */
  readonly phone: string;
  /** It is the first of this order. */
  readonly first: boolean;
  /** The only one. */
  readonly alone: boolean;
}

/**
 * One of several phones, taken, waits so long for its redirection, s: of two that are taken at the same moment one must not dial. After
 * that it is hung up by Asterisk.
 */
const WAIT_S = 10;

/**
 * Rings one phone; when it is taken, the dialplan goes on with the number if it is the only one; else it waits. Async: Asterisk answers
 * at once that it will, and tells the outcome by the event OriginateResponse. Write class `originate`.
 */
export const originateAction = (
  order: OriginateOrder,
  dial: DialSettings,
  { id, phone, first, alone }: PhoneToRing,
): AmiAction => ({
  Action: 'Originate',
  Channel: phone,
  ...(alone
    ? { Context: dial.context, Exten: order.number, Priority: 1 }
    : { Application: 'Wait', Data: String(WAIT_S) }),
  Timeout: Math.max(1, Math.round(order.ringFor)),
  Async: 'true',
  ChannelId: id,
  // The other half of a Local channel; of others Asterisk ignores it.
  OtherChannelId: isLocal(phone) ? otherHalfOf(id) : undefined,
  Variable: dialVariables(order, phone, dial, first).map(([name, value]) => `${name}=${escaped(value)}`),
});

export const otherHalfOf = (id: string): string => `${id}-b`;

/** Asterisk splits a Variable header at commas, and takes quotes, brackets and backslashes out; behind a backslash all stay. */
const escaped = (value: string): string => value.replace(/[\\",()[\]]/g, '\\$&');
