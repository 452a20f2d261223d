import { readFile } from 'node:fs/promises';
import { asError, PermanentError } from '../../src/errors.js';
import type { AsteriskAmiConfig } from './config.js';
import type { AmiTls } from './connection.js';

/**
 * The TLS options as the session wants them; undefined: plain TCP. Read at each connect, so that a renewed authority counts.
 * @throws PermanentError ZPB_AMI_TLS
 */
export async function readTls({ tls }: AsteriskAmiConfig): Promise<AmiTls | undefined> {
  if (tls === undefined) return undefined;
  try {
    return { ca: tls.ca === undefined ? undefined : await readFile(tls.ca, 'utf8'), servername: tls.servername };
  } catch (thrown) {
    throw new PermanentError(
      'ZPB_AMI_TLS',
      `tls.ca: ${asError(thrown).message}; name a PEM file that the bridge may read`,
    );
  }
}
