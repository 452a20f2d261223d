import { type Clock, inTime } from '../../../src/clock.js';
import { contactsIn, contactsQuestion, endpointWithContacts } from '../../asterisk/dial-contacts.js';
import { askOnChannel } from '../asking-channel.js';
import type { AriRest } from '../rest-contract.js';

/** A look before the phones ring, all in all: it must not keep anybody waiting. */
const TIMEOUT_MS = 1_000;

export interface ContactsOptions {
  readonly rest: AriRest;
  readonly app: string;
  readonly clock: Clock;
}

/** What to ring for these phones: each of their contacts. What Asterisk does not say in time: as it is. Never rejects. */
export async function contactsOf(
  { rest, app, clock }: ContactsOptions,
  phones: readonly string[],
): Promise<readonly string[]> {
  if (phones.every((phone) => endpointWithContacts(phone) === undefined)) return phones;
  const told = new Map<string, readonly string[]>();
  const late = new AbortController();
  // What is wrong with the connection shows at the order itself.
  const asking = askOnChannel({ rest, app, timeout: TIMEOUT_MS, signal: late.signal }, (read) =>
    Promise.all(
      phones.map(async (phone) => {
        const endpoint = endpointWithContacts(phone);
        if (endpoint === undefined) return;
        told.set(phone, contactsIn(await read(contactsQuestion(endpoint)), phone, endpoint));
      }),
    ),
  );
  await inTime(clock, TIMEOUT_MS, asking);
  late.abort();
  return phones.flatMap((phone) => told.get(phone) ?? [phone]);
}
