import { copyFileSync, mkdirSync } from 'node:fs';
import type { StandIn } from '../../src/stand-in/stand-in.js';
import type { Bridge } from './bridge.js';
import { readCallId } from './call-ids.js';
import type { Evidence } from './evidence.js';
import type { DoneFault } from './fault-kinds.js';
import type { Hearing } from './hearing.js';
import { reportOf } from './report.js';
import { addVerdict, type Sums } from './tally.js';
import type { Theatre } from './theatre.js';
import { unknownPosts } from './unknown-posts.js';
import { judgePlay } from './verdict.js';

export interface RunToJudge {
  readonly seed: number;
  readonly run: number;
  readonly token: boolean;
  readonly theatre: Theatre;
  readonly zammad: StandIn;
  readonly evidence: Evidence;
  readonly hearings: readonly Hearing[];
  readonly faults: readonly DoneFault[];
  readonly deaths: readonly number[];
  /** Any of them can say what the store lists. */
  readonly bridges: readonly [Bridge, ...Bridge[]];
  /** What else went wrong, in words. */
  readonly troubles: readonly string[];
  readonly keep: string;
  readonly say: (line: string) => void;
}

/** Judges every call of a run, adds it to the sums, says what is wrong and keeps the logs of the bridges then. */
export async function judgeRun(input: RunToJudge, sums: Sums): Promise<void> {
  const { seed, run, token, theatre, zammad, hearings, faults, deaths, bridges, keep } = input;
  const listed = await unknownPosts(bridges[0]);
  const posts = input.evidence.posts();
  const rows = zammad.log();
  const logFiles = bridges.map(({ name }) => `${keep}/seed-${seed}-run-${run}-${name}.log`);
  const complaints: string[] = [];
  const fail = (text: string): void => {
    complaints.push(text);
    input.say(text);
  };
  for (const play of theatre.plays) {
    const mine = ({ callId }: { readonly callId: string }): boolean => readCallId(callId)?.tag === play.tag;
    const own = posts.filter(mine);
    const verdicts = judgePlay(play, {
      ...{ posts: own, rows: rows.filter(mine), hearings, unknown: listed.unknown, canReadBack: token, deaths },
    });
    for (const verdict of verdicts) {
      addVerdict(sums, verdict);
      if (verdict.wrong.length === 0) continue;
      fail(reportOf(verdict, { seed, run, token, play, posts: own, hearings, faults, logFiles }));
    }
  }
  const troubles = [
    ...posts
      .filter(({ callId }) => readCallId(callId) === undefined)
      .map(({ event, callId }) => `a post of no play: ${event} ${callId}`),
    ...listed.dead.map(({ event, callId }) => `${event} of ${callId} was given up`),
    ...input.troubles,
  ];
  for (const trouble of troubles) {
    sums.wrong += 1;
    fail(`VIOLATION seed ${seed}, run ${run}: ${trouble}`);
  }
  if (complaints.length === 0) return;
  mkdirSync(keep, { recursive: true });
  for (const [index, bridge] of bridges.entries()) copyFileSync(bridge.logFile, logFiles[index] ?? '');
}
