// Copies every `web` and `calls` folder under src/ to the same place under dist/src/: they are read from beside the compiled code.
import { cp, readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const from = join(root, 'src');
/** Pages, and the recorded calls of the demo. */
const FOLDERS = new Set(['web', 'calls']);

async function webFolders(folder) {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => (FOLDERS.has(entry.name) ? [join(folder, entry.name)] : webFolders(join(folder, entry.name))));
  return (await Promise.all(found)).flat();
}

for (const folder of await webFolders(from)) {
  await cp(folder, join(root, 'dist', 'src', relative(from, folder)), { recursive: true });
}
