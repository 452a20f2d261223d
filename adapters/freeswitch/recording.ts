import type { Millis } from '../../src/call/vocabulary.js';
import type { RecordingReader, TimedBatch } from '../../src/pbx/adapter.js';
import { eventIn, isEvent } from './codec.js';
import type { FreeSwitchConfig } from './config.js';
import { EslFramer } from './frames.js';
import { stampOf } from './headers.js';
import { FreeSwitchLegs, LEG_EVENTS } from './legs.js';
import { trunkTest } from './trunks.js';

/**
 * Reads the bytes a FreeSWITCH sent over its event socket, `event plain` and `event json` alike. Its clock is the
 * `Event-Date-Timestamp` of the events, counted from the first one in the recording, wanted or not; or the times that the
 * caller knows.
 */
export function readRecording(config: FreeSwitchConfig): RecordingReader {
  const framer = new EslFramer();
  const legs = new FreeSwitchLegs(trunkTest(config.trunks));
  let zero: Millis | undefined;
  let now: Millis = 0;

  return {
    push(chunk, at) {
      const batches: TimedBatch[] = [];
      for (const frame of framer.push(chunk)) {
        if (!isEvent(frame)) continue;
        if (zero === undefined) {
          const first = eventIn(frame, 'all');
          zero = first === undefined ? undefined : stampOf(first);
        }
        const event = eventIn(frame, LEG_EVENTS);
        if (event === undefined) continue;
        const stamp = stampOf(event);
        if (at !== undefined) now = at;
        else if (zero !== undefined && stamp !== undefined) now = Math.max(now, stamp - zero);
        const batch = legs.push(event);
        if (batch.length > 0) batches.push({ at: now, batch });
      }
      return batches;
    },
  };
}
