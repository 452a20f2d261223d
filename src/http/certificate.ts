/** The certificate of the HTTP server, read again when its files have changed: those of Let's Encrypt last 90 days. */
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { asError, PermanentError } from '../errors.js';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const LOOK_EVERY_MS = 60_000;

/** Rejects with PermanentError `ZPB_HTTP_CERTIFICATE` when it cannot be read, or the key is not the certificate's. */
export async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<Certificate> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (thrown) {
    throw new PermanentError(
      'ZPB_HTTP_CERTIFICATE',
      `The certificate of the HTTP server cannot be used: ${asError(thrown).message}. Correct http.certFile (${certFile}) and ` +
        `http.keyFile (${keyFile}), and let the user of the bridge read them`,
    );
  }
}

/** Calls `use` with each new one. What is wrong with it is said, and the old one stays. The returned function ends it. */
export function watchCertificate(
  files: CertificateFiles,
  { clock, log, use }: { readonly clock: Clock; readonly log: Logger; readonly use: (next: Certificate) => void },
): () => void {
  let cancel: () => void = () => undefined;
  let ended = false;
  let seen: string | undefined;
  const look = async (): Promise<void> => {
    const now = (await stampOf(files)) ?? seen;
    if (seen !== undefined && now !== seen) {
      try {
        use(await readCertificate(files));
        log.info('HTTP server: the certificate has changed; the new one is used');
      } catch (thrown) {
        log.error({ error: asError(thrown) }, 'HTTP server: the new certificate cannot be used; the old one stays');
      }
    }
    seen = now;
    if (!ended) plan();
  };
  const plan = (): void => {
    cancel = clock.after(LOOK_EVERY_MS, () => void look());
  };
  void look();
  return () => {
    ended = true;
    cancel();
  };
}

/** Says that a file has changed; a file that is missing for a moment is no change yet. */
async function stampOf({ certFile, keyFile }: CertificateFiles): Promise<string | undefined> {
  try {
    const stats = await Promise.all([stat(certFile), stat(keyFile)]);
    return stats.map(({ mtimeMs, ino, size }) => `${mtimeMs} ${ino} ${size}`).join(' ');
  } catch {
    return undefined;
  }
}
