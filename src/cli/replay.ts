import { open, readFile } from 'node:fs/promises';
import { Brain } from '../call/brain.js';
import type { Outcome } from '../call/outcome.js';
import { createDirectory } from '../call/directory.js';
import type { Millis } from '../call/vocabulary.js';
import { asError, PermanentError } from '../errors.js';
import type { RecordingReader } from '../pbx/adapter.js';
import { UsageError } from './args.js';
import { configOption, EXIT, type Command } from './command.js';
import { parseTimes, type ChunkTime } from './recording-times.js';
import { choosePbx, pbxOption, readSettings } from './settings.js';

const CHUNK = 64 * 1024;

/**
 * `npm run build` makes one file of this and of all that it imports (docs/decisions/005-replay-is-bundled.md). The classes in it
 * are not those of the rest of the program: what this throws is known by `isBridgeError`, never by `instanceof`.
 */
export const command: Command = {
  summary: 'Show what a recording of a PBX would tell Zammad.',
  usage: 'replay [options] FILE',
  options: {
    config: configOption,
    pbx: pbxOption,
    notes: { type: 'boolean', doc: 'Say on stderr why something was told or not.' },
  },
  args: { min: 1, max: 1 },
  details: `Reads the bytes that a PBX sent (see "record") and prints one JSON line a post: {"t": ms, "post": {…}}, in the order in
which they would reach Zammad. Connects to nothing and reads no secret. The clock is FILE.times if it is there, else the
stamps of the events themselves. At the end, what is due runs; calls that the PBX did not end stay open.`,
  async run(context) {
    const [file = ''] = context.args;
    const { config, adapterOf } = await readSettings(context, { needSecrets: false });
    const pbx = choosePbx(config, context.options['pbx']);
    const definition = adapterOf(pbx);
    if (definition.readRecording === undefined) throw new UsageError(`recordings of ${pbx.adapter} cannot be read`);
    const reader = definition.readRecording(pbx.settings);
    const directory = createDirectory(config.agents, config.dids, pbx.calls.country);
    const brain = new Brain({
      pbx: pbx.name,
      calls: pbx.calls,
      filter: pbx.filter,
      destinations: config.zammad,
      directory,
    });
    const print = (at: Millis, outcomes: readonly Outcome[]): void => {
      for (const outcome of outcomes) {
        if (outcome.kind === 'note') {
          if (context.options['notes'] === true)
            context.stderr.write(`${String(Math.round(at))} ${outcome.callId}: ${outcome.text}\n`);
          continue;
        }
        if (outcome.kind !== 'post') continue;
        const several = config.zammad.length > 1 ? { zammad: outcome.zammads } : {};
        context.stdout.write(`${JSON.stringify({ t: Math.round(at), ...several, post: outcome.post })}\n`);
      }
    };
    await replay(file, await timesOf(file), reader, brain, print);
    return EXIT.ok;
  },
};

async function replay(
  file: string,
  times: readonly ChunkTime[] | undefined,
  reader: RecordingReader,
  brain: Brain,
  print: (at: Millis, outcomes: readonly Outcome[]) => void,
): Promise<void> {
  let now: Millis = 0;
  const runTicks = (until: Millis): void => {
    for (;;) {
      const next = brain.nextTick();
      if (next === undefined || next > until) return;
      now = Math.max(now, next);
      print(now, brain.tick(now));
    }
  };
  const feed = (bytes: Uint8Array, time?: Millis): void => {
    for (const { at, batch } of reader.push(bytes, time)) {
      runTicks(at);
      now = Math.max(now, at);
      print(now, brain.apply(batch, now));
    }
  };
  const handle = await openRecording(file);
  try {
    if (times === undefined) {
      for await (const chunk of handle.createReadStream({ highWaterMark: CHUNK, autoClose: false }))
        feed(chunk as Buffer);
    }
    for (const { at, bytes } of times ?? []) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, null);
      feed(buffer.subarray(0, bytesRead), at);
    }
  } finally {
    await handle.close();
  }
  runTicks(Infinity);
}

async function openRecording(file: string) {
  try {
    return await open(file);
  } catch (thrown) {
    throw new PermanentError('ZPB_RECORDING', `the recording ${file} cannot be read: ${asError(thrown).message}`);
  }
}

async function timesOf(file: string): Promise<readonly ChunkTime[] | undefined> {
  let text: string;
  try {
    text = await readFile(`${file}.times`, 'utf8');
  } catch {
    return undefined;
  }
  return parseTimes(text, `${file}.times`);
}
