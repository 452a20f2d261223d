import type { Socket } from 'node:net';
import { asError, type BridgeError, isBridgeError } from '../../src/errors.js';
import { sleep } from '../../src/clock.js';
import type { AdapterContext, ProbeFinding } from '../../src/pbx/adapter.js';
import { openSocket, readTls } from '../../src/pbx/open-socket.js';
import { isError, isOk } from './commands.js';
import type { FreeSwitchConfig } from './config.js';
import * as errors from './session-errors.js';
import type { EslSession } from './session-contract.js';
import { openSession } from './session.js';

/** All steps together stay below 10 s. */
const TIMEOUTS = { connect: 3_000, login: 2_500, command: 1_000 };
/** What is silent is asked to say something, on a connection of its own; each step of that. */
const POKE_TIMEOUT_MS = 1_200;
const POKE = 'exit\r\n\r\n';
const MAX_POKED = 256;
const EVENT_SOCKET = /^Content-/;
/** An alert of TLS: whoever listens wants TLS. */
const TLS_ALERT = '\x15\x03';
const VERSION = /FreeSWITCH \(Version (\S+)/;

type Finding = Exclude<ProbeFinding, { kind: 'heard' }>;
type Context = Pick<AdapterContext, 'clock' | 'log'>;

/** Looks why a FreeSWITCH is not heard, on a connection beside the adapter's own. Never rejects. */
export async function probe(config: FreeSwitchConfig, context: Context, signal: AbortSignal): Promise<ProbeFinding> {
  try {
    const tls = await readTls(config.tls, ({ message }) => errors.tlsError(config, `tls.ca: ${message}`));
    const { host, port, password } = config;
    const session = await openSession({
      host,
      port,
      password,
      tls,
      wanted: new Set(),
      timeouts: TIMEOUTS,
      clock: context.clock,
      log: context.log,
      signal,
      onEvent: () => undefined,
    });
    try {
      return await look(session);
    } finally {
      await session.close();
    }
  } catch (thrown) {
    const error = isBridgeError(thrown) ? thrown : errors.closedError(config, { cause: asError(thrown) });
    if (error.code !== 'ZPB_ESL_LOGIN_TIMEOUT' || config.tls !== undefined) return findingOf(error);
    return (await poke(config, context, signal)) ?? findingOf(error);
  }
}

/** Logged in: whether it answers and lets the login do what the bridge needs. */
async function look(session: EslSession): Promise<ProbeFinding> {
  const status = await session.api('status');
  const events = await session.send('event json HEARTBEAT');
  const list = await session.api('show channels as json');
  const product = VERSION.exec(status)?.[1];
  const missing = [
    ...(isOk(events) ? [] : [`the login may not hear events (${words(events)})`]),
    ...(isError(list) ? [`the login may not ask which calls there are (${words(list)})`] : []),
  ];
  return { kind: 'heard', ...(product !== undefined && { product: `FreeSWITCH ${product}` }), missing };
}

const words = (reply: string): string => reply.trim().slice(0, 100);

function findingOf(error: BridgeError): Finding {
  const cause = error.cause as { readonly code?: unknown } | undefined;
  if (error.code === 'ZPB_ESL_CLOSED') return CLOSED_AT_ONCE;
  return { kind: kindOf(error.code, cause?.code), ...errors.troubleOf(error) };
}
/** FreeSWITCH's own access list says more than that. */
const CLOSED_AT_ONCE: Finding = {
  kind: 'not-allowed',
  reason: 'The connection is taken and closed at once, before the login',
  mend: 'Look at the firewall or proxy in between: it may not let this machine in, or have no FreeSWITCH behind it.',
};

function kindOf(code: string, cause: unknown): Finding['kind'] {
  switch (code) {
    case 'ZPB_ESL_CONNECT':
      if (cause === 'ENOTFOUND' || cause === 'EAI_AGAIN') return 'unknown-host';
      return cause === 'ECONNREFUSED' ? 'refused' : 'unreachable';
    case 'ZPB_ESL_ACL':
      return 'not-allowed';
    case 'ZPB_ESL_AUTH':
      return 'wrong-password';
    case 'ZPB_ESL_PROTOCOL':
    case 'ZPB_ESL_TOO_LONG':
      return 'wrong-port';
    case 'ZPB_ESL_TLS':
      return 'tls';
    case 'ZPB_ESL_LOGIN_TIMEOUT':
    case 'ZPB_ESL_TIMEOUT':
      return 'deaf';
    default:
      return 'other';
  }
}

/**
 * It takes connections and says nothing: FreeSWITCH that is stuck, or a server that waits to be spoken to (HTTP, SIP, TLS), which
 * then answers that it did not understand. undefined: it still says nothing, or is an event socket.
 */
async function poke(config: FreeSwitchConfig, context: Context, signal: AbortSignal): Promise<Finding | undefined> {
  const { said, closed } = await answerTo(POKE, config, context, signal);
  if (said.startsWith(TLS_ALERT) || (said === '' && closed && (await speaksTls(config, context, signal))))
    return {
      kind: 'tls',
      ...errors.troubleOf(errors.tlsError(config, 'the port speaks TLS, and the setting "tls" is missing')),
    };
  if (said === '' || EVENT_SOCKET.test(said)) return undefined;
  return { kind: 'wrong-port', ...errors.troubleOf(errors.notEslError(config, said)) };
}

const open = (
  { host, port }: FreeSwitchConfig,
  { clock }: Context,
  signal: AbortSignal,
  tls: object | undefined,
): Promise<Socket> =>
  openSocket({
    host,
    port,
    tls,
    timeout: POKE_TIMEOUT_MS,
    clock,
    signal,
    failed: (cause) => errors.connectError({ host, port }, tls !== undefined, cause),
    stopped: errors.stoppedError,
  });

/** @returns the first bytes of the answer; '' when there is none in time, or no connection. */
async function answerTo(
  text: string,
  config: FreeSwitchConfig,
  context: Context,
  signal: AbortSignal,
): Promise<{ readonly said: string; readonly closed: boolean }> {
  let socket: Socket;
  try {
    socket = await open(config, context, signal, undefined);
  } catch {
    return { said: '', closed: false };
  }
  const ended = new AbortController();
  let said = '';
  socket.on('data', (bytes: Buffer) => {
    said += bytes.toString('latin1', 0, MAX_POKED);
    if (said.length >= MAX_POKED || said.includes('\n')) ended.abort();
  });
  socket.once('close', () => {
    ended.abort();
  });
  socket.write(text);
  await sleep(context.clock, POKE_TIMEOUT_MS, AbortSignal.any([signal, ended.signal]));
  const closed = socket.closed;
  socket.destroy();
  return { said, closed };
}

/** A certificate is shown there, whatever one thinks of it. */
async function speaksTls(config: FreeSwitchConfig, context: Context, signal: AbortSignal): Promise<boolean> {
  try {
    const socket = await open(config, context, signal, {});
    socket.destroy();
    return true;
  } catch (thrown) {
    const { code } = ((thrown as Error).cause ?? {}) as { readonly code?: unknown };
    return typeof code === 'string' && /CERT|ALTNAME|SIGNED|ISSUER/.test(code);
  }
}
