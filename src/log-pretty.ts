/** Written with every line, or shown in a place of their own. */
const OWN_PLACE = new Set(['level', 'time', 'msg', 'pbx', 'zammad', 'callId', 'error']);

/** Text from a PBX must not move the cursor or change colours on somebody's terminal. */
const harmless = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029]/gu, (char) =>
    char === '\n' ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const oneLine = (value: unknown): string =>
  (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('\n', '\\n');

/** One JSON line of the log as a person likes to read it: `17:02:03.004 WARN  [office] connection lost  retryIn=5000`. */
export function prettyLine(json: string): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return `${harmless(json.trimEnd())}\n`;
  }
  const { level, time, msg, error } = fields;
  const clock = typeof time === 'string' ? time.slice('2026-11-23T'.length, -1) : '';
  const about = ['pbx', 'zammad', 'callId'].flatMap((key) =>
    fields[key] === undefined ? [] : [`[${oneLine(fields[key])}]`],
  );
  const rest = Object.entries(fields)
    .filter(([key]) => !OWN_PLACE.has(key))
    .map(([key, value]) => `${key}=${oneLine(value)}`);
  const head = [clock, String(level).toUpperCase().padEnd(5), ...about, msg === undefined ? '' : oneLine(msg)].join(
    ' ',
  );
  return `${harmless([head, ...rest].join('  '))}${errorText(error)}\n`;
}

function errorText(error: unknown): string {
  if (error === undefined) return '';
  if (typeof error !== 'object' || error === null) return harmless(`\n    ${oneLine(error)}`);
  const { stack, name, message, code } = error as Readonly<Record<string, unknown>>;
  const text = typeof stack === 'string' ? stack : `${oneLine(name)}: ${oneLine(message)}`;
  const coded =
    typeof code === 'string' ? `${text.split('\n')[0] ?? ''} [${code}]\n${text.split('\n').slice(1).join('\n')}` : text;
  return harmless(`\n${coded.trimEnd()}`.replaceAll('\n', '\n    '));
}
