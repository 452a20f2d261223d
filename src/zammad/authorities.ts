import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { PermanentError, asError } from '../errors.js';

/**
 * The authorities to trust: Node's own and those of a PEM file. A server certificate signed by the company's own authority
 * needs this. Rejects with a PermanentError `ZPB_ZAMMAD_CA_FILE`.
 */
export async function readAuthorities(caFile: string): Promise<readonly string[]> {
  try {
    const pem = await readFile(caFile, 'utf8');
    // Node ignores what it cannot parse; a wrong file would only show as an untrusted server later.
    new X509Certificate(pem);
    return [...rootCertificates, pem];
  } catch (thrown) {
    throw new PermanentError(
      'ZPB_ZAMMAD_CA_FILE',
      `The authorities in ${caFile} (zammad[].caFile) cannot be read: ${asError(thrown).message}. ` +
        'Give the path of a PEM file that this user may read',
    );
  }
}
