import {
  getCountryCallingCode,
  isSupportedCountry,
  parsePhoneNumberFromString,
  type CountryCode,
} from 'libphonenumber-js/min';

/** A party's number as Zammad is told it. */
export const ANONYMOUS = 'anonymous';
const EXTENSION_DIGITS = 5;
/** So many digits are hardly a national number without its prefix. */
const LONG_NUMBER = 12;
/** Zammad cuts `from` and `to` at 100 characters. */
const MAX_LENGTH = 100;

/** What PBXs write when there is no number to show. */
const NOBODY = new Set([
  '',
  '<unknown>',
  'unknown',
  'anonymous',
  'private',
  'restricted',
  'unavailable',
  'withheld',
  'asterisk',
  's',
]);

/** Reads the numbers of one country. */
export interface Numbers {
  /**
   * The form that Zammad matches: E.164 digits without "+" (`491711234567`); up to five digits stay as they are; what is no
   * number at all stays as it is, without control characters. `undefined`: there is no number in it.
   */
  clean(raw: string | undefined): string | undefined;
  /** Whether a clean number is one of the PBX's own. */
  isExtension(clean: string): boolean;
}

export const isCountry = (text: string): text is CountryCode => isSupportedCountry(text);

/**
 * @param country ISO 3166 code by which national numbers are read.
 * @param isExtension says whether a number is one of the PBX's own, whatever its length.
 */
export function createNumbers(country: string, isExtension: (digits: string) => boolean): Numbers {
  const region = isCountry(country) ? country : undefined;
  /** Few different numbers come again and again; a parse costs about 5 µs, its result a few bytes. */
  const known = new Map<string, string>();

  const parse = (text: string): string | undefined => {
    const parsed = parsePhoneNumberFromString(text, region);
    return parsed?.isValid() === true ? parsed.number.slice(1) : undefined;
  };
  const toE164 = (text: string): string | undefined => {
    if (!/^[1-9]\d{9,14}$/.test(text)) return parse(text);
    // Either E.164 without its "+", or a national number without its prefix (491711234567 is both, in Germany): with the
    // country's own code, or longer than national numbers are, it is the former.
    const international =
      text.length >= LONG_NUMBER || (region !== undefined && text.startsWith(getCountryCallingCode(region)));
    return international ? (parse(`+${text}`) ?? parse(text)) : (parse(text) ?? parse(`+${text}`));
  };

  const read = (text: string): string => {
    const digits = text.replace(/[\s().\-/]/g, '');
    if (!/^\+?[\d*#]+$/.test(digits)) return text.slice(0, MAX_LENGTH);
    if (digits.length <= EXTENSION_DIGITS || isExtension(digits)) return digits;
    const e164 = toE164(digits);
    if (e164 !== undefined) return e164;
    // No valid number of any country. An international prefix is still no part of it.
    return digits.replace(/^\+|^00(?=[1-9])/, '').slice(0, MAX_LENGTH);
  };

  return {
    isExtension: (clean) => clean.length <= EXTENSION_DIGITS || isExtension(clean),
    clean(raw) {
      const text = (raw ?? '')
        .slice(0, 2 * MAX_LENGTH)
        // Exactly these must not reach Zammad: NUL is answered with 422.
        .replace(/[\u0000-\u001f\u007f]/g, '')
        .replace(/^sips?:|^tel:/i, '')
        .replace(/[@;].*$/, '')
        .trim();
      if (NOBODY.has(text.toLowerCase())) return undefined;
      let number = known.get(text);
      if (number === undefined) {
        number = read(text);
        if (known.size >= 4096) known.clear();
        known.set(text, number);
      }
      return number === '' ? undefined : number;
    },
  };
}
