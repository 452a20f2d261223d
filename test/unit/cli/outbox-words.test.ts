import { expect, test } from '@jest/globals';
import { ageWords, idOf, seqIn } from '../../../src/cli/outbox-words.js';

test.each([
  [3 * 2 ** 32 + 17, '3.17'],
  [2 ** 32, '1.0'],
  [5, '0.5'],
  [2_000_000 * 2 ** 32 + 4_294_967_295, '2000000.4294967295'],
])('%d is %s', (seq, id) => {
  expect(idOf(seq)).toBe(id);
  expect(seqIn(id)).toBe(seq);
  expect(seqIn(String(seq))).toBe(seq);
});

test.each(['', 'x', '1.', '.1', '1.2.3', '-1', '1e3', ' 1', '99999999999999999999', '9999999.1'])(
  '%j is no id',
  (id) => {
    expect(seqIn(id)).toBeUndefined();
  },
);

test.each([
  [-5, '0 s'],
  [44_600, '45 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '119 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 days'],
])('%d ms are %s', (ms, words) => {
  expect(ageWords(ms)).toBe(words);
});
