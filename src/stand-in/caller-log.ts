import { callerIdFor, isBlocked, type CallRules } from './call-rules.js';
import type { CallRow } from './call-row.js';
import { asColumn, asText, hasNul, isList, isPresent, joined, param, type Param, type ParamMap } from './parameters.js';
import type { Person, PhoneBook } from './phone-book.js';

/** What Zammad makes of one post. */
export type Outcome =
  | {
      readonly kind: 'accepted';
      /** The JSON of the reply; `{}` = nothing to say. */
      readonly reply: Readonly<Record<string, string>>;
      readonly row: CallRow;
      /** An answer opened the ticket screen of this agent. */
      readonly screen?: Person | undefined;
    }
  /** 422, always JSON: checked before everything else, for every event. */
  | { readonly kind: 'invalid-direction' }
  /** A raised error that says what is wrong. */
  | { readonly kind: 'refused'; readonly status: 422 | 500; readonly message: string }
  /** A raised error behind an "Error ID". `row` is set when the change had been saved before. */
  | { readonly kind: 'failed'; readonly status: 422 | 500; readonly row?: CallRow | undefined };

/** Widths of the columns, in characters; more is cut without a word. */
const WIDTH = { callId: 250, from: 100, to: 100, comment: 500, other: 250 } as const;

type Insertable = Omit<CallRow, 'id' | 'startAt' | 'endAt' | 'durationWaitingTime' | 'durationTalkingTime'>;

/**
 * The rules of Zammad's Cti::Log and its generic driver, as a pure state machine. Rows are found by callId alone; at most
 * `limit` are kept, the oldest go first.
 */
export class CallerLog {
  readonly #rows = new Map<number, CallRow>();
  readonly #ids = new Map<string, number>();
  readonly #limit: number;
  #lastId = 0;
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Oldest first. */
  rows(): readonly CallRow[] {
    return [...this.#rows.values()];
  }

  byCallId(callId: string): CallRow | undefined {
    return this.#find(callId);
  }

  clear(): void {
    this.#rows.clear();
    this.#ids.clear();
  }

  /** What an agent's tick does. undefined = no such row. */
  setDone(id: number, done: boolean, now: number): CallRow | undefined {
    const row = this.#rows.get(id);
    return row === undefined ? undefined : this.#save({ ...row, done, updatedAt: now });
  }

  /** Takes one post. `now`: ms since 1970, the only time there is: a post cannot bring its own. */
  process(params: ParamMap, rules: CallRules, people: PhoneBook, now: number): Outcome {
    const direction = param(params, 'direction');
    if (direction !== 'in' && direction !== 'out') return { kind: 'invalid-direction' };
    const event = param(params, 'event');
    const given = param(params, 'callId');
    // Ruby's `||`: an empty callId is true and hides call_id.
    const callId = given === null || given === false ? param(params, 'call_id') : given;
    if (typeof callId === 'object' && callId !== null) return failed(500);
    if (hasNul(callId)) return failed(422);
    switch (event) {
      case 'newCall':
        return this.#newCall(params, direction, callId, rules, people, now);
      case 'answer':
        return this.#answer(params, direction, callId, people, now);
      case 'hangup':
        return this.#hangup(params, direction, callId, now);
      default:
        return failed(422);
    }
  }

  #newCall(
    params: ParamMap,
    direction: 'in' | 'out',
    callId: Param,
    rules: CallRules,
    people: PhoneBook,
    now: number,
  ): Outcome {
    const to = param(params, 'to');
    let from = param(params, 'from');
    let reply: Record<string, string> = {};
    if (direction === 'in') {
      if (isBlocked(rules, from)) reply = { action: 'reject', reason: 'busy' };
    } else if (isPresent(to)) {
      if (typeof to !== 'string') return failed(500);
      const set = setCallerId(rules, to);
      if (set === undefined) return failed(500);
      if (set.callerId !== undefined) {
        from = set.callerId;
        reply = { action: 'dial', [rules.callerIdKey]: from, number: to };
      }
    }
    const row = insertable(params, direction, { from, to, callId }, people, now);
    if ('kind' in row) return row;
    if (this.#find(callId) !== undefined || this.#ids.has(row.callId)) {
      return { kind: 'refused', status: 500, message: 'This object already exists.' };
    }
    return { kind: 'accepted', reply, row: this.#insert(row) };
  }

  #answer(params: ParamMap, direction: 'in' | 'out', callId: Param, people: PhoneBook, now: number): Outcome {
    const row = this.#find(callId);
    if (row === undefined) return failed(500);
    if (row.state === 'hangup') return { kind: 'accepted', reply: {}, row };
    const user = param(params, 'user');
    const cause = param(params, 'cause');
    if (hasNul(user) || hasNul(cause)) return failed(422);
    const saved = this.#save({
      ...row,
      state: 'answer',
      startAt: now,
      durationWaitingTime: wholeSeconds(row.initializedAt, now),
      // In both directions, and the empty text too: on an outbound call it replaces the customer's name.
      toComment: user === null || user === false ? row.toComment : userText(user),
      comment: asColumn(cause, WIDTH.comment),
      done: true,
      updatedAt: now,
    });
    const screen = direction === 'in' ? agentToAlert(params, people) : undefined;
    if (screen === 'no-text') return { kind: 'failed', status: 500, row: saved };
    return { kind: 'accepted', reply: {}, row: saved, screen };
  }

  #hangup(params: ParamMap, direction: 'in' | 'out', callId: Param, now: number): Outcome {
    const row = this.#find(callId);
    if (row === undefined) return failed(500);
    const cause = param(params, 'cause');
    if (hasNul(cause)) return failed(422);
    // The post's direction counts, not the row's. A second hangup no longer finds the state newCall: done turns true, and
    // a missed call is gone from the list.
    const unanswered = row.state === 'newCall' && cause !== 'forwarded';
    const open = direction === 'in' && (unanswered || row.toComment === 'voicemail');
    const saved = this.#save({
      ...row,
      state: 'hangup',
      done: !open,
      comment: asColumn(cause, WIDTH.comment),
      endAt: now,
      durationTalkingTime: row.startAt === null ? row.durationTalkingTime : wholeSeconds(row.startAt, now),
      durationWaitingTime: row.durationWaitingTime ?? wholeSeconds(row.initializedAt, now),
      updatedAt: now,
    });
    return { kind: 'accepted', reply: {}, row: saved };
  }

  /** By the uncut id: an id longer than the column is never found again. */
  #find(callId: Param): CallRow | undefined {
    const id = callId === null ? undefined : this.#ids.get(asText(callId));
    return id === undefined ? undefined : this.#rows.get(id);
  }

  #insert(row: Insertable): CallRow {
    this.#lastId += 1;
    const none = { startAt: null, endAt: null, durationWaitingTime: null, durationTalkingTime: null };
    this.#ids.set(row.callId, this.#lastId);
    const saved = this.#save({ id: this.#lastId, ...row, ...none });
    for (const oldest of this.#rows.values()) {
      if (this.#rows.size <= this.#limit) break;
      this.#rows.delete(oldest.id);
      this.#ids.delete(oldest.callId);
    }
    return saved;
  }

  #save(row: CallRow): CallRow {
    this.#rows.set(row.id, row);
    return row;
  }
}

const failed = (status: 422 | 500): Outcome => ({ kind: 'failed', status });
const wholeSeconds = (from: number, to: number): number => Math.floor(to / 1000) - Math.floor(from / 1000);
const userText = (user: Param): string | null => asColumn(isList(user) ? joined(user) : user, WIDTH.other);
const commentFor = (people: PhoneBook, number: Param): string | null =>
  typeof number === 'string' ? people.commentFor(number) : null;

/** undefined = the routing table has a broken pattern. */
function setCallerId(rules: CallRules, to: string): { readonly callerId: string | undefined } | undefined {
  try {
    return { callerId: callerIdFor(rules, to) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

interface Key {
  readonly from: Param;
  readonly to: Param;
  readonly callId: Param;
}

/** The row of a newCall, or why the database takes none. */
function insertable(
  params: ParamMap,
  direction: 'in' | 'out',
  key: Key,
  people: PhoneBook,
  now: number,
): Insertable | Outcome {
  const user = param(params, 'user');
  const queue = param(params, 'queue');
  const cause = param(params, 'cause');
  if ([key.from, key.to, user, queue, cause].some(hasNul)) return failed(422);
  const from = asColumn(key.from, WIDTH.from);
  const to = asColumn(key.to, WIDTH.to);
  const callId = asColumn(key.callId, WIDTH.callId);
  // In the order of the table's columns: the first null is the one that is complained about.
  if (from === null) return required('from');
  if (to === null) return required('to');
  if (callId === null) return required('call_id');
  const agents = userText(user);
  const inbound = direction === 'in';
  const named = isPresent(user) ? agents : isPresent(queue) ? asColumn(queue, WIDTH.other) : null;
  return {
    callId,
    direction,
    state: 'newCall',
    from,
    fromComment: inbound ? commentFor(people, key.from) : agents,
    to,
    toComment: inbound ? named : commentFor(people, key.to),
    // The fallback comes after the caller id was set.
    queue: asColumn(isPresent(queue) ? queue : inbound ? key.to : key.from, WIDTH.other),
    comment: asColumn(cause, WIDTH.comment),
    done: !inbound,
    initializedAt: now,
    updatedAt: now,
  };
}

const required = (column: string): Outcome => ({
  kind: 'refused',
  status: 422,
  message: `Attribute '${column}" of relation "cti_logs' required!`,
});

/**
 * The agent whose ticket screen an inbound answer opens: by answeringNumber, else `user` as a login.
 * 'no-text' = Zammad asks a list or a number for its lower case and fails, after the row was saved.
 */
function agentToAlert(params: ParamMap, people: PhoneBook): Person | 'no-text' | undefined {
  const number = param(params, 'answeringNumber');
  const byNumber = isPresent(number) && number !== null ? people.agentByNumber(asText(number)) : undefined;
  if (byNumber !== undefined) return byNumber;
  const user = param(params, 'user');
  if (!isPresent(user)) return undefined;
  return typeof user === 'string' ? people.agentByLogin(user) : 'no-text';
}
