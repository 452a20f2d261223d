import { parsePhoneNumberFromString } from 'libphonenumber-js';

/** A person of Zammad's address book. */
export interface Person {
  readonly name: string;
  /** Any spelling that Zammad would understand; an agent's may be a bare extension, `43`. */
  readonly phones: readonly string[];
  /** Set = an agent (permission cti.agent). */
  readonly login?: string | undefined;
}

/**
 * The numbers in a text, as Zammad looks people up by them: runs of 6 to 26 digits, blanks, dashes, brackets; `00` cut,
 * a national `0` read as German, whatever the country. Extensions are too short to be found.
 */
export function extractNumbers(text: string): readonly string[] {
  return Array.from(text.matchAll(/[\d\s\-(|)]{6,26}/g), ([run]) => {
    const digits = run
      .replace(/[\s-]/g, '')
      .replace(/^(00\d{1,3}|\d{1,4})\(0\)/, '$1')
      .replace(/\D/g, '');
    if (digits.startsWith('00')) return digits.slice(2);
    return digits.startsWith('0') ? `49${digits.slice(1)}` : digits;
  }).filter((digits) => digits.length >= 6);
}

/** Finds people by number, login or name's number, by Zammad's rules. */
export class PhoneBook {
  readonly #people: readonly Person[];
  constructor(people: readonly Person[]) {
    this.#people = people;
  }

  /** What Zammad shows beside a number: the names known for it, newest first; null when nobody is. */
  commentFor(number: string): string | null {
    const names = this.#known(number).map((person) => person.name);
    return names.length === 0 ? null : names.reverse().join(',');
  }

  /** The agent behind an `answeringNumber`: a known number, else a phone field that is exactly it. */
  agentByNumber(number: string): Person | undefined {
    const agents = this.#people.filter((person) => person.login !== undefined);
    return (
      this.#known(number).find((person) => person.login !== undefined) ?? agents.find((a) => a.phones.includes(number))
    );
  }

  agentByLogin(login: string): Person | undefined {
    return this.#people.find((person) => person.login?.toLowerCase() === login.toLowerCase());
  }

  #known(text: string): Person[] {
    const wanted = extractNumbers(text);
    if (wanted.length === 0) return [];
    return this.#people.filter((person) =>
      person.phones.some((phone) => extractNumbers(phone).some((n) => wanted.includes(n))),
    );
  }
}

/** How Zammad prints a number: E.164 with or without `+` spaced by country; what is no number is not shown at all. */
export function prettyNumber(text: string): string {
  if (!/^\+?[\d\s\-()]+$/.test(text)) return '';
  const digits = text.replace(/\D/g, '');
  if (digits.startsWith('0') || digits.length < 7) return text;
  return parsePhoneNumberFromString(`+${digits}`)?.formatInternational() ?? text;
}
