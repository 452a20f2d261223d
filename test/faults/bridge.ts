import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { within } from '../support/wait-for.js';

export interface BridgeOptions {
  readonly name: string;
  /** dist/src/main.js */
  readonly program: string;
  /** Holds its configuration and its log. */
  readonly directory: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly httpPort: number;
  /** It ended although nobody had told it to. */
  readonly onCrash: (status: string) => void;
}

const LOOK_MS = 2_000;
/** A planned stop may deliver for 8 s (`delivery.drain`), and has some seconds to close the rest. */
const STOP_MS = 20_000;

/** The program as its users run it, for being killed and started again: configuration and log outlive the process. */
export class Bridge {
  readonly name: string;
  readonly logFile: string;
  readonly configFile: string;
  #child: ChildProcess | undefined;
  #expected = false;
  #launched = 0;

  constructor(private readonly options: BridgeOptions) {
    this.name = options.name;
    this.logFile = join(options.directory, `${options.name}.log`);
    this.configFile = join(options.directory, `${options.name}.yaml`);
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }
  /** ms since this process was started. */
  get age(): number {
    return performance.now() - this.#launched;
  }

  async launch(): Promise<void> {
    if (this.#child !== undefined) return;
    await writeFile(this.configFile, JSON.stringify(this.options.config, undefined, 2), { mode: 0o600 });
    const log = openSync(this.logFile, 'a');
    const child = spawn(process.execPath, [this.options.program, 'run', '--config', this.configFile], {
      cwd: this.options.directory,
      stdio: ['ignore', log, log],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    closeSync(log);
    this.#expected = false;
    this.#child = child;
    this.#launched = performance.now();
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#child = undefined;
      if (!this.#expected) this.options.onCrash(signal ?? `status ${String(code)}`);
    });
    await once(child, 'spawn');
  }

  /** A crash. Resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** A planned stop. Returns the exit status; null when it had to be killed in the end. */
  async stop(): Promise<number | null> {
    try {
      return await this.#end('SIGTERM');
    } catch {
      await this.#end('SIGKILL');
      return null;
    }
  }

  /** Stops the process where it stands (SIGSTOP), or lets it go on (SIGCONT). */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** A request to its own HTTP port; undefined when nobody answers. */
  async get(path: string, timeout = LOOK_MS): Promise<{ readonly status: number; readonly body: string } | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.options.httpPort}${path}`, {
        signal: AbortSignal.timeout(timeout),
      });
      return { status: response.status, body: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** Runs a command of the program with this bridge's configuration; undefined when it does not know the command. */
  async command(...args: readonly string[]): Promise<string | undefined> {
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [this.options.program, ...args, '--config', this.configFile],
        { cwd: this.options.directory, env: { ...process.env, NODE_OPTIONS: '' }, maxBuffer: 64 * 1024 * 1024 },
      );
      return stdout;
    } catch (thrown) {
      if (thrown instanceof Error && /there is no command/i.test(thrown.message)) return undefined;
      throw thrown;
    }
  }

  /** Its log so far, one object a line; what is no JSON is left out. */
  log(): readonly Readonly<Record<string, unknown>>[] {
    return readFileSync(this.logFile, 'utf8')
      .split('\n')
      .flatMap((line) => {
        try {
          return [JSON.parse(line) as Record<string, unknown>];
        } catch {
          return [];
        }
      });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    this.#expected = true;
    const ended = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const [code] = await within(STOP_MS, `the bridge to end after ${signal}`, ended);
    return code;
  }
}
