/** One event of FreeSWITCH, whatever its form on the wire was. */
export interface EslEvent {
  /** `Event-Name`. */
  readonly name: string;
  /** A header's value; undefined when it is not there or empty. */
  get(header: string): string | undefined;
  /** What follows an event's headers: the result of a background job. */
  readonly body: string | undefined;
}

const PERCENT = /(?:%[0-9a-fA-F]{2})+/g;

/**
 * Undoes %-encoding wherever it is well-formed; everything else stays as it is. Bytes that are no UTF-8 (`J%FCrgen`, from a
 * phone that writes Latin-1) become U+FFFD; `decodeURIComponent` would throw.
 */
export const percentDecoded = (text: string): string =>
  text.includes('%')
    ? text.replace(PERCENT, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'))
    : text;

/** The body of a `text/event-plain` frame; undefined: it is no event. */
export function readPlainEvent(bytes: Buffer): EslEvent | undefined {
  const text = bytes.toString('utf8');
  const end = text.indexOf('\n\n');
  const headers = new Map<string, string>();
  for (const line of (end < 0 ? text : text.slice(0, end)).split('\n')) {
    const colon = line.indexOf(': ');
    // Of two with one name the last counts, as it does in JSON.
    if (colon > 0) headers.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const name = headers.get('Event-Name');
  if (name === undefined) return undefined;
  const body = end < 0 ? '' : text.slice(end + 2);
  return {
    name,
    get: (header) => {
      const value = headers.get(header);
      return value === undefined || value === '' ? undefined : percentDecoded(value);
    },
    body: body === '' ? undefined : body,
  };
}

/** The body of a `text/event-json` frame, or the reply to `uuid_dump … json`; undefined: it is no event. */
export function readJsonEvent(bytes: Buffer | string): EslEvent | undefined {
  const fields = readJsonObject(typeof bytes === 'string' ? bytes : bytes.toString('utf8'));
  if (fields === undefined) return undefined;
  const get = (header: string): string | undefined => {
    // Keys come from phones and programs: none of them may be taken for a property of Object.
    const value = Object.hasOwn(fields, header) ? fields[header] : undefined;
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const name = get('Event-Name');
  return name === undefined ? undefined : { name, get, body: get('_body') };
}

/** Undefined: it is no JSON, or no object. */
export function readJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
