/** What ARI is asked, and what its answers say. */
import { RetriableError } from '../../src/errors.js';
import { place, refusalOf } from './errors.js';
import { isObject, text, type JsonObject } from './event.js';
import type { AriPlace, AriQuery, AriRest } from './rest-contract.js';

/** Whom the answer is about, for messages. */
export interface Asking {
  readonly rest: AriRest;
  readonly at: AriPlace;
  readonly username: string;
}
export interface AskOptions {
  /** ms */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/**
 * A list: `['channels']`.
 * @throws PermanentError ZPB_ARI_AUTH, ZPB_ARI_FORBIDDEN; RetriableError ZPB_ARI_NOT_THERE, ZPB_ARI_NOT_READY, ZPB_ARI_REPLY; and as `AriRest.request`
 */
export async function askList(
  { rest, at, username }: Asking,
  path: readonly string[],
  options: AskOptions = {},
): Promise<readonly JsonObject[]> {
  const { status, body } = await rest.request({ method: 'GET', path, ...options });
  if (status === 200 && Array.isArray(body) && body.every(isObject)) return body;
  throw (
    refusalOf(at, username, status) ??
    new RetriableError(
      'ZPB_ARI_REPLY',
      `${place(at)} gave no list of its ${path[0] ?? ''} (status ${status}). Nothing is concluded from it.`,
    )
  );
}

/**
 * The value of a channel variable or function, `CALLERID(pres)`: `''` where there is none, `gone` where there is no such channel.
 * @throws as `AriRest.request`
 */
export async function askVariable(
  rest: AriRest,
  channel: string,
  variable: string,
  options: AskOptions = {},
): Promise<{ readonly kind: 'value'; readonly value: string } | { readonly kind: 'gone' }> {
  const query: AriQuery = { variable };
  const { status, body } = await rest.request({
    method: 'GET',
    path: ['channels', channel, 'variable'],
    query,
    ...options,
  });
  if (status === 200) return { kind: 'value', value: isObject(body) ? (text(body, 'value') ?? '') : '' };
  // 404 is said of a variable that is not set, too; its words are all that tells them apart.
  const message = isObject(body) ? (text(body, 'message') ?? '') : '';
  return status === 404 && /channel/i.test(message) ? { kind: 'gone' } : { kind: 'value', value: '' };
}

/** Runs a task for each, a few at a time; the first that rejects ends it. */
export async function each<Item>(
  items: readonly Item[],
  atOnce: number,
  task: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
