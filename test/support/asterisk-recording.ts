import { AmiCodec } from '../../adapters/asterisk-ami/codec.js';
import type { AmiMessage } from '../../adapters/asterisk-ami/message.js';

/** One message of a recording, and when the PBX said it: ms since the first message that has a time. */
export interface TimedMessage {
  readonly at: number;
  readonly message: AmiMessage;
}

/** A message without a time of its own was said with the one before it. */
export function readAsteriskRecording(bytes: Uint8Array): readonly TimedMessage[] {
  let zero: number | undefined;
  let at = 0;
  return new AmiCodec({ events: 'all' }).push(bytes).map((message) => {
    const stamp = Number.parseFloat(message.get('Timestamp') ?? '') * 1000;
    if (!Number.isNaN(stamp)) {
      zero ??= stamp;
      at = Math.max(at, stamp - zero);
    }
    return { at, message };
  });
}
