// `npm run bench`: runs every measurement of test/bench, one after the other, with the options it is given (`-- --smoke`: as little
// as possible, to see that they still work). Fails if one of them does.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

const folder = fileURLToPath(new URL('../test/bench', import.meta.url));
/** Each bounds itself; this is for one that hangs. */
const LIMIT_MS = 10 * 60_000;

for (const name of readdirSync(folder).sort()) {
  if (!name.endsWith('.mjs')) continue;
  process.stdout.write(`\n== ${name}\n`);
  const { status, error } = spawnSync(process.execPath, [join(folder, name), ...process.argv.slice(2)], {
    stdio: 'inherit',
    timeout: LIMIT_MS,
  });
  if (status === 0) continue;
  process.stderr.write(`${name}: ${error?.message ?? `ended with status ${status}`}\n`);
  process.exitCode = 1;
}
