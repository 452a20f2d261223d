import type { Millis } from '../../src/call/vocabulary.js';
import type { RecordingReader, TimedBatch } from '../../src/pbx/adapter.js';
import { trunkMatcher } from '../asterisk/channel-name.js';
import { AsteriskLegs } from '../asterisk/legs.js';
import type { AsteriskAriConfig } from './config.js';
import { parseEvent, timeOf } from './event.js';
import { translate } from './translation.js';

/** What no event of Asterisk exceeds; a longer line is none, and is passed over. */
const LONGEST_LINE = 1024 * 1024;

/**
 * Reads what an Asterisk said over ARI: one event a line. Its clock is the `timestamp` of the events, counted from the first one;
 * or the times that the caller knows.
 */
export function readRecording(config: AsteriskAriConfig): RecordingReader {
  const legs = new AsteriskLegs(trunkMatcher(config.trunks ?? []));
  const decoder = new TextDecoder();
  let rest = '';
  let zero: Millis | undefined;
  let now: Millis = 0;

  return {
    push(chunk, at) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) rest = '';
      const batches: TimedBatch[] = [];
      for (const line of lines) {
        const event = parseEvent(line);
        if (event === undefined) continue;
        const time = timeOf(event);
        if (at !== undefined) now = at;
        else if (time !== undefined) {
          zero ??= time;
          now = Math.max(now, time - zero);
        }
        const message = translate(event);
        const batch = message === undefined ? [] : legs.push(message);
        if (batch.length > 0) batches.push({ at: now, batch });
      }
      return batches;
    },
  };
}
