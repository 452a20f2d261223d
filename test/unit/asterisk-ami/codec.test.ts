import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AmiCodec } from '../../../adapters/asterisk-ami/codec.js';
import { MAX_MESSAGE_BYTES } from '../../../adapters/asterisk-ami/frames.js';
import type { AmiMessage } from '../../../adapters/asterisk-ami/message.js';
import { RetriableError } from '../../../src/errors.js';

const BANNER = 'Asterisk Call Manager/11.0.0\r\n';
/** From a recording of Asterisk 22. */
const NEWCHANNEL = [
  'Event: Newchannel',
  'Privilege: call,all',
  'Timestamp: 1795410917.198030',
  'Channel: PJSIP/trunk-00000000',
  'CallerIDNum: +491711234567',
  'CallerIDName: Zoë Ångström 🎧',
  'ConnectedLineNum: <unknown>',
  'AccountCode: ',
  'Exten: +49305550100',
  'Uniqueid: 1795410917.0',
];
const TESTEVENT = [
  'Event: TestEvent',
  'Type: StateChange',
  'State: CallIDChange',
  'AppLine: 677',
  'State: second',
  'CallID: [C-00000001]',
];
const VARSET = ['Event: VarSet', 'Channel: PJSIP/trunk-00000000', 'Variable: SIPDOMAIN', 'Value: 127.0.0.1'];
const NEWEXTEN = [
  'Event: Newexten',
  'Channel: PJSIP/trunk-00000000',
  'Application: VoiceMail',
  'AppData: 100@default,u',
];
const LOGIN = ['Response: Success', 'ActionID: lab-1', 'Message: Authentication accepted'];

const wire = (lines: readonly string[], eol = '\r\n'): string => lines.map((line) => line + eol).join('') + eol;
const bytes = (...messages: (readonly string[])[]): Buffer =>
  Buffer.from(BANNER + messages.map((m) => wire(m)).join(''));
const decode = (
  stream: Uint8Array,
  events: ReadonlySet<string> | 'all' = 'all',
  actionIdPrefix?: string,
): readonly AmiMessage[] =>
  new AmiCodec({ events, ...(actionIdPrefix === undefined ? {} : { actionIdPrefix }) }).push(stream);
const only = (stream: Uint8Array): AmiMessage => {
  const messages = decode(stream);
  expect(messages).toHaveLength(1);
  return messages[0]!;
};

describe('messages', () => {
  test('an event: names without regard to case, values as they are', () => {
    const message = only(bytes(NEWCHANNEL));
    expect(message.event).toBe('Newchannel');
    expect(message.response).toBeUndefined();
    expect(message.get('CallerIDName')).toBe('Zoë Ångström 🎧');
    expect(message.get('calleridNAME')).toBe('Zoë Ångström 🎧');
    expect(message.get('AccountCode')).toBe('');
    expect(message.get('Nothing')).toBeUndefined();
    expect(message.all('Nothing')).toEqual([]);
  });

  test('a response bears its ActionID', () => {
    const message = only(bytes(LOGIN));
    expect([message.response, message.actionId, message.event]).toEqual(['Success', 'lab-1', undefined]);
  });

  test('a name that comes twice: first value, and all of them in order', () => {
    const message = only(bytes(TESTEVENT));
    expect(message.get('State')).toBe('CallIDChange');
    expect(message.all('state')).toEqual(['CallIDChange', 'second']);
  });

  test('Variable of VarSet is the text that stands there', () => {
    const message = only(bytes(VARSET));
    expect([message.get('Variable'), message.get('Value')]).toEqual(['SIPDOMAIN', '127.0.0.1']);
  });

  test('ChanVariable repeats, in order, whole', () => {
    const lines = [
      'Event: Newstate',
      'ChanVariable: 2=b',
      'ChanVariable: 1=a=b',
      'ChanVariable: 2=c',
      'DestChanVariable: X=1',
    ];
    const message = only(bytes(lines));
    expect(message.all('ChanVariable')).toEqual(['2=b', '1=a=b', '2=c']);
    expect(message.all('DestChanVariable')).toEqual(['X=1']);
  });

  test('a colon without a space, colons in a value, a leading space of a value', () => {
    const message = only(bytes(['Event:Newstate', 'Key:value', 'Time: 12:30: now', 'Name:  padded', 'Empty:']));
    expect(message.event).toBe('Newstate');
    expect(['Key', 'Time', 'Name', 'Empty'].map((name) => message.get(name))).toEqual([
      'value',
      '12:30: now',
      ' padded',
      '',
    ]);
  });

  test('names that mean something to JavaScript are names like others', () => {
    const message = only(
      bytes([
        'Event: X',
        '__proto__: a',
        '__proto__: b',
        'constructor: c',
        'toString: d',
        '7: e',
        'no colon',
        '__proto__',
      ]),
    );
    expect(message.all('__proto__')).toEqual(['a', 'b']);
    expect(['constructor', 'toString', '7', 'hasOwnProperty'].map((name) => message.get(name))).toEqual([
      'c',
      'd',
      'e',
      undefined,
    ]);
  });

  test('U+2028 and a bare CR in a value begin no line', () => {
    const message = only(bytes(['Event: X', 'Name: a\u2028Uniqueid: 1\rUniqueid: 2']));
    expect(message.get('Name')).toBe('a\u2028Uniqueid: 1\rUniqueid: 2');
    expect(message.get('Uniqueid')).toBeUndefined();
  });

  test('Response: Follows keeps its text apart from its headers', () => {
    const text = [
      'Response: Follows',
      'Privilege: Command',
      'ActionID: a-1',
      'ActionID: a-2',
      'Event: Hangup',
      'free text',
      '--END COMMAND--',
    ];
    const message = only(bytes(text));
    expect([message.response, message.actionId, message.event]).toEqual(['Follows', 'a-1', undefined]);
    expect(message.all('Output')).toEqual(['ActionID: a-2', 'Event: Hangup', 'free text']);
  });

  test('Response: Follows without an end does not swallow what comes after it', () => {
    expect(decode(bytes(['Response: Follows', 'text'], NEWCHANNEL)).map(({ event }) => event)).toEqual([
      undefined,
      'Newchannel',
    ]);
  });
});

describe('the stream', () => {
  test.each([
    ['CR LF', '\r\n'],
    ['LF', '\n'],
  ])('lines end in %s', (_name, eol) => {
    const stream = `Asterisk Call Manager/5.0.4${eol}${wire(LOGIN, eol)}${wire(NEWCHANNEL, eol)}`;
    expect(decode(Buffer.from(stream)).map(({ event }) => event)).toEqual([undefined, 'Newchannel']);
  });

  test('greetings: the first line, and later ones of recordings put together', () => {
    const codec = new AmiCodec({ events: 'all' });
    expect(codec.greeting).toBeUndefined();
    expect(codec.push(Buffer.concat([bytes(NEWCHANNEL), bytes(LOGIN)])).map(({ response }) => response)).toEqual([
      undefined,
      'Success',
    ]);
    expect(codec.greeting).toBe('Asterisk Call Manager/11.0.0');
  });

  test('no greeting at all', () => {
    const codec = new AmiCodec({ events: 'all' });
    expect(codec.push(Buffer.from(wire(LOGIN)))).toHaveLength(1);
    expect(codec.greeting).toBeUndefined();
  });

  test('what greets otherwise is known by its greeting', () => {
    const codec = new AmiCodec({ events: 'all' });
    codec.push(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(codec.greeting).toBe('SSH-2.0-OpenSSH_9.2');
  });

  test('a codec keeps nothing of another one', () => {
    const first = new AmiCodec({ events: 'all' });
    first.push(bytes(NEWCHANNEL).subarray(0, 90));
    expect(decode(bytes(LOGIN)).map(({ response }) => response)).toEqual(['Success']);
  });
});

describe('the filter', () => {
  const wanted = new Set(['Newchannel', 'Newexten']);
  const names = (stream: Buffer, prefix?: string): readonly (string | undefined)[] =>
    decode(stream, wanted, prefix).map(({ event, response }) => event ?? response);

  test('wanted events and every response', () => {
    expect(names(bytes(NEWCHANNEL, VARSET, LOGIN, TESTEVENT))).toEqual(['Newchannel', 'Success']);
  });

  test('Newexten only where the application is VoiceMail, and VoiceMail alone', () => {
    const other = (application: string): readonly string[] =>
      NEWEXTEN.map((line) => line.replace('VoiceMail', application));
    expect(names(bytes(NEWEXTEN, other('VoiceMailMain'), other('Dial')))).toEqual(['Newexten']);
    const told = ['Event: Newexten', 'AppData: Application: VoiceMail', 'Application: Set'];
    expect(names(bytes(told))).toEqual([]);
  });

  test('an item of a list that we asked for', () => {
    const item = (id: string): readonly string[] => ['Event: Status', `ActionID: ${id}`, 'Channel: PJSIP/100-1'];
    expect(names(bytes(item('zpb-1'), item('other-1')), 'zpb-')).toEqual(['Status']);
    expect(names(bytes(item('zpb-1')))).toEqual([]);
  });

  test('it counts what it drops', () => {
    const codec = new AmiCodec({ events: wanted });
    codec.push(bytes(NEWCHANNEL, VARSET, TESTEVENT, ['garbage']));
    expect(codec.counts).toEqual({ messages: 1, dropped: 3 });
  });
});

describe('limits', () => {
  const huge = (length: number): Buffer => Buffer.from(`${BANNER}Event: X\r\nY: ${'y'.repeat(length)}`);

  test('more than 1 MiB without an empty line is an error, and stays one', () => {
    const codec = new AmiCodec({ events: 'all' });
    expect(() => codec.push(huge(MAX_MESSAGE_BYTES))).toThrow(/more than 1048576 bytes without an empty line/);
    expect(() => codec.push(bytes(NEWCHANNEL))).toThrow(RetriableError);
  });

  test('a message of nearly 1 MiB is none, however small its pieces', () => {
    const codec = new AmiCodec({ events: 'all' });
    const stream = Buffer.concat([huge(MAX_MESSAGE_BYTES - 100), Buffer.from('\r\n\r\n'), Buffer.from(wire(LOGIN))]);
    const seen: AmiMessage[] = [];
    for (let at = 0; at < stream.length; at += 7) seen.push(...codec.push(stream.subarray(at, at + 7)));
    expect(seen.map((message) => message.get('Y')?.length ?? message.response)).toEqual([
      MAX_MESSAGE_BYTES - 100,
      'Success',
    ]);
  });

  test('the headers of a long message stay in order', () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `Output: line ${index}`);
    const message = only(bytes(['Response: Success', 'ActionID: a', ...lines, 'Last: yes']));
    expect(message.all('Output')).toEqual(lines.map((line) => line.slice('Output: '.length)));
    expect(message.get('Last')).toBe('yes');
  });
});

describe('properties', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, '')),
    fc.constantFrom('Jürgen', '日本', 'a: b', '', ' x', '🎧', '__proto__'),
  );
  const header = fc.tuple(fc.constantFrom('State', 'Variable', 'ChanVariable', '__proto__', 'Channel', 'X-1'), texts);
  const message = fc.tuple(
    fc.constantFrom('Event: Newchannel', 'Event: Other', 'Response: Success'),
    fc.array(header, { maxLength: 8 }),
  );
  const stream = fc
    .tuple(fc.array(message, { maxLength: 8 }), fc.constantFrom('\r\n', '\n'))
    .map(([messages, eol]) => ({
      messages,
      wire: Buffer.from(
        BANNER + messages.map(([first, rest]) => wire([first, ...rest.map(([k, v]) => `${k}: ${v}`)], eol)).join(''),
      ),
    }));
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
  const inPieces = (codec: AmiCodec, all: Buffer, sizes: readonly number[]): AmiMessage[] => {
    const seen: AmiMessage[] = [];
    for (let at = 0, turn = 0; at < all.length; turn += 1) {
      const size = sizes[turn % sizes.length]!;
      seen.push(...codec.push(all.subarray(at, at + size)));
      at += size;
    }
    return seen;
  };
  const shape = (messages: readonly AmiMessage[]): unknown =>
    messages.map((one) =>
      ['Event', 'Response', 'State', 'Variable', 'ChanVariable', '__proto__', 'Channel', 'X-1'].map((name) =>
        one.all(name),
      ),
    );

  test('any cut of the stream gives the messages that were written', () => {
    fc.assert(
      fc.property(stream, cuts, ({ messages, wire: all }, sizes) => {
        const seen = inPieces(new AmiCodec({ events: 'all' }), all, sizes);
        const written = messages.map(([first, rest]) =>
          ['Event', 'Response', 'State', 'Variable', 'ChanVariable', '__proto__', 'Channel', 'X-1'].map((name) =>
            [first.split(': ') as [string, string], ...rest].filter(([key]) => key === name).map(([, value]) => value),
          ),
        );
        expect(shape(seen)).toEqual(written);
      }),
      { numRuns: 300 },
    );
  });

  test('garbage, in any pieces, throws nothing and gives the same as in one piece', () => {
    const soup = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc
        .array(
          fc.constantFrom(
            'Event: X',
            'Response: Follows',
            '--END COMMAND--',
            ':',
            ': ',
            '\r\n',
            '\n',
            '\r',
            '\r\n\r\n',
            '__proto__',
            'Asterisk Call Manager/1\r\n',
            '\0',
          ),
          { maxLength: 40 },
        )
        .map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(soup, cuts, (all, sizes) => {
        const whole = new AmiCodec({ events: 'all' });
        const cut = new AmiCodec({ events: 'all' });
        expect(shape(inPieces(cut, all, sizes))).toEqual(shape(whole.push(all)));
        expect([cut.greeting, cut.counts]).toEqual([whole.greeting, whole.counts]);
      }),
      { numRuns: 500 },
    );
  });
});
