// Overwrites what tsc made of the command `replay` by one file that holds all it needs: Node opens that instead of
// hundreds, and a replay starts in two thirds of the time (docs/decisions/005-replay-is-bundled.md). The packages in it stay
// installed for the other commands; their licences are written beside it.
import { build } from 'esbuild';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = 'dist/src/cli';

/** What an adapter connects with; a replay connects to nobody, and need not read a quarter more of code. */
const CONNECTING = /^(axios|ws)$/;
const withoutNetwork = {
  name: 'without-network',
  setup(bundle) {
    bundle.onResolve({ filter: CONNECTING }, ({ path }) => ({ path, namespace: 'without-network' }));
    bundle.onLoad({ filter: CONNECTING, namespace: 'without-network' }, () => ({ contents: 'module.exports = {};' }));
  },
};

const { metafile } = await build({
  absWorkingDir: root,
  // The source, not what tsc made of it: a second run must not bundle the bundle.
  entryPoints: ['src/cli/replay.ts'],
  outfile: `${folder}/replay.js`,
  bundle: true,
  format: 'esm',
  platform: 'node',
  // The oldest Node that package.json allows.
  target: 'node20.19',
  plugins: [withoutNetwork],
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  // CommonJS packages (yaml, convict) ask for Node's own modules with `require`, which an ES module lacks.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
});

/** `node_modules/a/b.js` → `node_modules/a`, also where packages are nested. */
const packageOf = (file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
const packages = new Set(Object.keys(metafile.inputs).map(packageOf).filter(Boolean));

/** Name, version and the text of the licence, as its terms ask of a copy. */
function licence(path) {
  const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
  const file = readdirSync(join(root, path)).find((name) => /^licen[cs]e/i.test(name));
  const text =
    file === undefined ? `Licence: ${manifest.license}` : readFileSync(join(root, path, file), 'utf8').trim();
  return `${manifest.name} ${manifest.version}\n\n${text}\n`;
}
writeFileSync(
  join(root, folder, 'replay.licenses.txt'),
  [...packages]
    .sort()
    .map(licence)
    .join(`\n${'-'.repeat(80)}\n\n`),
);
