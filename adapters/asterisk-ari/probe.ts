import { type BridgeError, isBridgeError } from '../../src/errors.js';
import { inTime } from '../../src/clock.js';
import type { AdapterContext, ProbeFinding } from '../../src/pbx/adapter.js';
import { troubleOf } from '../../src/pbx/trouble.js';
import { ASTERISK_LOG } from '../asterisk/log-advice.js';
import { speaksTls } from '../asterisk/speaks-tls.js';
import type { Asking } from './ask.js';
import type { AsteriskAriConfig } from './config.js';
import * as errors from './errors.js';
import { isObject, object, text } from './event.js';
import { wantOnly } from './event-filter.js';
import { readTls } from './read-tls.js';
import { createRest } from './rest.js';
import { openSession } from './session.js';
import { Trunks } from './trunks.js';

/** All steps of a look together stay below 10 s. */
const TIMEOUTS = { connect: 3_000, handshake: 3_000 };
/** For all questions, once it is connected. */
const LOOK_MS = 2_500;
const TLS_LOOK_MS = 1_000;

type Finding = Exclude<ProbeFinding, { kind: 'heard' }>;
type Context = Pick<AdapterContext, 'name' | 'clock' | 'log'>;

/**
 * Looks why an Asterisk is not heard, on connections beside the adapter's own, and under a name of its own: the application of the bridge
 * stays with whoever has it. Changes nothing there. Never rejects.
 * @param isConnected the bridge itself is that application now.
 */
export async function probe(
  config: AsteriskAriConfig,
  context: Context,
  isConnected: boolean,
  signal: AbortSignal,
): Promise<ProbeFinding> {
  const { clock, log } = context;
  const { host, port, path, username, secret, app } = config;
  const ended = new AbortController();
  try {
    const place = { host, port, path, username, secret, clock, tls: await readTls(config) };
    const rest = createRest(place);
    try {
      await openSession({
        ...place,
        app: `${app}-look`,
        timeouts: TIMEOUTS,
        log,
        signal: AbortSignal.any([signal, ended.signal]),
        onEvent: () => undefined,
      });
      return await look({ rest, at: { host, port }, username }, config, context, isConnected);
    } finally {
      ended.abort();
      rest.close();
    }
  } catch (thrown) {
    const error = isBridgeError(thrown) ? thrown : errors.closedError(config);
    return await closer(error, config, context, signal);
  }
}

/** Connected: what it is, and what the login may not do. What is not answered in time is not claimed. */
async function look(
  asking: Asking,
  config: AsteriskAriConfig,
  { name, clock, log }: Context,
  isConnected: boolean,
): Promise<ProbeFinding> {
  const { rest } = asking;
  const { app } = config;
  const get = async (...path: string[]): Promise<unknown> => {
    const { status, body } = await rest.request({ method: 'GET', path, timeout: LOOK_MS });
    return status === 200 ? body : undefined;
  };
  let product: string | undefined;
  let readOnly: string | undefined;
  let taken: string | undefined;
  const trunks = new Trunks({ configured: config.trunks, name, clock, log });
  await inTime(
    clock,
    LOOK_MS,
    Promise.allSettled([
      get('asterisk', 'info').then((body) => {
        const version = isObject(body) ? text(object(body, 'system'), 'version') : undefined;
        if (version !== undefined) product = `Asterisk ${version}`;
      }),
      wantOnly(rest, `${app}-look`, [], log).then((missing) => {
        readOnly = missing;
      }),
      isConnected
        ? undefined
        : get('applications', app).then((body) => {
            if (body !== undefined)
              taken = `another program is, or was until now, the application ${app}: give each program that uses ARI an "app" of its own`;
          }),
      trunks.learn(asking),
    ]),
  );
  trunks.end();
  const missing = [trunks.missing, readOnly, taken].filter((one) => one !== undefined);
  return { kind: 'heard', ...(product === undefined ? {} : { product }), missing };
}

/** The same port says more when it is spoken to in another way. */
async function closer(
  error: BridgeError,
  config: AsteriskAriConfig,
  { clock }: Context,
  signal: AbortSignal,
): Promise<Finding> {
  const { code } = error;
  const isOdd = code === 'ZPB_ARI_PROTOCOL' || code === 'ZPB_ARI_CLOSED' || systemCode(error) === 'ECONNRESET';
  if (isOdd && config.tls === undefined && (await speaksTls(config, TLS_LOOK_MS, clock, signal)))
    return findingOf(errors.onlyTlsError(config));
  if (code === 'ZPB_ARI_CLOSED' || systemCode(error) === 'ECONNRESET')
    return { kind: 'not-allowed', ...troubleOf(errors.closedAtOnceError(config), ASTERISK_LOG) };
  return findingOf(error);
}

const systemCode = errors.systemCodeOf;

const findingOf = (error: BridgeError): Finding => ({ kind: kindOf(error), ...troubleOf(error, ASTERISK_LOG) });

function kindOf(error: BridgeError): Finding['kind'] {
  switch (error.code) {
    case 'ZPB_ARI_CONNECT': {
      const cause = systemCode(error);
      if (cause === 'ENOTFOUND' || cause === 'EAI_AGAIN') return 'unknown-host';
      return cause === 'ECONNREFUSED' ? 'refused' : 'unreachable';
    }
    case 'ZPB_ARI_AUTH':
      return 'wrong-password';
    case 'ZPB_ARI_FORBIDDEN':
      return 'not-allowed';
    case 'ZPB_ARI_PROTOCOL':
    case 'ZPB_ARI_FRAMES':
      return 'wrong-port';
    case 'ZPB_ARI_TLS':
      return 'tls';
    case 'ZPB_ARI_HANDSHAKE':
      return 'deaf';
    default:
      return 'other';
  }
}
