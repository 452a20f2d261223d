import { type BridgeError, RetriableError } from '../../src/errors.js';
import { permanent, retriable, type Trouble, troubleOf as anyTroubleOf } from '../../src/pbx/trouble.js';

/** Where a session goes, for messages. */
export interface EslPlace {
  readonly host: string;
  readonly port: number;
}

const place = ({ host, port }: EslPlace): string => `the event socket of FreeSWITCH at ${host}:${port}`;
/** Foreign text, quoted and bounded, fit for a message. */
const quoted = (text: string): string => JSON.stringify(text.trim().slice(0, 200));
/** Of an error of this file; of another one, its message. */
export const troubleOf = (error: BridgeError): Trouble => anyTroubleOf(error, "Look at FreeSWITCH's log.");

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

const SYSTEM_ERRORS: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: {
    reason: 'nothing listens there',
    mend: 'Check "listen-ip" and "listen-port" in event_socket.conf.xml, that mod_event_socket is loaded, and that FreeSWITCH runs.',
  },
  ENOTFOUND: { reason: 'the name is unknown', mend: 'Check "host".' },
  EAI_AGAIN: { reason: 'the name could not be looked up', mend: 'Check the name servers of this machine.' },
  EHOSTUNREACH: { reason: 'the machine cannot be reached', mend: 'Check "host" and the network.' },
  ENETUNREACH: { reason: 'the network cannot be reached', mend: 'Check the routes of this machine.' },
  ECONNRESET: {
    reason: 'the connection was reset',
    mend: 'Look for a firewall in between, or a FreeSWITCH that is just stopping.',
  },
  ETIMEDOUT: { reason: 'no answer', mend: 'Check "host" and the firewall in between.' },
  EPIPE: { reason: 'the connection broke', mend: 'Look at the network in between.' },
};
const NO_CONNECTION = 'Check "host", "port" and the firewall in between.';

function connectTrouble(at: EslPlace, cause: Error & { code?: string }): Trouble {
  const known = cause.code === undefined ? undefined : SYSTEM_ERRORS[cause.code];
  return {
    reason: `Cannot connect to ${place(at)}: ${known?.reason ?? cause.message}`,
    mend: known?.mend ?? NO_CONNECTION,
  };
}

/** The connection could not be opened. With TLS, what is no trouble of the network is a certificate or protocol to mend. */
export function connectError(at: EslPlace, overTls: boolean, cause: Error & { code?: string }): BridgeError {
  const ofNetwork = cause.code === undefined || Object.hasOwn(SYSTEM_ERRORS, cause.code);
  if (overTls && !ofNetwork) return tlsError(at, `${cause.message} (${cause.code ?? ''})`, cause);
  return retriable('ZPB_ESL_CONNECT', connectTrouble(at, cause), cause);
}

export const tlsError = (at: EslPlace, what: string, cause?: Error): BridgeError =>
  permanent(
    'ZPB_ESL_TLS',
    {
      reason: `No safe connection to ${place(at)}: ${what}`,
      mend: 'The port must be the one of the TLS proxy; give the certificate\'s authority as "tls.ca" and the name it bears as "tls.servername".',
    },
    cause,
  );

/** @param greeting its first bytes; '' when it only answers nonsense. */
export function notEslError({ host, port }: EslPlace, greeting = ''): BridgeError {
  const begins = greeting === '' ? '' : `: it begins with ${quoted(greeting.slice(0, MAX_GREETING))}`;
  return permanent('ZPB_ESL_PROTOCOL', {
    reason: `What answers at ${host}:${port} is no event socket of FreeSWITCH${begins}`,
    mend: 'Check "port": 8021 is its usual one.',
  });
}
const MAX_GREETING = 60;

export const aclError = (at: EslPlace, said: string): BridgeError =>
  permanent('ZPB_ESL_ACL', {
    reason: `${place(at)} does not let this machine in: ${quoted(said)}`,
    mend:
      'In event_socket.conf.xml name an ACL as "apply-inbound-acl" that allows the address of the bridge (acl.conf.xml), then run ' +
      '"reloadacl" and "reload mod_event_socket".',
  });

export const authError = (at: EslPlace, said: string): BridgeError =>
  permanent('ZPB_ESL_AUTH', {
    reason: `${place(at)} refused the password (${quoted(said)})`,
    mend: 'Make "password" that of event_socket.conf.xml.',
  });

/** @param greeted it has asked for the password. */
export const loginTimeoutError = (at: EslPlace, ms: number, greeted: boolean): BridgeError =>
  retriable('ZPB_ESL_LOGIN_TIMEOUT', {
    reason: greeted
      ? `${place(at)} asked for the password and did not answer it within ${ms} ms`
      : `${place(at)} took the connection and said nothing within ${ms} ms`,
    mend: 'FreeSWITCH may be stuck or starting: look whether "fs_cli" gets an answer.',
  });

/** @param command its first word: what follows may hold numbers. */
export const timeoutError = (at: EslPlace, command: string, ms: number): BridgeError =>
  retriable('ZPB_ESL_TIMEOUT', {
    reason: `No answer to "${command}" within ${ms} ms from ${place(at)}`,
    mend: 'Look at the load of the PBX.',
  });

export const busyError = (at: EslPlace, waiting: number, bytes: number): BridgeError =>
  new RetriableError(
    'ZPB_ESL_BUSY',
    `Nothing more was sent to ${place(at)}: it does not keep up (${waiting} commands without an answer, ${bytes} bytes not taken).`,
  );

export const refusedError = (at: EslPlace, command: string, said: string): BridgeError =>
  retriable('ZPB_ESL_REFUSED', {
    reason: `${place(at)} refused "${command}": ${quoted(said)}`,
    mend: 'Use the password of event_socket.conf.xml: a login of a single user may be allowed less.',
  });
