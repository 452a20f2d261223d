import { FreeSwitchBench, type FreeSwitchBenchOptions } from './freeswitch-bench.js';
import type { TimedEvent } from './freeswitch-cases.js';
import { FreeSwitchState } from './freeswitch-state.js';
import type { TimedPost } from './leg-bench.js';

/** A connection that is lost before event `from` and stands again before event `to`; those between are never heard. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  /** It is the bridge that dies before `from`, and another one goes on from the store. */
  readonly crash?: boolean;
}

/** Plays a recording with cuts, each mended by what FreeSWITCH would have answered. `from: 0` is a cold start. */
export function playWithCuts(
  events: readonly TimedEvent[],
  cuts: readonly Cut[],
  options: FreeSwitchBenchOptions = {},
): readonly TimedPost[] {
  const bench = new FreeSwitchBench(options);
  const state = new FreeSwitchState();
  for (const [index, { at, event }] of events.entries()) {
    for (const cut of cuts) if (cut.from === index && cut.crash === true) bench.until(at).crash();
    for (const cut of cuts) if (cut.to === index) bench.until(at).resync(state.listing());
    state.push(event);
    if (cuts.some(({ from, to }) => index >= from && index < to)) continue;
    bench.hear(event, at);
  }
  for (const cut of cuts) if (cut.from >= events.length && cut.crash === true) bench.crash();
  for (const cut of cuts) if (cut.to >= events.length) bench.resync(state.listing());
  return bench.finish().posts;
}
