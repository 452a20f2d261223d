import { UsageError } from './args.js';
import { EXIT, type Command } from './command.js';
import { systemClock } from '../clock.js';

const DEFAULT_SPEED = 0.4;
/** What is still to be told when the last call has ended. */
const LAST_POSTS_MS = 5_000;

export const command: Command = {
  summary: 'Show it all in one process: recorded calls, the bridge, a stand-in for Zammad.',
  usage: 'demo [options]',
  options: {
    port: { type: 'string', value: 'PORT', doc: 'Port of the stand-in’s page. Default: any free one.' },
    once: { type: 'boolean', doc: 'Play every call once, then end.' },
    speed: {
      type: 'string',
      value: 'FACTOR',
      doc: `1 = as fast as the calls really were. Default: ${String(DEFAULT_SPEED)}.`,
    },
  },
  details: `Plays recorded calls of a real Asterisk over a real manager interface on loopback to the bridge, which tells a stand-in for
Zammad. Its page shows the caller log live. Needs no PBX and no Zammad; nothing leaves this machine. Ends with Ctrl-C.`,
  async run(context) {
    const speed = numberOf(context.options['speed'], 'speed', DEFAULT_SPEED, 0.1, 100);
    const port = numberOf(context.options['port'], 'port', 0, 0, 65_535);
    const { startDemo } = await import('../demo/demo.js');
    const { stdout, signal } = context;
    const demo = await startDemo({
      clock: systemClock,
      random: Math.random,
      port,
      say: (line) => stdout.write(`${line}\n`),
    });
    try {
      stdout.write(
        `\n  Open ${demo.page} to watch the caller log of the stand-in for Zammad.\n  Ctrl-C ends the demo.\n\n`,
      );
      await demo.play({ speed, once: context.options['once'] === true, signal });
      if (!signal.aborted) await demo.settled(LAST_POSTS_MS);
      stdout.write(`\n${demo.summary()}\n`);
      return EXIT.ok;
    } finally {
      await demo.stop();
    }
  },
};

function numberOf(
  value: string | boolean | undefined,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  if (typeof value !== 'string') return fallback;
  const number = Number(value);
  if (!Number.isFinite(number) || number < least || number > most) {
    throw new UsageError(`--${name} takes a number from ${String(least)} to ${String(most)}, not "${value}"`);
  }
  return number;
}
