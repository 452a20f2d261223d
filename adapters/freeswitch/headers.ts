/** What single headers of FreeSWITCH's events say about a leg. Which of them to trust was measured: README.md. */
import type { EndedBy, Line } from '../../src/call/vocabulary.js';
import { isElsewhere, q850Of } from './causes.js';
import { type EslEvent, percentDecoded } from './event.js';

/** A value that people or phones gave. JSON has it as the phone sent it, plain text has it decoded: here both are one. */
const text = (event: EslEvent, header: string): string | undefined => {
  const value = event.get(header);
  return value === undefined ? undefined : percentDecoded(value);
};
const variable = (event: EslEvent, name: string): string | undefined => text(event, `variable_${name}`);

/** The leg that an event speaks of. */
export const legOf = (event: EslEvent): string | undefined => event.get('Unique-ID') ?? event.get('Channel-Unique-ID');

/** Counts all events of this FreeSWITCH; says which of two things was said first. Not known: later than everything. */
export function sequenceOf(event: EslEvent): number {
  const sequence = Number(event.get('Event-Sequence') ?? Number.NaN);
  return Number.isSafeInteger(sequence) ? sequence : Number.POSITIVE_INFINITY;
}

/** ms since 1970, by the clock of FreeSWITCH. */
export function stampOf(event: EslEvent): number | undefined {
  const micros = Number(event.get('Event-Date-Timestamp') ?? Number.NaN);
  return Number.isFinite(micros) ? micros / 1000 : undefined;
}

/** The parts of `sofia/external/+4930123456`. */
export interface ChannelName {
  readonly whole: string;
  readonly endpoint: string;
  /** What stands behind the endpoint: of sofia, the profile. */
  readonly profile: string;
}
export function channelNameOf(event: EslEvent): ChannelName {
  const whole = text(event, 'Channel-Name') ?? text(event, 'Caller-Channel-Name') ?? '';
  const [endpoint = '', profile = ''] = whole.split('/');
  return { whole, endpoint: endpoint.toLowerCase(), profile };
}

/** The other half, of one of the two legs that `loopback/…` is made of. */
export const otherHalfOf = (event: EslEvent): string | undefined => event.get('variable_other_loopback_leg_uuid');

/** The person inside at whose phone a leg is: user and domain as the directory has them. undefined: there is none. */
export function userOf(
  event: EslEvent,
  outgoing: boolean,
): { readonly user: string; readonly device: string } | undefined {
  const [presence = '', presenceDomain] = (text(event, 'Channel-Presence-ID') ?? '').split('@');
  const user = outgoing ? (variable(event, 'dialed_user') ?? presence) : userWhoLoggedIn(event);
  if (user === undefined || user === '') return undefined;
  const domain = presence === user ? presenceDomain : variable(event, outgoing ? 'dialed_domain' : 'domain_name');
  return { user, device: domain === undefined ? user : `${user}@${domain}` };
}

/** `set_user` of a dialplan gives the name of a user to anybody: it counts only where a login, or an ACL, stands behind it. */
function userWhoLoggedIn(event: EslEvent): string | undefined {
  const login = variable(event, 'sip_auth_username');
  if (login !== undefined) return login;
  const proven = event.get('variable_sip_acl_authed_by') !== undefined || channelNameOf(event).endpoint !== 'sofia';
  return proven ? variable(event, 'user_name') : undefined;
}

/** The gateway that a leg goes out by, or came in by where FreeSWITCH knows it. */
export const gatewayOf = (event: EslEvent): string | undefined =>
  variable(event, 'sip_gateway_name') ?? variable(event, 'sip_gateway');

/** Names by which `trunks` may speak of a leg. */
export function trunkNamesOf(event: EslEvent, outgoing: boolean): readonly string[] {
  const { whole, profile } = channelNameOf(event);
  const user = userOf(event, outgoing);
  const gateway = gatewayOf(event);
  const names = [gateway, user?.user, user?.device, whole].filter((name) => name !== undefined);
  // A profile is where a leg comes in; phones and carriers may share one.
  return gateway === undefined && user === undefined ? [...names, profile] : names;
}

/** What a leg belongs to. */
export function lineOf(
  event: EslEvent,
  outgoing: boolean,
  isTrunk: ((names: readonly string[]) => boolean) | undefined,
): Line {
  const { endpoint, profile, whole } = channelNameOf(event);
  if (endpoint === 'loopback' || endpoint === 'null') return { kind: 'virtual' };
  const user = userOf(event, outgoing);
  const gateway = gatewayOf(event);
  const name = gateway ?? user?.device ?? (profile === '' ? whole : profile);
  const trunk = isTrunk?.(trunkNamesOf(event, outgoing)) ?? (gateway !== undefined || user === undefined);
  if (trunk) return { kind: 'trunk', name };
  if (user !== undefined) return { kind: 'agent', extension: user.user, device: user.device };
  // A phone that need not log in, where `trunks` says that it is none.
  const number = (outgoing ? dialledOf(event) : callerOf(event)) ?? name;
  return { kind: 'agent', extension: number.replace(/@.*$/, ''), device: whole };
}

export const isOutgoing = (event: EslEvent): boolean =>
  (event.get('Call-Direction') ?? event.get('Caller-Direction')) === 'outbound';

/** The numbers of a leg: who calls, or is shown to the far end; and what is dialled. */
export interface LegNumbers {
  readonly from?: string;
  readonly dialled?: string;
}
const numbers = (from: string | undefined, dialled: string | undefined): LegNumbers => ({
  ...(from === undefined ? {} : { from }),
  ...(dialled === undefined ? {} : { dialled }),
});
const callerOf = (event: EslEvent): string | undefined => text(event, 'Caller-Caller-ID-Number');
const dialledOf = (event: EslEvent): string | undefined => text(event, 'Caller-Destination-Number');

/** As they are now: right when a leg begins. Later pick-up and transfers swap the one, and a `transfer` of the dialplan the other. */
export const numbersNow = (event: EslEvent): LegNumbers => numbers(callerOf(event), dialledOf(event));

/** As they were when the leg began, as far as it still knows them. */
export const numbersAtFirst = (event: EslEvent, outgoing: boolean): LegNumbers =>
  outgoing
    ? numbersNow(event)
    : numbers(
        text(event, 'Caller-Orig-Caller-ID-Number') ?? callerOf(event),
        variable(event, 'sip_req_user') ?? text(event, 'Caller-RDNIS') ?? dialledOf(event),
      );

/** The caller does not want his number shown, though FreeSWITCH may well have it. */
export const isWithheld = (event: EslEvent): boolean =>
  event.get('Caller-Privacy-Hide-Number') === 'true' ||
  /\b(?:id|user|full|critical)\b/i.test(variable(event, 'sip_Privacy') ?? '');

/**
 * The leg that dials this one: its originator; or the caller for whom a queue (callcenter, fifo) or an enterprise originate rings
 * it, of which only the variable tells (no `Other-Leg`, no originator).
 */
export const diallerOf = (event: EslEvent): string | undefined =>
  event.get('variable_originator') ??
  (event.get('Other-Type') === 'originator' ? event.get('Other-Leg-Unique-ID') : undefined) ??
  event.get('variable_cc_member_session_uuid') ??
  event.get('variable_fifo_bridge_uuid') ??
  event.get('variable_ent_originate_aleg_uuid');

/** The queue that a caller waits in, and whose wait it is. */
export function queueOf(event: EslEvent): { readonly leg: string; readonly queue: string } | undefined {
  const queue = variable(event, 'cc_queue');
  const leg = event.get('variable_cc_side') === 'agent' ? event.get('variable_cc_member_session_uuid') : legOf(event);
  return queue === undefined || leg === undefined ? undefined : { leg, queue };
}

export const isAnswered = (event: EslEvent): boolean => event.get('Answer-State') === 'answered';

/** The two legs of a CHANNEL_BRIDGE or CHANNEL_UNBRIDGE; it is told of either. */
export function pairOf(event: EslEvent): readonly [string, string] | undefined {
  const a = event.get('Bridge-A-Unique-ID') ?? legOf(event);
  const b = event.get('Bridge-B-Unique-ID') ?? event.get('Other-Leg-Unique-ID');
  return a === undefined || b === undefined || a === b ? undefined : [a, b];
}

/** The conference room of a conference::maintenance event. */
export const roomOf = (event: EslEvent): string | undefined =>
  event.get('Conference-Unique-ID') ?? text(event, 'Conference-Name');
/** The conference room that a leg is in, from a description of the leg. */
export function roomOfDump(event: EslEvent): string | undefined {
  const application = event.get('variable_current_application') ?? 'conference';
  return application === 'conference' ? event.get('variable_conference_uuid') : undefined;
}
/** The leg that it talks with, from a description of it; both sides of a bridge say so while it stands. */
export const partnerOfDump = (event: EslEvent): string | undefined => event.get('variable_bridge_to');

/** A leg has hung up: its own thread, or the one at its far end, is still to come to it. */
export const isHungUp = (event: EslEvent): boolean => event.get('Answer-State') === 'hangup';
/** The far end has hung up: then all is said, though the leg's own thread may be held up for long by a script or a socket. */
export const isHungUpByFarEnd = (event: EslEvent): boolean =>
  event.get('variable_sip_hangup_disposition')?.startsWith('recv_') === true;
/** Since when a leg's end is dealt with, ms by the clock of FreeSWITCH; undefined: it is not yet. */
export function endingSince(event: EslEvent): number | undefined {
  const micros = Number(event.get('Caller-Channel-Hangup-Time') ?? 0);
  return micros > 0 ? micros / 1000 : undefined;
}

/** FreeSWITCH's word for why a leg hung up; undefined: it has not. */
export const hangupCauseOf = (event: EslEvent): string | undefined =>
  event.get('Hangup-Cause') ?? event.get('variable_hangup_cause');

/**
 * How a leg ended, from an event or a description that says so.
 * @param dialler why the leg that dialled it has hung up, if it has.
 */
export function endOf(
  event: EslEvent,
  dialler: string | undefined,
): { readonly q850: number | undefined; readonly by: EndedBy; readonly elsewhere: boolean } {
  const cause = hangupCauseOf(event);
  const disposition = event.get('variable_sip_hangup_disposition');
  // What is no SIP leg says only this one word about it.
  const gaveUp = cause === 'ORIGINATOR_CANCEL' && !isOutgoing(event);
  const by = (disposition === undefined ? gaveUp : disposition.startsWith('recv_')) ? 'far' : 'pbx';
  return { q850: q850Of(causeBehind(event, cause, by, dialler)), by, elsewhere: isElsewhere(cause) };
}

/** The cause that says something, where FreeSWITCH's first one says nothing. */
function causeBehind(
  event: EslEvent,
  cause: string | undefined,
  by: EndedBy,
  dialler: string | undefined,
): string | undefined {
  // The PBX itself ended it, as if all were well: a plain ring-out comes so. What its last attempt came to says why.
  if (cause === 'NORMAL_CLEARING' && by === 'pbx') {
    const attempt = event.get('variable_originate_disposition');
    return attempt === undefined || attempt === 'SUCCESS' ? cause : attempt;
  }
  // A phone that was cancelled because its caller's leg ended: it was cancelled for that leg's reason.
  if (cause === 'ORIGINATOR_CANCEL' && isOutgoing(event))
    return event.get('variable_last_bridge_hangup_cause') ?? dialler ?? cause;
  return cause;
}
