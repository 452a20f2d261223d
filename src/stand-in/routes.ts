import type { AgentRequest } from './agent-endpoint.js';

export type Route =
  | { readonly kind: 'push'; readonly token: string; readonly format: string | undefined }
  | { readonly kind: 'agent'; readonly request: AgentRequest; readonly format: string | undefined }
  | { readonly kind: 'none'; readonly format: string | undefined };

/** Which of Zammad's routes a request takes; a trailing slash and an extension (`.json`) are optional. */
export function routeOf(method: string, path: string): Route {
  const [, bare = '', format] = /^(.*?)(?:\.([^./]+))?\/?$/.exec(path.replace(/\/{2,}/g, '/')) ?? [];
  const steps = bare.split('/').slice(1).map(decode);
  const [api, version, cti, first = '', second = '', ...more] = steps;
  const none: Route = { kind: 'none', format };
  if (api !== 'api' || version !== 'v1' || cti !== 'cti' || first === '' || more.length > 0) return none;
  if (method === 'GET' && first === 'log' && second === '') return { kind: 'agent', request: { kind: 'log' }, format };
  if (method !== 'POST') return none;
  if (first === 'done' && second === 'bulk') return { kind: 'agent', request: { kind: 'done-bulk' }, format };
  if (first === 'done' && second !== '') return { kind: 'agent', request: { kind: 'done', id: second }, format };
  // A dot ends the token: what follows it is the format. `POST …/cti/log` is read as the token "log".
  return second === '' && !first.includes('.') ? { kind: 'push', token: first, format } : none;
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

/** A path that may be shown: the token is left out. */
export const shownPath = (path: string, route: Route): string => {
  if (route.kind === 'push') return `/api/v1/cti/[token]${route.format === undefined ? '' : `.${route.format}`}`;
  // A mistyped URL often holds the token too.
  return path.replace(/(\/cti\/)[^/.]{8,}/, '$1[token]').slice(0, 200);
};
