import { type EslEvent, readJsonEvent, readPlainEvent } from './event.js';
import type { EslFrame } from './frames.js';

export type WantedEvents = 'all' | ReadonlySet<string>;

/** The name stands first in every event that FreeSWITCH itself makes; what programs send through it may begin otherwise. */
const JSON_NAME = /^\{"Event-Name":"([A-Z_]+)"/;
const PLAIN_NAME = /^Event-Name: ([A-Z_]+)\n/;
const FIRST_HEADER = 64;

export const isEvent = ({ type }: EslFrame): boolean => type === 'text/event-json' || type === 'text/event-plain';

/**
 * The event in a frame; undefined when it is not among the wanted ones (known by its first bytes, before it is parsed) or
 * cannot be read, which `onUnreadable` is told.
 */
export function eventIn(
  { type, body }: EslFrame,
  wanted: WantedEvents,
  onUnreadable: () => void = () => undefined,
): EslEvent | undefined {
  const json = type === 'text/event-json';
  if (wanted !== 'all') {
    const name = (json ? JSON_NAME : PLAIN_NAME).exec(body.toString('latin1', 0, FIRST_HEADER))?.[1];
    if (name !== undefined && !wanted.has(name)) return undefined;
  }
  const event = json ? readJsonEvent(body) : readPlainEvent(body);
  if (event === undefined) onUnreadable();
  return event !== undefined && (wanted === 'all' || wanted.has(event.name)) ? event : undefined;
}
