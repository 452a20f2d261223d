/** The cookie of a signed-in browser. Scripts cannot read it, and no other site's page makes the browser send it. */

/** With TLS the name itself binds it to this host: no neighbour in the domain can set one. */
const nameFor = (secure: boolean): string => (secure ? '__Host-zpb' : 'zpb-local');

export function readCookie(header: string | undefined, secure: boolean): string | undefined {
  const name = `${nameFor(secure)}=`;
  const found = (header ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(name));
  return found?.slice(name.length);
}

/** @param lasts ms; 0 removes it. `value`: letters, digits, `_` and `-` only. */
export const cookieHeader = (value: string, lasts: number, secure: boolean): string =>
  `${nameFor(secure)}=${value}; Path=/; Max-Age=${Math.floor(lasts / 1000)}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
