import { describe, expect, test } from '@jest/globals';
import { createNumbers, isCountry } from '../../../src/call/numbers.js';

const german = createNumbers('DE', (digits) => digits === '100200');

describe('numbers go out as E.164 digits', () => {
  test.each([
    ['+493012345678', '493012345678'],
    ['00493012345678', '493012345678'],
    ['03012345678', '493012345678'],
    ['493012345678', '493012345678'],
    ['491711111111', '491711111111'],
    ['442079460018', '442079460018'],
    ['+49 (0)30 123456-78', '493012345678'],
    ['0171/1234567', '491711234567'],
    ['1711234567', '491711234567'],
    ['sip:+493012345678@provider.example;user=phone', '493012345678'],
    ['tel:+493012345678', '493012345678'],
    ['+442079460018', '442079460018'],
    ['00442079460018', '442079460018'],
    ['\u0000+493012345678\r\n', '493012345678'],
  ])('%j is %s', (raw, clean) => {
    expect(german.clean(raw)).toBe(clean);
  });

  test.each(['100', '0', '11833', '*8', '#31#'])('%j is short and stays', (raw) => {
    expect(german.clean(raw)).toBe(raw);
  });
  test('a long extension that the directory knows stays', () => {
    expect(german.clean('100200')).toBe('100200');
  });
  test('what no country knows stays, without an international prefix', () => {
    expect(german.clean('+99912345678')).toBe('99912345678');
    expect(german.clean('0099912345678')).toBe('99912345678');
  });
  test('a name is no number and is cut where Zammad cuts it', () => {
    expect(german.clean('alice')).toBe('alice');
    expect(german.clean('a'.repeat(300))).toHaveLength(100);
  });
  test.each([
    undefined,
    '',
    '  ',
    '<unknown>',
    'Anonymous',
    'anonymous@anonymous.invalid',
    's',
    'Restricted',
    '\u0007',
  ])('%j is nobody', (raw) => {
    expect(german.clean(raw)).toBeUndefined();
  });
  test('the same after the cache has been emptied', () => {
    const numbers = createNumbers('DE', () => false);
    for (let n = 0; n < 5000; n += 1) numbers.clean(`+4930${String(1_000_000 + n)}`);
    expect(numbers.clean('03012345678')).toBe('493012345678');
  });
});

test('national numbers are those of the country', () => {
  expect(createNumbers('AT', () => false).clean('01234567890')).toBe('431234567890');
  expect(createNumbers('US', () => false).clean('(212) 555-0123')).toBe('12125550123');
  expect([isCountry('DE'), isCountry('Germany')]).toEqual([true, false]);
});
