/**
 * What ARI says, in the names and headers of the Manager Interface, which the legs understand. ARI has no event for Local
 * halves that find each other (they bear one name up to ;1 and ;2, and are made together) and none for a queue that is
 * joined (the step of the dialplan says it).
 */
import type { AsteriskEvent } from '../asterisk/event.js';
import { isAboutAskingChannel } from './asking-channel.js';
import { isObject, object, text, type AriEvent, type JsonObject } from './event.js';

/** Events that something is made of, here or at the gate. Asterisk is asked to send no others. */
export const WANTED_EVENTS: readonly string[] = [
  'ApplicationReplaced',
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
  'StasisEnd',
  'StasisStart',
];

/** One more where device states count: some for each call. */
export const DEVICE_STATE_EVENT = 'DeviceStateChanged';

type Headers = Readonly<Record<string, string | undefined>>;
const NONE: readonly string[] = [];

/** An event, or an item of a list, of these headers. */
export const asteriskEvent = (event: string | undefined, headers: Headers): AsteriskEvent => ({
  event,
  get: (header) => headers[header],
  all: (header) => {
    const value = headers[header];
    return value === undefined ? NONE : [value];
  },
});

/** ARI's words for ChannelState, in the order of the numbers (include/asterisk/channelstate.h). */
const STATES = ['Down', 'Rsrved', 'OffHook', 'Dialing', 'Ring', 'Ringing', 'Up', 'Busy', 'Dialing Offhook', 'Pre-ring'];

/** `prefix`: `Dest` for the channel that is dialled. */
export function channelHeaders(channel: JsonObject | undefined, prefix = ''): Headers {
  if (channel === undefined) return {};
  const dialplan = object(channel, 'dialplan');
  const state = STATES.indexOf(text(channel, 'state') ?? '');
  return {
    [`${prefix}Uniqueid`]: text(channel, 'id'),
    [`${prefix}Channel`]: text(channel, 'name'),
    [`${prefix}ChannelState`]: state < 0 ? undefined : String(state),
    [`${prefix}CallerIDNum`]: text(object(channel, 'caller'), 'number'),
    [`${prefix}ConnectedLineNum`]: text(object(channel, 'connected'), 'number'),
    [`${prefix}Exten`]: text(dialplan, 'exten'),
    [`${prefix}Application`]: text(dialplan, 'app_name'),
    [`${prefix}Data`]: text(dialplan, 'app_data'),
  };
}

export const bridgeHeaders = (bridge: JsonObject | undefined): Headers => ({
  BridgeUniqueid: text(bridge, 'id'),
  BridgeTechnology: text(bridge, 'technology'),
});

/** Events that say the same as one of the Manager Interface, with the same headers. */
const SAME: Readonly<Record<string, string>> = {
  ChannelCreated: 'Newchannel',
  ChannelStateChange: 'Newstate',
  ChannelCallerId: 'NewCallerid',
  ChannelEnteredBridge: 'BridgeEnter',
  ChannelLeftBridge: 'BridgeLeave',
  BridgeDestroyed: 'BridgeDestroy',
  ChannelDestroyed: 'Hangup',
};

/** undefined: nothing that legs or device states are made of. */
export function translate(event: AriEvent): AsteriskEvent | undefined {
  if (isAboutAskingChannel(event)) return undefined;
  const { type, fields } = event;
  const same = Object.hasOwn(SAME, type) ? SAME[type] : undefined;
  const channel = channelHeaders(object(fields, 'channel'));
  if (same !== undefined) {
    return asteriskEvent(same, {
      ...channel,
      ...bridgeHeaders(object(fields, 'bridge')),
      Cause: text(fields, 'cause'),
      'Cause-txt': text(fields, 'cause_txt'),
      TechCause: text(fields, 'tech_cause'),
      'CID-CallingPres': text(fields, 'caller_presentation'),
    });
  }
  switch (type) {
    case 'Dial':
      return dial(fields);
    case 'ChannelHangupRequest':
      return asteriskEvent(fields['soft'] === true ? 'SoftHangupRequest' : 'HangupRequest', {
        ...channel,
        Cause: text(fields, 'cause'),
      });
    case DEVICE_STATE_EVENT: {
      const device = object(fields, 'device_state');
      return asteriskEvent('DeviceStateChange', { Device: text(device, 'name'), State: text(device, 'state') });
    }
    case 'ChannelDialplan':
      return step(channel, text(fields, 'dialplan_app') ?? '', text(fields, 'dialplan_app_data') ?? '');
    default:
      return undefined;
  }
}

/** ARI says with one event how a Dial begins, goes on and ends. */
function dial(fields: JsonObject): AsteriskEvent | undefined {
  const peer = fields['peer'];
  if (fields['dialstatus'] !== '' || !isObject(peer)) return undefined;
  return asteriskEvent('DialBegin', {
    ...channelHeaders(object(fields, 'caller')),
    ...channelHeaders(peer, 'Dest'),
    DialString: text(fields, 'dialstring'),
  });
}

/** A step of the dialplan on a channel. */
function step(channel: Headers, application: string, data: string): AsteriskEvent | undefined {
  if (application === 'Queue') return asteriskEvent('QueueCallerJoin', { ...channel, Queue: data.split(',')[0] });
  return application === 'VoiceMail' ? asteriskEvent('Newexten', { ...channel, Application: application }) : undefined;
}
