/**
 * One message of the Asterisk Manager Interface: an event, or the response to an action. Header names are compared without
 * regard to case, as Asterisk itself does; values are exactly what stood on the wire, decoded as UTF-8.
 */
export interface AmiMessage {
  /** Value of `Event`, e.g. `Newchannel`; undefined in a response. */
  readonly event: string | undefined;
  /** Value of `Response`: `Success`, `Error`, `Pong`, `Goodbye`, …; undefined in an event. */
  readonly response: string | undefined;
  /** Value of `ActionID`: the action that this message answers, or whose list it is an item of. */
  readonly actionId: string | undefined;
  /** First value of this header; `''` when it is there and empty, undefined when it is not there. */
  get(name: string): string | undefined;
  /** Every value of this header, in the order of the wire; empty when it is not there. */
  all(name: string): readonly string[];
}

/** Header values by lower-case name. A name that comes once has a plain string, which spares an array for nearly every one. */
export type AmiHeaders = ReadonlyMap<string, string | readonly string[]>;

const NONE: readonly string[] = [];

class HeaderMessage implements AmiMessage {
  readonly event: string | undefined;
  readonly response: string | undefined;
  readonly actionId: string | undefined;
  readonly #headers: AmiHeaders;

  constructor(headers: AmiHeaders) {
    this.#headers = headers;
    this.event = this.get('event');
    this.response = this.get('response');
    this.actionId = this.get('actionid');
  }

  get(name: string): string | undefined {
    const value = this.#headers.get(name.toLowerCase());
    return typeof value === 'object' ? value[0] : value;
  }

  all(name: string): readonly string[] {
    const value = this.#headers.get(name.toLowerCase());
    if (value === undefined) return NONE;
    return typeof value === 'string' ? [value] : value;
  }
}

/** A message of headers already collected by lower-case name. */
export const messageOfHeaders = (headers: AmiHeaders): AmiMessage => new HeaderMessage(headers);

/**
 * A message from an object, e.g. `amiMessage({ Event: 'Newchannel', ChanVariable: ['A=1', 'B=2'] })`: for tests and for
 * messages that this program makes up itself.
 */
export function amiMessage(fields: Readonly<Record<string, string | readonly string[]>>): AmiMessage {
  const headers = new Map<string, string | readonly string[]>();
  for (const [name, value] of Object.entries(fields)) headers.set(name.toLowerCase(), value);
  return new HeaderMessage(headers);
}
