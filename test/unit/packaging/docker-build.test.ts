/**
 * Plays the Dockerfile's first stage without a container engine: in an empty folder, with nothing but what was copied so
 * far. npm takes packages from its cache where it can. It bounds itself: 4 minutes a line.
 */
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isIgnored, parseCopy, parseDockerfile } from './dockerfile.js';

const LINE_TIME = 240_000;
jest.setTimeout(LINE_TIME + 10_000);

const root = join(import.meta.dirname, '../../..');
const build = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))[0]!;
const ignoreFile = readFileSync(join(root, '.dockerignore'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'zpb-image-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}
function runLine(line: string): Promise<Outcome> {
  // Jest's own options would reach the programs that npm starts.
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], npm_config_prefer_offline: 'true' };
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

const NO_NETWORK = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|ENOTCACHED/;
const outcomes: (Outcome & { readonly line: string })[] = [];
let noNetwork = '';
for (const { keyword, text } of build.instructions) {
  if (keyword === 'COPY') copy(text);
  if (keyword !== 'RUN') continue;
  const outcome = await runLine(text);
  outcomes.push({ ...outcome, line: text });
  if (outcome.ok) continue;
  if (NO_NETWORK.test(outcome.output)) noNetwork = ` (skipped: "${text}" needs the network, and there is none)`;
  break;
}

describe('the build stage of the Dockerfile', () => {
  (noNetwork === '' ? test : test.skip)(`every line works${noNetwork}`, () => {
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([]);
    expect(outcomes.map(({ line }) => line)).toEqual(['npm ci', 'npm run build', 'npm prune --omit=dev']);
  });
  (noNetwork === '' ? test : test.skip)(`what is left runs, without development packages${noNetwork}`, async () => {
    expect(existsSync(join(folder, 'node_modules/typescript'))).toBe(false);
    const help = await runLine('node dist/src/main.js --help');
    expect(help).toMatchObject({ ok: true, output: expect.stringContaining('health') });
    // Loads everything that a run loads, up to the configuration that is not there.
    const check = await runLine('node dist/src/main.js check --config /nonexistent.yaml');
    expect(check.ok).toBe(false);
    expect(check.output).not.toMatch(/ERR_MODULE_NOT_FOUND|Cannot find/);
  });
});
