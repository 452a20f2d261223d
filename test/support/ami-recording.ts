/** A recorded message and when it was sent, ms from the recording's first time stamp. */
export interface RecordedMessage {
  readonly at: number;
  readonly bytes: Buffer;
}

/**
 * Splits the recorded bytes of an AMI connection into messages; the times are those of their `Timestamp` headers, where a
 * message without one goes with the one before it. The greeting and the responses are left out: whoever plays this greets and
 * answers for himself.
 */
export function splitRecording(recording: Buffer): readonly RecordedMessage[] {
  let first: number | undefined;
  let at = 0;
  const messages: RecordedMessage[] = [];
  for (const text of recording.toString('latin1').split('\r\n\r\n')) {
    if (!text.startsWith('Event: ')) continue;
    const stamp = /^Timestamp: (\d+\.\d+)$/m.exec(text.replaceAll('\r', ''));
    if (stamp !== null) {
      const time = Number(stamp[1]) * 1000;
      first ??= time;
      at = Math.max(at, time - first);
    }
    messages.push({ at, bytes: Buffer.from(`${text}\r\n\r\n`, 'latin1') });
  }
  return messages;
}
