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
}

/**
 * Rings one phone; when it is taken, the dialplan goes on with the number. Async: Asterisk answers at once that it will, and
 * tells the outcome by the event OriginateResponse. Write class `originate`.
 */
export const originateAction = (
  order: OriginateOrder,
  dial: DialSettings,
  { id, phone, first }: PhoneToRing,
): AmiAction => ({
  Action: 'Originate',
  Channel: phone,
  Context: dial.context,
  Exten: order.number,
  Priority: 1,
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
