import { open } from 'node:fs/promises';
import { systemClock } from '../clock.js';
import { asError, PermanentError } from '../errors.js';
import { UsageError } from './args.js';
import { configOption, EXIT, type Command } from './command.js';
import { maskNumbers } from './mask-numbers.js';
import { timesLine } from './recording-times.js';
import { choosePbx, pbxOption, readSettings } from './settings.js';

/** What may wait for a slow disk before the recording is given up, bytes. */
const MOST_WAITING = 64 * 1024 * 1024;

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
    const bytesFile = await create(file);
    const timesFile = await create(`${file}.times`);
    const mask = context.options['mask'] === true ? maskNumbers() : (bytes: Uint8Array) => bytes;
    const began = systemClock.monotonic();
    let waiting = 0;
    let total = 0;
    let last: Promise<unknown> = Promise.resolve();
    const overrun = new AbortController();
    const write = (bytes: Uint8Array): void => {
      if (bytes.length === 0) return;
      const at = systemClock.monotonic() - began;
      waiting += bytes.length;
      total += bytes.length;
      if (waiting > MOST_WAITING) overrun.abort();
      last = last
        .then(() => bytesFile.write(bytes))
        .then(() => timesFile.write(timesLine({ at, bytes: bytes.length })))
        .then(() => {
          waiting -= bytes.length;
        });
      last.catch(() => {
        overrun.abort();
      });
    };
    try {
      context.stderr.write(`recording ${pbx.name} to ${file}; end it with Ctrl-C\n`);
      await recorder.record(AbortSignal.any([context.signal, overrun.signal]), (bytes) => {
        // The buffer belongs to the connection; it may be used again.
        write(Uint8Array.from(mask(bytes)));
      });
      await last;
      if (overrun.signal.aborted)
        throw new PermanentError(
          'ZPB_RECORDING',
          `the disk of ${file} takes the bytes too slowly; the recording is cut`,
        );
    } finally {
      await Promise.allSettled([bytesFile.close(), timesFile.close()]);
      log.close();
    }
    context.stderr.write(`${String(total)} bytes recorded\n`);
    return EXIT.ok;
  },
};

async function create(file: string) {
  try {
    return await open(file, 'wx', 0o600);
  } catch (thrown) {
    throw new PermanentError('ZPB_RECORDING', `${file} cannot be created: ${asError(thrown).message}`);
  }
}
