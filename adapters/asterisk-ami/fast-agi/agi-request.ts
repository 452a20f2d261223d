/** What Asterisk sends when a dialplan calls `AGI(agi://HOST:PORT/gate?users=100,101&queue=sales)`: lines `agi_NAME: value`. */
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
  const address = addressOf(fields.get('request') ?? '');
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

function addressOf(text: string): { readonly path: string; readonly query: ReadonlyMap<string, string> } | undefined {
  if (!/^agi:\/\//iu.test(text) || !URL.canParse(text)) return undefined;
  const { pathname, search } = new URL(text);
  // A "+" is a digit's companion here (numbers), not a blank.
  const query = new URLSearchParams(search.replaceAll('+', '%2B'));
  return { path: pathname === '' ? '/' : pathname, query: new Map(query) };
}
