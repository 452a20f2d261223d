import { timingSafeEqual } from 'node:crypto';
import { asListItem, type CallRow } from './call-row.js';
import { param, type ParamMap } from './parameters.js';
import type { Zammad } from './push-endpoint.js';
import { json, notFound, raised, type Reply } from './reply.js';

export type AgentRequest =
  | { readonly kind: 'log' }
  | { readonly kind: 'done'; readonly id: string }
  | { readonly kind: 'done-bulk' };

export interface AgentTokens {
  /** Of a user with the permission cti.agent. */
  readonly apiToken: string | undefined;
  /** Of a user without it. */
  readonly weakApiToken: string | undefined;
}

const same = (left: string, right: string | undefined): boolean => {
  const [a, b] = [Buffer.from(left), Buffer.from(right ?? '')];
  return right !== undefined && a.length === b.length && timingSafeEqual(a, b);
};

/** Why the caller may not ask, or undefined. `Authorization: Token token=…` as Zammad documents it, or `Bearer …`. */
export function refusal(authorization: string | undefined, tokens: AgentTokens, asJson: boolean): Reply | undefined {
  const token = /^(?:Token token="?([^"\s]+)"?|Bearer (\S+))$/i.exec(authorization ?? '');
  if (token === null) return raised(403, 'Authentication required', asJson, 'Authentication required');
  const given = token[1] ?? token[2] ?? '';
  if (same(given, tokens.apiToken)) return undefined;
  if (same(given, tokens.weakApiToken)) return raised(403, 'Not authorized', asJson, 'Not authorized');
  return raised(401, "Can't find User for Token", asJson, "Can't find User for Token");
}

export interface AgentResult {
  readonly reply: Reply;
  readonly rows: readonly CallRow[];
}

/** What an agent's client may do with the caller log, once authorised. */
export function answerAgent(
  zammad: Zammad,
  request: AgentRequest,
  params: ParamMap,
  asJson: boolean,
  now: number,
): AgentResult {
  switch (request.kind) {
    case 'log': {
      const newest = zammad.log.rows().slice(-zammad.settings.viewLimit).reverse();
      return { reply: json(200, { list: newest.map(asListItem), assets: {}, backends: [] }), rows: [] };
    }
    case 'done': {
      const row = zammad.log.setDone(Number(request.id), param(params, 'done') !== false, now);
      return row === undefined ? { reply: notFound(asJson), rows: [] } : { reply: json(200, {}), rows: [row] };
    }
    case 'done-bulk': {
      const ids = param(params, 'ids');
      const rows = (Array.isArray(ids) ? (ids as readonly unknown[]) : [])
        .map((id) => zammad.log.setDone(Number(id), true, now))
        .filter((row) => row !== undefined);
      return { reply: json(200, {}), rows };
    }
  }
}
