import { type BridgeError, RetriableError } from '../../src/errors.js';
import { permanent, retriable, type Trouble } from '../../src/pbx/trouble.js';

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
  retriable(
    'ZPB_AMI_CLOSED',
    {
      reason: `Lost ${place(at)}: ${cause === undefined ? 'it closed the connection' : cause.message}`,
      mend: 'It is connected again by itself; if this repeats, look for a restart, "writetimeout" or "authlimit" in Asterisk\'s log.',
    },
    cause,
  );

/** It takes the connection and closes it before a word was said. */
export const closedAtOnceError = (at: AmiPlace): BridgeError =>
  retriable('ZPB_AMI_CLOSED', {
    reason: `${at.host}:${at.port} takes the connection and closes it at once, without a word`,
    mend:
      'Look at the firewall or proxy in between, which may not let this machine in or have no Asterisk behind it, and at "authlimit" in ' +
      'manager.conf: so many connections without a login at a time, then Asterisk does this.',
  });

export const silentError = (at: AmiPlace, ms: number): BridgeError =>
  retriable('ZPB_AMI_SILENT', {
    reason: `Lost ${place(at)}: it sent nothing at all within ${ms} ms of a Ping`,
    mend: 'The machine or the network in between is gone; it is connected again by itself.',
  });

const SYSTEM_ERRORS: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: {
    reason: 'nothing listens there',
    mend: 'Check "enabled", "bindaddr" and "port" in manager.conf, and that Asterisk runs.',
  },
  ENOTFOUND: { reason: 'the name is unknown', mend: 'Check "host".' },
  EAI_AGAIN: { reason: 'the name could not be looked up', mend: 'Check the name servers of this machine.' },
  EHOSTUNREACH: { reason: 'the machine cannot be reached', mend: 'Check "host" and the network.' },
  ENETUNREACH: { reason: 'the network cannot be reached', mend: 'Check the routes of this machine.' },
  ECONNRESET: {
    reason: 'the connection was reset',
    mend: 'Look for a firewall in between, or an Asterisk that is just stopping.',
  },
  ETIMEDOUT: { reason: 'no answer', mend: 'Check "host" and the firewall in between.' },
  EPIPE: { reason: 'the connection broke', mend: 'Look at the network in between.' },
};
const NO_CONNECTION = 'Check "host", "port" and the firewall in between.';

const TLS_PORT = 'Set "port" to the one of "tlsbindaddr" in manager.conf (usually 5039), or remove "tls".';
export const noTlsError = (at: AmiPlace, cause?: Error): BridgeError =>
  permanent('ZPB_AMI_TLS', { reason: `${place(at)} does not speak TLS`, mend: TLS_PORT }, cause);

/** It speaks TLS, and nobody has said so. */
export const onlyTlsError = (at: AmiPlace): BridgeError =>
  permanent('ZPB_AMI_TLS', {
    reason: `What listens at ${at.host}:${at.port} speaks TLS, and the setting "tls" is missing`,
    mend: 'Set "tls" (with its certificate\'s authority as "ca"), or "port" to the plain one of manager.conf (usually 5038).',
  });

/** The connection could not be opened. With TLS, what is no trouble of the network is a certificate or protocol to mend. */
export function connectError(at: AmiPlace, overTls: boolean, cause: Error & { code?: string }): BridgeError {
  const known = cause.code === undefined ? undefined : SYSTEM_ERRORS[cause.code];
  if (overTls && cause.code === 'ERR_SSL_WRONG_VERSION_NUMBER') return noTlsError(at, cause);
  if (overTls && cause.code !== undefined && known === undefined) {
    return permanent(
      'ZPB_AMI_TLS',
      {
        reason: `No safe connection to ${place(at)}: ${cause.message} (${cause.code})`,
        mend:
          'Give the certificate\'s authority as "ca" and the name it bears as "servername", and make sure that the port is the one of ' +
          '"tlsbindaddr" in manager.conf.',
      },
      cause,
    );
  }
  const reason = `Cannot connect to ${place(at)}: ${known?.reason ?? cause.message}`;
  return retriable('ZPB_AMI_CONNECT', { reason, mend: known?.mend ?? NO_CONNECTION }, cause);
}

/** Ports that are mistaken for the manager interface's, by what answers there. */
const OTHERS: readonly (readonly [greets: RegExp, what: string])[] = [
  [/^HTTP\//, "a web server (Asterisk's own is for ARI, usually at 8088)"],
  [/^SSH-/, 'a login of the machine (SSH)'],
  [/^SIP\//, 'for phones (SIP)'],
  [/^Content-Type: (?:auth|text)\//, 'the event socket of a FreeSWITCH'],
];

export function notAmiError(at: AmiPlace, greeting: string): BridgeError {
  const other = OTHERS.find(([greets]) => greets.test(greeting))?.[1];
  const what = other === undefined ? '' : ` but ${other}`;
  return permanent('ZPB_AMI_PROTOCOL', {
    reason: `What answers at ${at.host}:${at.port} is no Asterisk manager interface${what}: it greets with ${quoted(greeting)}`,
    mend: 'Check "port": 5038 is Asterisk\'s usual one.',
  });
}

/** @param greeted it has said that it is a manager interface. */
export const loginTimeoutError = (at: AmiPlace, ms: number, greeted: boolean): BridgeError =>
  retriable('ZPB_AMI_LOGIN_TIMEOUT', {
    reason: greeted
      ? `No answer to the login within ${ms} ms from ${place(at)}`
      : `${at.host}:${at.port} takes the connection and says nothing within ${ms} ms`,
    mend: greeted
      ? 'Asterisk may be stuck or starting.'
      : 'Asterisk may be stuck; or the port is another one (that for phones, SIP, is silent too): check "port", usually 5038.',
  });

/** It has let the login in, and answers nothing. */
export const deafError = (at: AmiPlace, ms: number): BridgeError =>
  retriable('ZPB_AMI_SILENT', {
    reason: `${place(at)} takes the login and does not answer a Ping within ${ms} ms`,
    mend: 'Asterisk is stuck: look whether "asterisk -rx \'core show uptime\'" gets an answer, and at its load.',
  });

/** What Asterisk says to a login that it refuses. It gives the same text for every reason of the first kind. */
export function loginError(at: AmiPlace, username: string, reason: string): BridgeError {
  const refused = `Asterisk refused the login of user ${quoted(username)} at ${at.host}:${at.port}`;
  if (/already in use/i.test(reason)) {
    return retriable('ZPB_AMI_IN_USE', {
      reason: `${refused}: it is already logged in (${quoted(reason)})`,
      mend: 'Give each program a login of its own, or set "allowmultiplelogin = yes" in manager.conf.',
    });
  }
  if (/authentication/i.test(reason)) {
    return permanent('ZPB_AMI_AUTH', {
      reason: `${refused} (${quoted(reason)}): the secret is wrong, or its access list does not let this machine in; it says the same to both`,
      mend:
        `In manager.conf: the section must be named exactly like the user ([${username.slice(0, 64)}]) and hold this secret; ` +
        '"deny = 0.0.0.0/0.0.0.0" must stand BEFORE "permit = ...", because the last rule that matches wins; "permit" must cover the ' +
        'address from which this program connects. Then run "manager reload" in Asterisk.',
    });
  }
  return permanent('ZPB_AMI_LOGIN', {
    reason: `${refused}: ${quoted(reason)}`,
    mend: "Check the login's section in manager.conf.",
  });
}
