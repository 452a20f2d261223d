// `npm run check`: everything that is checked without running the program. eslint takes as long as all the rest together, so they run
// side by side; what each says comes in one piece.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs the scripts one after the other until one fails. Resolves with whether all went well. */
async function inTurn(names) {
  for (const name of names) if (!(await script(name))) return false;
  return true;
}

function script(name) {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', name], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
    }
    child.once('error', (error) => {
      said += `${error.message}\n`;
      resolve(false);
    });
    child.once('close', (status) => {
      process.stdout.write(said);
      if (status !== 0) process.stdout.write(`failed: npm run ${name}\n`);
      resolve(status === 0);
    });
  });
}

const well = await Promise.all([
  inTurn(['check:lint']),
  inTurn(['check:types', 'check:format', 'check:imports', 'check:docs']),
]);
process.exitCode = well.every(Boolean) ? 0 : 1;
