import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { q850Of, wordOf } from '../../../adapters/freeswitch/causes.js';
import { eventIn } from '../../../adapters/freeswitch/codec.js';
import { encodeCommand, firstWord } from '../../../adapters/freeswitch/commands.js';
import { percentDecoded, readJsonEvent, readPlainEvent } from '../../../adapters/freeswitch/event.js';
import { type EslFrame, EslFramer } from '../../../adapters/freeswitch/frames.js';
import { readChannelList } from '../../../adapters/freeswitch/listing.js';
import { trunkTest } from '../../../adapters/freeswitch/trunks.js';
import { isBridgeError } from '../../../src/errors.js';

const SEED = Number(process.env['ZPB_SEED'] ?? 20261126);
const show = ({ type, headers, body }: EslFrame): string =>
  [type, headers.get('reply-text'), body.toString('latin1')].join('|');
/** Frames of bytes that come in these pieces. */
function framesOf(bytes: Buffer, cuts: readonly number[]): readonly string[] {
  const framer = new EslFramer();
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
  return [0, ...places].flatMap((from, index) =>
    framer.push(bytes.subarray(from, places[index] ?? bytes.length)).map(show),
  );
}

describe('frames', () => {
  const withBody = (type: string, body: string): string =>
    `Content-Type: ${type}\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`;
  const event = 'Event-Name: HEARTBEAT\nX: J%FCrgen\n\n';
  // As a real one said it: replies run together, an event stands between them, a notice ends it.
  const said = Buffer.from(
    'Content-Type: auth/request\n\nContent-Type: command/reply\nReply-Text: +OK accepted\n\n' +
      withBody('api/response', 'one') +
      withBody('api/response', 'two') +
      `Content-Length: ${event.length}\nContent-Type: text/event-plain\n\n${event}` +
      withBody('api/response', 'Köln\n\nContent-Length: 7\n\n') +
      withBody('text/disconnect-notice', 'The system is being shut down.\n'),
  );
  const whole = framesOf(said, []);

  test('a body is so many bytes, whatever is in it', () => {
    expect(whole).toEqual([
      'auth/request||',
      'command/reply|+OK accepted|',
      'api/response||one',
      'api/response||two',
      `text/event-plain||${event}`,
      `api/response||${Buffer.from('Köln').toString('latin1')}\n\nContent-Length: 7\n\n`,
      'text/disconnect-notice||The system is being shut down.\n',
    ]);
  });
  test('any cut gives the same frames', () => {
    const cuts = fc.array(fc.nat(said.length), { maxLength: 40 });
    fc.assert(
      fc.property(cuts, (places) => {
        expect(framesOf(said, places)).toEqual(whole);
      }),
      { seed: SEED, numRuns: 500 },
    );
    expect(
      framesOf(
        said,
        Array.from({ length: said.length }, (_, at) => at),
      ),
    ).toEqual(whole);
  });
  test('a reply of 5 MiB comes whole', () => {
    const body = Buffer.alloc(5 * 1024 * 1024, 'x');
    const bytes = Buffer.concat([Buffer.from(`Content-Type: api/response\nContent-Length: ${body.length}\n\n`), body]);
    const framer = new EslFramer();
    const frames: EslFrame[] = [];
    for (let at = 0; at < bytes.length; at += 1460) frames.push(...framer.push(bytes.subarray(at, at + 1460)));
    expect(frames.map(({ body: got }) => got.length)).toEqual([body.length]);
  });
  test.each([
    ['headers without end', Buffer.alloc(300_000, 'a')],
    ['a body of some terabytes', Buffer.from('Content-Length: 99999999999\n\n')],
    ['a negative length', Buffer.from('Content-Length: -1\n\n')],
  ])('%s ends the connection, not the memory', (_what, bytes) => {
    expect(() => new EslFramer().push(bytes)).toThrow(expect.objectContaining({ code: 'ZPB_ESL_TOO_LONG' }));
  });
  test('no bytes at all make anything else than frames or a BridgeError', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .constantFrom('Content-Length: 5\n\n', '\n\n', 'Content-Type: text/event-json\n', '{"Event-Name":"X"}', '%FC%')
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const framer = new EslFramer();
        try {
          for (const one of pieces) for (const frame of framer.push(one)) eventIn(frame, 'all');
        } catch (thrown) {
          expect(isBridgeError(thrown)).toBe(true);
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});

describe('events', () => {
  test('percent-encoding, well-formed or not', () => {
    expect(percentDecoded('%2B49 30%')).toBe('+49 30%');
    expect(percentDecoded('J%FCrgen')).toBe('J\ufffdrgen');
    expect(percentDecoded('J%C3%BCrgen%zz%')).toBe('Jürgen%zz%');
    // A plus is one: blanks come as %20.
    expect(percentDecoded('a+b')).toBe('a+b');
  });
  test('plain: an empty value is none, of two the last counts', () => {
    const event = readPlainEvent(Buffer.from('Event-Name: X\nA: 1\nA: 2\nB: \n\n'));
    expect([event?.name, event?.get('A'), event?.get('B'), event?.get('C'), event?.body]).toEqual([
      'X',
      '2',
      undefined,
      undefined,
      undefined,
    ]);
  });
  test('plain: the result of a job stands behind the headers, not encoded', () => {
    const event = readPlainEvent(Buffer.from('Event-Name: BACKGROUND_JOB\nContent-Length: 8\n\n+OK 100%'));
    expect(event?.body).toBe('+OK 100%');
  });
  test('JSON: doubled keys, keys of Object, values that are no text', () => {
    const event = readJsonEvent(Buffer.from('{"Event-Name":"X","A":"1","A":"2","__proto__":"p","n":1,"_body":"b"}'));
    expect([event?.get('A'), event?.get('__proto__'), event?.get('toString'), event?.get('n'), event?.body]).toEqual([
      '2',
      'p',
      undefined,
      undefined,
      'b',
    ]);
  });
  test('what is no event is counted, and no more', () => {
    const unread: string[] = [];
    for (const body of ['', '{', '[]', 'null', '{"A":"B"}', '{"Event-Name":1}']) {
      const frame = { type: 'text/event-json', headers: new Map<string, string>(), body: Buffer.from(body) };
      expect(eventIn(frame, 'all', () => unread.push(body))).toBeUndefined();
    }
    expect(unread).toHaveLength(6);
  });
  test('Latin-1 bytes in JSON become U+FFFD', () => {
    const bytes = Buffer.from('{"Event-Name":"X","Caller-Caller-ID-Name":"J\xfcrgen"}', 'latin1');
    expect(readJsonEvent(bytes)?.get('Caller-Caller-ID-Name')).toBe('J\ufffdrgen');
  });
  test('an unwanted event is not parsed', () => {
    const frame = {
      type: 'text/event-json',
      headers: new Map<string, string>(),
      body: Buffer.from('{"Event-Name":"NOISE",'),
    };
    expect(
      eventIn(frame, new Set(['X']), () => {
        throw new Error('it was parsed');
      }),
    ).toBeUndefined();
  });
});

describe('commands', () => {
  test('end with an empty line; headers stand below', () => {
    expect(encodeCommand('bgapi status', { 'Job-UUID': 'u' }).toString()).toBe('bgapi status\nJob-UUID: u\n\n');
  });
  test.each(['', 'api x\napi y', 'auth a\r\n', 'api \0', `api ${'x'.repeat(70_000)}`])('%j is not sent', (command) => {
    expect(() => encodeCommand(command)).toThrow(
      expect.objectContaining({ code: 'ZPB_ESL_COMMAND', retriable: false }),
    );
  });
  test('no message shows more of a command than its name', () => {
    expect(firstWord('auth secret')).toBe('auth');
    expect(() => encodeCommand('auth se\ncret')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('cret') }),
    );
  });
});

describe('the list of channels', () => {
  test('without rows there is none', () => {
    expect(readChannelList('{"row_count":0}')?.size).toBe(0);
  });
  test.each([
    '',
    '-ERR denied',
    '{"row_count":2,"rows":[{"uuid":"a"}]}',
    '{"row_count":1,"rows":[{}]}',
    '[]',
    '{"rows":[]}',
  ])('%j is no list', (reply) => {
    expect(readChannelList(reply)).toBeUndefined();
  });
});

describe('causes', () => {
  test('a phone that is not registered is not there, whatever hangup_cause_q850 says', () => {
    expect(q850Of('USER_NOT_REGISTERED')).toBe(20);
  });
  test('a word of a newer version, or of Object, is none', () => {
    expect([q850Of('NEW_WORD'), q850Of('toString'), q850Of(undefined)]).toEqual([undefined, undefined, undefined]);
  });
  test('the word for a Q.850 cause', () => {
    expect([wordOf(17), wordOf(16), wordOf(21), wordOf(255)]).toEqual([
      'USER_BUSY',
      'NORMAL_CLEARING',
      'CALL_REJECTED',
      'NORMAL_CLEARING',
    ]);
  });
});

test('patterns of trunks', () => {
  const isTrunk = trunkTest(['pstn*', 'sofia/external/*']);
  expect(isTrunk?.(['PSTN-2'])).toBe(true);
  expect(isTrunk?.(['1000', 'sofia/external/+4930@host'])).toBe(true);
  expect(isTrunk?.(['my-pstn'])).toBe(false);
  expect(trunkTest(undefined)).toBeUndefined();
});
