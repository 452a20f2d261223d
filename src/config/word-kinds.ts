/** Settings that are words with blanks between them. Each may be empty. */
import { isIP } from 'node:net';

/** IP addresses or networks; patterns of numbers; what is dialled for an outside line (one word). */
export type WordKind = 'addresses' | 'patterns' | 'prefix';

export const words = (text: string): readonly string[] => text.split(/\s+/u).filter((word) => word !== '');

/** What is wrong with it, with what to write instead; undefined = nothing. */
export function wordTrouble(kind: WordKind, text: string | undefined): string | undefined {
  if (text === undefined) return 'must be text: one or more words with blanks between';
  switch (kind) {
    case 'addresses':
      return words(text).every(isAddress)
        ? undefined
        : 'must be IP addresses or networks with blanks between, e.g. 127.0.0.1 10.0.0.0/8';
    case 'patterns':
      return words(text).every((word) => /^(?:\*|(?:\+[1-9]\d{0,14}|[1-9]\d{0,5})\*?)$/.test(word))
        ? undefined
        : 'must be numbers with blanks between, each perhaps with * at its end: outside ones with + and country code (+49900*), inside ones of up to six digits (1*)';
    case 'prefix':
      return /^[\d*#]{0,6}$/.test(text)
        ? undefined
        : 'must be what is dialled for an outside line: up to six digits, * or #';
  }
}

function isAddress(word: string): boolean {
  const [address = '', bits, ...more] = word.split('/');
  const kind = isIP(address);
  if (kind === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 6 ? 128 : 32));
}
