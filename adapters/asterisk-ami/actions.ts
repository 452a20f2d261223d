/**
 * Actions that are asked of Asterisk, and the events that end the lists it answers with. Names and headers are those of
 * Asterisk 16 to 22, recorded.
 */
import { PermanentError } from '../../src/errors.js';
import type { AmiAction } from './writer.js';

/** A list action and the event that ends its reply. */
export interface ListAction {
  readonly action: AmiAction;
  readonly complete: string;
}

/** Every channel there is; the only list that tells the number an inbound caller dialled (`DNID`). Write class `call`. */
export const listStatus: ListAction = {
  action: { Action: 'Status', AllVariables: 'false' },
  complete: 'StatusComplete',
};
/** The same of one channel. */
export const listStatusOf = (channel: string): ListAction => ({
  action: { Action: 'Status', Channel: oneChannel(channel), AllVariables: 'false' },
  complete: 'StatusComplete',
});
/** Every bridge there is. Any login. */
export const listBridges: ListAction = { action: { Action: 'BridgeList' }, complete: 'BridgeListComplete' };
/** Every endpoint that chan_pjsip knows. Write class `system`. */
export const listEndpoints: ListAction = { action: { Action: 'PJSIPShowEndpoints' }, complete: 'EndpointListComplete' };
/** All about one of them. Write class `system`. */
export const listEndpoint = (endpoint: string): ListAction => ({
  action: { Action: 'PJSIPShowEndpoint', Endpoint: endpoint },
  complete: 'EndpointDetailComplete',
});

/** Every queue and its members. Any login. */
export const listQueues: ListAction = { action: { Action: 'QueueStatus' }, complete: 'QueueStatusComplete' };
/** Every device state that Asterisk keeps in mind, custom ones too. Write class `call` or `reporting`. */
export const listDeviceStates: ListAction = {
  action: { Action: 'DeviceStateList' },
  complete: 'DeviceStateListComplete',
};

/** Pauses a member in all its queues, or ends that. Write class `agent`. */
export const pauseMember = (name: string, paused: boolean): AmiAction => ({
  Action: 'QueuePause',
  Interface: name,
  Paused: paused ? 'true' : 'false',
  Reason: paused ? 'do not disturb' : undefined,
});

/** Sets a custom device state, which outlives a restart of Asterisk. Write class `call`. */
export const setDeviceState = (device: string, state: 'BUSY' | 'NOT_INUSE'): AmiAction => ({
  Action: 'Setvar',
  Variable: `DEVICE_STATE(${device})`,
  Value: state,
});

/** Ends a channel; `q850` tells the far end why (17: it gets 486 Busy Here, as long as it was not answered). Write class `call`. */
export const hangUpChannel = (channel: string, q850: number): AmiAction => ({
  Action: 'Hangup',
  Channel: oneChannel(channel),
  Cause: q850,
});

/** Has the dialplan go on with a channel at another place. Write class `call`. */
export const redirectChannel = (channel: string, context: string, extension: string): AmiAction => ({
  Action: 'Redirect',
  Channel: oneChannel(channel),
  Context: context,
  Exten: extension,
  Priority: 1,
});

export const getVariable = (channel: string, variable: string): AmiAction => ({
  Action: 'Getvar',
  Channel: oneChannel(channel),
  Variable: variable,
});

/** Between slashes it would be a regular expression (Hangup) and end every channel that matches. */
function oneChannel(channel: string): string {
  if (channel !== '' && !channel.startsWith('/')) return channel;
  throw new PermanentError(
    'ZPB_AMI_ACTION',
    `The channel name ${JSON.stringify(channel.slice(0, 64))} was not sent to Asterisk: it is empty, or a pattern for more than one channel. ` +
      'Use a name that came with an event.',
  );
}
