import type { Millis } from '../../src/call/vocabulary.js';
import type { RecordingReader, TimedBatch } from '../../src/pbx/adapter.js';
import { trunkMatcher } from '../asterisk/channel-name.js';
import { AmiCodec } from './codec.js';
import type { AsteriskAmiConfig } from './config.js';
import { AsteriskLegs, LEG_EVENTS } from '../asterisk/legs.js';

/** Enough to hold the first event's headers up to its time stamp. */
const LOOK_FOR_ZERO = 4096;

/**
 * Reads the bytes an Asterisk sent. Its clock is the `Timestamp` of the events (`timestampevents = yes`), counted from the
 * first one in the recording, wanted or not; or the times that the caller knows.
 */
export function readRecording(config: AsteriskAmiConfig): RecordingReader {
  const codec = new AmiCodec({ events: LEG_EVENTS });
  const legs = new AsteriskLegs(trunkMatcher(config.trunks ?? []));
  let zero: Millis | undefined;
  let head = '';
  let now: Millis = 0;

  const findZero = (chunk: Uint8Array): void => {
    head += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const stamp = /^Timestamp: (\d+\.\d+)\r?\n/m.exec(head);
    if (stamp === null) head = head.slice(-LOOK_FOR_ZERO);
    else zero = Number(stamp[1]) * 1000;
  };

  return {
    push(chunk, at) {
      if (at === undefined && zero === undefined) findZero(chunk);
      const batches: TimedBatch[] = [];
      for (const message of codec.push(chunk)) {
        const stamp = Number(message.get('Timestamp') ?? Number.NaN);
        if (at !== undefined) now = at;
        else if (zero !== undefined && Number.isFinite(stamp)) now = Math.max(now, stamp * 1000 - zero);
        const batch = legs.push(message);
        if (batch.length > 0) batches.push({ at: now, batch });
      }
      return batches;
    },
  };
}
