import type { Socket } from 'node:net';
import { sleep } from '../../src/clock.js';
import { asError, type BridgeError, isBridgeError } from '../../src/errors.js';
import type { AdapterContext, ProbeFinding } from '../../src/pbx/adapter.js';
import { openSocket } from '../../src/pbx/open-socket.js';
import { troubleOf } from '../../src/pbx/trouble.js';
import { ASTERISK_LOG } from '../asterisk/log-advice.js';
import { speaksTls } from '../asterisk/speaks-tls.js';
import type { AsteriskAmiConfig } from './config.js';
import { readTls } from './read-tls.js';
import { missingRights } from './rights.js';
import * as errors from './session-errors.js';
import { type AmiSession, openSession } from './session.js';

/** All steps of a look together stay below 10 s. */
const TIMEOUTS = { connect: 3_000, login: 3_000, action: 1_500 };
/** For a second look at a port, on a connection of its own. */
const LOOK_MS = 1_500;
const MOST_HEARD = 256;
/** An alert of TLS: what was said was not TLS. */
const TLS_ALERT = /^\x15\x03/;
const GREETING = /^Asterisk Call Manager/;

type Finding = Exclude<ProbeFinding, { kind: 'heard' }>;
type Context = Pick<AdapterContext, 'clock' | 'log'>;

/** Looks why an Asterisk is not heard, on a connection beside the adapter's own. Never rejects. */
export async function probe(config: AsteriskAmiConfig, context: Context, signal: AbortSignal): Promise<ProbeFinding> {
  const { host, port, username, secret, plainLogin } = config;
  let heard = '';
  try {
    const session = await openSession({
      host,
      port,
      tls: await readTls(config),
      username,
      secret,
      plainLogin,
      events: 'off',
      wanted: new Set(),
      timeouts: TIMEOUTS,
      clock: context.clock,
      log: context.log,
      signal,
      onMessage: () => undefined,
      onBytes: (bytes) => {
        if (heard.length < MOST_HEARD) heard += Buffer.from(bytes).toString('latin1').slice(0, MOST_HEARD);
      },
    });
    try {
      return await look(session, config);
    } finally {
      await session.close();
    }
  } catch (thrown) {
    const error = isBridgeError(thrown) ? thrown : errors.closedError(config, asError(thrown));
    return await closer(error, heard, config, context, signal);
  }
}

/** Logged in: whether it answers, and what the login may not do. */
async function look(session: AmiSession, config: AsteriskAmiConfig): Promise<ProbeFinding> {
  try {
    await session.send({ Action: 'Ping' }, { timeout: TIMEOUTS.action });
  } catch (thrown) {
    if (isBridgeError(thrown) && thrown.code === 'ZPB_AMI_TIMEOUT')
      return findingOf(errors.deafError(config, TIMEOUTS.action));
    throw thrown;
  }
  const missing = await missingRights(session, config, TIMEOUTS.action);
  return { kind: 'heard', ...(session.banner === undefined ? {} : { product: session.banner }), missing };
}

/** The same port says more when it is spoken to in another way. */
async function closer(
  error: BridgeError,
  heard: string,
  config: AsteriskAmiConfig,
  context: Context,
  signal: AbortSignal,
): Promise<Finding> {
  const { code } = error;
  const closed = code === 'ZPB_AMI_CLOSED';
  if ((closed || code === 'ZPB_AMI_LOGIN_TIMEOUT') && !GREETING.test(heard)) {
    const overTls = config.tls !== undefined;
    if (TLS_ALERT.test(heard)) return findingOf(errors.onlyTlsError(config));
    if (heard !== '') return findingOf(errors.notAmiError(config, heard));
    if (!overTls && (await speaksTls(config, LOOK_MS, context.clock, signal)))
      return findingOf(errors.onlyTlsError(config));
    return closed
      ? { kind: 'not-allowed', ...troubleOf(errors.closedAtOnceError(config), ASTERISK_LOG) }
      : findingOf(error);
  }
  const noTls = code === 'ZPB_AMI_TLS' && causeOf(error) === 'ERR_SSL_WRONG_VERSION_NUMBER';
  const noHandshake = config.tls !== undefined && code === 'ZPB_AMI_CONNECT' && causeOf(error) === undefined;
  if (!noTls && !noHandshake) return findingOf(error);
  const greeting = await plainGreeting(config, context, signal);
  if (greeting === undefined) return findingOf(error);
  if (GREETING.test(greeting)) return findingOf(errors.noTlsError(config));
  if (greeting !== '') return findingOf(errors.notAmiError(config, greeting));
  return findingOf(noTls ? error : errors.loginTimeoutError(config, TIMEOUTS.connect, false));
}

const causeOf = (error: BridgeError): unknown => (error.cause as { readonly code?: unknown } | undefined)?.code;

function findingOf(error: BridgeError): Finding {
  return { kind: kindOf(error), ...troubleOf(error, ASTERISK_LOG) };
}

function kindOf(error: BridgeError): Finding['kind'] {
  switch (error.code) {
    case 'ZPB_AMI_CONNECT': {
      const cause = causeOf(error);
      if (cause === 'ENOTFOUND' || cause === 'EAI_AGAIN') return 'unknown-host';
      return cause === 'ECONNREFUSED' ? 'refused' : 'unreachable';
    }
    case 'ZPB_AMI_AUTH':
      return 'wrong-password';
    case 'ZPB_AMI_PROTOCOL':
    case 'ZPB_AMI_TOO_LONG':
      return 'wrong-port';
    case 'ZPB_AMI_TLS':
      return 'tls';
    case 'ZPB_AMI_LOGIN_TIMEOUT':
    case 'ZPB_AMI_SILENT':
    case 'ZPB_AMI_TIMEOUT':
      return 'deaf';
    default:
      return 'other';
  }
}

/** What it says without TLS, by itself or to an action; '' = nothing; undefined: no connection. */
async function plainGreeting(
  { host, port }: AsteriskAmiConfig,
  { clock }: Context,
  signal: AbortSignal,
): Promise<string | undefined> {
  let socket: Socket;
  try {
    socket = await openSocket({
      host,
      port,
      timeout: LOOK_MS,
      clock,
      signal,
      failed: (cause) => errors.connectError({ host, port }, false, cause),
      stopped: errors.stoppedError,
    });
  } catch {
    return undefined;
  }
  const ended = new AbortController();
  let said = '';
  socket.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString('latin1')).slice(0, MOST_HEARD);
    if (said.includes('\n') || said.length === MOST_HEARD) ended.abort();
  });
  socket.once('close', () => {
    ended.abort();
  });
  socket.write('Action: Logoff\r\n\r\n');
  await sleep(clock, LOOK_MS, AbortSignal.any([signal, ended.signal]));
  socket.destroy();
  return said.split(/\r?\n/)[0];
}
