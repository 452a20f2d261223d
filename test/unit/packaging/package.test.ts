/** What `npm pack` puts into the package, and what the package asks npm for. */
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly packages: Readonly<Record<string, LockEntry>>;
}
interface LockEntry {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
}
const read = (path: string): Manifest => JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest;
const manifest = read('package.json');
const lock = read('package-lock.json').packages;

describe('package.json', () => {
  test('SQLite is optional, as it may have to be compiled; PostgreSQL is not', () => {
    expect(Object.keys(manifest.optionalDependencies)).toEqual(['better-sqlite3']);
    expect(Object.keys(manifest.dependencies)).toEqual(expect.arrayContaining(['kysely', 'pg']));
  });

  test('what npm may run on installing is what the program needs for running, and nothing else', () => {
    const withScripts = Object.entries(lock)
      .filter(([path, entry]) => path !== '' && entry.hasInstallScript === true && entry.dev !== true)
      .map(([path]) => path.replace(/^.*node_modules\//, ''));
    expect(withScripts).toEqual(['better-sqlite3']);
    expect(manifest.allowScripts).toEqual({ 'better-sqlite3': true });
  });
});

const why = existsSync(join(root, 'dist/src/main.js')) ? '' : ' (skipped: it is not built here, npm run build)';
describe('npm pack', () => {
  (why === '' ? test : test.skip)(`every source of the program is in the package, compiled${why}`, () => {
    const json = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 16 << 20,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const packed = new Set([...json.matchAll(/"path": "([^"]+)"/g)].map(([, path]) => path!));
    const sources = ['src', 'adapters']
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
      )
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
    const compiled = sources.map((name) => `dist/${name.replace(/\.ts$/, '.js')}`);
    expect(compiled.filter((path) => !packed.has(path))).toEqual([]);
    // No file imports it: a thread is started from it.
    expect([...packed]).toContain('dist/src/store/worker.js');
    expect([...packed].filter((path) => /^(?:src|test|node_modules)\//.test(path))).toEqual([]);
  });
});
