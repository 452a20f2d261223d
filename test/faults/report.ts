/** Everything that is needed to find out why a call came out wrong. */
import type { DoneFault } from './fault-kinds.js';
import type { SeenPost } from './evidence.js';
import type { Hearing } from './hearing.js';
import type { Play } from './theatre.js';
import type { CallVerdict } from './verdict.js';

/** Faults of so long before a call may still have their part in it, ms. */
const BEFORE_MS = 15_000;
const AFTER_MS = 25_000;

export interface ReportContext {
  readonly seed: number;
  readonly run: number;
  readonly token: boolean;
  readonly play: Play;
  readonly posts: readonly SeenPost[];
  readonly hearings: readonly Hearing[];
  readonly faults: readonly DoneFault[];
  readonly logFiles: readonly string[];
}

export function reportOf(verdict: CallVerdict, context: ReportContext): string {
  const { play, posts, hearings, faults } = context;
  const since = (time: number): string => `${((time - play.began) / 1000).toFixed(3)} s`;
  const near = ({ from, to }: { from: number; to: number }): boolean =>
    to >= play.began - BEFORE_MS && from <= play.began + AFTER_MS;
  const { facts, known } = verdict;
  const at = (index: number): string => since(play.sentAt[index] ?? NaN);
  const lines = [
    `VIOLATION seed ${context.seed}, run ${context.run} (${context.token ? 'with' : 'without'} API token), play ${play.tag}, case ${play.facts.name}`,
    ...verdict.wrong.map(({ fault, text }) => `  ${fault}: ${text}`),
    `  call ids: ${verdict.callIds.join(', ') || 'none'}; times are seconds of the play`,
  ];
  if (facts !== undefined)
    lines.push(
      `  truth: ${facts.truth.direction} ${facts.truth.customer.join(' or ')}, talked ${(facts.truth.talked ?? []).join(' > ') || 'nobody'}, ` +
        `causes ${facts.truth.causes.join('|')}; lived ${at(facts.begins)} to ${at(facts.ends)}, tellable from ${at(facts.known)}`,
      `  talks: ${facts.talks.map(({ who, from, to }, index) => `${who} ${at(from)} to ${at(to)} (${String(known?.talks[index])})`).join('; ') || 'none'}`,
      `  known: ${String(known?.call)}${known?.whole === true ? ', heard from beginning to end' : ''}`,
    );
  lines.push('  heard:');
  for (const one of hearings)
    if (near({ from: one.login, to: one.to }))
      lines.push(
        `    ${one.bridge} login ${since(one.login)}, list ${one.snapshot === undefined ? 'never' : since(one.snapshot)}, to ${since(one.to)} (${one.end})`,
      );
  lines.push('  faults:');
  for (const fault of faults)
    if (near({ from: fault.at, to: fault.until }))
      lines.push(`    ${fault.kind} ${since(fault.at)} to ${since(fault.until)}`);
  lines.push('  posts of the play:');
  for (const post of posts) {
    const { entry } = post;
    const params = Object.entries(entry.params ?? {}).filter(([name]) => name !== 'event' && name !== 'callId');
    lines.push(
      `    ${since(post.arrived)} ${post.event} ${post.callId} -> ${String(entry.status ?? 'no reply')} ${entry.state} after ${Math.round(entry.took ?? -1)} ms` +
        `${entry.fault === undefined ? '' : `, fault ${entry.fault}`}${post.processed === undefined ? ', not carried out' : `, carried out at ${since(post.processed)}`}` +
        `${entry.accepted ? ', taken' : ''} ${JSON.stringify(Object.fromEntries(params))}`,
    );
  }
  lines.push(`  logs: ${context.logFiles.join(', ')}`);
  return lines.join('\n');
}
