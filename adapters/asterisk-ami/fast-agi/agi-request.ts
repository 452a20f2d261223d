/**
 * What Asterisk sends when a dialplan calls `AGI(agi://HOST:PORT/gate?users=100,101&queue=sales)`: lines `agi_NAME: value`. It takes
 * what follows a comma for further arguments (`agi_request: agi://HOST:PORT/gate?users=100`, `agi_arg_1: 101&queue=sales`).
 */
export interface AgiRequest {
  /** `/gate` */
  readonly path: string;
  /** What stands behind the `?`. Values as sent, percent signs undone. */
  readonly query: ReadonlyMap<string, string>;
  /** `agi_channel`: `PJSIP/trunk-000000c2`. */
  readonly channel: string;
  /** `agi_uniqueid`. */
  readonly uniqueid: string;
  /** `agi_callerid`; undefined: there is none. */
  readonly callerId: string | undefined;
  /** `agi_dnid`: the number the caller dialled; undefined on a call from a phone of the PBX. */
  readonly dnid: string | undefined;
  /** `agi_extension`: where the dialplan is. */
  readonly extension: string;
  /** The caller does not want his number shown (`agi_callingpres`, Asterisk's presentation octet: bits 6 and 7 are 01). */
  readonly withheld: boolean;
}

const PRESENTATION = 0x60;
const RESTRICTED = 0x20;
const NOBODY = new Set(['', 'unknown', '<unknown>']);

/** Undefined when it is no request of an Asterisk: a channel, an id or the address is missing. */
export function readAgiRequest(lines: readonly string[]): AgiRequest | undefined {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (!line.startsWith('agi_') || colon < 0) continue;
    const name = line.slice('agi_'.length, colon);
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  const channel = fields.get('channel') ?? '';
  const uniqueid = fields.get('uniqueid') ?? '';
  const address = addressOf(addressText(fields));
  if (channel === '' || uniqueid === '' || address === undefined) return undefined;
  const pres = Number.parseInt(fields.get('callingpres') ?? '0', 10);
  return {
    ...address,
    channel,
    uniqueid,
    callerId: known(fields.get('callerid')),
    dnid: known(fields.get('dnid')),
    extension: fields.get('extension') ?? '',
    withheld: (pres & PRESENTATION) === RESTRICTED,
  };
}

const known = (text: string | undefined): string | undefined =>
  text === undefined || NOBODY.has(text.toLowerCase()) ? undefined : text;

/** The address as it stands in the dialplan: Asterisk has cut it at its commas. */
function addressText(fields: ReadonlyMap<string, string>): string {
  const parts = [fields.get('request') ?? ''];
  for (;;) {
    const part = fields.get(`arg_${String(parts.length)}`);
    if (part === undefined) return parts.join(',');
    parts.push(part);
  }
}

function addressOf(text: string): { readonly path: string; readonly query: ReadonlyMap<string, string> } | undefined {
  // Not by URL: it takes a "#" for the end, which is a key that people dial.
  const found = /^h?agi:\/\/[^/?]+(?<path>\/[^?]*)?(?:\?(?<search>.*))?$/iu.exec(text)?.groups;
  if (found === undefined) return undefined;
  return { path: found['path'] ?? '/', query: queryOf(found['search'] ?? '') };
}

/**
 * Not by URLSearchParams: a "+" belongs to a number here, and is no blank; and a dialplan joins phones by "&" (`users=100&101&queue=sales`),
 * so what has no "=" belongs to the word before it. Agents may also be named one by one.
 */
function queryOf(search: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  let last: string | undefined;
  for (const part of search.split('&')) {
    const [, name, value] = /^([^=]*)=(.*)$/su.exec(part) ?? [];
    const before = query.get(name ?? last ?? '');
    if (name !== undefined && value !== undefined) {
      last = name;
      query.set(name, name === 'users' && before !== undefined ? `${before},${decoded(value)}` : decoded(value));
    } else if (last !== undefined && before !== undefined && part !== '') query.set(last, `${before}&${decoded(part)}`);
  }
  return query;
}

/** Percent signs undone, where they are well formed. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
