import type { Chance } from './random.js';
import type { HaFault } from './takeovers.js';

/** So many faults of each kind, in the order of chance, cut into runs of so many; a planned stop comes with every fourth. */
export function haPlans(
  counts: { readonly kills: number; readonly stops: number; readonly restarts: number },
  each: number,
  chance: Chance,
): readonly (readonly HaFault[])[] {
  const { kills, stops, restarts } = counts;
  const all: HaFault[] = [
    ...Array<HaFault>(kills).fill('kill -9'),
    ...Array<HaFault>(stops).fill('SIGSTOP'),
    ...Array<HaFault>(restarts).fill('database restart'),
    ...Array<HaFault>(Math.ceil((kills + stops + restarts) / 9)).fill('SIGTERM'),
  ];
  for (let index = all.length - 1; index > 0; index -= 1) {
    const other = Math.floor(chance.next() * (index + 1));
    [all[index], all[other]] = [all[other] ?? 'kill -9', all[index] ?? 'kill -9'];
  }
  const plans: HaFault[][] = [];
  for (let at = 0; at < all.length; at += each) plans.push(all.slice(at, at + each));
  return plans;
}
