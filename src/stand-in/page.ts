import { readFile } from 'node:fs/promises';
import type { Reply } from './reply.js';

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** The page's few files, read once. */
export async function loadPage(): Promise<ReadonlyMap<string, Reply>> {
  const files = Object.entries(FILES).map(async ([path, [name, type]]) => {
    const body = await readFile(new URL(`./web/${name}`, import.meta.url), 'utf8');
    return [path, { status: 200, type, body, headers: HEADERS }] as const;
  });
  return new Map(await Promise.all(files));
}
