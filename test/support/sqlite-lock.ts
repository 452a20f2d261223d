/** Another program that has a SQLite file locked. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

const PROGRAM = `
  const raw = new (require('better-sqlite3'))(process.argv[1], { timeout: 5000 });
  raw.exec('begin immediate');
  process.stdout.write('locked');
  process.stdin.on('end', () => { raw.exec('rollback'); raw.close(); }).resume();
`;

const lockers = new Set<ChildProcess>();

/** Ends what a failed test has left. */
export function unlockAll(): void {
  for (const child of lockers) child.kill('SIGKILL');
}

/** Resolves when it is locked, with the function that ends the lock and the program. */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, ['-e', PROGRAM, path], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  lockers.add(child);
  void exit.then(() => lockers.delete(child));
  await Promise.race([
    once(child.stdout, 'data'),
    exit.then(() => {
      throw new Error('the program that locks ended');
    }),
  ]);
  return async () => {
    child.stdin.end();
    await exit;
  };
}
