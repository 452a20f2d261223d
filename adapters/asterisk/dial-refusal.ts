import type { OriginateOutcome, OriginateRefusal } from '../../src/pbx/adapter.js';

/** How the ringing of one phone ended without anybody taking it, as far as Asterisk told. */
export interface PhoneEnd {
  /** `PJSIP/100` */
  readonly phone: string;
  /** There was a channel to it. */
  readonly called: boolean;
  /** It said that it rings. */
  readonly rang: boolean;
  /** Its time was up. */
  readonly timedOut: boolean;
  /** Q.850 cause of the channel's end; 0: none. */
  readonly q850?: number | undefined;
  readonly causeText?: string | undefined;
  /** SIP status or another word of the channel's technology (Asterisk 20 and newer). */
  readonly techCause?: string | undefined;
  /** What Asterisk says of the device: `UNAVAILABLE`, `INVALID`, … */
  readonly deviceState?: string | undefined;
  /** With these words Asterisk refused to call it at all. */
  readonly refusal?: string | undefined;
}

export type RefusedOriginate = Extract<OriginateOutcome, { readonly kind: 'refused' }>;
export const refusedOriginate = (why: OriginateRefusal, reason: string, said?: string): RefusedOriginate => ({
  kind: 'refused',
  why,
  reason,
  ...(said === undefined ? {} : { said }),
});

/** Of several phones the one that tells most counts: whoever declined at one of them has declined. */
const TELLING: readonly OriginateRefusal[] = [
  'not-allowed',
  'declined',
  'busy',
  'no-answer',
  'failed',
  'not-registered',
  'unknown-extension',
  'not-heard',
];

/** Why an agent did not take the call, by what was heard of his phones. */
export function refusalOf(extension: string, ends: readonly PhoneEnd[]): RefusedOriginate {
  const [first, ...others] = ends.map((end) => refusalOfPhone(extension, end));
  if (first === undefined) return refusedOriginate('failed', `extension ${extension} has no phone to ring`);
  return others.reduce((one, other) => (TELLING.indexOf(other.why) < TELLING.indexOf(one.why) ? other : one), first);
}

function refusalOfPhone(extension: string, end: PhoneEnd): RefusedOriginate {
  const said = saidOf(end);
  const says = (why: OriginateRefusal, reason: string): RefusedOriginate => refusedOriginate(why, reason, said);
  const { refusal, phone, called, rang, timedOut, deviceState, q850 } = end;
  if (refusal !== undefined) return says('failed', `the PBX does not call ${phone}`);
  if (deviceState === 'UNAVAILABLE')
    return says('not-registered', `extension ${extension} is not registered (${phone})`);
  if (deviceState === 'INVALID')
    return says('unknown-extension', `the PBX knows no phone ${phone} (extension ${extension})`);
  if (timedOut && rang) return says('no-answer', `extension ${extension} did not answer`);
  if (timedOut && !called)
    return says('failed', `the PBX said nothing of the call to ${phone}; may its login not hear calls?`);
  if (timedOut) {
    return says(
      'not-registered',
      `the phone of extension ${extension} gives no sign (${phone}): it is switched off, or its network is down`,
    );
  }
  switch (q850) {
    case 17:
      return says('busy', `extension ${extension} is busy`);
    case 21:
      return says('declined', `extension ${extension} declined the call`);
    // What Dial leaves behind when nobody is registered (over a Local channel).
    case 3:
    case 18:
    case 20:
    case 27:
      return says('not-registered', `extension ${extension} is not registered (${phone})`);
    case 1:
      return says(
        'unknown-extension',
        `the phone of extension ${extension} says that this number is unknown (${phone})`,
      );
    case 19:
      // What phones say at once that are set to "do not disturb", if they do not say busy.
      return rang
        ? says('no-answer', `extension ${extension} did not answer`)
        : says('declined', `the phone of extension ${extension} takes no calls now: do not disturb?`);
    default:
      return says(
        'failed',
        called
          ? `the call to ${phone} (extension ${extension}) failed`
          : `the PBX could not call ${phone} (extension ${extension})`,
      );
  }
}

/** In the PBX's own words: `Call Rejected (21), SIP 603`. */
function saidOf({ refusal, q850, causeText, techCause, deviceState, timedOut }: PhoneEnd): string | undefined {
  if (refusal !== undefined) return refusal;
  if (timedOut) return 'time-out';
  const cause = q850 === undefined || q850 === 0 ? undefined : `${causeText ?? 'cause'} (${q850})`;
  const parts = [cause, techCause === undefined ? undefined : `SIP ${techCause}`].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join(', ') : deviceState;
}
