import type { CallRow } from '../../../src/stand-in/call-row.js';
import type { JournalEntry } from '../../../src/stand-in/journal.js';
import type { Param } from '../../../src/stand-in/parameters.js';
import { AGENTS } from './agents.js';
import type { ExpectedCall, Scenario } from './scenario.js';
import type { Stage } from './stage.js';

const names = (extensions: readonly string[]): string[] =>
  extensions.map((extension) => AGENTS[extension] ?? extension);
const list = (value: Param | undefined): string[] =>
  Array.isArray(value) ? value.map(String) : typeof value === 'string' && value !== '' ? [value] : [];
const text = (value: Param | undefined): string => (typeof value === 'string' ? value : '');

const show = (row: Pick<CallRow, 'direction' | 'from' | 'to'>): string => `${row.direction} ${row.from} → ${row.to}`;
const accepted = (post: JournalEntry): boolean => post.status === 200;

/**
 * Holds what Zammad has against what really happened. Returns what is wrong, one sentence each; nothing = all is right.
 * Posts that a restart repeats are allowed as Zammad's own rules allow them (a newCall that it refuses as known, an
 * answer by the same agent once more): what counts is what Zammad accepted.
 */
export function judgeScenario(scenario: Scenario, stage: Pick<Stage, 'rows' | 'posts'>): readonly string[] {
  const rows = [...stage.rows()];
  const posts = stage.posts();
  const wrong: string[] = [];
  for (const call of scenario.calls) {
    const at = rows.findIndex((row) => show(row) === show(call));
    const row = rows[at];
    if (row === undefined) {
      wrong.push(`no row for ${show(call)}`);
      continue;
    }
    rows.splice(at, 1);
    wrong.push(
      ...judgeCall(
        call,
        row,
        posts.filter((post) => post.callId === row.callId),
      ).map((why) => `${show(call)}: ${why}`),
    );
  }
  wrong.push(...rows.map((row) => `a row too many: ${show(row)}`));
  if (scenario.secretNumber !== undefined) {
    const sent = posts.filter((post) => JSON.stringify(post.params).includes(scenario.secretNumber ?? ''));
    wrong.push(...sent.map((post) => `the withheld number went out with ${post.event ?? '?'}`));
  }
  return wrong;
}

function judgeCall(call: ExpectedCall, row: CallRow, posts: readonly JournalEntry[]): string[] {
  const wrong: string[] = [];
  const must = (what: string, is: unknown, should: unknown): void => {
    if (JSON.stringify(is) !== JSON.stringify(should)) {
      wrong.push(`${what} is ${JSON.stringify(is)}, not ${JSON.stringify(should)}`);
    }
  };
  const of = (event: string): readonly JournalEntry[] => posts.filter((post) => post.event === event && accepted(post));
  must('its state', row.state, 'hangup');
  must('its cause', row.comment, call.cause);
  must('its place among the missed', !row.done, call.missed);
  must('the number of newCalls accepted', of('newCall').length, 1);
  must('the number of hangups accepted', of('hangup').length, 1);
  must('user[] of newCall', list(of('newCall')[0]?.params?.['user']).sort(), names(call.named).sort());
  must(
    'the answers',
    answersOf(call, of('answer')),
    call.answers.map((who) => answerText(call, who)),
  );
  const last = call.answers.at(-1);
  const closedBy = of('hangup')[0]?.params?.['answeringNumber'];
  if (call.direction === 'in' && last !== undefined && last !== 'voicemail')
    must('answeringNumber of hangup', text(closedBy), last);
  return wrong;
}

const answerText = (call: ExpectedCall, who: string): string =>
  call.direction === 'out' ? 'outside' : who === 'voicemail' ? 'voicemail' : `${AGENTS[who] ?? '?'} at ${who}`;

/** One text for each answer; the same one again in a row counts once. */
function answersOf(call: ExpectedCall, answers: readonly JournalEntry[]): readonly string[] {
  return answers
    .map(({ params }) => {
      const user = params?.['user'];
      if (call.direction === 'out')
        return user === undefined ? 'outside' : `outside, with user ${JSON.stringify(user)}`;
      const number = text(params?.['answeringNumber']);
      if (Array.isArray(user)) return `a list: ${JSON.stringify(user)}`;
      return text(user) === 'voicemail' ? 'voicemail' : `${text(user)} at ${number}`;
    })
    .filter((answer, index, all) => answer !== all[index - 1]);
}
