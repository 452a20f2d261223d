import { type BridgeError, PermanentError, RetriableError } from '../../src/errors.js';

/** Where a session goes, for messages: `127.0.0.1:5038`. */
export interface AmiPlace {
  readonly host: string;
  readonly port: number;
}

const place = ({ host, port }: AmiPlace): string => `the Asterisk manager interface at ${host}:${port}`;
/** Foreign text, quoted and bounded, fit for a message. */
const quoted = (text: string): string => JSON.stringify(text.slice(0, 200));

export const stoppedError = (): BridgeError =>
  new RetriableError('ZPB_AMI_STOPPED', 'The connection to the Asterisk manager interface was closed by this program.');

export const closedError = (at: AmiPlace, cause?: Error): BridgeError =>
  new RetriableError(
    'ZPB_AMI_CLOSED',
    `Lost ${place(at)}: ${cause === undefined ? 'it closed the connection' : cause.message}. It is connected again by itself; ` +
      'if this repeats, look for a restart, "writetimeout" or "authlimit" in Asterisk\'s log.',
    { cause },
  );

export const silentError = (at: AmiPlace, ms: number): BridgeError =>
  new RetriableError(
    'ZPB_AMI_SILENT',
    `Lost ${place(at)}: it sent nothing at all within ${ms} ms of a Ping. The machine or the network in between is gone; it is ` +
      'connected again by itself.',
  );

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; check "enabled", "bindaddr" and "port" in manager.conf, and that Asterisk runs',
  ENOTFOUND: 'the name is unknown; check "host"',
  EAI_AGAIN: 'the name could not be looked up; check the name servers of this machine',
  EHOSTUNREACH: 'the machine cannot be reached; check "host" and the network',
  ENETUNREACH: 'the network cannot be reached; check the routes of this machine',
  ECONNRESET: 'the connection was reset; a firewall, or an Asterisk that is just stopping',
  ETIMEDOUT: 'no answer; check "host" and the firewall in between',
  EPIPE: 'the connection broke',
};

/** The connection could not be opened. With TLS, what is no trouble of the network is a certificate or protocol to mend. */
export function connectError(at: AmiPlace, overTls: boolean, cause: Error & { code?: string }): BridgeError {
  const known = cause.code === undefined ? undefined : SYSTEM_ERRORS[cause.code];
  if (overTls && cause.code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return new PermanentError(
      'ZPB_AMI_TLS',
      `${place(at)} does not speak TLS: set "port" to the one of "tlsbindaddr" in manager.conf (usually 5039), or remove "tls".`,
      { cause },
    );
  }
  if (overTls && cause.code !== undefined && known === undefined) {
    return new PermanentError(
      'ZPB_AMI_TLS',
      `No safe connection to ${place(at)}: ${cause.message} (${cause.code}). Give the certificate's authority as "ca" and the name ` +
        'it bears as "servername", and make sure that the port is the one of "tlsbindaddr" in manager.conf.',
      { cause },
    );
  }
  return new RetriableError('ZPB_AMI_CONNECT', `Cannot connect to ${place(at)}: ${known ?? cause.message}.`, { cause });
}

export const notAmiError = (at: AmiPlace, greeting: string): BridgeError =>
  new PermanentError(
    'ZPB_AMI_PROTOCOL',
    `What answers at ${at.host}:${at.port} is no Asterisk manager interface: it greets with ${quoted(greeting)}. Check "port": 5038 is ` +
      "Asterisk's usual one.",
  );

export const loginTimeoutError = (at: AmiPlace, ms: number): BridgeError =>
  new RetriableError(
    'ZPB_AMI_LOGIN_TIMEOUT',
    `No answer to the login within ${ms} ms from ${place(at)}. Asterisk may be stuck or starting.`,
  );

/** What Asterisk says to a login that it refuses. It gives the same text for every reason of the first kind. */
export function loginError(at: AmiPlace, username: string, reason: string): BridgeError {
  const who = `login of user ${quoted(username)} at ${at.host}:${at.port}`;
  if (/already in use/i.test(reason)) {
    return new RetriableError(
      'ZPB_AMI_IN_USE',
      `Asterisk refused the ${who}: it is already logged in (${quoted(reason)}). Give each program a login of its own, or set ` +
        '"allowmultiplelogin = yes" in manager.conf.',
    );
  }
  if (/authentication/i.test(reason)) {
    return new PermanentError(
      'ZPB_AMI_AUTH',
      `Asterisk refused the ${who} (${quoted(reason)}). In manager.conf: the section must be named exactly like the user ` +
        `([${username.slice(0, 64)}]) and hold this secret; "deny = 0.0.0.0/0.0.0.0" must stand BEFORE "permit = ...", because the last rule that ` +
        'matches wins; "permit" must cover the address from which this program connects. Then run "manager reload" in Asterisk.',
    );
  }
  return new PermanentError(
    'ZPB_AMI_LOGIN',
    `Asterisk refused the ${who}: ${quoted(reason)}. Check the login's section in manager.conf.`,
  );
}
