/** A post as the body of a request to Zammad's CTI push API (parameters: facts of Zammad's cti/log.rb). */
import type { Post } from '../call/vocabulary.js';
import { cleanText } from './text.js';

/** `form` as in Zammad's documented examples, or `json`. Zammad takes both. */
export type Encoding = 'form' | 'json';

export interface EncodedPost {
  readonly contentType: string;
  readonly body: string;
}

/** Columns `from` and `to` hold 100 characters, names and the call id 250; Zammad cuts silently what is longer. */
const NUMBER_LIMIT = 100;
const TEXT_LIMIT = 250;
const JOIN = ', ';

type Field = readonly [name: string, value: string | readonly string[]];

/**
 * Encodes a post. Values are strings, never empty, at most as long as Zammad's columns. A caller whose number is empty
 * goes out as `anonymous`, a missing dialled number as `unknown`: Zammad refuses a newCall without them.
 */
export function encodePost(post: Post, encoding: Encoding): EncodedPost {
  const fields = fieldsOf(post);
  if (encoding === 'json') {
    return { contentType: 'application/json', body: JSON.stringify(Object.fromEntries(fields)) };
  }
  const pairs = fields.flatMap(([name, value]) =>
    typeof value === 'string'
      ? [`${name}=${encodeURIComponent(value)}`]
      : value.map((item) => `${name}[]=${encodeURIComponent(item)}`),
  );
  return { contentType: 'application/x-www-form-urlencoded', body: pairs.join('&') };
}

/** What `to` looks like on the wire; Zammad repeats it as `number` in a dial reply. */
export const encodedTo = (post: Post): string => cleanText(post.to, NUMBER_LIMIT) ?? 'unknown';

function fieldsOf(post: Post): readonly Field[] {
  const fields: Field[] = [
    ['event', post.event],
    ['from', cleanText(post.from, NUMBER_LIMIT) ?? 'anonymous'],
    ['to', encodedTo(post)],
    ['direction', post.direction],
  ];
  const add = (name: string, value: string | undefined, limit: number): void => {
    const clean = value === undefined ? undefined : cleanText(value, limit);
    if (clean !== undefined) fields.push([name, clean]);
  };
  // Cut alike on every post of a call, or answer and hangup would look for an id that newCall never stored.
  add('callId', post.callId, TEXT_LIMIT);
  switch (post.event) {
    case 'newCall': {
      const users = joinable(post.user);
      if (users.length > 0) fields.push(['user', users]);
      add('queue', post.queue, TEXT_LIMIT);
      break;
    }
    case 'answer':
      add('user', post.user, TEXT_LIMIT);
      add('answeringNumber', post.answeringNumber, NUMBER_LIMIT);
      break;
    case 'hangup':
      add('cause', post.cause, TEXT_LIMIT);
      add('answeringNumber', post.answeringNumber, NUMBER_LIMIT);
      break;
  }
  return fields;
}

/** The names that fit into one column once Zammad has joined them with `, `; the last one may be cut. */
function joinable(names: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let left = TEXT_LIMIT;
  for (const name of names) {
    const room = kept.length === 0 ? left : left - JOIN.length;
    if (room <= 0) break;
    const clean = cleanText(name, room);
    if (clean === undefined) continue;
    kept.push(clean);
    left = room - Array.from(clean).length;
  }
  return kept;
}
