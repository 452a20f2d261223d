import { MOST_PHONES } from './dial-phones.js';

/** The endpoint of a phone that may have several contacts, `PJSIP/100`; undefined: it is rung as it is. */
export const endpointWithContacts = (phone: string): string | undefined => /^PJSIP\/([^/]+)$/i.exec(phone)?.[1];

/** What the dialplan says of the contacts of an endpoint: `PJSIP/100/sip:a@host&PJSIP/100/sip:b@host`. */
export const contactsQuestion = (endpoint: string): string => `PJSIP_DIAL_CONTACTS(${endpoint})`;

/**
 * What to ring for `PJSIP/100`: asked for the endpoint, Asterisk rings the first of its contacts only, so where there are more (a desk
 * phone and a softphone with one extension), each. Where it does not say: the phone as it is.
 */
export function contactsIn(answer: string | undefined, phone: string, endpoint: string): readonly string[] {
  const contacts = (answer ?? '').split('&').filter((contact) => contact.startsWith(`PJSIP/${endpoint}/`));
  return contacts.length > 1 ? contacts.slice(0, MOST_PHONES) : [phone];
}
