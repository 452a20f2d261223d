import { readFile } from 'node:fs/promises';

/** One message of a recorded call, and when the PBX sent it, ms from the call's first. */
export interface RecordedMessage {
  readonly at: number;
  readonly text: string;
}

/** What differs from one playing of a call to the next. */
export interface Disguise {
  /** Seconds, in place of the recording's in every Uniqueid: ids are never used twice. */
  readonly epoch: number;
  /** The customer's number, in place of the recorded one. */
  readonly customer: string;
}

/** The recorded calls all come from and go to these numbers. */
const RECORDED_CALLER = '+491711234567';
const RECORDED_CALLEE = '03012345678';

/** Reads a call from its file: real bytes of a real Asterisk. */
export async function readCall(file: URL): Promise<readonly RecordedMessage[]> {
  const frames = (await readFile(file, 'utf8')).split('\r\n\r\n').filter((frame) => frame.startsWith('Event: '));
  const stamps = frames.map((frame) => Number(/^Timestamp: ([\d.]+)/m.exec(frame)?.[1] ?? Number.NaN) * 1000);
  const first = stamps.find((stamp) => !Number.isNaN(stamp)) ?? 0;
  let at = 0;
  return frames.map((text, index) => {
    const stamp = stamps[index] ?? Number.NaN;
    if (!Number.isNaN(stamp)) at = Math.max(at, stamp - first);
    return { at, text };
  });
}

/** The message as another call's: other ids, another customer. */
export const disguise = (text: string, { epoch, customer }: Disguise): string =>
  text
    .replace(/^((?:\w*Uniqueid|\w*Linkedid): )\d{10}(\.\d+)/gim, `$1${String(epoch)}$2`)
    .replaceAll(RECORDED_CALLER, customer)
    .replaceAll(RECORDED_CALLEE, customer.replace(/^\+49/, '0'));
