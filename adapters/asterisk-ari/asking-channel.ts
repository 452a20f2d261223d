/**
 * ARI reads the functions of the dialplan on a channel only, also those that are about no channel (`DB_KEYS`, `PJSIP_DIAL_CONTACTS`).
 * So one is made to ask on: half of a Local channel that is never dialled, which rings nobody, runs no dialplan and is gone a moment
 * later.
 */
import { randomBytes } from 'node:crypto';
import { isObject, object, text, type AriEvent, type JsonObject } from './event.js';
import { reasonOf } from './orders.js';
import type { AriRequest, AriRest } from './rest-contract.js';
import { waitingIn } from './stasis-start.js';

const PREFIX = 'zpb-ask-';
/** Those of this process. */
const OWN_PREFIX = `${PREFIX}${randomBytes(8).toString('hex')}-`;
let lastId = 0;
/** It needs no such place: nothing goes there. */
const ENDPOINT = 'Local/ask@zammad-pbx-bridge/n';
/** After so long Asterisk ends it by itself, s. */
const LONGEST_S = 30;
const ORDER_MS = 2_000;
/** Those whose making got no answer: Asterisk may make them yet, and then nobody would end them. */
const unanswered = new Set<string>();
const MOST_UNANSWERED = 100;

/** It is one to ask on, of whichever bridge: no leg of anybody. */
export const isAskingChannel = (id: string): boolean => id.startsWith(PREFIX);
export const isAboutAskingChannel = ({ fields }: AriEvent): boolean =>
  isAskingChannel(text(object(fields, 'channel'), 'id') ?? '');

/** Ends one that came to be after it was given up. Never rejects. */
export async function endLate(rest: AriRest, { type, fields }: AriEvent): Promise<void> {
  const id = text(object(fields, 'channel'), 'id') ?? '';
  if (type === 'StasisStart' && unanswered.delete(id)) await endChannel(rest, id);
}

/** What `GET /channels` lists, without them. */
export const withoutAsking = (channels: readonly JsonObject[]): readonly JsonObject[] =>
  channels.filter((channel) => !isAskingChannel(text(channel, 'id') ?? ''));

/** Ends those that a bridge of before has left in its application when it crashed, and late ones of this. Never rejects. */
export async function endStranded(rest: AriRest, app: string, channels: readonly JsonObject[]): Promise<void> {
  const stranded = waitingIn(channels, app)
    .map(({ id }) => id)
    .filter((id) => isAskingChannel(id) && (!id.startsWith(OWN_PREFIX) || unanswered.delete(id)));
  await Promise.all(stranded.map((id) => endChannel(rest, id)));
}

/** With a time of its own: also when nothing more may be asked. What then stays Asterisk ends. Never rejects. */
async function endChannel(rest: AriRest, id: string): Promise<void> {
  await rest.request({ method: 'DELETE', path: ['channels', id], timeout: ORDER_MS }).then(undefined, () => undefined);
}

/** The value of a function; undefined: Asterisk cannot read it (no such function: its module is not loaded). */
export type ReadFunction = (expression: string) => Promise<string | undefined>;

export type Asked<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** There is no channel to ask on. `reason`: Asterisk's words. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string };

export interface AskingOptions {
  readonly rest: AriRest;
  readonly app: string;
  /** For each question, ms. */
  readonly timeout: number;
  /** Aborted: nothing more is asked. */
  readonly signal?: AbortSignal | undefined;
}

/** Makes a channel, asks on it, and ends it. @throws as `AriRest.request`, and whatever `ask` throws. */
export async function askOnChannel<Answer>(
  { rest, app, timeout, signal }: AskingOptions,
  ask: (read: ReadFunction) => Promise<Answer>,
): Promise<Asked<Answer>> {
  lastId += 1;
  const id = `${OWN_PREFIX}${lastId}`;
  const path = ['channels', id];
  const request = (one: AriRequest): ReturnType<AriRest['request']> => rest.request({ timeout, signal, ...one });
  let isAnswered = false;
  try {
    const { status, body } = await request({
      method: 'POST',
      path: ['channels', 'create'],
      query: { endpoint: ENDPOINT, app, channelId: id, otherChannelId: `${id}-b`, formats: 'slin' },
    });
    isAnswered = true;
    if (status !== 200) return { kind: 'refused', status, reason: reasonOf(body) ?? `status ${status}` };
    await request({
      method: 'POST',
      path: [...path, 'variable'],
      query: { variable: 'TIMEOUT(absolute)', value: LONGEST_S },
    });
    const answer = await ask(async (variable) => {
      const reply = await request({ method: 'GET', path: [...path, 'variable'], query: { variable } });
      return reply.status === 200 && isObject(reply.body) ? (text(reply.body, 'value') ?? '') : undefined;
    });
    void endChannel(rest, id);
    return { kind: 'answered', answer };
  } catch (thrown) {
    if (!isAnswered && unanswered.size < MOST_UNANSWERED) unanswered.add(id);
    void endChannel(rest, id);
    throw thrown;
  }
}
