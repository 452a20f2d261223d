import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether this machine can make certificates. */
export const hasOpenssl = (): Promise<boolean> =>
  run('openssl', ['version']).then(
    () => true,
    () => false,
  );

/**
 * Writes `server.pem` (key and certificate) and `ca.pem` (the certificate, its own authority) for 127.0.0.1 and
 * localhost into `directory`. Needs openssl.
 */
export async function writeSelfSigned(directory: string): Promise<void> {
  const key = join(directory, 'server.key');
  const certificate = join(directory, 'ca.pem');
  await run('openssl', [
    ...['req', '-x509', '-nodes', '-days', '2', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', key, '-out', certificate],
  ]);
  await writeFile(join(directory, 'server.pem'), Buffer.concat([await readFile(key), await readFile(certificate)]));
}
