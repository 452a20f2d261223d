import { BadParameters, parseForm } from './form-body.js';
import { parseMultipart } from './multipart-body.js';
import type { Param, ParamMap } from './parameters.js';

export interface RawRequest {
  /** What follows the `?` of the URL, undecoded; '' when there is none. */
  readonly query: string;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export type ReadParameters =
  | { readonly kind: 'read'; readonly params: ParamMap }
  /** 400 with an empty body: no valid UTF-8, bad %-encoding, `user=a&user[]=b`. */
  | { readonly kind: 'bad-request'; readonly reason: string }
  /** 500: a JSON body that is no JSON (also: compressed, since Content-Encoding is not looked at). */
  | { readonly kind: 'malformed' };

/**
 * The parameters of a request as Rails reads them: query string, with the body's laid over it. A body with another
 * content type than form, multipart or JSON is not looked at; one without any is taken for a form.
 */
export function readParameters({ query, contentType, body }: RawRequest): ReadParameters {
  try {
    const fromQuery = parseForm(query);
    const fromBody = readBody(contentType, body);
    if (fromBody === undefined) return { kind: 'malformed' };
    return { kind: 'read', params: { ...fromQuery, ...fromBody } };
  } catch (error) {
    if (error instanceof BadParameters) return { kind: 'bad-request', reason: error.message };
    throw error;
  }
}

/** undefined = malformed JSON. */
function readBody(contentType: string | undefined, body: Buffer): ParamMap | undefined {
  if (body.length === 0) return {};
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || type === 'application/x-www-form-urlencoded') return parseForm(body.toString('latin1'));
  if (type === 'multipart/form-data') return parseMultipart(contentType ?? '', body);
  if (type !== 'application/json') return {};
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Param;
    // Rails keeps a body that is no object under the name `_json`.
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? (value as ParamMap)
      : { _json: value };
  } catch {
    return undefined;
  }
}
