import { type EslEvent, percentDecoded } from '../event.js';
import type { EslFrame } from '../frames.js';
import * as header from '../headers.js';

/** A call that waits in `socket HOST:PORT …` of its dialplan, as FreeSWITCH tells it in reply to `connect`. */
export interface WaitingCall {
  /** Its leg, with all headers and variables. Names are found in any case. */
  readonly description: EslEvent;
  readonly leg: string;
  /** `async`: it waits beside its dialplan. Else the dialplan itself runs in this connection. */
  readonly async: boolean;
  /** `full`: this connection may give every command; else only those of its own leg. */
  readonly full: boolean;
  /** What stands in the dialplan's line behind the address: `users=100,101`. Names in small letters. */
  readonly words: ReadonlyMap<string, string>;
}

/** More headers than a leg ever has. */
const MOST_HEADERS = 2_000;
/** FreeSWITCH's own ids are UUIDs; `origination_uuid` lets a dialplan choose. No blank: it becomes a word of a command. */
const LEG_ID = /^[\w.:@+-]{1,128}$/;

/**
 * Undefined: this is no call of a FreeSWITCH. The block has no body; its values are %-encoded, that of `Reply-Text` too, which is
 * why it says `%2BOK%0A`.
 */
export function readWaitingCall({ type, headers }: EslFrame): WaitingCall | undefined {
  if (type !== 'command/reply' || headers.size > MOST_HEADERS) return undefined;
  const get = (name: string): string | undefined => {
    const value = headers.get(name.toLowerCase());
    return value === undefined || value === '' ? undefined : percentDecoded(value);
  };
  const mode = get('Socket-Mode');
  const leg = get('Unique-ID');
  if (get('Event-Name') !== 'CHANNEL_DATA' || mode === undefined || leg === undefined || !LEG_ID.test(leg))
    return undefined;
  return {
    description: { name: 'CHANNEL_DATA', get, body: undefined },
    leg,
    async: mode === 'async',
    full: get('Control') === 'full',
    words: wordsOf(get('variable_current_application_data') ?? ''),
  };
}

/** The application takes `async` and `full`, and passes over every other word. */
function wordsOf(line: string): ReadonlyMap<string, string> {
  const pairs = line.split(' ').map((word): [string, string] => {
    const equals = word.indexOf('=');
    return [word.slice(0, Math.max(0, equals)).toLowerCase(), word.slice(equals + 1)];
  });
  return new Map(pairs.filter(([name]) => name !== ''));
}

/** `users=…` of the line, or the channel's variable ZAMMAD_USERS, in any case. An empty one, as of a variable that is not set, says nothing. */
export const givenBy = ({ words, description }: WaitingCall, name: string): string | undefined =>
  words.get(name)?.trim() || description.get(`variable_zammad_${name}`)?.trim() || undefined;

/** The numbers with which a leg came in, though a dialplan may have sent it on before it waits. */
export function numbersOf({ description }: WaitingCall): header.LegNumbers {
  const sentOn = Number(description.get('Caller-Profile-Index') ?? 1) > 1;
  return sentOn ? header.numbersAtFirst(description, header.isOutgoing(description)) : header.numbersNow(description);
}
