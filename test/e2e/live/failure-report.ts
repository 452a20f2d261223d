import type { AmiMessage } from '../../lab/ami-observer.js';
import type { Stage } from './stage.js';

const EVENTS =
  /^(Newchannel|Newstate|Dial|Bridge(Enter|Leave)|Hangup|LocalBridge|Local.*Optim|BlindTransfer|AttendedTransfer|Pickup|ParkedCall|UnParkedCall|OriginateResponse|Queue|Agent|Shutdown|SoftHangupRequest|FullyBooted)/;
const FIELDS =
  /^(Channel|DestChannel|Uniqueid|DestUniqueid|ChannelStateDesc|CallerIDNum|Exten|DialStatus|Cause|BridgeUniqueid|BridgeTechnology|LocalOneChannel|LocalTwoChannel|SwapUniqueid|Result|TransfereeChannel|TransferTargetChannel|Queue|TargetChannel)$/;
const LOG_END = 6_000;

const line = (event: AmiMessage): string =>
  `  ${event['Event'] ?? ''} ${Object.entries(event)
    .filter(([key]) => FIELDS.test(key))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')}`;

/** Everything needed to understand a failed scenario: what the PBX said, what Zammad got, what the bridge wrote. */
export function failureReport(stage: Stage): string {
  const posts = stage.posts().map((post) => `  ${post.status ?? '-'} ${JSON.stringify(post.params)} ${post.reply}`);
  const rows = stage
    .rows()
    .map((row) => `  ${row.direction} ${row.from} → ${row.to} ${row.state} ${row.comment ?? ''} done=${row.done}`);
  const events = stage
    .events()
    .filter((event) => EVENTS.test(event['Event'] ?? ''))
    .map(line);
  return [
    'rows in Zammad:',
    ...rows,
    'posts:',
    ...posts,
    'AMI:',
    ...events,
    'end of the bridge log:',
    stage.bridge.log.slice(-LOG_END),
  ].join('\n');
}
