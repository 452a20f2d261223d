import { expect, test } from '@jest/globals';
import { LogSink, type FileWriting } from '../../../src/log-sink.js';
import { ManualClock } from '../../support/manual-clock.js';

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** A descriptor that does what the test says, write by write; afterwards it takes everything. */
function descriptor(fates: readonly (string | number)[] = []) {
  const left = [...fates];
  const waiting: (() => void)[] = [];
  let text = '';
  const put = (bytes: Uint8Array): number => {
    const fate = left.shift();
    if (typeof fate === 'string') throw failure(fate);
    const taken = bytes.subarray(0, fate ?? bytes.length);
    text += Buffer.from(taken).toString('utf8');
    return taken.length;
  };
  const fs: FileWriting = {
    write: (_fd, bytes, done) => {
      waiting.push(() => {
        try {
          done(null, put(bytes));
        } catch (thrown) {
          done(thrown as NodeJS.ErrnoException, 0);
        }
      });
    },
    writeSync: (_fd, bytes) => put(bytes),
  };
  const clock = new ManualClock();
  return {
    clock,
    sink: new LogSink(2, clock, fs),
    text: () => text,
    /** Lets the writes under way end, and those that follow from them. */
    run: () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next();
    },
    pending: () => waiting.length,
  };
}

test('lines come out whole and in order, one write at a time', () => {
  const { sink, text, run, pending } = descriptor([3]);
  for (const line of ['one\n', 'two\n', 'three\n']) sink.write(line);
  expect(pending()).toBe(1);
  run();
  sink.close();
  expect(text()).toBe('one\ntwo\nthree\n');
});

test('a full disk loses the line and nothing else: not the next one, not the process, not its end', () => {
  const { sink, text, run } = descriptor(['ENOSPC']);
  sink.write('lost\n');
  run();
  sink.write('kept\n');
  run();
  expect(text()).toBe('kept\n');
  const full = descriptor(['ENOSPC', 'ENOSPC']);
  full.sink.write('one\n');
  full.run();
  full.sink.write('two\n');
  full.sink.close();
  expect(full.text()).toBe('');
});

test('a full pipe is tried again, and a stuck one does not hold up the end', async () => {
  const { sink, text, run, clock } = descriptor(['EAGAIN']);
  sink.write('line\n');
  run();
  await clock.advance(50);
  run();
  expect(text()).toBe('line\n');
  sink.write('never written: its write hangs\n');
  sink.write('held\n');
  await clock.advance(1001);
  sink.close();
  expect(text()).toBe('line\n');
  expect(clock.pending).toBe(0);
});

test('what nobody takes is bounded', () => {
  const { sink, text, run } = descriptor();
  const line = `${'x'.repeat(1023)}\n`;
  for (let i = 0; i < 10_000; i += 1) sink.write(line);
  run();
  sink.close();
  expect(text().length).toBeLessThan(5 * 1024 * 1024);
});

test('the end of the process writes what is held, and close leaves no listener', () => {
  const before = process.listenerCount('exit');
  const { sink, text } = descriptor();
  expect(process.listenerCount('exit')).toBe(before + 1);
  sink.write('under way\n');
  sink.write('last words\n');
  for (const listener of process.listeners('exit').slice(before)) listener.call(process, 0);
  expect(text()).toBe('last words\n');
  sink.close();
  expect(process.listenerCount('exit')).toBe(before);
});
