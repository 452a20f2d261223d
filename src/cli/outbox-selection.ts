/** Which posts `outbox resend` and `outbox drop` are about. */
import { asCallId } from '../call/vocabulary.js';
import type { OutboxItem } from '../store/outbox.js';
import type { Desk } from '../store/store.js';
import { UsageError } from './args.js';
import { idOf, seqIn } from './outbox-words.js';

export interface Selectors {
  readonly ids: readonly string[];
  readonly allDead: boolean;
  readonly allUnknown: boolean;
  readonly call: string | undefined;
}

export interface Selection {
  /** Dead and unknown ones, oldest first. */
  readonly items: readonly OutboxItem[];
  /** What was asked for and is not there. */
  readonly missing: readonly string[];
}

/** Posts that one call of a command handles at most. */
export const MOST = 10_000;

const isTroubled = ({ state }: OutboxItem): boolean => state === 'dead' || state === 'unknown';
const inOrder = (items: readonly OutboxItem[]): readonly OutboxItem[] =>
  [...new Map(items.map((item) => [item.seq, item])).values()].sort((a, b) => a.seq - b.seq);

/** Throws a UsageError for what is no id, and when nothing or several kinds of things are named. */
export function checkSelectors({ ids, allDead, allUnknown, call }: Selectors): ReadonlySet<number> {
  const kinds = [ids.length > 0, allDead || allUnknown, call !== undefined].filter(Boolean).length;
  if (kinds === 0) throw new UsageError('outbox: say which posts: IDs, --all-dead, --all-unknown or --call CALLID');
  if (kinds > 1) throw new UsageError('outbox: give either IDs, or --all-dead and --all-unknown, or --call CALLID');
  return new Set(
    ids.map((id) => {
      const seq = seqIn(id);
      if (seq === undefined)
        throw new UsageError(`outbox: ${JSON.stringify(id)} is no id of a post; "outbox list" shows them`);
      return seq;
    }),
  );
}

export async function select(desk: Desk, selectors: Selectors): Promise<Selection> {
  const seqs = checkSelectors(selectors);
  const { allDead, allUnknown, call } = selectors;
  if (call !== undefined) {
    const items = (await desk.knowledge([asCallId(call)])).flatMap(({ posts }) => posts).filter(isTroubled);
    return { items: inOrder(items), missing: items.length === 0 ? [`no dead or unknown post of call ${call}`] : [] };
  }
  if (seqs.size === 0) {
    const states = [...(allDead ? (['dead'] as const) : []), ...(allUnknown ? (['unknown'] as const) : [])];
    return { items: inOrder(await desk.list(states, MOST)), missing: [] };
  }
  const items = (await desk.list(['dead', 'unknown'], MOST)).filter(({ seq }) => seqs.has(seq));
  const found = new Set(items.map(({ seq }) => seq));
  const missing = [...seqs].filter((seq) => !found.has(seq)).map((seq) => `no dead or unknown post ${idOf(seq)}`);
  return { items: inOrder(items), missing };
}

/** A newCall alone would only ring: the later dead posts of its call for the same Zammad go with it. */
export async function withTheirCalls(desk: Desk, items: readonly OutboxItem[]): Promise<readonly OutboxItem[]> {
  const newCalls = items.filter(({ post }) => post.event === 'newCall');
  if (newCalls.length === 0) return items;
  const known = (await desk.knowledge(newCalls.map(({ callId }) => callId))).flatMap(({ posts }) => posts);
  const later = known.filter(
    (item) =>
      item.state === 'dead' &&
      newCalls.some(({ callId, zammad, seq }) => item.callId === callId && item.zammad === zammad && item.seq > seq),
  );
  return inOrder([...items, ...later]);
}
