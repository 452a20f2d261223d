import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Writable } from 'node:stream';
import { watchCertificate, type Certificate } from '../../../src/http/certificate.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { waitFor } from '../../support/wait-for.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zpb-cert-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('a new certificate is taken up; one that cannot be used, or is gone, leaves the old one', async () => {
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  writeFileSync(certFile, TEST_CERTIFICATE);
  writeFileSync(keyFile, TEST_KEY);
  const clock = new ManualClock();
  const used: Certificate[] = [];
  const lines: string[] = [];
  const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
    lines.push(chunk.toString());
    done();
  };
  const log = pino(new Writable({ write }));
  const end = watchCertificate({ certFile, keyFile }, { clock, log, use: (next) => used.push(next) });
  const look = async (): Promise<void> => {
    await waitFor('the next look to be planned', () => clock.pending === 1);
    clock.turn(60_000);
    await waitFor('the look to be over', () => clock.pending === 1);
  };
  await look();
  expect(used).toEqual([]);
  writeFileSync(certFile, `${TEST_CERTIFICATE}\n`);
  await look();
  expect(used).toEqual([{ cert: `${TEST_CERTIFICATE}\n`, key: TEST_KEY.toString() }]);
  writeFileSync(certFile, 'half a certif');
  await look();
  rmSync(certFile);
  await look();
  expect([used.length, lines.filter((line) => line.includes('the old one stays')).length]).toEqual([1, 1]);
  end();
  expect(clock.pending).toBe(0);
});
