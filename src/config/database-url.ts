import { isLoopback } from './loopback.js';

const FORM = 'write postgres://USER:PASSWORD@HOST/DATABASE';
const ESCAPES = 'in user and password, # / ? @ : % and blanks are written as %23 %2F %3F %40 %3A %25 %20';

export type DatabaseUrlResult =
  /** `href`: the address as it is to be used, without blanks around it. It holds the password. */
  | { readonly ok: true; readonly href: string; readonly plaintext: boolean }
  | { readonly ok: false; readonly text: string };

/**
 * Judges the address of a PostgreSQL database, by the rules of pg-connection-string 2, which reads it later. Of an address that
 * is wrong the result holds nothing.
 */
export function checkDatabaseUrl(text: string): DatabaseUrlResult {
  const bad = (what: string): DatabaseUrlResult => ({ ok: false, text: what });
  const href = text.trim();
  if (href === '') return bad(`is empty; ${FORM}`);
  if (!/^postgres(?:ql)?:\/\//i.test(href)) return bad(`must begin with postgres:// or postgresql://; ${FORM}`);
  const parts = /[\s\p{Cc}#]/u.test(href) ? undefined : partsOf(href);
  if (parts === undefined) return bad(`cannot be read; ${FORM}; ${ESCAPES}`);
  const { url, host, database } = parts;
  if (database === '') return bad(`names no database at its end; ${FORM}`);
  if (database.includes('/')) return bad(`has a "/" too many; ${FORM}; ${ESCAPES}`);
  if (host.includes(',')) {
    return bad('names several hosts; write one, such as an address that always leads to the primary server');
  }
  const local = host === '' || host.startsWith('/') || isLoopback(host);
  return { ok: true, href, plaintext: !local && !asksForTls(url) };
}

interface Parts {
  readonly url: URL;
  /** A path: the folder of a socket. Empty: pg's own default. */
  readonly host: string;
  readonly database: string;
}

function partsOf(href: string): Parts | undefined {
  try {
    // `postgres://user@/database?host=/run/postgresql` is good for pg, but not for the URL standard.
    const noHost = !URL.canParse(href);
    const url = new URL(noHost ? href.replace('@/', '@localhost/') : href);
    decodeURIComponent(url.username);
    decodeURIComponent(url.password);
    return {
      url,
      host: url.searchParams.get('host') ?? (noHost ? '' : decodeURIComponent(url.hostname)),
      database: decodeURIComponent(url.pathname).replace(/^\//, ''),
    };
  } catch {
    return undefined;
  }
}

function asksForTls({ searchParams }: URL): boolean {
  const mode = searchParams.get('sslmode');
  if (mode !== null) return mode !== 'disable';
  return /^(?:true|1)$/.test(searchParams.get('ssl') ?? '') || searchParams.get('sslnegotiation') === 'direct';
}
