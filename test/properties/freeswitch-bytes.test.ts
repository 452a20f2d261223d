/** The network cuts a stream where it likes: what the adapter makes of it must not know. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { adapter } from '../../adapters/freeswitch/index.js';
import type { TimedBatch } from '../../src/pbx/adapter.js';
import { freeSwitchCases } from '../support/freeswitch-cases.js';

const SEED = Number(process.env['ZPB_SEED'] ?? 20261126);
const settings = adapter.configSchema.parse({ password: 'none' });
const streams = new Map(
  freeSwitchCases.flatMap((one) => {
    const twin = one.twin();
    return [[one.name, one.bytes()] as const, ...(twin === undefined ? [] : [[`${one.name} as JSON`, twin] as const])];
  }),
);

function eventsOf(name: string, cuts: readonly number[]): readonly TimedBatch[] {
  const bytes = streams.get(name)!;
  const reader = adapter.readRecording!(settings);
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
  return [0, ...places].flatMap((from, index) => reader.push(bytes.subarray(from, places[index] ?? bytes.length)));
}

test('any cut of the byte stream gives the same events at the same times', () => {
  const cuts = fc.array(fc.nat(200_000), { maxLength: 60 });
  fc.assert(
    fc.property(fc.constantFrom(...streams.keys()), cuts, (name, places) => {
      const whole = eventsOf(name, []);
      expect(whole.length).toBeGreaterThan(0);
      expect(eventsOf(name, places)).toEqual(whole);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test('a byte at a time gives the same events at the same times', () => {
  const shortest = [...streams].sort(([, a], [, b]) => a.length - b.length).slice(0, 8);
  for (const [name, { length }] of shortest) {
    const everywhere = Array.from({ length }, (_, at) => at);
    expect(eventsOf(name, everywhere)).toEqual(eventsOf(name, []));
  }
});

test('whatever stands in the values of an event, the next call is heard', () => {
  const call = streams.get('in-busy-486')!;
  const value = fc.oneof(
    fc.constantFrom('%FC', '%', '%2B%FC%zz', 'J\u00fcrgen', '__proto__', '', '{"', '\u0000'),
    fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\n', ' ')),
  );
  const names = [
    'Unique-ID',
    'Call-Direction',
    'Channel-Name',
    'Caller-Caller-ID-Number',
    'variable_originator',
    '__proto__',
  ];
  const header = fc.tuple(fc.constantFrom(...names), value);
  fc.assert(
    fc.property(fc.array(header, { maxLength: 12 }), fc.boolean(), (headers, json) => {
      const named = [['Event-Name', 'CHANNEL_CREATE'] as const, ...headers];
      const body = Buffer.from(
        json
          ? `{${named.map(([name, text]) => `${JSON.stringify(name)}:${JSON.stringify(text)}`).join(',')}}`
          : `${named.map(([name, text]) => `${name}: ${text}`).join('\n')}\n\n`,
        // Not everybody writes UTF-8.
        'latin1',
      );
      const frame = `Content-Length: ${body.length}\nContent-Type: text/event-${json ? 'json' : 'plain'}\n\n`;
      const reader = adapter.readRecording!(settings);
      reader.push(Buffer.concat([Buffer.from(frame), body]));
      const heard = reader.push(call).flatMap(({ batch }) => batch);
      expect(heard.filter(({ type }) => type === 'ended').length).toBeGreaterThanOrEqual(2);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
