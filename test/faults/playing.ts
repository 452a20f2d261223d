import { pause } from '../support/wait-for.js';
import type { Bridge } from './bridge.js';
import type { CaseFacts } from './case-facts.js';
import type { Evidence } from './evidence.js';
import type { HearingLedger } from './hearing.js';
import type { Chance } from './random.js';
import type { Theatre } from './theatre.js';

export interface Programme {
  readonly cases: readonly CaseFacts[];
  /** Plays at the same time, at most. */
  readonly together: number;
  readonly run: number;
  /** Whether another play shall begin, after so many calls. */
  readonly more: (calls: number) => boolean;
}

/** Between the begins of two plays, on average, ms. */
const PLAY_EVERY_MS = 450;
/** After the last fault: slow requests, their reading back, and the longest back-off. */
const SETTLE_MS = 120_000;
/** Nothing was asked of Zammad for so long. */
const QUIET_MS = 2_500;

/** Plays cases by chance, as long as there shall be more; resolves when the last one is over. */
export async function playCalls(
  theatre: Theatre,
  { cases, together, run, more }: Programme,
  chance: Chance,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for (let calls = 0, number = 0; more(calls) && failures.length === 0; number += 1) {
    const facts = chance.one(cases);
    calls += facts.calls.length;
    const play = theatre
      .play(facts, `r${run}p${number}`)
      .catch((thrown: unknown) => void failures.push(thrown))
      .finally(() => running.delete(play));
    running.add(play);
    await pause(chance.waitFor(PLAY_EVERY_MS));
    if (running.size >= together) await Promise.race(running);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}

/** Waits until no bridge has anything more to tell; returns what there still is when it does not come to that. */
export async function settled(
  bridges: readonly Bridge[],
  ledger: HearingLedger,
  evidence: Evidence,
  now: () => number,
): Promise<string | undefined> {
  const deadline = now() + SETTLE_MS;
  let last: readonly (string | undefined)[] = [];
  while (now() < deadline) {
    await pause(250);
    const seen = await Promise.all(bridges.map((bridge) => bridge.get('/readyz')));
    last = seen.map((one) => one?.body);
    const idle = last.every((body) => body !== undefined && waitingOf(body) === 0);
    const quiet = now() - evidence.changed > QUIET_MS && evidence.open === 0;
    if (idle && quiet && bridges.some(({ name }) => ledger.hears(name))) return undefined;
  }
  return `not idle at the end: ${last.map((body, index) => `${bridges[index]?.name ?? ''} ${body ?? 'does not answer'}`).join('; ')}`;
}

const waitingOf = (body: string): number =>
  (JSON.parse(body) as { readonly zammad: readonly { readonly waiting: number }[] }).zammad.reduce(
    (sum, zammad) => sum + zammad.waiting,
    0,
  );
