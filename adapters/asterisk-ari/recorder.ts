import type { AdapterContext, Recorder } from '../../src/pbx/adapter.js';
import type { AsteriskAriConfig } from './config.js';
import { readTls } from './read-tls.js';
import { openSession } from './session.js';

/**
 * Everything an Asterisk says over ARI, one event a line. Under a name of its own: the application of the bridge stays with the
 * bridge, and so does what that one has asked not to be sent.
 */
export function createRecorder(context: Omit<AdapterContext, 'emit' | 'gate'>, config: AsteriskAriConfig): Recorder {
  return {
    async record(signal, onBytes) {
      const { host, port, path, username, secret, app } = config;
      const session = await openSession({
        host,
        port,
        path,
        tls: await readTls(config),
        username,
        secret,
        app: `${app}-record`,
        clock: context.clock,
        log: context.log,
        signal,
        onEvent: () => undefined,
        onText: (text) => {
          onBytes(Buffer.from(`${text.replace(/[\r\n]+/g, ' ')}\n`, 'utf8'));
        },
      });
      const reason = await session.closed;
      if (!signal.aborted) throw reason;
    },
  };
}
