import { Buffer } from 'node:buffer';

const LF = 10;
const CR = 13;
const APPLICATION = Buffer.from('\nApplication: ');
const DEVICE = Buffer.from('\nDevice: ');
/** A longer first line is no event that anybody knows. */
const MAX_FIRST_LINE_BYTES = 256;

/** Event names as Asterisk writes them, or all there are. */
export type WantedEvents = ReadonlySet<string> | 'all';

/**
 * `Newexten` tells every step of the dialplan, most of what an AMI login with all rights hears; it is parsed only where the
 * step is one of these applications, for which Asterisk has no event of class `call`.
 */
const NEWEXTEN_APPLICATIONS: ReadonlySet<string> = new Set(['VoiceMail']);

/** Devices that are no phones: custom states, and members of queues that are paused. */
const DEVICES = /^(?:Custom:|Queue:.*_pause_)/;

/**
 * Says of a message's bytes, without parsing it, whether it is worth parsing: responses, wanted events, and every event that
 * carries an ActionID of ours (an item of a list that we asked for).
 */
export class Prefilter {
  readonly #events: WantedEvents;
  readonly #ours: Buffer | undefined;

  constructor(events: WantedEvents, actionIdPrefix: string | undefined) {
    this.#events = events;
    this.#ours = actionIdPrefix === undefined ? undefined : Buffer.from(`\nActionID: ${actionIdPrefix}`);
  }

  /** `end` is behind the last line's LF. */
  wants(buffer: Buffer, start: number, end: number): boolean {
    const first = firstLine(buffer, start, end);
    const colon = first.indexOf(':');
    const name = first.slice(0, colon).toLowerCase();
    if (name === 'response') return true;
    if (name !== 'event') return false;
    if (this.#events === 'all') return true;
    const event = first.slice(colon + 1).trim();
    if (this.#events.has(event) && isWorthIt(event, buffer, start, end)) return true;
    return this.#ours !== undefined && buffer.subarray(start, end).includes(this.#ours);
  }
}

function firstLine(buffer: Buffer, start: number, end: number): string {
  const limit = Math.min(end, start + MAX_FIRST_LINE_BYTES);
  let at = start;
  while (at < limit && buffer[at] !== LF && buffer[at] !== CR) at += 1;
  return buffer.toString('latin1', start, at);
}

/** Of the two events that come most often only a few say something. */
function isWorthIt(event: string, buffer: Buffer, start: number, end: number): boolean {
  if (event === 'Newexten') return NEWEXTEN_APPLICATIONS.has(valueOf(APPLICATION, buffer, start, end));
  return event !== 'DeviceStateChange' || DEVICES.test(valueOf(DEVICE, buffer, start, end));
}

function valueOf(header: Buffer, buffer: Buffer, start: number, end: number): string {
  const at = buffer.subarray(start, end).indexOf(header);
  return at < 0 ? '' : firstLine(buffer, start + at + header.length, end).trim();
}
