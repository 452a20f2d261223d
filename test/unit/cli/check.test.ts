import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from '../../../src/cli/check.js';
// Jest cannot link a core module for two dynamic imports at once; `check` begins several that need node:util.
import '../../../src/secret.js';

const SOUND = `
zammad: [{ name: main, url: "https://zammad.example.com/api/v1/cti/c4n4ry" }]
numbers: { country: DE }
pbx: [{ name: office, adapter: asterisk-ami, host: 127.0.0.1, username: bridge, secret: "\${PW}", trunks: [trunk] }]
`;
let file = '';
beforeAll(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'zpb-check-')), 'config.yaml');
});
afterAll(() => rm(join(file, '..'), { recursive: true, force: true }));

async function check(yaml: string, options: Record<string, boolean> = {}, mode = 0o600) {
  await rm(file, { force: true });
  await writeFile(file, yaml, { mode });
  const out: string[] = [];
  const err: string[] = [];
  const status = await command.run({
    args: [],
    options: { config: file, ...options },
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: { PW: 'c4n4ry' },
    signal: new AbortController().signal,
  });
  expect([...out, ...err].join('')).not.toContain('c4n4ry');
  return { status, out: out.join(''), err: err.join('') };
}

test('prints the effective configuration without secrets, and warnings apart', async () => {
  const { status, out, err } = await check(SOUND, {}, 0o644);
  expect(status).toBe(0);
  expect(out).toContain('origin: https://zammad.example.com\n');
  expect(out).toContain('secret: "[secret]"\n');
  expect(out).toContain('maxSilence: 14400000\n');
  expect(err).toMatch(/^warning: zammad\[0\]\.url: stands in .*, which everybody on this machine may read/);
});

test('--quiet prints nothing when all is well', async () => {
  expect(await check(SOUND, { quiet: true })).toEqual({ status: 0, out: '', err: '' });
});

test('--json prints the result, whatever it is', async () => {
  const well = await check(SOUND, { json: true });
  expect(well.status).toBe(0);
  expect(JSON.parse(well.out)).toMatchObject({
    file,
    ok: true,
    problems: [],
    warnings: [],
    config: { pbx: [{ name: 'office' }] },
  });
  const ill = await check(SOUND.replace('trunks', 'trunk'), { json: true });
  expect([ill.status, ill.err]).toEqual([78, '']);
  expect(JSON.parse(ill.out)).toEqual({
    file,
    ok: false,
    problems: ['pbx[0].trunk: is not a setting; did you mean "trunks"? (line 4)'],
    warnings: [],
  });
});

test('says every problem on a line of its own, with status 78', async () => {
  const { status, out, err } = await check(SOUND.replace('country: DE', 'country: XX').replace('host', 'hots'));
  expect([status, out]).toEqual([78, '']);
  expect(err.split('\n')).toEqual([
    `${file}: numbers.country: is not a country code; write two capitals as in ISO 3166, e.g. DE, AT, CH, FR, US (line 3)`,
    `${file}: pbx[0].hots: is not a setting; did you mean "host"? (line 4)`,
    '',
  ]);
});
