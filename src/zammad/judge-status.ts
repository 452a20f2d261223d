/**
 * What a status means for a post. Zammad's texts were reworded between versions and are not trusted, with two exceptions:
 * "already exists" has stood in all of them, and "Feature …" tells a switched-off integration from a post that Zammad
 * refuses. Where the second fails, the dispatcher asks `probe` before it gives a post up.
 */
import type { Post } from '../call/vocabulary.js';
import type { Outcome, ProbeResult } from './outcome.js';
import { parseReply } from './reply.js';

/** An answer of the server. */
export interface Answer {
  readonly status: number;
  /** Empty when it broke off. */
  readonly body: string;
  /** The body is not all there: cut off or too long. */
  readonly cut?: 'broken' | 'tooLong' | undefined;
  /** Origin of the Location header. The whole of it would hold the token. */
  readonly redirectOrigin?: string | undefined;
  /** Zammad's X-Request-Id, under which its production.log has the request. */
  readonly requestId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

const CLICK = 'In Zammad: Admin → System → Integrations → CTI (generic)';
/** Answers of a server or proxy that did not pass the request on. */
const NOT_PASSED_ON: readonly number[] = [408, 425, 429, 502, 503];
const ALREADY_EXISTS = /already exists/iu;
const FEATURE = /\bfeature\b/iu;

/** `origin` is the part of the URL that may be shown. */
export function judgeStatus(post: Post, answer: Answer, origin: string): Outcome {
  const { status, body } = answer;
  if (status >= 200 && status < 300) {
    // Zammad says all it has to say to a post in JSON: a web page comes from a login or a filter before it.
    return isWebPage(body)
      ? { kind: 'held', message: notZammad(origin) }
      : { kind: 'delivered', reply: replyOf(post, answer) };
  }
  if (post.event === 'newCall' && (status === 500 || status === 422) && ALREADY_EXISTS.test(body)) {
    return { kind: 'exists' };
  }
  const toMend = mend(answer, origin);
  if (toMend !== undefined) return { kind: 'held', message: toMend };
  if (NOT_PASSED_ON.includes(status)) {
    return { kind: 'notProcessed', message: notPassedOn(answer, origin), retryAfter: retryAfter(answer) };
  }
  const which = `${origin} answered ${post.event} with status ${status}${trace(answer)}`;
  if (status === 500) {
    return post.event === 'newCall'
      ? { kind: 'unknownOutcome', cause: 'error', message: `${which}; Zammad's production.log says why` }
      : { kind: 'unknownCall', message: `${which}: as a rule it does not know the call` };
  }
  if (status >= 500) return { kind: 'unknownOutcome', cause: 'silent', message: which };
  return { kind: 'refused', message: `${which}: it will not take this post; Zammad's production.log says why` };
}

/** What an answer to `GET /api/v1/cti`, which no Zammad has, says: whether it is there. */
export function judgeReach(answer: Answer, origin: string): ProbeResult {
  // Any answer will do, a 404 above all; but not one that a proxy gives in Zammad's place.
  if (NOT_PASSED_ON.includes(answer.status)) return { kind: 'down', message: notPassedOn(answer, origin) };
  if (answer.status >= 500) return { kind: 'down', message: `${origin} answered with status ${answer.status}` };
  return { kind: 'ok' };
}

/** What a post without direction says about the CTI URL: Zammad refuses it only after it has checked feature and token. */
export function judgeProbe(answer: Answer, origin: string): ProbeResult {
  const toMend = mend(answer, origin);
  if (toMend !== undefined) return { kind: 'held', message: toMend };
  if (NOT_PASSED_ON.includes(answer.status)) return { kind: 'down', message: notPassedOn(answer, origin) };
  if (answer.status > 500) return { kind: 'down', message: `${origin} answered with status ${answer.status}` };
  if (answer.status >= 200 && answer.status < 300 && !looksLikeJson(answer.body)) {
    return { kind: 'held', message: notZammad(origin) };
  }
  return { kind: 'ok' };
}

const notZammad = (origin: string): string =>
  `${origin} answers, but not like Zammad's CTI endpoint: is there a login page or a filter before it? ${copyUrl}`;
const isWebPage = (body: string): boolean => /^\s*</u.test(body);

const copyUrl = `${CLICK}: copy the endpoint URL shown there into zammad[].url`;

/** Why a person must mend something, and where; undefined if that is not it. */
function mend(answer: Answer, origin: string): string | undefined {
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const to = answer.redirectOrigin ?? 'another address';
    return `${origin} redirects to ${to} (status ${status}), where a post would be lost: put the address it redirects to into zammad[].url`;
  }
  switch (status) {
    case 401:
      return `${origin} does not accept the token in the URL (401). ${copyUrl}`;
    case 403:
    case 407:
      return `Something before Zammad at ${origin} forbids the request (${status}): let this machine through there`;
    case 404:
    case 405:
      return `${origin} has no CTI endpoint at the path of the URL (${status}). ${copyUrl}`;
    case 422:
      return FEATURE.test(answer.body)
        ? `The CTI integration of ${origin} is switched off or not configured (422). ${CLICK}: switch it on and save it once`
        : undefined;
    default:
      return undefined;
  }
}

function replyOf(post: Post, answer: Answer): ReturnType<typeof parseReply> {
  switch (answer.cut) {
    case 'broken':
      return { kind: 'odd', why: 'broken off' };
    case 'tooLong':
      return { kind: 'odd', why: 'longer than 64 KiB' };
    case undefined:
      return parseReply(answer.body, post);
  }
}

const notPassedOn = (answer: Answer, origin: string): string =>
  `${origin} did not pass the request on to Zammad (status ${answer.status}): is Zammad running behind it?`;

const trace = ({ requestId }: Answer): string => (requestId === undefined ? '' : ` (request id ${requestId})`);

const retryAfter = ({ retryAfterSeconds }: Answer): number | undefined =>
  retryAfterSeconds === undefined ? undefined : Math.min(retryAfterSeconds, 300) * 1000;

const looksLikeJson = (body: string): boolean => /^\s*[{[]/u.test(body) || body.trim() === '';
