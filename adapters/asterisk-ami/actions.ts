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
export const listStatus: ListAction = { action: { Action: 'Status' }, complete: 'StatusComplete' };
/** Every channel there is. Write class `reporting` or `system`. */
export const listChannels: ListAction = {
  action: { Action: 'CoreShowChannels' },
  complete: 'CoreShowChannelsComplete',
};
/** Every bridge there is. Any login. */
export const listBridges: ListAction = { action: { Action: 'BridgeList' }, complete: 'BridgeListComplete' };
/** The channels in one bridge. Any login. */
export const listBridge = (bridge: string): ListAction => ({
  action: { Action: 'BridgeInfo', BridgeUniqueid: bridge },
  complete: 'BridgeInfoComplete',
});
/** Every queue with its members and callers. Any login. */
export const listQueues: ListAction = { action: { Action: 'QueueStatus' }, complete: 'QueueStatusComplete' };
/** Every endpoint that chan_pjsip knows. Write class `system`. */
export const listEndpoints: ListAction = { action: { Action: 'PJSIPShowEndpoints' }, complete: 'EndpointListComplete' };
/** Every registration at a carrier. Write class `system`. */
export const listRegistrations: ListAction = {
  action: { Action: 'PJSIPShowRegistrationsOutbound' },
  complete: 'OutboundRegistrationDetailComplete',
};
/** Every parked call. Write class `call`. */
export const listParkedCalls: ListAction = { action: { Action: 'ParkedCalls' }, complete: 'ParkedCallsComplete' };

/** Ends a channel; `q850` tells the far end why (17: it gets 486 Busy Here, as long as it was not answered). Write class `call`. */
export const hangUpChannel = (channel: string, q850: number): AmiAction => ({
  Action: 'Hangup',
  Channel: oneChannel(channel),
  Cause: q850,
});

export const getVariable = (channel: string, variable: string): AmiAction => ({
  Action: 'Getvar',
  Channel: oneChannel(channel),
  Variable: variable,
});

export const setVariable = (channel: string, variable: string, value: string): AmiAction => ({
  Action: 'Setvar',
  Channel: oneChannel(channel),
  Variable: variable,
  Value: value,
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
