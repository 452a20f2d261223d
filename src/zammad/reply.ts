/** What Zammad says to a post: the body of a 200, read with suspicion. */
import { z } from 'zod';
import type { Cause, Post } from '../call/vocabulary.js';
import { encodedTo } from './encode.js';
import { parseJson } from './parse-json.js';

/** Bodies beyond this are not read. A real reply has some 80 bytes. */
export const REPLY_LIMIT = 64 * 1024;

export type RejectReason = Extract<Cause, 'busy' | 'noAnswer' | 'congestion' | 'notFound'>;

export type Reply =
  /** Nothing to say: let the call go on. */
  | { readonly kind: 'none' }
  /** The caller is blocked: end the call. */
  | { readonly kind: 'reject'; readonly reason: RejectReason }
  /** Show this caller id (digits, perhaps a leading `+`) while calling `number`. */
  | { readonly kind: 'dial'; readonly callerId: string; readonly number: string }
  /** Not understood; counted, and the call goes on. `why` is for people and quotes nothing foreign. */
  | { readonly kind: 'odd'; readonly why: string };

const REASONS: readonly RejectReason[] = ['busy', 'noAnswer', 'congestion', 'notFound'];

const numberText = z.union([z.string(), z.number().int().nonnegative().transform(String)]);
const replySchema = z.object({
  action: z.string().nullish(),
  reason: z.unknown().optional(),
  // Zammad says caller_id; its public documentation also says callerId.
  caller_id: numberText.nullish(),
  callerId: numberText.nullish(),
  number: numberText.nullish(),
});

/** Never throws. `body` is the text of a 2xx answer, cut or whole. */
export function parseReply(body: string, post: Post): Reply {
  if (body.trim() === '') return { kind: 'none' };
  if (Buffer.byteLength(body, 'utf8') > REPLY_LIMIT) return odd('longer than 64 KiB');
  const json = parseJson(body);
  if (json === undefined) return odd('not JSON');
  const parsed = replySchema.safeParse(json);
  if (!parsed.success) return odd('JSON, but not in the shape of a reply');
  const { action, reason, number } = parsed.data;
  if (action === undefined || action === null || action === '') return { kind: 'none' };
  if (post.event !== 'newCall') return odd(`an action in the reply to ${post.event}`);
  switch (action) {
    case 'reject':
      return { kind: 'reject', reason: REASONS.find((known) => known === reason) ?? 'busy' };
    case 'dial':
      return dial(post, parsed.data.caller_id ?? parsed.data.callerId ?? undefined, number ?? undefined);
    default:
      return odd('an unknown action');
  }
}

const odd = (why: string): Reply => ({ kind: 'odd', why });

function dial(post: Post, callerId: string | undefined, number: string | undefined): Reply {
  if (post.direction !== 'out') return odd('dial in the reply to an inbound call');
  if (callerId === undefined) return odd('dial without caller_id');
  const shown = asNumber(callerId);
  if (shown === undefined) return odd('dial with a caller_id that is no number');
  const dialled = encodedTo(post);
  if (number !== undefined && number !== dialled && asNumber(number) !== (asNumber(dialled) ?? dialled)) {
    return odd('dial with a number other than the one dialled');
  }
  return { kind: 'dial', callerId: shown, number: dialled };
}

/** Admins type numbers with blanks, dashes and brackets; Zammad only strips the blanks. */
function asNumber(text: string): string | undefined {
  const bare = text.replace(/[\s().\-/]/gu, '');
  return /^\+?\d{2,20}$/u.test(bare) ? bare : undefined;
}
