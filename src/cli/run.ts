import { isBridgeError } from '../errors.js';
import { configOption, EXIT, type Command } from './command.js';
import { readSettings } from './settings.js';

export const command: Command = {
  summary: 'Listen to the PBXs and tell Zammad: the daemon.',
  usage: 'run [options]',
  options: { config: configOption },
  details: `Runs until SIGTERM or SIGINT, then delivers what is due within delivery.drain and ends. A second signal ends it at once.
Calls in progress stay open in Zammad and are taken up by the next start. Logs go to stderr.`,
  async run(context) {
    const settings = await readSettings(context, { needSecrets: true });
    const [{ createLog }, { startApp }, { systemClock }, { createServiceNotifier }] = await Promise.all([
      import('../log.js'),
      import('../app.js'),
      import('../clock.js'),
      import('../sd-notify.js'),
    ]);
    const log = createLog(settings.config.log);
    const notifier = createServiceNotifier({
      env: context.env,
      clock: systemClock,
      onFailure: (error) => {
        log.logger.warn({ error }, 'systemd could not be told');
      },
    });
    try {
      for (const warning of settings.warnings) log.logger.warn(warning);
      const app = await startApp({
        ...settings,
        log: log.logger,
        clock: systemClock,
        random: Math.random,
        signal: context.signal,
      });
      await notifier.ready(`Running for ${settings.config.pbx.map(({ name }) => name).join(', ')}`);
      await aborted(context.signal);
      await notifier.stopping();
      log.logger.info('stopping');
      await app.stop();
      return EXIT.ok;
    } catch (thrown) {
      // It was told to stop before it had started.
      if (context.signal.aborted && isBridgeError(thrown) && thrown.code === 'ZPB_STOPPED') return EXIT.ok;
      throw thrown;
    } finally {
      log.close();
    }
  },
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
