import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { asteriskCases } from '../../support/asterisk-cases.js';
import { readAsteriskRecording } from '../../support/asterisk-recording.js';
import { AsteriskState, type Fields } from '../../support/asterisk-state.js';

/**
 * What the events of calls tell in time. Exten, Application and the connected line follow with the next event of the
 * channel; from a whole recording they were right too.
 */
const STATUS = ['Channel', 'ChannelState', 'CallerIDNum', 'Linkedid', 'DNID', 'BridgeID'];
const pick = (fields: readonly string[], item: (field: string) => string | undefined): Fields =>
  Object.fromEntries(fields.map((field) => [field, item(field) ?? '']));

const snapshots = asteriskCases.flatMap((one) =>
  readdirSync(one.directory)
    .filter((file) => file.startsWith('snapshot'))
    .map((file) => ({
      name: `${one.name}/${file}`,
      one,
      items: readAsteriskRecording(readFileSync(`${one.directory}/${file}`)),
    })),
);

describe('the state rebuilt from events is what a real Asterisk answered to Status in the same call', () => {
  test.each(snapshots)('$name', ({ one, items }) => {
    const real = items
      .filter(({ message }) => message.event === 'Status')
      .map(({ message }) => ({
        id: message.get('Uniqueid') ?? '',
        fields: pick(STATUS, (field) => message.get(field)),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const state = new AsteriskState();
    let matched = false;
    for (const { message, at } of one.messages()) {
      state.push(message, at);
      const now = state
        .status(at)
        .map((item) => ({ id: item['Uniqueid'] ?? '', fields: pick(STATUS, (field) => item[field]) }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      matched ||= JSON.stringify(now) === JSON.stringify(real);
    }
    expect(matched).toBe(true);
  });
  test('there are replies to hold it against', () => {
    expect(snapshots.length).toBeGreaterThan(15);
  });
});
