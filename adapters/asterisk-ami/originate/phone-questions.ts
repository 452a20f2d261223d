import { contactsIn, contactsQuestion, endpointWithContacts } from '../../asterisk/dial-contacts.js';
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

/** What to ring for a phone: each of its contacts. */
export async function contactsOf(session: AmiSession, phone: string): Promise<readonly string[]> {
  const endpoint = endpointWithContacts(phone);
  if (endpoint === undefined) return [phone];
  return contactsIn(await ask(session, contactsQuestion(endpoint)), phone, endpoint);
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
