/** `replay` as its users run it: the built program in a process of its own, so what `npm run build` bundles is what is tested. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(root, 'dist/src/main.js');
const direct = join(root, 'src/demo/calls/direct.ami');
/** ms; far more than a replay needs, far less than jest waits. */
const LIMIT = 4_000;

const OFFICE = {
  name: 'office',
  adapter: 'asterisk-ami',
  host: '127.0.0.1',
  username: 'bridge',
  secret: 'none',
  trunks: ['trunk'],
};
const MAIN = { name: 'main', url: 'http://127.0.0.1:1/api/v1/cti/token' };
const CONFIG = {
  zammad: [MAIN],
  numbers: { country: 'DE' },
  pbx: [OFFICE],
  agents: [{ extension: '100', name: 'Alice Agent' }],
};

let folder = '';
beforeAll(() => {
  if (!existsSync(program)) throw new Error(`${program} is not there: npm run build`);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zpb-replay-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Printed {
  readonly t: number;
  readonly zammad?: readonly string[];
  readonly post: Readonly<Record<string, unknown>>;
}
interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly posts: readonly Printed[];
}

/** Writes the configuration (JSON is YAML) and runs `replay` under it. */
async function replay(config: object, ...args: readonly string[]): Promise<Ended> {
  const file = join(folder, 'config.yaml');
  await writeFile(file, JSON.stringify(config, undefined, 2));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [program, 'replay', '--config', file, ...args],
      { env: { PATH: process.env['PATH'] }, timeout: LIMIT, killSignal: 'SIGKILL' },
      (error, out, err) => {
        const status = error === null ? 0 : error.code;
        if (typeof status !== 'number') {
          reject(new Error(`replay did not end by itself: ${String(error?.signal)}\n${err}`));
          return;
        }
        const lines = out.split('\n').filter((line) => line !== '');
        resolve({ status, out, err, posts: status === 0 ? lines.map((line) => JSON.parse(line) as Printed) : [] });
      },
    );
  });
}

const events = ({ posts }: Ended): readonly unknown[] => posts.map(({ post }) => post['event']);

/** A copy of the recording that may get a FILE.times beside it. */
async function recording(): Promise<string> {
  const file = join(folder, 'call.ami');
  await copyFile(direct, file);
  return file;
}

describe('the posts of a recording', () => {
  test('go to stdout, one JSON line each, and nothing else goes anywhere', async () => {
    const ended = await replay(CONFIG, direct);
    const call = { callId: 'office-1795410917.0', direction: 'in', from: '491711234567', to: '49305550100' };
    expect(ended).toMatchObject({ status: 0, err: '' });
    expect(ended.posts).toEqual([
      { t: 256, post: { event: 'newCall', ...call, user: ['Alice Agent'] } },
      { t: 811, post: { event: 'answer', ...call, user: 'Alice Agent', answeringNumber: '100' } },
      { t: 2316, post: { event: 'hangup', ...call, cause: 'normalClearing', answeringNumber: '100' } },
    ]);
  });

  test('are the same when no secret can be read', async () => {
    const office = { ...OFFICE, secret: undefined };
    const ended = await replay(
      {
        ...CONFIG,
        zammad: [{ name: 'main', url: '${ZPB_TEST_UNSET_URL}', apiToken: '${ZPB_TEST_UNSET_TOKEN}' }],
        pbx: [{ ...office, secretFile: './there-is-no-such-file' }],
      },
      direct,
    );
    expect(ended).toMatchObject({ status: 0, err: '' });
    expect(events(ended)).toEqual(['newCall', 'answer', 'hangup']);
  });

  test('FILE.times is the clock where there is one, not the stamps in the events', async () => {
    const file = await recording();
    const bytes = await readFile(file);
    const answered = bytes.indexOf('Event: DialEnd');
    expect(answered).toBeGreaterThan(0);
    await writeFile(`${file}.times`, `1000.000 ${String(answered)}\n61000.000 ${String(bytes.length - answered)}\n`);
    const ended = await replay(CONFIG, file);
    expect(events(ended)).toEqual(['newCall', 'answer', 'hangup']);
    // The window for a ring group is 150 ms of that clock; a minute lies between the two chunks.
    expect(ended.posts.map(({ t }) => t)).toEqual([1150, 61_000, 61_000]);
  });

  test('a line of FILE.times that is none is named', async () => {
    const file = await recording();
    await writeFile(`${file}.times`, '1000.000 12\nsoon 12\n');
    const ended = await replay(CONFIG, file);
    expect(ended.status).toBe(1);
    expect(ended.err).toContain('call.ami.times, line 2');
    expect(ended.err).toContain('[ZPB_RECORDING]');
  });

  test('with several Zammads, each line says which of them get it', async () => {
    const zammads = [
      { ...MAIN, name: 'calls-of-100', filter: { agents: ['100'] } },
      { ...MAIN, name: 'outbound-only', filter: { direction: 'out' } },
      { ...MAIN, name: 'all' },
    ];
    const inbound = await replay({ ...CONFIG, zammad: zammads }, direct);
    expect(inbound.posts.map(({ zammad }) => zammad)).toEqual(Array(3).fill(['calls-of-100', 'all']));
    const outbound = await replay({ ...CONFIG, zammad: zammads }, join(root, 'src/demo/calls/outbound.ami'));
    expect(outbound.posts.map(({ zammad }) => zammad)).toEqual(Array(3).fill(['calls-of-100', 'outbound-only', 'all']));
  });

  test('--notes says why on stderr', async () => {
    const ended = await replay({ ...CONFIG, zammad: [{ ...MAIN, filter: { direction: 'out' } }] }, '--notes', direct);
    expect(ended).toMatchObject({ status: 0, out: '' });
    expect(ended.err).toContain('not sent to main: direction');
  });
});

describe('what cannot be replayed ends with one line and a status', () => {
  test('a recording that is not there', async () => {
    const ended = await replay(CONFIG, join(folder, 'nothing.ami'));
    expect(ended).toMatchObject({ status: 1, out: '' });
    expect(ended.err).toMatch(
      /^zammad-pbx-bridge: the recording \S+nothing\.ami cannot be read: .*ENOENT.* \[ZPB_RECORDING\]\n$/,
    );
  });

  test('a PBX that is not configured', async () => {
    const ended = await replay(CONFIG, '--pbx', 'elsewhere', direct);
    expect(ended).toEqual({
      status: 64,
      out: '',
      err: 'zammad-pbx-bridge: there is no PBX "elsewhere"; configured are office [ZPB_USAGE]\n',
      posts: [],
    });
  });

  test('no choice among several PBXs', async () => {
    const ended = await replay({ ...CONFIG, pbx: [OFFICE, { ...OFFICE, name: 'hall', host: '127.0.0.2' }] }, direct);
    expect(ended).toMatchObject({ status: 64, out: '' });
    expect(ended.err).toContain('--pbx NAME; configured are office, hall');
  });

  test('a configuration with faults: each is named', async () => {
    const ended = await replay({ ...CONFIG, numbers: { country: 'Atlantis' }, pbx: [{ ...OFFICE, prot: 1 }] }, direct);
    expect(ended).toMatchObject({ status: 78, out: '' });
    expect(ended.err).toContain('2 problems:');
    expect(ended.err).toMatch(/^ {2}numbers\.country: /m);
    expect(ended.err).toMatch(/^ {2}pbx\[0\]\.prot: /m);
    expect(ended.err).toContain('[ZPB_CONFIG]');
  });
});

describe('an adapter from outside', () => {
  /** It brings its own zod and its own errors. */
  const adapter = (readRecording: string): string => `
import { z } from ${JSON.stringify(pathToFileURL(join(root, 'node_modules/zod/index.js')).href)};
class Unreadable extends Error {
  retriable = false;
  code = 'ZPB_TEST_UNREADABLE';
}
const readRecording = ${readRecording};
export const adapter = { type: 'outside', configSchema: z.strictObject({ did: z.string() }), create() { throw new Error('not here'); }, readRecording };
`;
  const config = (specifier: string): object => ({
    ...CONFIG,
    pbx: [{ name: 'office', adapter: specifier, did: '+4930555200' }],
  });

  test('loads by its path, with settings of its own', async () => {
    await writeFile(
      join(folder, 'outside.mjs'),
      adapter(`({ did }) => ({
        push: (bytes) => [
          { at: 5, batch: [{ type: 'appeared', leg: 'a', line: { kind: 'trunk', name: 't' }, origin: 'incoming', from: String(Buffer.from(bytes)).trim(), dialled: did }] },
          { at: 70, batch: [{ type: 'ended', leg: 'a', by: 'far' }] },
        ],
      })`),
    );
    const file = join(folder, 'call.txt');
    await writeFile(file, '+491711234567\n');
    const ended = await replay(config('./outside.mjs'), file);
    expect(ended).toMatchObject({ status: 0, err: '' });
    expect(ended.posts).toMatchObject([
      { t: 70, post: { event: 'newCall', callId: 'office-a', from: '491711234567', to: '4930555200' } },
      { t: 70, post: { event: 'hangup', cause: 'cancel' } },
    ]);
  });

  test('throws errors of its own class, which are told like those of the program', async () => {
    await writeFile(
      join(folder, 'outside.mjs'),
      adapter(`() => { throw new Unreadable('this is no recording of an Outside'); }`),
    );
    expect(await replay(config('./outside.mjs'), direct)).toMatchObject({
      status: 1,
      err: 'zammad-pbx-bridge: this is no recording of an Outside [ZPB_TEST_UNREADABLE]\n',
    });
  });

  test('is looked for among the installed packages', async () => {
    const found = await replay(config('zod'), direct);
    expect(found).toMatchObject({ status: 78 });
    expect(found.err).toContain('pbx[0].adapter: the module of "zod" exports no adapter');
    const missing = await replay(config('no-such-adapter'), direct);
    expect(missing).toMatchObject({ status: 78 });
    expect(missing.err).toContain('pbx[0].adapter: there is no adapter "no-such-adapter"');
  });
});

test('what a replay loads is one file, so that it starts fast', async () => {
  const code = await readFile(join(root, 'dist/src/cli/replay.js'), 'utf8');
  const imported = [...code.matchAll(/(?:^import\b[^;'"]*|\bimport\()["']([^"']+)["']/gm)].map(([, name = '']) => name);
  expect(imported).toContain('node:fs/promises');
  expect(imported.filter((name) => !isBuiltin(name))).toEqual([]);
});
