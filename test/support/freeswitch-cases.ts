import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventIn, isEvent } from '../../adapters/freeswitch/codec.js';
import { type EslEvent, percentDecoded } from '../../adapters/freeswitch/event.js';
import { type EslFrame, EslFramer } from '../../adapters/freeswitch/frames.js';
import { stampOf } from '../../adapters/freeswitch/headers.js';
import type { TrueCall } from './caller-log-judge.js';

/** One event of a recording, and when the PBX said it: ms since the first one. */
export interface TimedEvent {
  readonly at: number;
  readonly event: EslEvent;
  /** All its headers, in the order of the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** truth.json: what truly happened, from the SIP side of the recorded calls. */
interface Truth {
  readonly what: string;
  /** Version of the PBX. */
  readonly pbx: string;
  readonly calls: readonly TrueCall[];
}

/** One folder of adapters/freeswitch/cases. */
export interface FreeSwitchCase {
  readonly name: string;
  readonly directory: string;
  readonly truth: Truth;
  /** The recorded bytes: `event plain`. */
  bytes(): Buffer;
  /** The same calls, heard at the same time as `event json`; undefined: they were not. */
  twin(): Buffer | undefined;
  events(): readonly TimedEvent[];
  /** expected.jsonl, line by line. */
  expected(): readonly string[];
}

const root = fileURLToPath(new URL('../../adapters/freeswitch/cases/', import.meta.url));

export const freeSwitchCases: readonly FreeSwitchCase[] = readdirSync(root).sort().map(caseOf);

/** Every event in recorded bytes. One that has no time of its own was said with the one before it. */
export function readFreeSwitchRecording(bytes: Uint8Array): readonly TimedEvent[] {
  let zero: number | undefined;
  let at = 0;
  return new EslFramer().push(bytes).flatMap((frame): TimedEvent[] => {
    const event = isEvent(frame) ? eventIn(frame, 'all') : undefined;
    if (event === undefined) return [];
    const stamp = stampOf(event);
    zero ??= stamp;
    at = Math.max(at, (stamp ?? 0) - (zero ?? 0));
    return [{ at, event, headers: headersOf(frame) }];
  });
}

function headersOf({ type, body }: EslFrame): TimedEvent['headers'] {
  const text = body.toString('utf8');
  if (type === 'text/event-json') return Object.entries(JSON.parse(text) as Record<string, string>);
  return text
    .split('\n')
    .filter((line) => line.includes(': '))
    .map((line) => [line.slice(0, line.indexOf(': ')), percentDecoded(line.slice(line.indexOf(': ') + 2))]);
}

function caseOf(name: string): FreeSwitchCase {
  const directory = `${root}${name}`;
  const bytes = (): Buffer => readFileSync(`${directory}/input.esl`);
  return {
    name,
    directory,
    truth: JSON.parse(readFileSync(`${directory}/truth.json`, 'utf8')) as Truth,
    bytes,
    twin: () => {
      const file = `${directory}/twin.json.esl`;
      return existsSync(file) ? readFileSync(file) : undefined;
    },
    events: () => readFreeSwitchRecording(bytes()),
    expected: () => {
      const file = `${directory}/expected.jsonl`;
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    },
  };
}
