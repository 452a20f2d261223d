import type { FaultKind } from './fault-kinds.js';
import type { DoneFault } from './fault-kinds.js';
import type { CallVerdict, Fault } from './verdict.js';

/** The sums of one run, or of many. */
export interface Sums {
  runs: number;
  readonly faults: Map<DoneFault['kind'], number>;
  calls: number;
  lost: number;
  doubled: number;
  ringing: number;
  wrong: number;
  unheard: number;
  unknown: number;
  /** Harmless second hangups: the reply to the first one was lost. */
  repeated: number;
  /** Calls that were heard from beginning to end, so that everything about them was checked. */
  whole: number;
  /** ms; undefined: not measured. */
  stall: number | undefined;
  /** How old the process was then, ms. */
  stallAge: number;
  /** How long it had waited for a processor then, ms. */
  stallWait: number;
}

export const noSums = (): Sums => ({
  ...{ runs: 0, faults: new Map<FaultKind, number>(), calls: 0, lost: 0, doubled: 0, ringing: 0, wrong: 0 },
  ...{ unheard: 0, unknown: 0, repeated: 0, whole: 0, stall: undefined, stallAge: 0, stallWait: 0 },
});

/** Counts a call once, under the worst that is wrong with it. */
const WORST: readonly Fault[] = ['lost', 'doubled', 'ringing', 'wrong'];

export function addVerdict(sums: Sums, verdict: CallVerdict): void {
  if (verdict.facts !== undefined) sums.calls += 1;
  const worst = WORST.find((fault) => verdict.wrong.some((one) => one.fault === fault));
  if (worst !== undefined) sums[worst] += 1;
  if (verdict.unheard) sums.unheard += 1;
  if (verdict.unknown) sums.unknown += 1;
  if (verdict.known?.whole === true) sums.whole += 1;
  sums.repeated += verdict.repeated;
}

export function addFaults(sums: Sums, faults: readonly DoneFault[]): void {
  for (const { kind } of faults) sums.faults.set(kind, (sums.faults.get(kind) ?? 0) + 1);
}

export function addSums(sums: Sums, more: Sums): void {
  for (const key of [
    'runs',
    'calls',
    'lost',
    'doubled',
    'ringing',
    'wrong',
    'unheard',
    'unknown',
    'repeated',
    'whole',
  ] as const)
    sums[key] += more[key];
  for (const [kind, count] of more.faults) sums.faults.set(kind, (sums.faults.get(kind) ?? 0) + count);
  if (more.stall === undefined || more.stall < (sums.stall ?? 0)) return;
  sums.stall = more.stall;
  sums.stallAge = more.stallAge;
  sums.stallWait = more.stallWait;
}

export const isWrong = (sums: Sums): boolean => sums.lost + sums.doubled + sums.ringing + sums.wrong > 0;

export function lineOf(sums: Sums): string {
  const kinds = [...sums.faults].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${kind} ${count}`);
  const faults = [...sums.faults.values()].reduce((sum, count) => sum + count, 0);
  const stall = sums.stall === undefined ? 'not measured' : `${Math.round(sums.stall)} ms`;
  return [
    `runs ${sums.runs}`,
    `faults ${faults}${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}`,
    ...(['calls', 'lost', 'doubled', 'ringing', 'wrong', 'unheard', 'unknown'] as const).map(
      (key) => `${key} ${sums[key]}`,
    ),
    `longest stall ${stall}`,
  ].join(', ');
}
