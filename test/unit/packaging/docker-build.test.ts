/**
 * Plays the Dockerfile's first stage without a container engine: in an empty folder, with nothing but what was copied so
 * far. npm takes packages from its cache where it can, and better-sqlite3's binary from this checkout, in the place of its release
 * page: the checkout has it from `npm ci`, which has compiled it if need be. Debian's packages are not installed here. It bounds
 * itself: 4 minutes a line.
 */
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isIgnored, parseCopy, parseDockerfile } from './dockerfile.js';

const LINE_TIME = 240_000;
jest.setTimeout(LINE_TIME + 10_000);

const root = join(import.meta.dirname, '../../..');
const build = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))[0]!;
const ignoreFile = readFileSync(join(root, '.dockerignore'), 'utf8');
const image = mkdtempSync(join(tmpdir(), 'zpb-image-'));
const [folder, binaries] = [join(image, 'app'), join(image, 'binaries')];
mkdirSync(folder);
mkdirSync(binaries);
afterAll(() => {
  rmSync(image, { recursive: true, force: true });
});

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}
function runLine(line: string): Promise<Outcome> {
  // Jest's own options would reach the programs that npm starts.
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    npm_config_prefer_offline: 'true',
    npm_config_better_sqlite3_local_prebuilds: binaries,
  };
  return new Promise((resolve) => {
    const options = { cwd: folder, env, timeout: LINE_TIME, killSignal: 'SIGKILL', maxBuffer: 16 << 20 } as const;
    execFile('sh', ['-c', line], options, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}`.slice(-4000) });
    });
  });
}
function copy(text: string): void {
  const { sources, target } = parseCopy(text);
  for (const source of sources) {
    const into =
      target.endsWith('/') && !source.endsWith('.mjs') && sources.length === 1
        ? target
        : join(target, basename(source));
    cpSync(join(root, source), join(folder, into), {
      recursive: true,
      filter: (path) => path === join(root, source) || !isIgnored(path.slice(root.length + 1), ignoreFile),
    });
  }
}

const SQLITE = join(root, 'node_modules/better-sqlite3');
const BINARY = 'build/Release/better_sqlite3.node';
/** As `prebuild-install` looks for it: name, version, ABI of Node, system. */
const binary = (version: string): string =>
  `better-sqlite3-v${version}-node-v${process.versions.modules}-${process.platform}-${process.arch}.tar.gz`;
if (existsSync(join(SQLITE, BINARY))) {
  const { version } = JSON.parse(readFileSync(join(SQLITE, 'package.json'), 'utf8')) as { version: string };
  execFileSync('tar', ['-czf', join(binaries, binary(version)), '-C', SQLITE, BINARY]);
}

const NO_NETWORK = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;
const outcomes: (Outcome & { readonly line: string })[] = [];
let noNetwork = '';
for (const { keyword, text } of build.instructions) {
  if (keyword === 'COPY') copy(text);
  if (keyword !== 'RUN' || text.startsWith('apt-get ')) continue;
  const outcome = await runLine(text);
  outcomes.push({ ...outcome, line: text });
  if (outcome.ok) continue;
  if (NO_NETWORK.test(outcome.output)) noNetwork = ` (skipped: "${text}" needs the network, and there is none)`;
  break;
}

describe('the build stage of the Dockerfile', () => {
  (noNetwork === '' ? test : test.skip)(`every line works${noNetwork}`, () => {
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([]);
    expect(outcomes.map(({ line }) => line)).toEqual([
      'npm ci',
      `node -e "new (require('better-sqlite3'))(':memory:')"`,
      'npm run build',
      'npm prune --omit=dev',
    ]);
  });
  (noNetwork === '' ? test : test.skip)(`what is left runs, without development packages${noNetwork}`, async () => {
    expect(existsSync(join(folder, 'node_modules/typescript'))).toBe(false);
    for (const line of [
      `node -e "new (require('better-sqlite3'))(':memory:')"`,
      `node -e "require('pg'); require('kysely')"`,
      'test -e dist/src/store/worker.js',
    ])
      expect([line, await runLine(line)]).toEqual([line, { ok: true, output: '' }]);
    const help = await runLine('node dist/src/main.js --help');
    expect(help).toMatchObject({ ok: true, output: expect.stringContaining('health') });
    // Loads everything that a run loads, up to the configuration that is not there.
    const check = await runLine('node dist/src/main.js check --config /nonexistent.yaml');
    expect(check.ok).toBe(false);
    expect(check.output).not.toMatch(/ERR_MODULE_NOT_FOUND|Cannot find/);
  });
});
