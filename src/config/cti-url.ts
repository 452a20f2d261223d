import { isLoopback } from './loopback.js';

const WHERE = 'from Zammad: Admin → System → Integrations → CTI (generic)';

export type CtiUrlResult =
  /** `href`: the URL as it is to be used, without blanks around it. It holds the token. */
  | { readonly ok: true; readonly href: string; readonly origin: string; readonly plaintext: boolean }
  | { readonly ok: false; readonly text: string };

/**
 * Judges the address of Zammad's CTI endpoint. Zammad has one route, `POST /api/v1/cti/TOKEN`; its own documentation once
 * showed `/api/v1/integration/cti/TOKEN`, which answers 404. Of a URL that is wrong the result holds nothing.
 */
export function checkCtiUrl(text: string): CtiUrlResult {
  const bad = (what: string): CtiUrlResult => ({ ok: false, text: what });
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    return bad(`is not a URL; paste the whole address ${WHERE}`);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return bad(`must begin with https:// (or http://); paste the whole address ${WHERE}`);
  }
  if (url.username !== '' || url.password !== '') {
    return bad('must not hold a user name or password; the token at its end is all that Zammad asks for');
  }
  if (/\/integration(\/|$)/.test(url.pathname)) {
    return bad(
      `has /integration/ in it, which Zammad answers with 404; the address is /api/v1/cti/TOKEN, paste it ${WHERE}`,
    );
  }
  if (/^\/api\/v1\/cti\/?$/.test(url.pathname)) {
    return bad(`has no token at its end; paste the whole address ${WHERE}`);
  }
  if (!/^\/api\/v1\/cti\/[^/]+\/?$/.test(url.pathname)) {
    return bad(`is not the CTI address, whose path is /api/v1/cti/TOKEN; paste the whole address ${WHERE}`);
  }
  if (url.search !== '' || url.hash !== '') {
    return bad(`has something behind the token ("?" or "#"); paste the address as it is ${WHERE}`);
  }
  return {
    ok: true,
    href: url.href,
    origin: url.origin,
    plaintext: url.protocol === 'http:' && !isLoopback(url.hostname),
  };
}
