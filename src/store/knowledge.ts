import type { CallId } from '../call/vocabulary.js';
import { readableItems } from './open-posts.js';
import type { KnowledgeRows } from './protocol.js';
import type { PostRow } from './rows.js';
import type { CallKnowledge } from './store.js';

/** In the order of the question. */
export function knowledgeOf(callIds: readonly CallId[], { open, posts }: KnowledgeRows): readonly CallKnowledge[] {
  const opened = new Set(open);
  const of = new Map<CallId, PostRow[]>();
  for (const row of posts) of.set(row.call_id, [...(of.get(row.call_id) ?? []), row]);
  return callIds.map((callId) => ({
    callId,
    open: opened.has(callId),
    posts: readableItems(of.get(callId) ?? []),
  }));
}
