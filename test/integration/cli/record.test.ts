/** `record` as its users run it, and what `replay` makes of its files. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FakeAmi } from '../../support/fake-ami.js';
import { waitFor, within } from '../../support/wait-for.js';
import { quietAsterisk } from '../../support/whole-bridge.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(root, 'dist/src/main.js');
const direct = join(root, 'src/demo/calls/direct.ami');
const LIMIT = 10_000;

let folder = '';
let asterisk: FakeAmi;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zpb-record-'));
  asterisk = await quietAsterisk();
});
afterEach(async () => {
  await asterisk.close();
  await rm(folder, { recursive: true, force: true });
});

const configFile = async (secret = 'lab'): Promise<string> => {
  const file = join(folder, 'config.yaml');
  const office = {
    name: 'office',
    adapter: 'asterisk-ami',
    port: asterisk.port,
    username: 'bridge',
    secret,
    trunks: ['trunk'],
  };
  const zammad = [{ name: 'main', url: 'http://127.0.0.1:1/api/v1/cti/token' }];
  await writeFile(file, JSON.stringify({ zammad, numbers: { country: 'DE' }, pbx: [office], agents: [] }), {
    mode: 0o600,
  });
  return file;
};

/** Records one call, ends the recording as a person would, and returns the exit status. */
async function record(file: string, ...options: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [program, 'record', '--config', await configFile(), ...options, file], {
    stdio: 'ignore',
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    await asterisk.loggedIn();
    const bytes = await readFile(direct);
    await asterisk.play(bytes);
    const mark = options.includes('--mask') ? 1000 : bytes.length;
    await waitFor('the bytes in the file', async () => (await readFile(file)).length >= mark || undefined);
    child.kill('SIGINT');
    return await within(LIMIT, 'record to end', ended);
  } finally {
    child.kill('SIGKILL');
  }
}

async function replay(file: string): Promise<readonly { readonly event: string; readonly from: string }[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    program,
    'replay',
    '--config',
    await configFile(),
    file,
  ]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { post: { event: string; from: string } }).post);
}

test('what was recorded replays as the call it was', async () => {
  const file = join(folder, 'call.ami');
  expect(await record(file)).toBe(0);
  const posts = await replay(file);
  expect(posts.map(({ event }) => event)).toEqual(['newCall', 'answer', 'hangup']);
  expect(posts[0]?.from).toBe('491711234567');
  expect(await readFile(file, 'latin1')).not.toContain('lab\r\n');
});

test('masked, the number is another one and the call the same', async () => {
  const file = join(folder, 'masked.ami');
  expect(await record(file, '--mask')).toBe(0);
  const posts = await replay(file);
  expect(posts.map(({ event }) => event)).toEqual(['newCall', 'answer', 'hangup']);
  expect(await readFile(file, 'latin1')).not.toContain('491711234567');
  expect(new Set(posts.map(({ from }) => from)).size).toBe(1);
});

test('a login that is refused leaves no file in the way of the next try', async () => {
  const config = await configFile('wrong');
  const run = promisify(execFile)(process.execPath, [program, 'record', '--config', config, join(folder, 'x.ami')]);
  await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('ZPB_AMI_AUTH') as unknown });
  expect(await readdir(folder)).toEqual(['config.yaml']);
});
