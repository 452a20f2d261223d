import type { Logger } from 'pino';
import { asError } from '../../src/errors.js';
import type { AriRest } from './rest-contract.js';

/**
 * Asks Asterisk to send only what is needed: a quarter of all events. Where it does not (a version before 16.3, no
 * res_ari_applications.so), all are sent, and the others are passed over. Returns what is missing, in words for the admin.
 */
export async function wantOnly(
  rest: AriRest,
  app: string,
  events: readonly string[],
  log: Logger,
): Promise<string | undefined> {
  try {
    const { status } = await rest.request({
      method: 'PUT',
      path: ['applications', app, 'eventFilter'],
      body: { allowed: events.map((type) => ({ type })) },
    });
    if (status === 403)
      return 'the login may only read, so no call can be ended or asked about (Stasis() fails at once, and calls go on): set "read_only = no" in its section of ari.conf';
    if (status !== 200) log.info({ status }, 'Asterisk sends all its events over ARI, also those that nobody needs');
  } catch (thrown) {
    log.debug({ error: asError(thrown) }, 'Asterisk was not told which events are needed');
  }
  return undefined;
}
