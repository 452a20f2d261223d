import { AmiCodec } from '../../adapters/asterisk-ami/codec.js';
import type { AmiMessage } from '../../adapters/asterisk-ami/message.js';
import { type RecordedMessage, splitRecording } from '../support/ami-recording.js';

/** One message of a play. */
export interface PlayMessage {
  /** ms from the play's begin. */
  readonly at: number;
  readonly bytes: Buffer;
  readonly message: AmiMessage;
}

/** Names of channels end with eight hexadecimal digits; the play's number takes the first five. */
const PLAY_DIGITS = 5;
const MOST_PLAYS = 16 ** PLAY_DIGITS;

/**
 * The events of a recording as one play of many at the same PBX: every unique id, linked id and bridge id begins with `tag`, as
 * Asterisk does it with its `systemname`, and every channel has a name of its own. So a call id says which play it belongs to,
 * and no two plays ever speak of the same channel. Numbers, queues and parking places stay as recorded: nothing is found by them.
 * @param number Which play of this PBX it is, from 0.
 */
export function playOf(recording: Buffer, tag: string, number: number): readonly PlayMessage[] {
  if (number >= MOST_PLAYS) throw new Error(`play ${number} has no channel names left`);
  const play = number.toString(16).padStart(PLAY_DIGITS, '0');
  const own = splitRecording(recording).map(({ at, bytes }) => {
    const text = bytes
      .toString('latin1')
      .split('\r\n')
      .map((line) => (line.startsWith('Timestamp: ') ? line : renamed(line, tag, play)))
      .join('\r\n');
    return { at, bytes: Buffer.from(text, 'latin1') };
  });
  return own.map(parsed);
}

/** The events of a recording as they are. */
export function messagesOf(recording: Buffer): readonly PlayMessage[] {
  return splitRecording(recording).map(parsed);
}

function parsed({ at, bytes }: RecordedMessage): PlayMessage {
  const [message, ...more] = new AmiCodec({ events: 'all' }).push(bytes);
  if (message === undefined || more.length > 0) throw new Error(`no single message: ${bytes.toString('latin1')}`);
  return { at, bytes, message };
}

const BRIDGE_ID = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
/** `1795410917.12`; a PBX that has a name writes `name-1795410917.12`. */
const UNIQUE_ID = /(?<![\w.-])(?:[a-z]+-)?\d{10}\.\d+\b/g;
/** `PJSIP/trunk-0000001a`, `Local/103@from-queue-00000003;1`. */
const CHANNEL_NAME = /-([0-9a-f]{5})([0-9a-f]{3})(?=;[12]|$)/g;

function renamed(line: string, tag: string, play: string): string {
  return line
    .replace(BRIDGE_ID, (id) => `${tag}-${id}`)
    .replace(UNIQUE_ID, (id) => `${tag}-${id}`)
    .replace(CHANNEL_NAME, (_, high: string, low: string) => {
      if (high !== '00000') throw new Error(`a channel number that leaves no room for the play's: ${line}`);
      return `-${play}${low}`;
    });
}
