import { type BridgeError, PermanentError, RetriableError } from '../../src/errors.js';

/** Where a session goes, for messages. */
export interface EslPlace {
  readonly host: string;
  readonly port: number;
}

const place = ({ host, port }: EslPlace): string => `the event socket of FreeSWITCH at ${host}:${port}`;
/** Foreign text, quoted and bounded, fit for a message. */
const quoted = (text: string): string => JSON.stringify(text.trim().slice(0, 200));

export const stoppedError = (): BridgeError =>
  new RetriableError('ZPB_ESL_STOPPED', 'The connection to the event socket was closed by this program.');

/** @param notice what FreeSWITCH said before it closed. */
export function closedError(
  at: EslPlace,
  { notice, cause }: { notice?: string; cause?: Error | undefined } = {},
): BridgeError {
  const why = cause?.message ?? (notice === undefined ? 'it closed the connection' : `it said ${quoted(notice)}`);
  return new RetriableError(
    'ZPB_ESL_CLOSED',
    `Lost ${place(at)}: ${why}. It is connected again by itself; if this repeats, look for a restart in FreeSWITCH's log.`,
    { cause },
  );
}

export const silentError = (at: EslPlace, ms: number): BridgeError =>
  new RetriableError(
    'ZPB_ESL_SILENT',
    `Lost ${place(at)}: it sent nothing at all within ${ms} ms of a question. The machine or the network in between is gone; it is ` +
      'connected again by itself.',
  );

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'nothing listens there; check "listen-ip" and "listen-port" in event_socket.conf.xml, that mod_event_socket is loaded, and that FreeSWITCH runs',
  ENOTFOUND: 'the name is unknown; check "host"',
  EAI_AGAIN: 'the name could not be looked up; check the name servers of this machine',
  EHOSTUNREACH: 'the machine cannot be reached; check "host" and the network',
  ENETUNREACH: 'the network cannot be reached; check the routes of this machine',
  ECONNRESET: 'the connection was reset; a firewall, or a FreeSWITCH that is just stopping',
  ETIMEDOUT: 'no answer; check "host" and the firewall in between',
  EPIPE: 'the connection broke',
};

/** The connection could not be opened. With TLS, what is no trouble of the network is a certificate or protocol to mend. */
export function connectError(at: EslPlace, overTls: boolean, cause: Error & { code?: string }): BridgeError {
  const known = cause.code === undefined ? undefined : SYSTEM_ERRORS[cause.code];
  if (overTls && cause.code !== undefined && known === undefined)
    return tlsError(at, `${cause.message} (${cause.code})`, cause);
  return new RetriableError('ZPB_ESL_CONNECT', `Cannot connect to ${place(at)}: ${known ?? cause.message}.`, { cause });
}

export const tlsError = (at: EslPlace, what: string, cause?: Error): BridgeError =>
  new PermanentError(
    'ZPB_ESL_TLS',
    `No safe connection to ${place(at)}: ${what}. The port must be the one of the TLS proxy; give the certificate's authority as ` +
      '"tls.ca" and the name it bears as "tls.servername".',
    { cause },
  );

export const notEslError = (at: EslPlace): BridgeError =>
  new PermanentError(
    'ZPB_ESL_PROTOCOL',
    `What answers at ${at.host}:${at.port} is no event socket of FreeSWITCH. Check "port": 8021 is its usual one.`,
  );

export const aclError = (at: EslPlace, said: string): BridgeError =>
  new PermanentError(
    'ZPB_ESL_ACL',
    `${place(at)} does not let this machine in: ${quoted(said)}. In event_socket.conf.xml name an ACL as "apply-inbound-acl" that ` +
      'allows the address of the bridge (acl.conf.xml), then run "reloadacl" and "reload mod_event_socket".',
  );

export const authError = (at: EslPlace, said: string): BridgeError =>
  new PermanentError(
    'ZPB_ESL_AUTH',
    `${place(at)} refused the password (${quoted(said)}). Make "password" that of event_socket.conf.xml.`,
  );

export const loginTimeoutError = (at: EslPlace, ms: number): BridgeError =>
  new RetriableError(
    'ZPB_ESL_LOGIN_TIMEOUT',
    `No answer to the login within ${ms} ms from ${place(at)}. FreeSWITCH may be stuck or starting.`,
  );

/** @param command its first word: what follows may hold numbers. */
export const timeoutError = (at: EslPlace, command: string, ms: number): BridgeError =>
  new RetriableError('ZPB_ESL_TIMEOUT', `No answer to "${command}" within ${ms} ms from ${place(at)}.`);

export const busyError = (at: EslPlace, waiting: number, bytes: number): BridgeError =>
  new RetriableError(
    'ZPB_ESL_BUSY',
    `Nothing more was sent to ${place(at)}: it does not keep up (${waiting} commands without an answer, ${bytes} bytes not taken).`,
  );

export const refusedError = (at: EslPlace, command: string, said: string): BridgeError =>
  new RetriableError('ZPB_ESL_REFUSED', `${place(at)} refused "${command}": ${quoted(said)}.`);
