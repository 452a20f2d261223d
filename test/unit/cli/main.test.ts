import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { transformFile } from '@swc/core';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

/** The real main.ts in a process of its own, with commands made for the test in the place of the program's. */
const FILES = ['main', 'errors', 'version', 'cli/program', 'cli/args', 'cli/help', 'cli/command'];
const COMMANDS = `
const command = (name, run) => ({ name, summary: name, load: async () => ({ command: { summary: name, usage: name, options: {}, run } }) });
const aborted = (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve));
const busy = () => setInterval(() => {}, 1000);
export const COMMANDS = [
  command('gentle', async ({ stdout, signal }) => { busy(); stdout.write('ready\\n'); await aborted(signal); stdout.write('bye\\n'); return 3; }),
  command('stubborn', async ({ stdout, signal }) => { busy(); stdout.write('ready\\n'); await aborted(signal); stdout.write('no\\n'); return new Promise(() => {}); }),
  command('flood', async ({ stdout }) => { for (;;) { stdout.write('x'.repeat(65536) + '\\n'); await new Promise(setImmediate); } }),
  command('big', async ({ stdout }) => { stdout.write('y'.repeat(3_000_000)); return 0; }),
  command('uncaught', async () => { setTimeout(() => { throw new RangeError('late'); }); return new Promise(() => {}); }),
  command('rejected', async () => { Promise.reject(new RangeError('unseen')); return new Promise(() => {}); }),
];`;

let folder = '';
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zpb-main-'));
  for (const file of FILES) {
    const { code } = await transformFile(`src/${file}.ts`, {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'es6' },
      swcrc: false,
    });
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, `${file}.js`), code);
  }
  await writeFile(join(folder, 'cli/commands.js'), COMMANDS);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function start(args: readonly string[], main = 'main.js') {
  const child = spawn(process.execPath, [join(folder, main), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  children.push(child);
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, ended, stderr: text(child.stderr) };
}

test('runs through a symbolic link, as npm installs it', async () => {
  await symlink(join(folder, 'main.js'), join(folder, 'zammad-pbx-bridge'));
  const { child, ended } = start(['--version'], 'zammad-pbx-bridge');
  const out = text(child.stdout);
  expect(await ended).toEqual([0, null]);
  expect(await out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s lets a command end in order', async (signal) => {
  const { child, ended } = start(['gentle']);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (out === '') child.kill(signal);
    out += chunk.toString();
  });
  expect(await ended).toEqual([3, null]);
  expect(out).toBe('ready\nbye\n');
});

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('a second %s ends it at once', async (signal, status) => {
  const { child, ended } = start(['stubborn']);
  child.stdout.on('data', () => child.kill(signal));
  expect(await ended).toEqual([status, null]);
});

test('ends quietly when nobody reads on', async () => {
  const { child, ended, stderr } = start(['flood']);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  expect(await ended).toEqual([0, null]);
  expect(await stderr).toBe('');
});

test('has written everything before it ends', async () => {
  const { child, ended } = start(['big']);
  const out = await text(child.stdout);
  expect(out).toHaveLength(3_000_000);
  expect(await ended).toEqual([0, null]);
});

test.each([
  ['uncaught', 'late'],
  ['rejected', 'unseen'],
])('an error that nobody caught (%s) is one line and status 1', async (command, message) => {
  const { ended, stderr } = start([command]);
  expect(await ended).toEqual([1, null]);
  expect(await stderr).toBe(`zammad-pbx-bridge: fault in the program: RangeError: ${message} (please report it)\n`);
});
