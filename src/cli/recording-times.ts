import type { Millis } from '../call/vocabulary.js';
import { PermanentError } from '../errors.js';

/** When a run of a recording's bytes came. */
export interface ChunkTime {
  /** ms since the recording began. */
  readonly at: Millis;
  readonly bytes: number;
}

/** One chunk as a line of FILE.times. */
export const timesLine = ({ at, bytes }: ChunkTime): string => `${at.toFixed(3)} ${String(bytes)}\n`;

/** Reads FILE.times. Throws PermanentError ZPB_RECORDING for a line that is none. */
export function parseTimes(text: string, name: string): readonly ChunkTime[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const match = /^(\d+(?:\.\d+)?) (\d+)$/.exec(line.trim());
      if (match === null)
        throw new PermanentError('ZPB_RECORDING', `${name}, line ${String(index + 1)}: expected "MILLISECONDS BYTES"`);
      return { at: Number(match[1]), bytes: Number(match[2]) };
    });
}
