import type { OriginateOutcome, OriginateRefusal } from '../../src/pbx/adapter.js';
import { asLegId } from '../../src/call/vocabulary.js';

type Words = readonly [why: OriginateRefusal, what: string];

/** What FreeSWITCH's word for a failed originate means for the agent whose phone was to ring. */
const BY_CAUSE: Readonly<Record<string, Words>> = {
  USER_NOT_REGISTERED: ['not-registered', 'is not registered: no phone is logged in'],
  // `user/…` says so of a user that is not in the directory (mod_dptools, read in the source).
  SUBSCRIBER_ABSENT: ['unknown-extension', 'is no user in FreeSWITCH’s directory'],
  UNALLOCATED_NUMBER: ['unknown-extension', 'is not known'],
  NO_ROUTE_DESTINATION: ['unknown-extension', 'is not known'],
  INVALID_NUMBER_FORMAT: ['unknown-extension', 'is not known'],
  INVALID_URL: ['unknown-extension', 'has no phone that can be called'],
  USER_BUSY: ['busy', 'is busy'],
  BUSY_EVERYWHERE: ['busy', 'is busy'],
  CALL_REJECTED: ['declined', 'declined'],
  DECLINE: ['declined', 'declined'],
  NO_ANSWER: ['no-answer', 'did not answer'],
  ALLOTTED_TIMEOUT: ['no-answer', 'did not answer'],
  PROGRESS_TIMEOUT: ['no-answer', 'did not ring'],
  NO_USER_RESPONSE: ['no-answer', 'did not answer'],
  ORIGINATOR_CANCEL: ['no-answer', 'did not answer in time'],
  RECOVERY_ON_TIMER_EXPIRE: ['no-answer', 'has a phone that does not react: switched off, or not in the network'],
  OUTGOING_CALL_BARRED: ['not-allowed', 'may not be called'],
  INCOMING_CALL_BARRED: ['not-allowed', 'may not be called'],
};

const FAILED = /^-ERR\s+(\S+)/;
const DONE = /^\+OK\s+([\w-]{1,64})\s*$/;
const MAX_SAID = 200;

export const refusedDial = (why: OriginateRefusal, reason: string, said?: string): OriginateOutcome => ({
  kind: 'refused',
  why,
  reason,
  ...(said !== undefined && { said }),
});

/** The result of the job: `+OK` and the leg that was answered, or `-ERR` and a cause. */
export function outcomeOf(result: string, extension: string): OriginateOutcome {
  const leg = DONE.exec(result)?.[1];
  if (leg !== undefined) return { kind: 'done', leg: asLegId(leg) };
  const said = result.trim().slice(0, MAX_SAID);
  const cause = FAILED.exec(result)?.[1] ?? '';
  const known = Object.hasOwn(BY_CAUSE, cause) ? BY_CAUSE[cause] : undefined;
  if (known !== undefined) return refusedDial(known[0], `extension ${extension} ${known[1]}`, cause);
  return refusedDial('failed', `FreeSWITCH could not call extension ${extension}: ${JSON.stringify(said)}`, said);
}
