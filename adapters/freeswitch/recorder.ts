import type { AdapterContext, Recorder } from '../../src/pbx/adapter.js';
import { readTls } from '../../src/pbx/open-socket.js';
import { isOk } from './commands.js';
import type { FreeSwitchConfig } from './config.js';
import { refusedError, tlsError } from './session-errors.js';
import { openSession } from './session.js';

/** Raw bytes of a FreeSWITCH: every event that it has. */
export function createRecorder(context: Omit<AdapterContext, 'emit'>, config: FreeSwitchConfig): Recorder {
  return {
    async record(signal, onBytes) {
      const { host, port, password, tls } = config;
      const session = await openSession({
        host,
        port,
        password,
        tls: await readTls(tls, ({ message }) => tlsError(config, `tls.ca: ${message}`)),
        wanted: new Set(),
        clock: context.clock,
        log: context.log,
        signal,
        onEvent: () => undefined,
        onBytes,
      });
      const reply = await session.send('event json ALL');
      if (!isOk(reply)) {
        await session.close();
        throw refusedError(config, 'event', reply);
      }
      const reason = await session.closed;
      if (!signal.aborted) throw reason;
    },
  };
}
