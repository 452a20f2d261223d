import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const LIMIT_MS = 20_000;

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of the built program to its end, with a bridge's configuration: `runProgram(bridge, 'token', 'create', '100')`. */
export function runProgram({ directory }: { readonly directory: string }, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd: directory, timeout: LIMIT_MS, env: { ...process.env, NODE_OPTIONS: '' } };
    execFile(process.execPath, [program, ...args, '--config', 'config.yaml'], options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}
