/** Recorded ARI events and the lists that the same Asterisk gave in their midst, as the adapter would take them up. */
import { existsSync, readFileSync } from 'node:fs';
import { parseEvent, timeOf, type JsonObject } from '../../adapters/asterisk-ari/event.js';
import type { AriRest } from '../../adapters/asterisk-ari/rest-contract.js';
import { Resync } from '../../adapters/asterisk-ari/resync.js';
import { translate } from '../../adapters/asterisk-ari/translation.js';
import type { AsteriskEvent } from '../../adapters/asterisk/event.js';
import { AsteriskBench, type TimedPost } from './asterisk-bench.js';
import { recordedCases, type RecordedCase } from './asterisk-cases.js';
import { ManualClock } from './manual-clock.js';
import { silent } from './whole-bridge.js';

/** A line of snapshots.jsonl. */
export interface RecordedLists {
  /** Events of the recording that were before it. */
  readonly heard: number;
  readonly bridges: readonly JsonObject[];
  readonly channels: readonly JsonObject[];
  /** What a question about a channel's function would have brought, by channel. */
  readonly variables: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
export interface AriCase extends RecordedCase {
  /** undefined: an event that says nothing of legs. */
  readonly messages: readonly { readonly at: number; readonly message: AsteriskEvent | undefined }[];
  readonly lists: readonly RecordedLists[];
}

const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

export const ariCases: readonly AriCase[] = recordedCases('asterisk-ari', 'input.ari').map((recorded) => {
  const events = linesOf(recorded.bytes().toString('utf8')).map((line) => parseEvent(line)!);
  const zero = timeOf(events[0]!) ?? 0;
  const file = `${recorded.directory}/snapshots.jsonl`;
  return {
    ...recorded,
    messages: events.map((event) => ({ at: (timeOf(event) ?? zero) - zero, message: translate(event) })),
    lists: existsSync(file) ? linesOf(readFileSync(file, 'utf8')).map((line) => JSON.parse(line) as RecordedLists) : [],
  };
});

export interface PlayOptions {
  /** The bridge was not there before. */
  readonly cold: boolean;
  /** So many events are heard before the answer with the lists has come. */
  readonly late: number;
}

/** Plays a recording, with the lists taken up where they were made. */
export async function playWithLists(
  { trunks, agents, messages }: AriCase,
  lists: RecordedLists,
  { cold, late }: PlayOptions,
): Promise<readonly TimedPost[]> {
  const bench = new AsteriskBench({ trunks, agents });
  const clock = new ManualClock();
  const resync = new Resync({ legs: bench.legs, clock, log: silent, emit: (batch) => void bench.tell(batch) });
  const hear = ({ at, message }: AriCase['messages'][number]): void => {
    bench.until(at);
    if (message === undefined) return;
    resync.heard(message);
    bench.tell(bench.legs.push(message));
  };
  if (!cold) messages.slice(0, lists.heard).forEach(hear);
  bench.until(messages[lists.heard - 1]?.at ?? 0);
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const taken = resync.take({ rest: restOf(lists, answered), at: { host: 'pbx', port: 8088 }, username: 'bridge' });
  messages.slice(lists.heard, lists.heard + late).forEach(hear);
  answer();
  await clock.advance(1_000);
  const missing = await taken;
  if (missing !== undefined) throw new Error(missing);
  messages.slice(lists.heard + late).forEach(hear);
  return bench.finish().posts;
}

function restOf({ bridges, channels, variables }: RecordedLists, answered: Promise<void>): AriRest {
  return {
    async request({ path: [what, id = ''], query }) {
      await answered;
      if (what === 'bridges') return { status: 200, body: bridges };
      if (id === '') return { status: 200, body: channels };
      return { status: 200, body: { value: variables[id]?.[String(query?.['variable'])] ?? '' } };
    },
    close: () => undefined,
  };
}
