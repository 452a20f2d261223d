import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { waitFor, within } from './wait-for.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

const READY_MS = 15_000;
const STOP_MS = 15_000;
const LOOK_MS = 2_000;
/** An agent's phone rings meanwhile. */
const POST_MS = 30_000;
/** Characters of the log that are kept for the report of a failed test. */
const LOG_KEPT = 400_000;

/** The whole configuration file, as an object: JSON is YAML. Without `store` the file `bridge.sqlite` in the process's directory. */
export type BridgeConfig = Readonly<Record<string, unknown>> & {
  readonly http: { readonly host: '127.0.0.1'; readonly port: number };
};

/** The program as its users run it: a process of its own, with a configuration file, `run`. */
export class BridgeProcess {
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(
    /** Holds the configuration file; the program's working directory. */
    readonly directory: string,
    readonly config: BridgeConfig,
  ) {}

  /** Writes the configuration and starts it; resolves when it says that it is ready. */
  static async start(config: BridgeConfig): Promise<BridgeProcess> {
    if (!existsSync(program)) throw new Error(`${program} is not there: npm run build`);
    const directory = await mkdtemp(join(tmpdir(), 'zpb-run-'));
    const bridge = new BridgeProcess(directory, config);
    const text = JSON.stringify({ store: { path: 'bridge.sqlite' }, ...config }, undefined, 2);
    await writeFile(join(directory, 'config.yaml'), text, { mode: 0o600 });
    try {
      await bridge.launch();
      await bridge.ready();
    } catch (thrown) {
      await bridge.close();
      throw thrown;
    }
    return bridge;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }
  /** What it wrote to stderr and stdout, its end. */
  get log(): string {
    return this.#log;
  }

  /** Starts the process, again after `stop` or `kill`. Does not wait until it is ready. */
  async launch(): Promise<void> {
    if (this.#child !== undefined) throw new Error('the bridge is running already');
    const child = spawn(process.execPath, [program, 'run', '--config', join(this.directory, 'config.yaml')], {
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-LOG_KEPT);
      });
    }
    child.once('exit', (code, signal) => {
      this.#log += `[ended: ${signal ?? code ?? '?'}]\n`;
      if (this.#child === child) this.#child = undefined;
    });
    await once(child, 'spawn');
  }

  /** Waits until `/readyz` says 200: it hears the PBX and reaches Zammad. */
  async ready(): Promise<void> {
    let last = 'no answer';
    const what = (): Error => new Error(`the bridge is not ready (${last}); its log ends:\n${this.#log.slice(-3_000)}`);
    await waitFor(
      '/readyz',
      async () => {
        if (this.#child === undefined) throw what();
        const seen = await this.get('/readyz');
        last = seen === undefined ? 'no answer' : `${seen.status} ${seen.body}`;
        return seen?.status === 200;
      },
      { within: READY_MS, every: 50 },
    ).catch(() => {
      throw what();
    });
  }

  /** Waits until it has noticed that it is not ready any more. */
  async unready(): Promise<void> {
    await waitFor('/readyz to say no', async () => (await this.get('/readyz'))?.status !== 200);
  }

  /** Waits for a line of its log that holds all of these, and returns it. */
  logs(...parts: readonly string[]): Promise<string> {
    return waitFor(`the log to say ${parts.join(' … ')}`, () =>
      this.#log.split('\n').find((line) => parts.every((part) => line.includes(part))),
    );
  }

  /** One request to its own HTTP port; undefined when nobody answers. */
  async get(path: string): Promise<{ readonly status: number; readonly body: string } | undefined> {
    const { host, port } = this.config.http;
    try {
      const response = await fetch(`http://${host}:${port}${path}`, { signal: AbortSignal.timeout(LOOK_MS) });
      return { status: response.status, body: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** One JSON request of a program that holds a token. */
  async post(path: string, token: string, body: object): Promise<{ readonly status: number; readonly body: unknown }> {
    const { host, port } = this.config.http;
    const response = await fetch(`http://${host}:${port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(POST_MS),
    });
    return { status: response.status, body: await response.json() };
  }

  /** Another command of the program, with the same configuration: what it prints. Throws when it fails. */
  async command(...args: readonly string[]): Promise<string> {
    const config = join(this.directory, 'config.yaml');
    const { stdout } = await run(process.execPath, [program, ...args, '--config', config], {
      cwd: this.directory,
      timeout: STOP_MS,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    return stdout;
  }

  /** A planned stop. Resolves with the exit status. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** A crash. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops it for good and removes its directory. */
  async close(): Promise<void> {
    await this.#end('SIGTERM').catch(() => this.#end('SIGKILL'));
    await rm(this.directory, { recursive: true, force: true });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const [code] = await within(STOP_MS, `the bridge to end after ${signal}`, ended);
    return code;
  }
}
