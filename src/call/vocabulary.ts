/**
 * The words of this program, as types.
 *
 * - **PBX**: one configured telephone system. **adapter**: the code that speaks one PBX interface.
 * - **leg**: one party's connection to the PBX (an Asterisk channel, a FreeSWITCH session).
 * - **line**: what a leg belongs to: an agent's extension, a trunk to the outside, the PBX itself, or a virtual half.
 * - **call**: one conversation with one customer, from the first ring to the last goodbye.
 * - **customer**: the outside party. **agent**: a person with an extension.
 * - **post**: one newCall / answer / hangup request to Zammad.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Name of one configured PBX, unique in the configuration: `[a-z0-9][a-z0-9_-]*`. */
export type PbxName = Branded<'PbxName'>;
/** A leg's id as its PBX gives it (Asterisk: Uniqueid). Unique within one PBX, for ever. */
export type LegId = Branded<'LegId'>;
/** Id of the legs that hear each other, chosen by the adapter. Unique within one PBX at one moment. */
export type ConversationId = Branded<'ConversationId'>;
/** Zammad's key of a call: at most 250 characters, never reused. */
export type CallId = Branded<'CallId'>;
/** Name of one configured Zammad. */
export type ZammadName = Branded<'ZammadName'>;
/** Milliseconds of a monotonic clock, or of a recording's clock. Only differences mean anything. */
export type Millis = number;

export const asPbxName = (text: string): PbxName => text as PbxName;
export const asLegId = (text: string): LegId => text as LegId;
export const asConversationId = (text: string): ConversationId => text as ConversationId;
export const asCallId = (text: string): CallId => text as CallId;
export const asZammadName = (text: string): ZammadName => text as ZammadName;

/** What a leg belongs to. */
export type Line =
  /** A phone inside. `device` is the PBX's name for it (`PJSIP/alice`), `extension` the adapter's reading of it (`alice`). */
  | { readonly kind: 'agent'; readonly extension: string; readonly device: string }
  /** A way to the outside. */
  | { readonly kind: 'trunk'; readonly name: string }
  /** The PBX's own end: IVR, announcer, recorder, conference. */
  | { readonly kind: 'pbx' }
  /** A Local or loopback half that stands between two real legs; it is folded away and never hears anybody. */
  | { readonly kind: 'virtual' };

/**
 * Who ended a leg: `far` the party at its other end; `pbx` the PBX (dialplan, time-out, operator); `us` this bridge.
 */
export type EndedBy = 'far' | 'pbx' | 'us';

export type RecorderKind = 'voicemail' | 'announcement' | 'ivr' | 'conference';

/**
 * What an adapter says about legs: the whole input of the brain. Idempotent; events of one leg come in order, events of
 * different legs may come in any order.
 */
export type LegEvent =
  /**
   * There is a leg. May come again for the same leg to complete or correct it (`withheld` is often known late).
   * `origin`: `incoming` = the far end called the PBX, `outgoing` = the PBX calls it.
   * `from`: the number the far end shows (incoming) or the number shown to it (outgoing), as the PBX has it.
   * `dialled`: the number dialled by an incoming leg (a trunk's: the DID), or dialled on an outgoing one.
   * `withheld`: the caller does not want his number shown. `asked`: the adapter is finding out and tells it by a second
   * `appeared`; the call is kept back for a moment until then. Left out: shown.
   * `by`: the leg that dials it, virtual legs folded. `onBehalfOf`: the extension of the agent for whom a leg was originated.
   */
  | {
      readonly type: 'appeared';
      readonly leg: LegId;
      readonly line: Line;
      readonly origin: 'incoming' | 'outgoing';
      readonly from?: string | undefined;
      readonly dialled?: string | undefined;
      readonly withheld?: boolean | 'asked' | undefined;
      readonly by?: LegId | undefined;
      readonly onBehalfOf?: string | undefined;
    }
  /** The PBX has begun to call this leg's phone. `by`: the leg for whom, virtual legs folded. */
  | { readonly type: 'called'; readonly leg: LegId; readonly by?: LegId | undefined }
  /** The leg is answered (by a phone, or by the PBX itself: that alone says nothing about a person). */
  | { readonly type: 'up'; readonly leg: LegId }
  /** The leg hears the others of this conversation. It leaves any other one by that. */
  | { readonly type: 'joined'; readonly leg: LegId; readonly conversation: ConversationId }
  | { readonly type: 'left'; readonly leg: LegId; readonly conversation: ConversationId }
  /** `new` goes on where `old` was (masquerade): same party, other id. */
  | { readonly type: 'replaced'; readonly old: LegId; readonly new: LegId }
  | { readonly type: 'queued'; readonly leg: LegId; readonly queue: string }
  | { readonly type: 'recorder'; readonly leg: LegId; readonly kind: RecorderKind }
  /** `q850`: ITU-T Q.850 cause, 0 = none. `elsewhere`: it stopped ringing because another phone answered. */
  | {
      readonly type: 'ended';
      readonly leg: LegId;
      readonly q850?: number | undefined;
      readonly by: EndedBy;
      readonly elsewhere?: boolean | undefined;
    }
  /**
   * The end of a resync: these are all the legs there are. What is not among them is over, at a time nobody saw.
   * The events that describe the legs come before it.
   */
  | { readonly type: 'snapshot'; readonly legs: readonly LegId[] }
  /** The PBX says that it stops: what ends from now on is cut off by it. */
  | { readonly type: 'stopping' }
  /**
   * An agent, at his phone or in the PBX's queues, does not wish to be disturbed, or may be again. About no leg.
   * `place`: `queues` = he is paused in all the queues that have this line; `phone` (or left out) = a state of his own. He is not to be
   * disturbed when one `phone` says so, or all his lines in `queues` do; where these two differ, what was said last counts.
   * `initial`: he may be disturbed, and nobody has said so: the PBX was started anew, or he has just come into a queue;
   * `partly`: and in others of this line's queues he is paused.
   */
  | {
      readonly type: 'availability';
      readonly line: AgentLine;
      readonly doNotDisturb: boolean;
      readonly place?: AvailabilityPlace | undefined;
      readonly initial?: boolean | 'partly' | undefined;
    }
  /**
   * All that the PBX has to say of agents' availability is said: it keeps a state for these lines and for no others. After a connect,
   * and whenever lines have gone.
   */
  | { readonly type: 'availabilities'; readonly lines: readonly AgentLine[] };

export type AvailabilityPlace = 'queues' | 'phone';

export type AgentLine = Extract<Line, { kind: 'agent' }>;

export type Direction = 'in' | 'out';

/** The seven causes that Zammad's caller log has words for (facts: Zammad's views/cti/caller_log). */
export const CAUSES = ['normalClearing', 'busy', 'cancel', 'noAnswer', 'congestion', 'notFound', 'forwarded'] as const;
export type Cause = (typeof CAUSES)[number];

interface PostBase {
  readonly callId: CallId;
  readonly direction: Direction;
  readonly from: string;
  readonly to: string;
}
export interface NewCallPost extends PostBase {
  readonly event: 'newCall';
  /** Names of the agents whose phones are called (in) or who call (out). */
  readonly user: readonly string[];
  readonly queue?: string;
}
export interface AnswerPost extends PostBase {
  readonly event: 'answer';
  /** Inbound only: ONE name. A list makes Zammad answer 500 after it has saved the change. */
  readonly user?: string;
  /** Inbound only: the agent's number. */
  readonly answeringNumber?: string;
}
export interface HangupPost extends PostBase {
  readonly event: 'hangup';
  readonly cause: Cause;
  readonly answeringNumber?: string;
}
/** One request to Zammad's CTI push API, before encoding. */
export type Post = NewCallPost | AnswerPost | HangupPost;
