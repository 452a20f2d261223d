import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { amiMessage, type AmiMessage } from '../../adapters/asterisk-ami/message.js';
import { asLegId, type LegEvent } from '../../src/call/vocabulary.js';
import { AsteriskBench, type TimedPost } from '../support/asterisk-bench.js';
import { asteriskCases } from '../support/asterisk-cases.js';
import { readAsteriskRecording, type TimedMessage } from '../support/asterisk-recording.js';
import { callerLogOf, type JudgedRow } from '../support/caller-log-judge.js';

const SEED = Number(process.env['ZPB_SEED'] ?? 20261123);
const recorded = asteriskCases.map((one) => ({
  ...one,
  text: one.bytes().toString('latin1'),
  messages: one.messages(),
}));
type Recorded = (typeof recorded)[number];
const byName = new Map(recorded.map((one) => [one.name, one]));
/** By name, so that a failure is short to read. */
const anyRecording = fc.constantFrom(...byName.keys());
const named = (name: string): Recorded => byName.get(name)!;

function play(one: Pick<Recorded, 'trunks' | 'agents'>, messages: readonly TimedMessage[]): AsteriskBench {
  const bench = new AsteriskBench(one);
  for (const { at, message } of messages) bench.hear(message, at);
  return bench.finish();
}
const seen = ({ row, answers }: JudgedRow): string =>
  [row.direction, row.from, row.to, answers.map(({ by }) => by ?? 'customer').join(' '), row.comment, row.done].join(
    '|',
  );
const rowsOf = (posts: readonly TimedPost[]): readonly string[] => callerLogOf(posts).rows.map(seen).sort();

test('a prefix of a recording tells nothing twice, and an empty snapshot after it closes what it told', () => {
  const prefix = anyRecording.chain((name) =>
    fc.record({ name: fc.constant(name), length: fc.nat(named(name).messages.length) }),
  );
  fc.assert(
    fc.property(prefix, ({ name, length }) => {
      const one = named(name);
      const bench = play(one, one.messages.slice(0, length));
      expect(callerLogOf(bench.posts).faults).toEqual([]);
      bench.resync([], []).finish();
      const { faults, rows } = callerLogOf(bench.posts);
      expect(faults).toEqual([]);
      expect(rows.filter(({ row }) => row.state !== 'hangup')).toEqual([]);
      expect([...bench.brain.calls()]).toEqual([]);
    }),
    { seed: SEED, numRuns: 800 },
  );
});

/** The same recording of another PBX life: no id and no channel name in common. */
function withOtherIds({ text }: Recorded): readonly TimedMessage[] {
  const other = text
    .replaceAll(/^(\w*(?:Uniqueid|Linkedid)): (?=\S)/gm, '$1: other-')
    .replaceAll(/^(\w*Channel: .*-)[0-9a-f]{2}([0-9a-f]{6}(?:;[12])?)\r$/gm, '$1ee$2\r');
  return readAsteriskRecording(Buffer.from(other, 'latin1'));
}

test('two recordings at once give what each gives alone', () => {
  fc.assert(
    fc.property(anyRecording, anyRecording, fc.nat(3000), (first, other, shift) => {
      const [a, b] = [named(first), named(other)];
      const second = withOtherIds(b).map(({ at, message }) => ({ at: at + shift, message }));
      const settings = { trunks: [...new Set([...a.trunks, ...b.trunks])], agents: a.agents };
      const both = [...a.messages, ...second].sort((x, y) => x.at - y.at);
      const apart = [...rowsOf(play(settings, a.messages).posts), ...rowsOf(play(settings, second).posts)].sort();
      expect(rowsOf(play(settings, both).posts)).toEqual(isStopped(a) || isStopped(b) ? expect.anything() : apart);
    }),
    { seed: SEED, numRuns: 600 },
  );
});
/** A PBX that stops ends the other recording's calls for another reason. */
const isStopped = ({ messages }: Recorded): boolean => messages.some(({ message }) => message.event === 'Shutdown');

describe('events of different legs may overtake each other by 5 ms', () => {
  const JITTER_MS = 5;
  const legOf = (event: LegEvent): string =>
    'leg' in event ? event.leg : event.type === 'replaced' ? event.old : asLegId('*');

  test('and the caller log is the same', () => {
    fc.assert(
      fc.property(
        anyRecording,
        fc.array(fc.double({ min: 0, max: JITTER_MS, noNaN: true }), { minLength: 40, maxLength: 40 }),
        (name, delays) => {
          // Two agents enter a room 3 ms apart: which of them the customer hears first is their order.
          fc.pre(!name.endsWith('29-conference'));
          const one = named(name);
          const source = new AsteriskBench(one);
          const last = new Map<string, number>();
          let index = 0;
          const events = one.messages.flatMap(({ at, message }) =>
            source.legs.push(message).map((event) => {
              const leg = legOf(event);
              // Each leg's own order is kept; that the PBX stops is said of every leg, before it is ended by that.
              const delay = event.type === 'stopping' ? 0 : (delays[(index += 1) % delays.length] ?? 0);
              const late = Math.max(last.get(leg) ?? 0, at + delay);
              last.set(leg, late);
              return { at: late, event };
            }),
          );
          const bench = new AsteriskBench(one);
          for (const { at, event } of events.sort((x, y) => x.at - y.at)) bench.until(at).tell([event]);
          bench.finish();
          const where = one.name;
          expect({ where, rows: rowsOf(bench.posts) }).toEqual({ where, rows: rowsOf(play(one, one.messages).posts) });
          expect(callerLogOf(bench.posts).faults).toEqual([]);
        },
      ),
      { seed: SEED, numRuns: 1000 },
    );
  });
});

test('every message twice says nothing more', () => {
  for (const one of recorded) {
    const twice = one.messages.flatMap((message) => [message, message]);
    expect(play(one, twice).posts).toEqual(play(one, one.messages).posts);
  }
});

describe('broken messages', () => {
  const HEADERS = [
    'Event',
    'Uniqueid',
    'Channel',
    'ChannelState',
    'DestUniqueid',
    'BridgeUniqueid',
    'Linkedid',
    'LocalOneUniqueid',
    'Cause',
    'CallerIDNum',
    'Exten',
    'DialString',
    'BridgeTechnology',
    'Application',
  ];
  const value = fc.constantFrom(
    '',
    '<unknown>',
    '0',
    '4',
    '6',
    '-1',
    'PJSIP/trunk-',
    '/',
    'Local/100@x-0001;1',
    'Local/100@x-0001;2',
    ';1',
    '\u0000',
    'x'.repeat(300),
    '1795410917.0',
  );
  const damaged = (message: AmiMessage, header: string, text: string | undefined): AmiMessage => {
    const fields = new Map(HEADERS.map((name) => [name, message.get(name) ?? '']));
    if (text === undefined) fields.delete(header);
    else fields.set(header, text);
    return amiMessage(Object.fromEntries(fields));
  };

  test('never throw, and tell nothing twice', () => {
    const damage = fc.record({
      every: fc.integer({ min: 1, max: 9 }),
      header: fc.constantFrom(...HEADERS),
      text: fc.option(value, { nil: undefined }),
    });
    fc.assert(
      fc.property(anyRecording, fc.array(damage, { minLength: 1, maxLength: 3 }), (name, damages) => {
        const one = named(name);
        const messages = one.messages.map(({ at, message }, index) => ({
          at,
          message: damages.reduce(
            (sum, { every, header, text }) => (index % every === 0 ? damaged(sum, header, text) : sum),
            message,
          ),
        }));
        const bench = play(one, messages);
        bench
          .resync(
            [],
            messages.map(({ message }) => message),
          )
          .resync([], [])
          .finish();
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
