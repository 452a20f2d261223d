/** A PostgreSQL of the test's own: a temporary cluster on a free port, which can be stopped, killed and started again. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from './wait-for.js';

const PROGRAMS = '/usr/lib/postgresql';
const START_MS = 30_000;
const STOP_MS = 15_000;

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined: a cluster can be started. Else why not, in words for the name of a skipped test. */
export function noPostgres(): string | undefined {
  if (programs() === undefined) return `no PostgreSQL under ${PROGRAMS}`;
  if (process.getuid?.() === 0 && postgresUser() === undefined) {
    return 'PostgreSQL refuses to run as root, and there is no user postgres';
  }
  return undefined;
}

export class PostgresCluster {
  #server: ChildProcess | undefined;
  #output = '';

  private constructor(
    private readonly directory: string,
    private readonly bin: string,
    private readonly user: User | undefined,
    readonly port: number,
    readonly password: string,
  ) {}

  /** Made and started; `close` removes it. */
  static async start(): Promise<PostgresCluster> {
    const bin = programs();
    const reason = noPostgres();
    if (bin === undefined || reason !== undefined) throw new Error(reason);
    const user = process.getuid?.() === 0 ? postgresUser() : undefined;
    const directory = mkdtempSync(join(tmpdir(), 'zpb-postgres-'));
    const password = `canary-${Math.random().toString(36).slice(2)}`;
    writeFileSync(join(directory, 'password'), password, { mode: 0o600 });
    if (user !== undefined) {
      for (const path of [directory, join(directory, 'password')]) chownSync(path, user.uid, user.gid);
    }
    const cluster = new PostgresCluster(directory, bin, user, await freePort(), password);
    try {
      cluster.#run('initdb', [
        ...['--pgdata', cluster.#data, '--username', 'bridge', '--pwfile', join(directory, 'password')],
        ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
      ]);
      await cluster.launch();
    } catch (thrown) {
      await cluster.close();
      throw thrown;
    }
    return cluster;
  }

  /** Of a database that is there from the start. */
  get url(): string {
    return this.urlOf('postgres');
  }
  urlOf(database: string, password = this.password): string {
    return `postgres://bridge:${password}@127.0.0.1:${this.port}/${database}`;
  }
  /** Of a new, empty database. */
  createDatabase(): string {
    const name = `t${Math.random().toString(36).slice(2)}`;
    this.sql(`create database ${name}`);
    return this.urlOf(name);
  }
  /** Runs a statement with psql; returns what it prints. */
  sql(statement: string, database = 'postgres'): string {
    return execFileSync(
      join(this.bin, 'psql'),
      ['--no-psqlrc', '--tuples-only', '--no-align', '--quiet', '--command', statement, this.urlOf(database)],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    ).trim();
  }

  /** Starts the server; resolves when it takes connections. */
  async launch(): Promise<void> {
    const server = spawn(
      join(this.bin, 'postgres'),
      [
        ...['-D', this.#data, '-p', String(this.port), '-k', this.directory],
        ...[
          '-c',
          'listen_addresses=127.0.0.1',
          '-c',
          'fsync=on',
          '-c',
          'max_connections=50',
          '-c',
          'shared_buffers=16MB',
        ],
      ],
      { ...this.user, cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#server = server;
    process.once('exit', this.#killAtExit);
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
      });
    }
    const deadline = performance.now() + START_MS;
    for (;;) {
      if (server.exitCode !== null || server.signalCode !== null) throw new Error(`PostgreSQL ended: ${this.#output}`);
      try {
        this.sql('select 1');
        return;
      } catch (thrown) {
        if (performance.now() > deadline) throw thrown;
        await pause(50);
      }
    }
  }

  /** In order, cutting off those connected; or at once, like a power cut for it. */
  async stop(how: 'fast' | 'kill' = 'fast'): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    process.off('exit', this.#killAtExit);
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    // SIGQUIT: every process of the server ends at once, without a checkpoint. SIGKILL would leave them and their memory behind.
    server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    const kill = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(kill);
  }

  /** The server's processes stand still: connections stay open, and nothing answers. */
  freeze(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const pid = this.#server?.pid;
    if (pid === undefined) throw new Error('PostgreSQL does not run');
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .split('\n')
      .map(Number)
      .filter((child) => child > 0);
    for (const one of [pid, ...children]) {
      try {
        process.kill(one, signal);
      } catch {
        // A connection's process that has ended meanwhile.
      }
    }
  }

  async close(): Promise<void> {
    await this.stop('kill');
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.directory, 'data');
  }
  readonly #killAtExit = (): void => {
    this.#server?.kill('SIGQUIT');
  };

  #run(program: string, args: readonly string[]): void {
    execFileSync(join(this.bin, program), args, {
      ...this.user,
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });
  }
}

/** The newest version's. */
function programs(): string | undefined {
  if (!existsSync(PROGRAMS)) return undefined;
  const [newest] = readdirSync(PROGRAMS).sort((a, b) => Number(b) - Number(a));
  const bin = join(PROGRAMS, newest ?? '', 'bin');
  return existsSync(join(bin, 'initdb')) ? bin : undefined;
}

function postgresUser(): User | undefined {
  try {
    const id = (kind: string): number =>
      Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
