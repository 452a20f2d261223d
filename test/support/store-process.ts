/** Programs of the tests that use the store in a process of their own, so that it can be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { waitFor } from './wait-for.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Program {
  readonly file: string;
  remove(): void;
}

/** Bundles `test/support/NAME.ts` for Node. */
export async function bundleProgram(name: string): Promise<Program> {
  const directory = mkdtempSync(join(tmpdir(), 'zpb-program-'));
  const file = join(directory, 'program.cjs');
  await build({
    entryPoints: [join(root, 'test/support', `${name}.ts`)],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['better-sqlite3', 'esbuild', 'pg-native'],
    define: { 'import.meta.url': JSON.stringify(new URL('./spawn-worker.ts', import.meta.url).href) },
    plugins: [
      {
        name: 'worker of the tests',
        setup(setUp) {
          setUp.onResolve({ filter: /^\.\/spawn-worker\.js$/ }, () => ({
            path: join(root, 'test/support/spawn-worker.ts'),
          }));
        },
      },
    ],
  });
  return {
    file,
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export class StoreProcess {
  readonly #child: ChildProcess;
  #output = '';
  #errors = '';

  constructor({ file }: Program, args: readonly string[]) {
    this.#child = spawn(process.execPath, [file, ...args], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', NODE_PATH: join(root, 'node_modules') },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }
  /** Whole lines only. */
  get lines(): readonly string[] {
    return this.#output.split('\n').slice(0, -1);
  }

  async says(line: string, within?: number): Promise<void> {
    await waitFor(
      `${line} of the process`,
      () => {
        if (this.#child.exitCode !== null) throw new Error(`ended: ${this.#output}${this.#errors}`);
        return this.lines.includes(line);
      },
      within === undefined ? {} : { within },
    );
  }
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves when it has ended and all it said has come. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}
