import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { COMMANDS } from '../../../src/cli/commands.js';
import { SCALARS } from '../../../src/config/scalars.js';
import { filesUnder, isIgnored, parseCopy, parseDockerfile } from './dockerfile.js';

const root = join(import.meta.dirname, '../../..');
const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'));
const ignoreFile = readFileSync(join(root, '.dockerignore'), 'utf8');
const runtime = stages.at(-1)!;
const all = stages.flatMap(({ instructions }) => instructions);
const last = (keyword: string): string | undefined =>
  runtime.instructions.filter((one) => one.keyword === keyword).at(-1)?.text;
const copies = all.filter(({ keyword }) => keyword === 'COPY').map(({ text }) => parseCopy(text));

describe('.dockerignore', () => {
  test.each([
    '.git/config',
    'node_modules/fastify/package.json',
    'dist/src/main.js',
    'test/x.test.ts',
    'config.yaml',
    '.env',
  ])('keeps %s out', (path) => {
    expect(isIgnored(path, ignoreFile)).toBe(true);
  });
  test.each(['src/main.ts', 'package-lock.json', 'adapters/index.ts'])('lets %s in', (path) => {
    expect(isIgnored(path, ignoreFile)).toBe(false);
  });
});

describe('Dockerfile', () => {
  test('every path that is copied is in the repository and reaches the engine', () => {
    const sources = copies.filter(({ from }) => from === undefined).flatMap(({ sources: paths }) => paths);
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources) {
      expect([source, existsSync(join(root, source))]).toEqual([source, true]);
      const files = filesUnder(root, source.replace(/\/$/, ''));
      expect(files.filter((file) => !isIgnored(file, ignoreFile))).not.toEqual([]);
    }
  });
  test('a stage that is copied from comes before', () => {
    const names = stages.slice(0, -1).map(({ name }) => name);
    for (const { from } of copies) if (from !== undefined) expect(names).toContain(from);
  });
  test('the program runs as a user that is not root, by no shell, and gets SIGTERM itself', () => {
    expect(last('USER')).toBe('node');
    const entry = JSON.parse(last('ENTRYPOINT')!) as string[];
    const command = JSON.parse(last('CMD')!) as string[];
    expect(entry).toEqual(['node', '/app/dist/src/main.js']);
    expect(COMMANDS.map(({ name }) => name)).toContain(command[0]);
    expect(last('STOPSIGNAL')).toBe('SIGTERM');
    expect(last('ENV')).toContain('NODE_ENV=production');
  });
  test('the health check is a command that there is, without a shell', () => {
    const [, json] = /CMD (\[.*\])$/.exec(last('HEALTHCHECK')!)!;
    const [, program, command] = JSON.parse(json!) as string[];
    expect(program).toBe('/app/dist/src/main.js');
    expect(COMMANDS.map(({ name }) => name)).toContain(command);
  });
  test('the default store is in the volume, and its folder belongs to the user', () => {
    const volume = last('VOLUME')!;
    expect(dirname(SCALARS.store.path.default)).toBe(volume);
    const made = runtime.instructions.filter(({ keyword }) => keyword === 'RUN').map(({ text }) => text);
    expect(made.some((text) => text.endsWith(`chown node:node ${volume}`))).toBe(true);
  });
  test('better-sqlite3 can be compiled in the build stage, and is brought over with what it was compiled with', () => {
    const [buildStage] = stages;
    const lines = buildStage!.instructions.filter(({ keyword }) => keyword === 'RUN').map(({ text }) => text);
    expect(lines[0]).toMatch(/apt-get install .* python3 make g\+\+ /);
    expect(lines.indexOf('npm ci')).toBeGreaterThan(0);
    const base = (stage: typeof runtime): string => stage.instructions[0]!.text.split(' ')[0]!;
    expect(base(runtime)).toBe(base(buildStage!));
    expect(copies.filter(({ from }) => from === 'build').flatMap(({ sources }) => sources)).toContain(
      '/app/node_modules',
    );
  });
  test('the Node that it names is one that package.json takes', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } };
    expect(engines.node).toBe('>=20.19');
    for (const { text } of all.filter(({ keyword }) => keyword === 'FROM')) {
      expect(Number(/^node:(\d+)-/.exec(text)?.[1])).toBeGreaterThanOrEqual(20);
    }
  });
});
