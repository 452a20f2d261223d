import { asError, isBridgeError, PermanentError, RetriableError, type BridgeError } from '../errors.js';

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

/** PostgreSQL's own codes: five digits or capitals (its manual, appendix A). */
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** What a person must mend, by SQLSTATE. */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': 'it refuses the password of store.url',
  '28000': 'it refuses the user of store.url (pg_hba.conf)',
  '3D000': 'there is no database of the name that store.url gives',
  '42501': 'the user of store.url has not the rights it needs: it must be able to make tables',
  '3F000': 'there is no schema in which the user of store.url could make tables',
};

/** The error says nothing about the connection: it can go on being used. */
export function connectionIsSound(thrown: unknown): boolean {
  const code = codeOf(asError(thrown));
  // 08: connection, 57: shut down or cancelled, 25: the state of its transaction is unknown or timed out.
  return SQLSTATE.test(code) && !/^(08|57|25)/.test(code);
}

/** For the main thread, and people: the address and the password of the database are in no message. */
export function postgresError(thrown: unknown): BridgeError {
  if (isBridgeError(thrown)) return thrown;
  const error = asError(thrown);
  const code = codeOf(error);
  const refusal = REFUSALS[code];
  if (refusal !== undefined) return new PermanentError('ZPB_STORE_REFUSED', `PostgreSQL cannot be used: ${refusal}`);
  return new RetriableError('ZPB_STORE_GONE', `PostgreSQL cannot be used: ${inWords(error, code)}`);
}

/** @param name of the key of store.url. */
export const unreadableFile = (name: string, file: string, thrown: unknown): RetriableError => {
  const code = codeOf(asError(thrown));
  const why = code === 'ENOENT' ? 'is not there' : `cannot be read (${code})`;
  return new RetriableError('ZPB_STORE_GONE', `PostgreSQL cannot be used: ${file} (${name} in store.url) ${why}`);
};

function inWords(error: Error, code: string): string {
  // Its own texts name users, databases and tables, but never a password.
  if (SQLSTATE.test(code)) return `${error.message} (${code})`;
  if (/timeout/i.test(error.message)) return 'it does not answer in time';
  if (/^Connection terminated|connection ended/i.test(error.message)) return 'the connection broke off';
  // What Node says of sockets and certificates; the text would name the address.
  return code === '' ? 'the connection failed' : `the connection failed (${code})`;
}
