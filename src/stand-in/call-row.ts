import { prettyNumber } from './phone-book.js';

/** One row of the caller log. Times are ms since 1970 by the stand-in's clock, durations whole seconds. */
export interface CallRow {
  readonly id: number;
  readonly callId: string;
  readonly direction: 'in' | 'out';
  readonly state: 'newCall' | 'answer' | 'hangup';
  readonly from: string;
  readonly fromComment: string | null;
  readonly to: string;
  readonly toComment: string | null;
  readonly queue: string | null;
  /** The last `cause`. */
  readonly comment: string | null;
  /** false = on the list of open calls: it rings, or it was missed. */
  readonly done: boolean;
  readonly initializedAt: number;
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly durationWaitingTime: number | null;
  readonly durationTalkingTime: number | null;
  readonly updatedAt: number;
}

/** The word Zammad's caller log shows for a row; '' after a normal end. */
export function statusText(row: Pick<CallRow, 'state' | 'comment'>): string {
  if (row.state === 'newCall') return 'ringing';
  if (row.state === 'answer') return 'connected';
  switch (row.comment) {
    case 'cancel':
    case 'noAnswer':
    case 'congestion':
      return 'not reached';
    case 'busy':
      return 'busy';
    case 'notFound':
      return 'does not exist';
    case 'normalClearing':
    case null:
      return '';
    default:
      return row.comment;
  }
}

const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** A row as `GET /api/v1/cti/log` lists it. */
export const asListItem = (row: CallRow): Record<string, unknown> => ({
  id: row.id,
  direction: row.direction,
  state: row.state,
  from: row.from,
  from_comment: row.fromComment,
  from_pretty: prettyNumber(row.from),
  to: row.to,
  to_comment: row.toComment,
  to_pretty: prettyNumber(row.to),
  queue: row.queue,
  call_id: row.callId,
  comment: row.comment,
  initialized_at: iso(row.initializedAt),
  start_at: iso(row.startAt),
  end_at: iso(row.endAt),
  duration_waiting_time: row.durationWaitingTime,
  duration_talking_time: row.durationTalkingTime,
  preferences: {},
  done: row.done,
  created_at: iso(row.initializedAt),
  updated_at: iso(row.updatedAt),
});
