import type { AsteriskEvent } from './event.js';

/** ChannelState: made, and nothing asked of it yet; an incoming call rings in (Ring); answered. */
export const CHANNEL_STATE = { down: '0', ring: '4', up: '6' } as const;

/** Asterisk writes `<unknown>` where it has no number. */
export const isNumber = (text: string | undefined): text is string =>
  text !== undefined && text !== '' && text !== '<unknown>';

/** The PBX says of a number that it must not be shown: in NewCallerid, or by `channelvars = CALLERID(num-pres)`. */
export function isWithheld(message: AsteriskEvent): boolean {
  const pres = /^(\d+)/.exec(message.get('CID-CallingPres') ?? '');
  // Bits 6-7 of the presentation octet: 01 = restricted, 10 = not available (Q.931, calling party number).
  if (pres !== null && (Number(pres[1]) & 0x60) !== 0) return true;
  return message
    .all('ChanVariable')
    .some((variable) => /^CALLERID\((?:num-)?pres\)=(?:prohib|unavail)/i.test(variable));
}
