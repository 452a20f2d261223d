import type { AdapterContext, Recorder } from '../../src/pbx/adapter.js';
import type { AsteriskAmiConfig } from './config.js';
import { readTls } from './read-tls.js';
import { openSession } from './session.js';

/** Raw bytes of an Asterisk, all event classes that the login may read. */
export function createRecorder(context: Omit<AdapterContext, 'emit'>, config: AsteriskAmiConfig): Recorder {
  return {
    async record(signal, onBytes) {
      const { host, port, username, secret, plainLogin } = config;
      const session = await openSession({
        host,
        port,
        tls: await readTls(config),
        username,
        secret,
        plainLogin,
        events: 'on',
        wanted: new Set(),
        clock: context.clock,
        log: context.log,
        signal,
        onMessage: () => undefined,
        onBytes,
      });
      const reason = await session.closed;
      if (!signal.aborted) throw reason;
    },
  };
}
