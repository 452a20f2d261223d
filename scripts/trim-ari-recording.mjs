// Trims what an Asterisk said over ARI to what a recorded case needs: the events that legs are made of, without the fields
// that nobody reads. Usage: node scripts/trim-ari-recording.mjs < whole.ari > input.ari
import { createInterface } from 'node:readline';

/** Queue and VoiceMail are told of; Dial shows what a case is about. */
const STEPS = new Set(['Dial', 'Queue', 'VoiceMail', 'ConfBridge', 'Pickup', 'Park']);
const KEPT = new Set([
  'BridgeAttendedTransfer',
  'BridgeBlindTransfer',
  'BridgeDestroyed',
  'ChannelCallerId',
  'ChannelCreated',
  'ChannelDestroyed',
  'ChannelDialplan',
  'ChannelEnteredBridge',
  'ChannelHangupRequest',
  'ChannelLeftBridge',
  'ChannelStateChange',
  'Dial',
]);
const UNREAD = new Set([
  'accountcode',
  'application',
  'asterisk_id',
  'creationtime',
  'language',
  'protocol_id',
  'video_mode',
]);

for await (const line of createInterface({ input: process.stdin })) {
  const event = JSON.parse(line);
  if (!KEPT.has(event.type)) continue;
  if (event.type === 'ChannelDialplan' && !STEPS.has(event.dialplan_app)) continue;
  console.log(JSON.stringify(event, (key, value) => (UNREAD.has(key) ? undefined : value)));
}
