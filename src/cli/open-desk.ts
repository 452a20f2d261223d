import type { Config } from '../config/model.js';
import type { Desk } from '../store/store.js';
import type { CommandContext } from './command.js';
import { readSettings } from './settings.js';

export interface OpenDesk {
  readonly config: Config;
  readonly desk: Desk;
  /** To be called once, at the end. */
  close(): Promise<void>;
}

/**
 * The store that the configuration names, seen from outside; the bridge may run meanwhile. Rejects with ZPB_STORE_MEMORY where the
 * store is nowhere but in the bridge's memory, and as `openDesk` does.
 */
export async function openDeskOf(context: CommandContext): Promise<OpenDesk> {
  const [{ systemClock }, { createLog }, { openDesk }] = await Promise.all([
    import('../clock.js'),
    import('../log.js'),
    import('../store/open-store.js'),
  ]);
  const { config } = await readSettings(context, { needSecrets: true });
  const output = { write: (line: string) => context.stderr.write(line) };
  const log = createLog({ level: 'error', pretty: true }, output);
  const desk = await openDesk(config.store, {
    clock: systemClock,
    random: Math.random,
    log: log.logger,
    metrics: { count: () => undefined, gauge: () => undefined },
  });
  return {
    config,
    desk,
    async close() {
      await desk.close();
      log.close();
    },
  };
}
