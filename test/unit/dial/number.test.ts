import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createNumberReader, type NumberRules } from '../../../src/dial/number.js';

const RULES: NumberRules = {
  country: 'DE',
  extensions: ['100', '112000', '*55'],
  allow: [],
  deny: [],
  written: 'national',
  outsidePrefix: '',
  emergency: ['110', '112'],
  outsideLine: ['0', '9'],
};
const reader = (rules: Partial<NumberRules> = {}) => createNumberReader({ ...RULES, ...rules });
const read = reader();
const dialledOf = (text: string, rules: Partial<NumberRules> = {}): string | undefined => {
  const found = reader(rules)(text);
  return found.ok ? found.dialled : found.why;
};

describe('what people type, paste and click', () => {
  test.each([
    ['+49 30 123456', '030123456'],
    ['+49 (0)30 / 12 34-56', '030123456'],
    ['+49 (0) 30.123456', '030123456'],
    ['0049 30 123456', '030123456'],
    ['030 123456', '030123456'],
    ['49 171 1234567', '01711234567'],
    ['(030) 123 456', '030123456'],
    ['  030–123—456\n', '030123456'],
    ['\u202a+49\u00a030\u2011123456\u202c', '030123456'],
    ['\uff10\uff13\uff10\uff11\uff12\uff13\uff14\uff15\uff16', '030123456'],
    ['tel:+4930123456', '030123456'],
    ['TEL:%2B49%2030%20123456', '030123456'],
    ['tel:+49-30-123456;isub=1;foo=bar', '030123456'],
    ['tel:030123456;phone-context=+49', '030123456'],
    ['tel://+4930123456', '030123456'],
    ['+33 1 23 45 67 89', '0033123456789'],
    ['116117', '116117'],
    // The number around the corner, without its area code.
    ['601234', '601234'],
    ['101', '101'],
    ['100', '100'],
    ['112000', '112000'],
    ['*55', '*55'],
  ])('%j is dialled as %s', (text, dialled) => {
    expect(dialledOf(text)).toBe(dialled);
  });

  test('what stands behind a comma is said to be left out', () => {
    expect(read('+4930123456,22')).toMatchObject({ dialled: '030123456', leftOut: '22' });
    expect(read('tel:+4930123456;ext=22')).toMatchObject({ dialled: '030123456', leftOut: '22' });
    expect(read('+4930123456,,22')).toMatchObject({ dialled: '030123456', leftOut: '22' });
    expect(read('+4930123456 , p22#')).toMatchObject({ dialled: '030123456', leftOut: '22#' });
    expect(read('+4930123456,,')).toEqual(read('+4930123456'));
    expect(read('030 123456 x22')).toMatchObject({ dialled: '030123456', leftOut: '22' });
  });

  test('inside and outside are told apart', () => {
    expect(read('101')).toEqual({ ok: true, dialled: '101', number: '101', outside: false });
    expect(read('030123456')).toEqual({ ok: true, dialled: '030123456', number: '+4930123456', outside: true });
  });

  test.each([
    '',
    ' ',
    'abc',
    '0800 FLOWERS',
    '+',
    '++4930123456',
    '+49 30 12+34 56',
    'sip:100@pbx',
    'javascript:alert(1)',
    '030123456\r\nAction: Originate\r\nChannel: PJSIP/100',
    '030123456\nX',
    '030\u0000123456',
    'tel:%0d%0aAction:%20Logoff',
    'tel:%zz',
    '030123456&PJSIP/200',
    '100@from-internal',
    'Local/100',
    '${EXTEN}',
    '030123456|30',
    '+999123456789',
    '+49',
    '1'.repeat(33),
    '1'.repeat(100_000),
  ])('%j is no number', (text) => {
    expect(dialledOf(text)).toBe('bad-number');
  });

  test('whatever is given, only digits, a leading + and the codes of colleagues come out', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 60, unit: 'binary' }),
          fc.stringMatching(/^(tel:)?[+0-9*#,;=%a-f \r\n-]{0,40}$/),
        ),
        fc.constantFrom('national', 'international', 'e164'),
        (text, written) => {
          const found = reader({ written, outsidePrefix: '0' })(text);
          if (found.ok) expect(found.dialled).toMatch(/^(?:\*55|0?\+?\d{1,40})$/);
        },
      ),
    );
  });
});

describe('how it is written for the PBX', () => {
  test.each([
    ['national', '', '030123456', '0033123456789'],
    ['national', '0', '0030123456', '00033123456789'],
    ['international', '', '004930123456', '0033123456789'],
    ['e164', '', '+4930123456', '+33123456789'],
    ['e164', '9', '9+4930123456', '9+33123456789'],
  ] as const)('%s, outside prefix %j', (written, outsidePrefix, home, abroad) => {
    expect(dialledOf('+4930123456', { written, outsidePrefix })).toBe(home);
    expect(dialledOf('+33123456789', { written, outsidePrefix })).toBe(abroad);
    expect(dialledOf('101', { written, outsidePrefix })).toBe('101');
  });

  test.each([
    ['US', '+1 212 555 0123', '2125550123'],
    ['US', '212-555-0123', '2125550123'],
    ['US', '1 212 555 0123', '2125550123'],
    ['US', '+49 30 123456', '0114930123456'],
    ['IT', '+39 06 1234567', '061234567'],
    // Of no range that the tables know: still with the prefix, or it would be another number, or a code of the network.
    ['DE', '+49 19 0123456', '0190123456'],
    ['DE', '0190 123456', '0190123456'],
    ['DE', '+49 1122', '01122'],
    ['DE', '+49 118 33', '011833'],
    ['HU', '+36 13 123 456', '0613123456'],
    ['US', '+1 199 555 0123', '1995550123'],
  ])('in %s: %s', (country, text, dialled) => {
    expect(dialledOf(text, { country })).toBe(dialled);
  });
});

describe('what may be dialled', () => {
  test('emergency numbers and feature codes are for the phone itself', () => {
    for (const text of ['112', '0112', '9110', '1-1-2', 'tel:112']) expect(dialledOf(text)).toBe('emergency');
    for (const text of ['*72030123456', '#31#030123456', '+*1']) expect(dialledOf(text)).toBe('feature-code');
    expect(dialledOf('112', { extensions: ['112'] })).toBe('112');
  });

  test('what is no outside line here makes none of a number inside', () => {
    expect(dialledOf('9110', { outsideLine: ['0'] })).toBe('9110');
  });
  test('a prefix for the outside line makes no emergency number either', () => {
    expect(dialledOf('5112', { outsidePrefix: '5' })).toBe('emergency');
  });

  test('deny wins over allow; both mean the number, however it was typed', () => {
    const rules = { allow: ['+49*', '1*'], deny: ['+49900*', '+4930666'] };
    expect(dialledOf('030123456', rules)).toBe('030123456');
    expect(dialledOf('0049 900 1234567', rules)).toBe('number-denied');
    expect(dialledOf('0900 1234567', rules)).toBe('number-denied');
    expect(dialledOf('+4930666', rules)).not.toBe('030666');
    expect(dialledOf('+33 1 23 45 67 89', rules)).toBe('number-denied');
    expect(dialledOf('101', rules)).toBe('101');
    expect(dialledOf('201', rules)).toBe('number-denied');
    // +1… is America, 1… a colleague.
    expect(dialledOf('+12125550123', rules)).toBe('number-denied');
    expect(dialledOf('030123456', { deny: ['*'] })).toBe('number-denied');
  });

  test.each([
    '0049 0 0900 123456',
    '+49 00900 123456',
    '+49 (0) 0 0900 123456',
    '00 0900 123456',
    'tel:00900123456;phone-context=+49',
  ])('%j does not pass by a pattern with its zeros', (text) => {
    for (const written of ['national', 'international', 'e164'] as const)
      for (const outsidePrefix of ['', '0'])
        expect(dialledOf(text, { deny: ['+49900*'], written, outsidePrefix })).toBe('number-denied');
  });

  test.each(['0 0900 123456', '00900123456', '9 0900 123456', '9 118 33'])(
    '%j does not pass by a pattern behind an outside line',
    (text) => {
      expect(dialledOf(text)).toMatch(/^\d+$/);
      expect(dialledOf(text, { deny: ['+49900*', '118*'] })).toBe('number-denied');
    },
  );

  test('a number abroad is not taken for one behind an outside line', () => {
    expect(dialledOf('001 800 253 0000', { deny: ['+49180*'] })).toBe('0018002530000');
  });
});
