import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { asError } from '../errors.js';
import type { LoadContext } from './load-context.js';
import type { Config } from './model.js';
import type { Path } from './problems.js';
import type { Scalars } from './scalars.js';
import { fileTrouble } from './sources.js';
import { words } from './word-kinds.js';

const CERT: Path = ['http', 'certFile'];
const PUBLIC: Path = ['http', 'publicUrl'];
const KEY: Path = ['http', 'keyFile'];

/** `http`, of values already found sound. Files that are no certificate and its key are told here, not when the first browser comes. */
export function readHttp(
  { host, port, publicUrl, certFile, keyFile, trustProxy }: Scalars['http'],
  context: LoadContext,
): Config['http'] {
  const plain = { host, port, publicUrl: readPublicUrl(publicUrl, context), trustProxy: words(trustProxy) };
  if (certFile === '' && keyFile === '') return plain;
  if (keyFile === '') context.problem(KEY, 'is missing beside http.certFile: the file with its private key');
  if (certFile === '') context.problem(CERT, 'is missing beside http.keyFile: the file with the certificate');
  if (certFile === '' || keyFile === '') return plain;
  const tls = { certFile: resolve(context.directory, certFile), keyFile: resolve(context.directory, keyFile) };
  if (context.needSecrets) checkPair(tls, context);
  return { ...plain, tls };
}

/** What it serves stands at the root of its host, and nothing of an address may be secret: it is told to whoever asks the other bridge. */
function readPublicUrl(text: string, context: LoadContext): string | undefined {
  if (text === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (plain) return url.origin;
  context.problem(
    PUBLIC,
    'must be scheme and host, perhaps with a port, and nothing else, e.g. https://phone.example.com',
  );
  return undefined;
}

function checkPair(tls: { readonly certFile: string; readonly keyFile: string }, context: LoadContext): void {
  const cert = read(tls.certFile, CERT, 'CERTIFICATE', context);
  const key = read(tls.keyFile, KEY, 'PRIVATE KEY', context);
  if (cert === undefined || key === undefined) return;
  try {
    createSecureContext({ cert, key });
  } catch (thrown) {
    // OpenSSL's words name neither file nor key.
    context.problem(KEY, `is not the key of http.certFile, or needs a password (${asError(thrown).message})`);
  }
}

function read(file: string, path: Path, what: string, context: LoadContext): string | undefined {
  try {
    const text = context.sources.readFile(file);
    if (new RegExp(`-----BEGIN [A-Z ]*${what}-----`).test(text)) return text;
    context.problem(path, `the file holds no ${what.toLowerCase()} in PEM form ("-----BEGIN ${what}-----")`);
  } catch (error) {
    context.problem(path, `the file cannot be read: ${fileTrouble(error)}`);
  }
  return undefined;
}
