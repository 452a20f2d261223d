import { systemClock } from '../clock.js';
import { isBridgeError } from '../errors.js';
import { UsageError } from './args.js';
import { configOption, EXIT, type Command } from './command.js';
import { maskNumbers } from './mask-numbers.js';
import { RecordingFiles } from './recording-files.js';
import { choosePbx, pbxOption, readSettings } from './settings.js';

export const command: Command = {
  summary: 'Record what a PBX says, as bytes that replay reads.',
  usage: 'record [options] FILE',
  options: {
    config: configOption,
    pbx: pbxOption,
    mask: {
      type: 'boolean',
      doc: 'Replace the digits of outside numbers, but for the last three; the same number stays the same.',
    },
  },
  args: { min: 1, max: 1 },
  details: `Connects as "run" would, hears all that the login may read, and writes the raw bytes to FILE and their times to FILE.times,
until SIGINT. FILE must not exist. Secrets are not in it: only what the PBX sends is recorded.`,
  async run(context) {
    const [file = ''] = context.args;
    const { config, adapterOf } = await readSettings(context, { needSecrets: true });
    const pbx = choosePbx(config, context.options['pbx']);
    const definition = adapterOf(pbx);
    if (definition.createRecorder === undefined) throw new UsageError(`${pbx.adapter} cannot be recorded`);
    const { createLog } = await import('../log.js');
    const log = createLog(config.log);
    const recorder = definition.createRecorder(
      { name: pbx.name, clock: systemClock, log: log.logger, metrics: { count: () => undefined } },
      pbx.settings,
    );
    const mask = context.options['mask'] === true ? maskNumbers() : (bytes: Uint8Array) => bytes;
    const trouble = new AbortController();
    const files = await RecordingFiles.create(file, () => {
      trouble.abort();
    });
    try {
      context.stderr.write(`recording ${pbx.name} to ${file}; end it with Ctrl-C\n`);
      const began = systemClock.monotonic();
      await recorder.record(AbortSignal.any([context.signal, trouble.signal]), (bytes) => {
        // The buffer belongs to the connection; it may be used again.
        files.write({ at: systemClock.monotonic() - began, data: Uint8Array.from(mask(bytes)) });
      });
      await files.close();
    } catch (thrown) {
      // What a person must mend (a wrong password) comes before anything is recorded; a lost connection comes after.
      if (files.total === 0 || (isBridgeError(thrown) && !thrown.retriable && !trouble.signal.aborted))
        await files.discard();
      else await files.close();
      throw thrown;
    } finally {
      log.close();
    }
    context.stderr.write(`${String(files.total)} bytes recorded\n`);
    return EXIT.ok;
  },
};
