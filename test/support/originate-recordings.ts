/** What Asterisk 22 and 16 said of the phones that an Originate rang: recorded in the lab, trimmed to the headers that count. */
import { readFileSync } from 'node:fs';

export type RecordedSeries = '22' | '16';

/** Events by scenario, each with CRLF and its empty line; `{1}`, `{2}` stand for the ids of the first and the second phone. */
export function originateRecordings(series: RecordedSeries): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(new URL(`originate-recordings/asterisk-${series}.txt`, import.meta.url), 'utf8');
  const scenarios = text.split(/^# /m).filter((part) => part.trim() !== '');
  return new Map(
    scenarios.map((part) => {
      const [name = '', ...events] = part.split(/^(?=Event: )/m);
      return [name.trim(), events.map((event) => `${event.trim().split('\n').join('\r\n')}\r\n\r\n`)];
    }),
  );
}
