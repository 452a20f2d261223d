import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { type EslEvent, readJsonEvent } from '../../../adapters/freeswitch/event.js';
import { EslFramer } from '../../../adapters/freeswitch/frames.js';
import { readChannelList } from '../../../adapters/freeswitch/listing.js';
import { freeSwitchCases } from '../../support/freeswitch-cases.js';
import { FreeSwitchState } from '../../support/freeswitch-state.js';

/** What the events of calls tell in time; the rest of a description follows with the next event of the leg. */
const TOLD = [
  ...['Unique-ID', 'Channel-Name', 'Channel-Presence-ID', 'Call-Direction', 'Caller-Caller-ID-Number'],
  ...['Caller-Orig-Caller-ID-Number', 'Caller-Privacy-Hide-Number', 'variable_originator', 'variable_user_name'],
  ...['variable_sip_auth_username', 'variable_sip_gateway_name', 'variable_sip_req_user', 'variable_bridge_to'],
];
/** In plain text a plus sign in the name of a phone is one; in JSON it stays as the phone has written it. */
const comparable = (event: EslEvent | undefined): Record<string, string | boolean | undefined> => ({
  ...Object.fromEntries(TOLD.map((header) => [header, event?.get(header)?.replaceAll('%2B', '+')])),
  answered: event?.get('Answer-State') === 'answered',
  // An incoming leg has the name of the phone that it called last.
  user: event?.get('Call-Direction') === 'outbound' ? event.get('variable_dialed_user') : undefined,
});

test('the state rebuilt from events is what a real FreeSWITCH answered in the same calls', () => {
  const one = freeSwitchCases.find(({ name }) => name === 'reconnect-mid-call')!;
  const replies = new EslFramer()
    .push(readFileSync(`${one.directory}/replies.esl`))
    .map(({ body }) => body.toString('utf8'));
  const list = readChannelList(replies[0] ?? '');
  const real = replies.slice(1).map((reply) => readJsonEvent(reply));
  expect(real).toHaveLength(6);

  const state = new FreeSwitchState();
  // Three seconds into the recording nothing more begins or ends.
  for (const { at, event } of one.events()) if (at < 3_000) state.push(event);
  expect(readChannelList(state.showChannels())).toEqual(list);
  const rebuilt = real.map((description) => readJsonEvent(state.describe(description?.get('Unique-ID') ?? '')));
  expect(rebuilt.map(comparable)).toEqual(real.map(comparable));
  expect(state.legs()).toHaveLength(6);
});
