/** What a person typed, pasted or clicked, as a number to be dialled. Pure. */
import {
  getCountryCallingCode,
  parsePhoneNumberFromString,
  type CountryCode,
  type PhoneNumber,
} from 'libphonenumber-js/min';
import { createNumbers, isCountry } from '../call/numbers.js';
import { createEmergency } from '../gate/emergency.js';

export interface NumberRules {
  /** ISO 3166 country by which national numbers are read. */
  readonly country: string;
  /** The extensions of agents. */
  readonly extensions: readonly string[];
  /** Patterns, with `*` at the end for any digits: outside numbers as `+49…`, inside ones as they are. None: all. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly written: 'national' | 'international' | 'e164';
  readonly outsidePrefix: string;
  readonly emergency: readonly string[];
  /** What is dialled for an outside line, before emergency numbers too. */
  readonly outsideLine: readonly string[];
}

export type NumberTrouble = 'bad-number' | 'emergency' | 'feature-code' | 'number-denied';

export type ReadNumber =
  | {
      readonly ok: true;
      /** For the PBX: digits, perhaps with `+` before them. */
      readonly dialled: string;
      /** For people and patterns: `+49…`, or the digits of an inside number. */
      readonly number: string;
      readonly outside: boolean;
      /** What stood behind the number and is not dialled. */
      readonly leftOut?: string | undefined;
    }
  | { readonly ok: false; readonly why: NumberTrouble };

/** Longer texts are no numbers. */
const MAX_TEXT = 200;
/** Up to so many digits it is a number inside, or one of few digits that everybody dials as it is. */
const INSIDE_DIGITS = 5;
/** Nobody means more of them. */
const MOST_ZEROS = 8;

const trouble = (why: NumberTrouble): ReadNumber => ({ ok: false, why });

export function createNumberReader(rules: NumberRules): (text: string) => ReadNumber {
  const extensions = new Set(rules.extensions);
  const numbers = createNumbers(rules.country, (digits) => extensions.has(digits));
  const isEmergency = createEmergency(rules.emergency, [...rules.outsideLine, rules.outsidePrefix]);
  const write = createWriter(rules);
  const isDenied = (number: string): boolean => rules.deny.some((pattern) => fits(pattern, number));
  const isAllowed = (number: string): boolean =>
    (rules.allow.length === 0 || rules.allow.some((pattern) => fits(pattern, number))) && !isDenied(number);
  const behindLine = (dialled: string): readonly string[] =>
    rules.outsideLine
      .filter((line) => line !== '' && dialled.startsWith(line))
      .map((line) => dialled.slice(line.length))
      .flatMap((rest) =>
        rest.length <= INSIDE_DIGITS ? [rest] : (e164Of(rest, numbers.clean(rest), rules.country)?.number ?? []),
      );

  const inside = (number: string, leftOut: string | undefined): ReadNumber =>
    isAllowed(number) ? { ok: true, dialled: number, number, outside: false, leftOut } : trouble('number-denied');

  return (text) => {
    const parts = partsOf(text);
    if (parts === undefined) return trouble('bad-number');
    const { digits, leftOut } = parts;
    // A colleague's extension may look like anything.
    if (extensions.has(digits)) return inside(digits, leftOut);
    if (isEmergency(digits)) return trouble('emergency');
    if (/[*#]/.test(digits)) return trouble('feature-code');
    if (!digits.startsWith('+') && digits.length <= INSIDE_DIGITS) return inside(digits, leftOut);
    const read = e164Of(digits, numbers.clean(digits), rules.country);
    if (read === undefined) return trouble('bad-number');
    const { number } = read;
    const written = write(digits, number);
    const dialled = `${rules.outsidePrefix}${written}`;
    if (isEmergency(dialled)) return trouble('emergency');
    // Of no known range, or without its area code: what stands first may be the outside line, and the rest another number.
    const sure = read.known && (written !== digits || digits.startsWith('0'));
    const others = sure ? [] : behindLine(written);
    if (!isAllowed(number) || others.some((other) => isDenied(other))) return trouble('number-denied');
    return { ok: true, dialled, number, outside: true, leftOut };
  };
}

/** `digits`: digits, `*`, `#`, and `+` at most before them. Undefined: it is no number. */
function partsOf(text: string): { readonly digits: string; readonly leftOut?: string } | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const uri = /^tel:/i.test(text.trim()) ? telUri(text.trim()) : text;
  if (uri === undefined) return undefined;
  // Full-width digits become digits, no-break spaces spaces; marks of writing direction come along when numbers are copied.
  const plain = uri
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .trim();
  // "+49 30 1234,22": a pause and an extension behind the number.
  const [, main = '', leftOut = ''] = /^([^,;pwx]*)(?:[,;pwx]([\d*#\p{Zs}.,;=a-z-]*))?$/iu.exec(plain) ?? [];
  const digits = main.replace(/[\p{Zs}\p{Pd}().\/·]/gu, '');
  if (!/^\+?[\d*#]{1,32}$/.test(digits)) return undefined;
  // Several commas are a longer pause.
  const rest = leftOut.replace(/^[,;pwx.\p{Zs}]+/iu, '').trim();
  return rest === '' ? { digits } : { digits, leftOut: rest };
}

/** RFC 3966, as browsers hand it over: percent-encoded, perhaps with parameters. */
function telUri(text: string): string | undefined {
  let whole: string;
  try {
    whole = decodeURIComponent(text.slice('tel:'.length).replace(/^\/\//, ''));
  } catch {
    return undefined;
  }
  const [number = '', ...parameters] = whole.split(';');
  const valueOf = (name: string): string | undefined =>
    parameters.find((parameter) => parameter.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
  const context = valueOf('phone-context') ?? '';
  const extension = valueOf('ext');
  const full =
    /^\+\d+$/.test(context) && !number.trim().startsWith('+') ? `${context}${number.replace(/^0/, '')}` : number;
  return extension === undefined ? full : `${full},${extension}`;
}

interface E164 {
  readonly number: string;
  /** It is of a range that is in use. */
  readonly known: boolean;
}

/** @param clean the same as the rest of the program reads it. */
function e164Of(digits: string, clean: string | undefined, country: string): E164 | undefined {
  const found = clean === undefined ? undefined : parsePhoneNumberFromString(`+${clean}`);
  if (found?.isValid() === true) return { number: found.number, known: true };
  // Ranges come up that the tables of numbers do not have yet.
  const parsed = parsePhoneNumberFromString(digits, isCountry(country) ? country : undefined);
  return parsed === undefined ? undefined : plainest(parsed);
}

/** Each zero too many before an area code (`+49 00900…`) makes another number of the same; no pattern is to be passed by with one. */
function plainest(parsed: PhoneNumber): E164 | undefined {
  let number = parsed;
  for (let turn = 0; turn < MOST_ZEROS; turn += 1) {
    const next = parsePhoneNumberFromString(number.number);
    if (next?.isPossible() !== true) return undefined;
    if (next.number === number.number) return { number: next.number, known: next.isValid() };
    number = next;
  }
  return undefined;
}

/** `+49…` as it is dialled at a phone inside, without what makes an outside line. */
function createWriter({ country, written }: NumberRules): (typed: string, number: string) => string {
  const region = isCountry(country) ? country : undefined;
  const abroad = region === undefined ? '00' : internationalPrefix(region);
  const trunk = region === undefined ? '' : nationalPrefix(region);
  return (typed, number) => {
    if (written === 'e164') return number;
    const code = region === undefined ? '' : getCountryCallingCode(region);
    if (written === 'international' || region === undefined || !number.startsWith(`+${code}`))
      return `${abroad}${number.slice(1)}`;
    const significant = number.slice(1 + code.length);
    const pretty = parsePhoneNumberFromString(number)?.formatNational() ?? significant;
    // What comes back as it went in is of no known form: the prefix is still missing there.
    const national = pretty === significant ? `${trunk}${significant}` : pretty.replace(/\D/g, '');
    // Who types a number without its area code means the one around him.
    return national.endsWith(typed) ? typed : national;
  };
}

/** What stands before an area code: `0`, in Hungary `06`, in North America and Italy nothing. As most numbers there are written. */
function nationalPrefix(country: CountryCode): string {
  const code = getCountryCallingCode(country);
  const times = new Map<string, number>();
  for (let start = 20; start < 100; start += 1) {
    for (const rest of ['1234', '123456', '1234567']) {
      const significant = `${start}${rest}`;
      const written = parsePhoneNumberFromString(`+${code}${significant}`)?.formatNational().replace(/\D/g, '') ?? '';
      if (!written.endsWith(significant) || written === significant) continue;
      const prefix = written.slice(0, -significant.length);
      times.set(prefix, (times.get(prefix) ?? 0) + 1);
    }
  }
  return [...times].sort(([, one], [, other]) => other - one)[0]?.[0] ?? '';
}

/** `00`, in North America `011`. */
function internationalPrefix(country: CountryCode): string {
  const sample = getCountryCallingCode(country) === '49' ? '33123456789' : '4930123456';
  const written = parsePhoneNumberFromString(`+${sample}`)?.format('IDD', { fromCountry: country }) ?? '';
  const digits = written.replace(/\D/g, '');
  return digits.endsWith(sample) && digits !== sample ? digits.slice(0, -sample.length) : '00';
}

const fits = (pattern: string, number: string): boolean =>
  pattern.endsWith('*') ? number.startsWith(pattern.slice(0, -1)) : pattern === number;
