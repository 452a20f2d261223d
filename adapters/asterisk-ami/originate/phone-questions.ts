import { MOST_PHONES } from '../../asterisk/dial-phones.js';
import type { AmiSession } from '../session.js';

/** A look before the phone rings: it must not keep anybody waiting. */
const TIMEOUT_MS = 1_000;

/** A function of the dialplan, without any channel; write class `call`. undefined: Asterisk does not say. */
async function ask(session: AmiSession, expression: string): Promise<string | undefined> {
  try {
    const reply = await session.send({ Action: 'Getvar', Variable: expression }, { timeout: TIMEOUT_MS });
    return reply.response === 'Success' ? reply.get('Value') : undefined;
  } catch {
    // What is wrong with the connection shows at the order itself.
    return undefined;
  }
}

/**
 * What to ring for `PJSIP/100`: Originate rings the first of its contacts only, so where there are more (a desk phone and a
 * softphone with one extension), each. Other phones, and where Asterisk does not say: as they are.
 */
export async function contactsOf(session: AmiSession, phone: string): Promise<readonly string[]> {
  const endpoint = /^PJSIP\/([^/]+)$/i.exec(phone)?.[1];
  if (endpoint === undefined) return [phone];
  const value = (await ask(session, `PJSIP_DIAL_CONTACTS(${endpoint})`)) ?? '';
  const contacts = value.split('&').filter((contact) => contact.startsWith(`PJSIP/${endpoint}/`));
  return contacts.length > 1 ? contacts.slice(0, MOST_PHONES) : [phone];
}

/** `NOT_INUSE`, `UNAVAILABLE` (nobody is registered), `INVALID` (there is no such phone), … */
export const deviceStateOf = (session: AmiSession, phone: string): Promise<string | undefined> =>
  // Without the contact: a state is the endpoint's.
  ask(session, `DEVICE_STATE(${/^[^/]+\/[^/]+/.exec(phone)?.[0] ?? phone})`);

/** Whether the dialplan has that number there. undefined: Asterisk does not say. */
export async function hasNumber(session: AmiSession, context: string, number: string): Promise<boolean | undefined> {
  const value = await ask(session, `DIALPLAN_EXISTS(${context},${number},1)`);
  return value === '1' ? true : value === '0' ? false : undefined;
}
