import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dialSettings, type DialSettings } from '../../../adapters/freeswitch/dial-settings.js';
import { originateCommand } from '../../../adapters/freeswitch/originate-command.js';
import { outcomeOf } from '../../../adapters/freeswitch/originate-words.js';
import type { OriginateOrder } from '../../../src/pbx/adapter.js';
import { readOriginate } from '../../support/freeswitch-desk.js';

const ID = 'b0a0d0e0-0000-4000-8000-000000000001';
const ALICE: OriginateOrder = {
  agent: { extension: '1000', devices: [] },
  number: '0017112345678',
  shown: '+49 171 12345678',
  ringFor: 20_000,
};
const settings = (more: Partial<DialSettings> = {}): DialSettings =>
  dialSettings.parse({ context: 'default', ...more });
const commandFor = (more: Partial<OriginateOrder> = {}, how = settings()): string => {
  const built = originateCommand({ ...ALICE, ...more }, how, ID);
  return built.kind === 'command' ? built.command : `refused: ${built.reason}`;
};

describe('the command', () => {
  test('the agent’s phone first, then the number in the dialplan', () => {
    expect(commandFor({}, settings({ domain: 'pbx.example.test' }))).toBe(
      'originate {originate_timeout=20,origination_caller_id_number=+4917112345678,' +
        `origination_caller_id_name='+49 171 12345678',zammad_dial=${ID},ignore_early_media=true,` +
        `execute_on_answer_zammad_0='unset ignore_early_media'}user/1000@pbx.example.test 0017112345678 XML default`,
    );
  });

  test.each([
    ['an extension, with FreeSWITCH’s own domain', {}, {}, ['user/1000'], 'default'],
    [
      'devices, all at once',
      { devices: ['1000@a.test', '1001'] },
      { domain: 'b.test' },
      ['user/1000@a.test', 'user/1001@b.test'],
      'default',
    ],
    [
      'a whole endpoint',
      { devices: ['sofia/internal/1000@192.0.2.1:5060'] },
      {},
      ['sofia/internal/1000@192.0.2.1:5060'],
      'default',
    ],
    [
      'what the setting says',
      { devices: ['1000@a.test'] },
      { phone: 'loopback/{extension}/internal' },
      ['loopback/1000/internal'],
      'default',
    ],
    [
      'the context of the phone’s domain',
      { devices: ['1000@a.test'] },
      { context: '{domain}' },
      ['user/1000@a.test'],
      'a.test',
    ],
    ['the context of the domain', {}, { context: '{domain}', domain: 'b.test' }, ['user/1000@b.test'], 'b.test'],
  ])('rings %s', (_what, agent, how, phones, context) => {
    const command = commandFor({ agent: { ...ALICE.agent, ...agent } }, settings(how));
    expect(readOriginate(command)).toMatchObject({ phones, context, dialplan: 'XML', number: ALICE.number });
  });

  test('a name is shown, and the number that a call back would dial', () => {
    const read = readOriginate(commandFor({ shown: 'Zoë "Z" Müller, {Köln}' }));
    expect(read?.variables.get('origination_caller_id_name')).toBe('Zoë Z Müller Köln');
    expect(read?.variables.get('origination_caller_id_number')).toBe(ALICE.number);
  });

  test('the configured header, whatever it is called', () => {
    const value = '<sip:pbx.example.test>;answer-after=0';
    const read = readOriginate(commandFor({ autoAnswer: { name: 'Call-Info', value } }));
    expect(read?.variables.get('sip_h_Call-Info')).toBe(value);
    const info = readOriginate(commandFor({ autoAnswer: { name: 'Alert-Info', value: 'Ring Answer' } }));
    expect(info?.variables.get('sip_h_Alert-Info')).toBe('Ring Answer');
  });

  test('what is for his phone alone is taken back when he has taken it: the leg that he dials would have it too', () => {
    const read = readOriginate(commandFor({ autoAnswer: { name: 'Alert-Info', value: 'Ring Answer' } }));
    const undone = [...(read?.variables ?? [])].filter(([name]) => name.startsWith('execute_on_answer'));
    // Else nobody hears the ringing or "this number is not in service", and a colleague's phone answers by itself.
    expect(undone.map(([, what]) => what)).toEqual(['unset ignore_early_media', 'unset sip_h_Alert-Info']);
    expect(new Set(undone.map(([name]) => name)).size).toBe(2);
  });

  test('less than a second is a second', () => {
    expect(readOriginate(commandFor({ ringFor: 1 }))?.variables.get('originate_timeout')).toBe('1');
  });
});

describe('nothing in a value can be more than a value', () => {
  const EVIL = [
    '0171 &system(reboot)',
    '&bridge(x)',
    "0171'",
    '0171\napi fsctl shutdown',
    '0171}user/x',
    '0171,a=b',
    '0171|x',
    '^^:a=b',
    '${system(reboot)}',
    '0171:_:user/x',
    'x\\',
    '',
  ];
  test.each(EVIL)('a number is digits, "+", "*" and "#": %j', (number) => {
    expect(commandFor({ number })).toMatch(/^refused: the number/);
  });
  test.each([...EVIL.filter((text) => !/^[\w ]*$/.test(text)), '\u0000'])('a header: %j', (value) => {
    expect(commandFor({ autoAnswer: { name: 'Call-Info', value } })).toMatch(/^refused: the header/);
    expect(commandFor({ autoAnswer: { name: value, value: 'x' } })).toMatch(/^refused: the header/);
  });
  test.each(EVIL.filter((text) => !text.startsWith('&b')))('an extension or a device: %j', (name) => {
    expect(commandFor({ agent: { extension: name, devices: [] } })).toMatch(/^refused: the extension/);
    expect(commandFor({ agent: { extension: '1000', devices: [name] } })).toMatch(/^refused: the extension/);
  });
  test('a context that no phone names', () => {
    expect(commandFor({}, settings({ context: '{domain}' }))).toMatch(/^refused: .*dial\.domain/);
  });

  test('whatever they are, they come out as they went in, or not at all', () => {
    const any = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom(...EVIL));
    const or = (good: string) => fc.oneof({ weight: 4, arbitrary: fc.constant(good) }, any);
    const value = or(';answer-after=0');
    let sent = 0;
    fc.assert(
      fc.property(or('0171'), any, or('1000'), or('1000@a.test'), value, (number, shown, extension, device, header) => {
        const agent = { extension, devices: [device] };
        const command = commandFor({ number, shown, agent, autoAnswer: { name: 'Call-Info', value: header } });
        if (command.startsWith('refused: ')) return;
        sent += 1;
        const read = readOriginate(command);
        expect([...(read?.variables.keys() ?? [])]).toEqual([
          'originate_timeout',
          'origination_caller_id_number',
          'origination_caller_id_name',
          'zammad_dial',
          'ignore_early_media',
          'sip_h_Call-Info',
          'execute_on_answer_zammad_0',
          'execute_on_answer_zammad_1',
        ]);
        expect(read).toMatchObject({ number, dialplan: 'XML', context: 'default' });
        expect(read?.phones).toHaveLength(1);
        expect(read?.variables.get('sip_h_Call-Info')).toBe(header);
        expect(read?.variables.get('origination_caller_id_name')).toMatch(/^[\p{L}\p{N} .+*#()/-]+$/u);
        expect(read?.variables.get('origination_caller_id_number')).toMatch(/^[+*#\d]+$/);
      }),
      { numRuns: 300 },
    );
    expect(sent).toBeGreaterThan(30);
  });
  test('a setting of a phone is one phone', () => {
    for (const phone of ['user/1000', 'user/{extension}{x}', 'user/{extension},x/{extension}', '{a=b}user/{extension}'])
      expect(dialSettings.safeParse({ context: 'default', phone }).success).toBe(false);
  });
});

describe('the outcome', () => {
  test.each([
    ['+OK 11111111-2222-4333-8444-555555555501\n', { kind: 'done', leg: '11111111-2222-4333-8444-555555555501' }],
    ['-ERR USER_NOT_REGISTERED\n', { why: 'not-registered', said: 'USER_NOT_REGISTERED' }],
    ['-ERR SUBSCRIBER_ABSENT\n', { why: 'unknown-extension' }],
    ['-ERR USER_BUSY\n', { why: 'busy' }],
    ['-ERR CALL_REJECTED\n', { why: 'declined', reason: 'extension 1000 declined' }],
    ['-ERR NO_ANSWER\n', { why: 'no-answer' }],
    ['-ERR NO_USER_RESPONSE\n', { why: 'no-answer' }],
    ['-ERR DESTINATION_OUT_OF_ORDER\n', { why: 'failed', said: '-ERR DESTINATION_OUT_OF_ORDER' }],
    ['-ERR originate Command not found!\n', { why: 'failed' }],
    ['-ERR constructor\n', { why: 'failed' }],
    ['-USAGE: <call url>', { why: 'failed' }],
    ['', { why: 'failed' }],
    ['+OK \u0000\n', { why: 'failed' }],
  ])('%j', (result, outcome) => {
    expect(outcomeOf(result, '1000')).toMatchObject({ kind: 'refused', ...outcome });
  });
});
