import { amiMessage } from '../../adapters/asterisk-ami/message.js';
import { AsteriskBench, type TimedPost } from './asterisk-bench.js';
import type { AsteriskCase } from './asterisk-cases.js';
import type { TimedMessage } from './asterisk-recording.js';
import { AsteriskState } from './asterisk-state.js';

/** A connection that is lost before message `from` and stands again before message `to`; those between are never heard. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  /** It is the bridge that dies before `from`, and another one goes on from the store. */
  readonly crash?: boolean;
}

/** Plays a recording with cuts, each mended by the snapshot that the PBX would have given. `from: 0` is a cold start. */
export function playWithCuts(
  recorded: Pick<AsteriskCase, 'trunks' | 'agents'>,
  messages: readonly TimedMessage[],
  cuts: readonly Cut[],
): readonly TimedPost[] {
  const bench = new AsteriskBench(recorded);
  const state = new AsteriskState();
  for (const [index, { at, message }] of messages.entries()) {
    for (const cut of cuts) if (cut.from === index && cut.crash === true) bench.until(at).crash();
    for (const cut of cuts) if (cut.to === index) resync(bench, state, at);
    state.push(message, at);
    if (cuts.some(({ from, to }) => index >= from && index < to)) continue;
    bench.hear(message, at);
  }
  for (const cut of cuts) if (cut.from >= messages.length && cut.crash === true) bench.crash();
  for (const cut of cuts) if (cut.to >= messages.length) resync(bench, state, bench.now);
  return bench.finish().posts;
}

function resync(bench: AsteriskBench, state: AsteriskState, at: number): void {
  bench.until(at).resync(state.bridgeList().map(amiMessage), state.status(at).map(amiMessage));
}
