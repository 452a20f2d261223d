/** A database URL that names files of certificates. */
import { expect, test } from '@jest/globals';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgres } from '../../../src/store/postgres-database.js';

const at = (query: string): string => `postgres://bridge:canary@127.0.0.1:1/zpb?sslmode=verify-full&${query}`;
const missing = join(tmpdir(), 'zpb-no-such', 'ca.pem');

test.each(['sslrootcert', 'sslcert', 'sslkey'])('%s: one that is not there is named, and nothing else', async (key) => {
  await expect(openPostgres(at(`${key}=${encodeURIComponent(missing)}`), 'full')).rejects.toMatchObject({
    code: 'ZPB_STORE_GONE',
    retriable: true,
    message: `PostgreSQL cannot be used: ${missing} (${key} in store.url) is not there`,
  });
});

test('one that cannot be read is named, with the reason', async () => {
  await expect(openPostgres(at(`sslrootcert=${encodeURIComponent(tmpdir())}`), 'full')).rejects.toMatchObject({
    message: expect.stringMatching(`${tmpdir()} .*cannot be read \\(EISDIR\\)`) as unknown,
  });
});

test('no file, and the driver alone is asked', async () => {
  const open = await openPostgres(at(''), 'full');
  await expect(open.close()).resolves.toBeUndefined();
});
