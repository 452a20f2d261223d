import type { Clock } from '../clock.js';
import { sleep } from '../clock.js';
import { DEMO_CALLS, DEMO_CUSTOMERS } from './people.js';
import { disguise, readCall } from './recorded-call.js';
import type { RecordedAsterisk } from './recorded-asterisk.js';

export interface ShowOptions {
  readonly asterisk: RecordedAsterisk;
  readonly clock: Clock;
  /** 1 = as the calls really were; 0.5 = half as fast. */
  readonly speed: number;
  /** Play every call once, instead of going on until the signal. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  /** Told when a call begins. */
  readonly onCall: (title: string) => void;
}

/** Between the beginnings of two calls, ms at speed 1: shorter than a call, so that several go on at a time. */
const BETWEEN_CALLS = 1_200;

/** Plays the recorded calls over the manager interface, several at a time. Resolves when the last one has ended. */
export async function playShow({ asterisk, clock, speed, once, signal, onCall }: ShowOptions): Promise<void> {
  const calls = await Promise.all(
    DEMO_CALLS.map(async ({ file, title }) => ({
      title,
      messages: await readCall(new URL(`calls/${file}.ami`, import.meta.url)),
    })),
  );
  const began = Math.floor(clock.wall() / 1000);
  const playing = new Set<Promise<void>>();
  let number = 0;
  do {
    for (const { title, messages } of calls) {
      if (signal.aborted) break;
      const customer = DEMO_CUSTOMERS[number % DEMO_CUSTOMERS.length]?.phone ?? '';
      const mask = { epoch: began + number, customer };
      number += 1;
      onCall(title);
      const one = playCall(
        messages.map(({ at, text }) => ({ at: at / speed, text: disguise(text, mask) })),
        asterisk,
        clock,
        signal,
      );
      playing.add(one);
      void one.finally(() => playing.delete(one));
      await sleep(clock, BETWEEN_CALLS / speed, signal);
    }
  } while (!once && !signal.aborted);
  await Promise.all(playing);
}

async function playCall(
  messages: readonly { at: number; text: string }[],
  asterisk: RecordedAsterisk,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const began = clock.monotonic();
  for (const { at, text } of messages) {
    const wait = began + at - clock.monotonic();
    if (wait > 1) await sleep(clock, wait, signal);
    if (signal.aborted) return;
    asterisk.say(text);
  }
}
