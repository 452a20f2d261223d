import { type BridgeError, RetriableError } from '../../src/errors.js';
import { permanent, retriable, type Trouble } from '../../src/pbx/trouble.js';
import type { AriPlace } from './rest-contract.js';

export const place = ({ host, port }: AriPlace): string => `the Asterisk REST interface at ${host}:${port}`;
/** Foreign text, quoted and bounded, fit for a message. */
export const quoted = (text: string): string => JSON.stringify(text.slice(0, 200));

export const stoppedError = (): BridgeError =>
  new RetriableError('ZPB_ARI_STOPPED', 'The connection to the Asterisk REST interface was closed by this program.');

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'nothing listens there; check "enabled", "bindaddr" and "bindport" in http.conf, and that Asterisk runs',
  ENOTFOUND: 'the name is unknown; check "host"',
  EAI_AGAIN: 'the name could not be looked up; check the name servers of this machine',
  EHOSTUNREACH: 'the machine cannot be reached; check "host" and the network',
  ENETUNREACH: 'the network cannot be reached; check the routes of this machine',
  ECONNRESET: 'the connection was reset; a firewall, or an Asterisk that is just stopping',
  ETIMEDOUT: 'no answer; check "host" and the firewall in between',
  EPIPE: 'the connection broke',
};
/** Begin of the codes that OpenSSL and Node give to certificates and handshakes. */
const TLS_CODE =
  /^(?:ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|HOSTNAME_MISMATCH|EPROTO$)/;

/** The connection could not be opened, or broke. With TLS, what is no trouble of the network is a certificate or protocol to mend. */
export function connectError(at: AriPlace, overTls: boolean, code: string | undefined): BridgeError {
  const known = code === undefined ? undefined : SYSTEM_ERRORS[code];
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || (overTls && code === 'EPROTO')) {
    return permanent('ZPB_ARI_TLS', {
      reason: `${place(at)} does not speak TLS`,
      mend: 'Set "port" to the one of "tlsbindaddr" in http.conf (usually 8089), or remove "tls".',
    });
  }
  if (overTls && code !== undefined && known === undefined && TLS_CODE.test(code)) {
    return permanent('ZPB_ARI_TLS', {
      reason: `No safe connection to ${place(at)}: ${code}`,
      mend:
        'Give the certificate\'s authority as "ca" and the name it bears as "servername", and make sure that the port is the one of ' +
        '"tlsbindaddr" in http.conf.',
    });
  }
  const [reason, mend] = (known ?? code ?? 'unknown reason').split(/; (.*)/su);
  const error = retriable('ZPB_ARI_CONNECT', {
    reason: `Cannot connect to ${place(at)}: ${reason ?? ''}`,
    mend: `${mend === undefined ? "Look at Asterisk's log" : sentence(mend)}.`,
  });
  return Object.assign(error, { systemCode: code });
}
/** `ECONNREFUSED`, …: of an error of `connectError`, as far as it was known. */
export const systemCodeOf = (error: BridgeError): string | undefined =>
  (error as { readonly systemCode?: string }).systemCode;
const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** It takes the connection and closes it before a word was said. */
export const closedAtOnceError = (at: AriPlace): BridgeError =>
  retriable('ZPB_ARI_CLOSED', {
    reason: `${at.host}:${at.port} takes the connection and closes it at once, without a word`,
    mend:
      'Look at the firewall or proxy in between, which may not let this machine in or have no Asterisk behind it, and at "sessionlimit" in ' +
      'http.conf: so many connections at a time, then Asterisk does this.',
  });

/** The port speaks TLS, and the bridge does not. */
export const onlyTlsError = ({ host, port }: AriPlace): BridgeError =>
  permanent('ZPB_ARI_TLS', {
    reason: `${host}:${port} speaks TLS, and the setting "tls" is missing`,
    mend: 'Set tls: {} (and "ca" where the system does not trust the certificate), or "port" to "bindport" of http.conf.',
  });

/** A status that Asterisk gives to any request when the login, or ARI itself, is not as it should be; undefined: it is. */
export function refusalOf(at: AriPlace, username: string, status: number): BridgeError | undefined {
  const who = `user ${quoted(username)}`;
  switch (status) {
    case 401:
      return permanent('ZPB_ARI_AUTH', {
        reason: `${place(at)} refused the login of ${who}`,
        mend:
          'In ari.conf: a section of exactly this name with "type = user" and this "password" (and "password_format = plain", unless the ' +
          'password there is a hash). Then run "module reload res_ari.so" in Asterisk.',
      });
    case 403:
      return permanent('ZPB_ARI_FORBIDDEN', {
        reason: `${place(at)} does not allow this to ${who}`,
        mend:
          'Set "read_only = no" in its section of ari.conf, and in http.conf or an ACL allow the address of this program. Then run ' +
          '"module reload res_ari.so" in Asterisk.',
      });
    case 404:
      // An Asterisk that starts says so until it has loaded its modules (measured): to be tried again soon.
      return retriable('ZPB_ARI_NOT_THERE', {
        reason: `There is no ARI at ${at.host}:${at.port}, unless Asterisk is starting`,
        mend:
          'Set "enabled = yes" in [general] of ari.conf, load the modules res_ari*.so, compare "prefix" in http.conf with "path" here, and ' +
          'check that the port is that of http.conf.',
      });
    default:
      return status >= 500 ? notReadyError(at, status) : undefined;
  }
}

const notReadyError = (at: AriPlace, status: number): BridgeError =>
  retriable('ZPB_ARI_NOT_READY', {
    reason: `${place(at)} is not ready (status ${status})`,
    mend:
      'Asterisk is starting, or has no connections left ("sessionlimit" of http.conf), or a proxy before it does not reach it. It is tried ' +
      'again by itself.',
  });

export const notAriError = (at: AriPlace, said: string): BridgeError =>
  permanent('ZPB_ARI_PROTOCOL', {
    reason: `What answers at ${at.host}:${at.port} is no ARI of an Asterisk (${quoted(said)})`,
    mend:
      'Check "port": it is "bindport" of http.conf, usually 8088, or "tlsbindaddr" with "tls"; and that Asterisk has the module ' +
      'res_http_websocket.so.',
  });

export const handshakeTimeoutError = (at: AriPlace, ms: number): BridgeError =>
  retriable('ZPB_ARI_HANDSHAKE', {
    reason: `No answer to the login within ${ms} ms from ${place(at)}`,
    mend: 'Asterisk may be stuck or starting; "core show threads" in its console tells.',
  });

export const silentError = (at: AriPlace, ms: number): BridgeError =>
  new RetriableError(
    'ZPB_ARI_SILENT',
    `Lost ${place(at)}: it sent nothing at all within ${ms} ms of a ping. The machine or the network in between is gone; it is ` +
      'connected again by itself.',
  );

/** What the codes with which a WebSocket is closed mean (RFC 6455, 7.4.1), as far as Asterisk or a proxy before it uses them. */
const CLOSE_CODES: Readonly<Record<number, string>> = {
  1000: 'it closed the events in good order',
  1001: 'it is going down',
  1002: 'it found a fault in the WebSocket protocol',
  1003: 'it does not take what was sent',
  1005: 'it closed the events without a reason',
  1006: 'the connection broke',
  1008: 'a rule of its own forbids the connection',
  1009: 'something sent was too long for it',
  1011: 'it could not go on: its log says why',
  1012: 'it is restarting',
  1013: 'it is overloaded',
};

export function closedError(at: AriPlace, close?: { readonly code: number; readonly reason: string }): BridgeError {
  const why =
    close === undefined ? 'it closed the connection' : (CLOSE_CODES[close.code] ?? `close code ${close.code}`);
  const said = close === undefined || close.reason === '' ? '' : ` (${quoted(close.reason)})`;
  return new RetriableError(
    'ZPB_ARI_CLOSED',
    `Lost ${place(at)}: ${why}${said}. It is connected again by itself; if this repeats, look for a restart, or for ` +
      '"websocket_write_timeout" of ari.conf, in Asterisk\'s log.',
  );
}

export const framesError = (at: AriPlace, code: string, most: number): BridgeError =>
  new RetriableError(
    'ZPB_ARI_FRAMES',
    `Lost ${place(at)}: it sent what is no WebSocket, or more than ${most} bytes in one message (${code}). It is connected again by ` +
      'itself; if this repeats, look at what stands between (a proxy that does not know WebSockets).',
  );

const replaced = (at: AriPlace, app: string): Trouble => ({
  reason: `Another program has taken the events of the application ${quoted(app)} at ${at.host}:${at.port}`,
  mend: 'Give each program, and each bridge, a name of its own: "app". It is taken back when the other one has gone, or after five minutes.',
});

export const replacedError = (at: AriPlace, app: string): BridgeError =>
  permanent('ZPB_ARI_REPLACED', replaced(at, app));
/** It still is there: whether it is gone is looked at now and then. */
export const stillReplacedError = (at: AriPlace, app: string): BridgeError =>
  retriable('ZPB_ARI_REPLACED', replaced(at, app));
