// `npm run faults`: bundles test/faults and runs it. What it is and how its last line is read: docs/development.md.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Inside the project, so that packages are found.
const folder = mkdtempSync(join(root, 'dist', 'faults-'));
const outfile = join(folder, 'main.mjs');

/** Each file finds what lies beside it, as if it were not bundled. */
const ownUrls = {
  name: 'own-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }));
  },
};

try {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/faults/main.ts'],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'inline',
    plugins: [ownUrls],
  });
  process.exitCode = await new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', outfile, ...process.argv.slice(2)], {
      stdio: 'inherit',
    });
    // An interrupt reaches the child too, which ends what it has started.
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.once('exit', (code) => resolve(code ?? 1));
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
