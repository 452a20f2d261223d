/** `demo` as somebody meets it first: the built program, its page, its end. */
import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor, within } from '../../support/wait-for.js';

const program = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));
const LIMIT = 30_000;

test('plays every call once, shows its page, and says what the caller log holds', async () => {
  const child = spawn(process.execPath, [program, 'demo', '--once', '--speed', '8'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let out = '';
  let err = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  try {
    const page = await waitFor('the address of the page', () => /http:\/\/127\.0\.0\.1:\d+\//.exec(out)?.[0]);
    const response = await fetch(page);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('stand-in');
    expect(await within(LIMIT, 'the demo to end', ended)).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
  expect(out).toContain('13 calls in the caller log, 3 of them missed.');
  expect(out.trim().endsWith('missed.')).toBe(true);
  expect(err).toBe('');
}, 40_000);
