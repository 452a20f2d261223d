/**
 * FreeSWITCH's words for why a leg ended, as Q.850 causes (switch_types.h, switch_call_cause_t: those below 128 are Q.850's own;
 * what it has added is put beside the one that means the same to a caller). Its header `variable_hangup_cause_q850` is of no
 * use for that: it says 16 for a phone that is not registered.
 */
const Q850: Readonly<Record<string, number>> = {
  UNALLOCATED_NUMBER: 1,
  NO_ROUTE_TRANSIT_NET: 2,
  NO_ROUTE_DESTINATION: 3,
  CHANNEL_UNACCEPTABLE: 6,
  CALL_AWARDED_DELIVERED: 7,
  NORMAL_CLEARING: 16,
  USER_BUSY: 17,
  NO_USER_RESPONSE: 18,
  NO_ANSWER: 19,
  SUBSCRIBER_ABSENT: 20,
  CALL_REJECTED: 21,
  NUMBER_CHANGED: 22,
  REDIRECTION_TO_NEW_DESTINATION: 23,
  EXCHANGE_ROUTING_ERROR: 25,
  DESTINATION_OUT_OF_ORDER: 27,
  INVALID_NUMBER_FORMAT: 28,
  FACILITY_REJECTED: 29,
  RESPONSE_TO_STATUS_ENQUIRY: 30,
  NORMAL_UNSPECIFIED: 31,
  NORMAL_CIRCUIT_CONGESTION: 34,
  NETWORK_OUT_OF_ORDER: 38,
  NORMAL_TEMPORARY_FAILURE: 41,
  SWITCH_CONGESTION: 42,
  ACCESS_INFO_DISCARDED: 43,
  REQUESTED_CHAN_UNAVAIL: 44,
  PRE_EMPTED: 45,
  FACILITY_NOT_SUBSCRIBED: 50,
  OUTGOING_CALL_BARRED: 52,
  INCOMING_CALL_BARRED: 54,
  BEARERCAPABILITY_NOTAUTH: 57,
  BEARERCAPABILITY_NOTAVAIL: 58,
  SERVICE_UNAVAILABLE: 63,
  BEARERCAPABILITY_NOTIMPL: 65,
  CHAN_NOT_IMPLEMENTED: 66,
  FACILITY_NOT_IMPLEMENTED: 69,
  SERVICE_NOT_IMPLEMENTED: 79,
  INVALID_CALL_REFERENCE: 81,
  INCOMPATIBLE_DESTINATION: 88,
  INVALID_MSG_UNSPECIFIED: 95,
  MANDATORY_IE_MISSING: 96,
  MESSAGE_TYPE_NONEXIST: 97,
  WRONG_MESSAGE: 98,
  IE_NONEXIST: 99,
  INVALID_IE_CONTENTS: 100,
  WRONG_CALL_STATE: 101,
  RECOVERY_ON_TIMER_EXPIRE: 102,
  MANDATORY_IE_LENGTH_ERROR: 103,
  PROTOCOL_ERROR: 111,
  INTERWORKING: 127,
  // its own
  ORIGINATOR_CANCEL: 16,
  LOSE_RACE: 26,
  PICKED_OFF: 26,
  ALLOTTED_TIMEOUT: 19,
  PROGRESS_TIMEOUT: 19,
  MEDIA_TIMEOUT: 16,
  USER_CHALLENGE: 21,
  BLIND_TRANSFER: 16,
  ATTENDED_TRANSFER: 16,
  MANAGER_REQUEST: 16,
  CRASH: 41,
  SYSTEM_SHUTDOWN: 41,
  USER_NOT_REGISTERED: 20,
  GATEWAY_DOWN: 27,
  INVALID_GATEWAY: 27,
  INVALID_URL: 28,
  INVALID_PROFILE: 27,
  NO_PICKUP: 19,
  SRTP_READ_ERROR: 41,
  BOWOUT: 16,
  BUSY_EVERYWHERE: 17,
  DECLINE: 21,
  DOES_NOT_EXIST_ANYWHERE: 1,
  NOT_ACCEPTABLE: 88,
  UNWANTED: 21,
};

/** Another phone took the call that this one rang for. */
const ELSEWHERE = new Set(['LOSE_RACE', 'PICKED_OFF']);
export const isElsewhere = (cause: string | undefined): boolean => cause !== undefined && ELSEWHERE.has(cause);

/** undefined: a word that this version does not know. */
export const q850Of = (cause: string | undefined): number | undefined =>
  cause === undefined || !Object.hasOwn(Q850, cause) ? undefined : Q850[cause];

/** The word that `uuid_kill` takes for a Q.850 cause. */
export const wordOf = (q850: number): string =>
  Object.keys(Q850).find((word) => Q850[word] === q850) ?? 'NORMAL_CLEARING';
