import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EslEvent } from '../../adapters/freeswitch/event.js';
import { readFreeSwitchRecording, type TimedEvent, freeSwitchCases } from '../support/freeswitch-cases.js';
import { FreeSwitchBench } from '../support/freeswitch-bench.js';
import { eslEvent } from '../support/freeswitch-scene.js';
import { callerLogOf, type JudgedRow } from '../support/caller-log-judge.js';
import type { TimedPost } from '../support/leg-bench.js';

const SEED = Number(process.env['ZPB_SEED'] ?? 20261126);
const recorded = new Map(
  freeSwitchCases.map((one) => [one.name, { text: one.bytes().toString('latin1'), events: one.events() }]),
);
/** By name, so that a failure is short to read. */
const anyRecording = fc.constantFrom(...recorded.keys());
const eventsOf = (name: string): readonly TimedEvent[] => recorded.get(name)!.events;

function play(events: readonly Pick<TimedEvent, 'at' | 'event'>[]): FreeSwitchBench {
  const bench = new FreeSwitchBench();
  for (const { at, event } of events) bench.hear(event, at);
  return bench.finish();
}
const seen = ({ row, answers }: JudgedRow): string =>
  [row.direction, row.from, row.to, answers.map(({ by }) => by ?? 'customer').join(' '), row.comment, row.done].join(
    '|',
  );
const rowsOf = (posts: readonly TimedPost[]): readonly string[] => callerLogOf(posts).rows.map(seen).sort();

test('a prefix of a recording tells nothing twice, and an empty list after it closes what it told', () => {
  const prefix = anyRecording.chain((name) =>
    fc.record({ name: fc.constant(name), length: fc.nat(eventsOf(name).length) }),
  );
  fc.assert(
    fc.property(prefix, ({ name, length }) => {
      const bench = play(eventsOf(name).slice(0, length));
      expect(callerLogOf(bench.posts).faults).toEqual([]);
      bench.resync({ legs: [] }).finish();
      const { faults, rows } = callerLogOf(bench.posts);
      expect(faults).toEqual([]);
      expect(rows.filter(({ row }) => row.state !== 'hangup')).toEqual([]);
      expect([...bench.brain.calls()]).toEqual([]);
      expect(bench.legs.legs()).toEqual([]);
    }),
    { seed: SEED, numRuns: 600 },
  );
});

test('two recordings at once give what each gives alone', () => {
  /** The same recording of another life: no id in common. */
  const withOtherIds = (name: string): readonly TimedEvent[] =>
    readFreeSwitchRecording(
      Buffer.from(
        recorded.get(name)!.text.replaceAll(/\b[0-9a-f]{7}([0-9a-f](?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/g, 'fffffff$1'),
        'latin1',
      ),
    );
  const isStopped = (name: string): boolean => eventsOf(name).some(({ event }) => event.name === 'SHUTDOWN');
  fc.assert(
    fc.property(anyRecording, anyRecording, fc.nat(3000), (a, b, shift) => {
      const second = withOtherIds(b).map((one) => ({ ...one, at: one.at + shift }));
      const both = [...eventsOf(a), ...second].sort((x, y) => x.at - y.at);
      const apart = [...rowsOf(play(eventsOf(a)).posts), ...rowsOf(play(second).posts)].sort();
      // A PBX that stops ends the other recording's calls for another reason.
      expect(rowsOf(play(both).posts)).toEqual(isStopped(a) || isStopped(b) ? expect.anything() : apart);
    }),
    { seed: SEED, numRuns: 400 },
  );
});

test('events of different legs may overtake each other by 5 ms', () => {
  const JITTER_MS = 5;
  const delays = fc.array(fc.double({ min: 0, max: JITTER_MS, noNaN: true }), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(anyRecording, delays, (name, late) => {
      const last = new Map<string, number>();
      const events = eventsOf(name).map(({ at, event }, index) => {
        const leg = event.get('Unique-ID') ?? '';
        // What is the cause is said before what follows from it: that the PBX stops, that a leg hangs up.
        const isCause = event.name === 'SHUTDOWN' || event.name === 'CHANNEL_HANGUP';
        const delay = isCause ? 0 : (late[index % late.length] ?? 0);
        const then = Math.max(last.get(leg) ?? 0, at + delay);
        last.set(leg, then);
        return { at: then, event };
      });
      const bench = play(events.sort((x, y) => x.at - y.at));
      expect({ name, rows: rowsOf(bench.posts) }).toEqual({ name, rows: rowsOf(play(eventsOf(name)).posts) });
      expect(callerLogOf(bench.posts).faults).toEqual([]);
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

test('every event twice says nothing more', () => {
  for (const name of recorded.keys()) {
    const twice = eventsOf(name).flatMap((event) => [event, event]);
    expect({ name, posts: play(twice).posts }).toEqual({ name, posts: play(eventsOf(name)).posts });
  }
});

describe('broken events', () => {
  const HEADERS = [
    ...['Unique-ID', 'Channel-Name', 'Call-Direction', 'Answer-State', 'Hangup-Cause', 'Event-Sequence'],
    ...['Bridge-A-Unique-ID', 'Bridge-B-Unique-ID', 'Other-Leg-Unique-ID', 'Other-Type', 'variable_originator'],
    ...['variable_dialed_user', 'variable_other_loopback_leg_uuid', 'variable_cc_member_session_uuid'],
    ...[
      'Caller-Caller-ID-Number',
      'Caller-Destination-Number',
      'variable_sip_hangup_disposition',
      'variable_bridge_to',
    ],
  ];
  const value = fc.constantFrom(
    '',
    '-1',
    '0',
    'loopback/1000-a',
    '/',
    'inbound',
    'outbound',
    '\u0000',
    'x'.repeat(300),
    '%',
  );
  const damaged = (
    { name }: EslEvent,
    all: Readonly<Record<string, string>>,
    header: string,
    text: string | undefined,
  ) => {
    const fields = { ...all };
    if (text === undefined) Reflect.deleteProperty(fields, header);
    else fields[header] = text;
    return eslEvent(name, fields);
  };
  test('never throw, and tell nothing twice', () => {
    const damage = fc.record({
      every: fc.integer({ min: 1, max: 9 }),
      header: fc.constantFrom(...HEADERS),
      text: fc.option(value, { nil: undefined }),
    });
    fc.assert(
      fc.property(anyRecording, damage, (name, { every, header, text }) => {
        const bench = play(
          eventsOf(name).map(({ at, event, headers }, index) => ({
            at,
            event: index % every === 0 ? damaged(event, Object.fromEntries(headers), header, text) : event,
          })),
        );
        bench.resync({ legs: [] }).finish();
        const wrong = callerLogOf(bench.posts).faults.filter((fault) =>
          /exists|after its hangup|twice in a row|no newCall/.test(fault),
        );
        expect(wrong).toEqual([]);
        expect([...bench.brain.calls()]).toEqual([]);
      }),
      { seed: SEED, numRuns: 800 },
    );
  });
});
