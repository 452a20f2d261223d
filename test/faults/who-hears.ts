/** Who is at a channel's other end, seen from what Asterisk would answer to Status and BridgeList; knows nothing of the bridge. */
import type { AsteriskState, Fields } from '../support/asterisk-state.js';

export interface Party {
  readonly uniqueid: string;
  /** `PJSIP/100` */
  readonly device: string;
}

/** A waiting place: those in it do not hear each other. */
const HOLDING = 'holding_bridge';
const LOCAL = /^Local\/.*;[12]$/;

const otherHalf = (name: string): string => name.replace(/;([12])$/, (_, half: string) => (half === '1' ? ';2' : ';1'));
const deviceOf = (name: string): string => name.replace(/-[0-9a-f]+$/, '');

/** The answered channels that hear this one now, through any number of Local channels. */
export function whoHears(state: AsteriskState, uniqueid: string): readonly Party[] {
  const channels = state.status();
  const holding = new Set(
    state
      .bridgeList()
      .filter((bridge) => bridge['BridgeTechnology'] === HOLDING)
      .map((bridge) => bridge['BridgeUniqueid']),
  );
  const start = channels.find((channel) => channel['Uniqueid'] === uniqueid);
  if (start === undefined || !isUp(start)) return [];
  const reached = new Set([start]);
  for (const channel of reached) {
    const bridge = channel['BridgeID'] ?? '';
    for (const other of channels) {
      const together = bridge !== '' && other['BridgeID'] === bridge && !holding.has(bridge);
      const halves = nameOf(channel) !== nameOf(other) && otherHalf(nameOf(channel)) === nameOf(other);
      if (together || halves) reached.add(other);
    }
  }
  reached.delete(start);
  return [...reached]
    .filter((channel) => !LOCAL.test(nameOf(channel)) && isUp(channel))
    .map((channel) => ({
      uniqueid: channel['Uniqueid'] ?? '',
      device: deviceOf(nameOf(channel)),
    }));
}

const nameOf = (channel: Fields): string => channel['Channel'] ?? '';
const isUp = (channel: Fields): boolean => channel['ChannelState'] === '6';
