import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor, within } from '../support/wait-for.js';
import { AmiObserver } from './ami-observer.js';
import { type AsteriskInstallation, labScript } from './asterisk-installation.js';
import { freePort } from './free-ports.js';
import { randomToken } from './random-token.js';
import { hasOpenssl, writeSelfSigned } from './self-signed.js';

const templates = fileURLToPath(new URL('pbx/', import.meta.url));

const BOOT_MS = 30_000;
const STOP_MS = 8_000;
/** The control socket's path must fit in 108 bytes. */
const LONGEST_PATH = 90;
const RTP_PORTS = 240;

export interface AsteriskPorts {
  readonly sip: number;
  readonly ami: number;
  readonly amiTls: number;
  readonly ari: number;
  readonly ariTls: number;
  /** Where the dialplan's gates look for the bridge. */
  readonly gate: number;
}

/**
 * One Asterisk with the configuration of `pbx/`, in a directory of its own, on 127.0.0.1. It can be stopped, killed and
 * started again with the same ports.
 */
export class AsteriskProcess {
  #child: ChildProcess | undefined;
  #observer: AmiObserver | undefined;

  private constructor(
    readonly installation: AsteriskInstallation,
    readonly directory: string,
    readonly ports: AsteriskPorts,
    /** Password of all its logins: over AMI `bridge`, `bridge-system`, `bridge-deaf`, `observer`; over ARI `bridge`, `bridge-read-only`. */
    readonly secret: string,
    /** PEM file to trust for AMI over TLS; undefined when this machine has no openssl. */
    readonly caFile: string | undefined,
  ) {}

  /** Prepares the directory and boots. `phonePort`: where phones (127.0.0.1) and carrier (127.0.0.2) listen. */
  static async start(installation: AsteriskInstallation, phonePort: number): Promise<AsteriskProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'zpb-lab-'));
    if (directory.length > LONGEST_PATH) throw new Error(`the lab's directory has too long a path: ${directory}`);
    for (const name of ['etc', 'log', 'spool', 'lib/keys', 'keys']) {
      await mkdir(join(directory, name), { recursive: true });
    }
    const ports = {
      sip: await freePort(),
      ami: await freePort(),
      amiTls: await freePort(),
      ari: await freePort(),
      ariTls: await freePort(),
      gate: await freePort(),
    };
    const caFile = (await hasOpenssl()) ? join(directory, 'keys', 'ca.pem') : undefined;
    if (caFile !== undefined) await writeSelfSigned(join(directory, 'keys'));
    const asterisk = new AsteriskProcess(installation, directory, ports, randomToken(), caFile);
    try {
      await asterisk.#writeConfiguration(phonePort);
      await asterisk.boot();
    } catch (thrown) {
      await asterisk.close();
      throw thrown;
    }
    return asterisk;
  }

  /** The tests' eyes at its manager interface: a new connection after each boot; after its end, what the last one saw. */
  get observer(): AmiObserver {
    if (this.#observer === undefined) throw new Error('Asterisk has not been booted');
    return this.#observer;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Starts the program and waits until it is fully booted. Throws, with the end of its log, when it is not in time. */
  async boot(): Promise<void> {
    const console = await open(join(this.directory, 'log', 'console'), 'a');
    const config = join(this.directory, 'etc', 'asterisk.conf');
    const child = spawn('bash', [labScript, 'run', this.installation.directory, '-f', '-C', config], {
      cwd: this.directory,
      stdio: ['ignore', console.fd, console.fd],
    });
    this.#child = child;
    await console.close();
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    try {
      this.#observer = await waitFor('Asterisk to listen', () => this.#knock(), { within: BOOT_MS, every: 50 });
      await this.#observer.sees('FullyBooted', 0, (event) => event['Event'] === 'FullyBooted', { within: BOOT_MS });
    } catch (thrown) {
      throw new Error(`Asterisk did not boot: ${await this.logTail()}`, { cause: thrown });
    }
  }

  /** Stops it in good order, as its init script does: calls are hung up, connections closed. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops it for good and removes its directory. */
  async close(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The end of what it wrote to its console and log. */
  async logTail(lines = 12): Promise<string> {
    const parts = await Promise.all(
      ['console', 'messages', 'messages.log'].map((name) =>
        readFile(join(this.directory, 'log', name), 'utf8').catch(() => ''),
      ),
    );
    return parts.flatMap((text) => text.trim().split('\n').slice(-lines)).join('\n');
  }

  async #knock(): Promise<AmiObserver | undefined> {
    if (this.#child === undefined) throw new Error('Asterisk ended while it booted');
    try {
      return await AmiObserver.open({ port: this.ports.ami, user: 'observer', secret: this.secret });
    } catch {
      return undefined;
    }
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child !== undefined) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await within(STOP_MS, 'Asterisk to end', ended).catch(async () => {
        child.kill('SIGKILL');
        await ended;
      });
    }
    this.#observer?.close();
  }

  async #writeConfiguration(phonePort: number): Promise<void> {
    const rtpFirst = 2 * Math.ceil((await freePort()) / 2);
    const values: Readonly<Record<string, string | number>> = {
      DIR: this.installation.directory,
      RUN: this.directory,
      MODULES: await moduleDirectory(this.installation.directory),
      SECRET: this.secret,
      SIP_PORT: this.ports.sip,
      AMI_PORT: this.ports.ami,
      AMI_TLS_PORT: this.ports.amiTls,
      ARI_PORT: this.ports.ari,
      ARI_TLS_PORT: this.ports.ariTls,
      TLS: this.caFile === undefined ? 'no' : 'yes',
      AGI_PORT: this.ports.gate,
      PHONE_PORT: phonePort,
      // Asterisk passes over the ports of this range that are taken.
      RTP_FIRST: rtpFirst,
      RTP_LAST: rtpFirst + RTP_PORTS,
    };
    for (const name of await readdir(templates)) {
      const template = await readFile(join(templates, name), 'utf8');
      const text = template.replace(/@([A-Z_]+)@/g, (placeholder, key: string) => String(values[key] ?? placeholder));
      await writeFile(join(this.directory, 'etc', basename(name)), text);
    }
  }
}

async function moduleDirectory(directory: string): Promise<string> {
  const roots = (await readdir(join(directory, 'usr', 'lib'))).map((name) => join(directory, 'usr', 'lib', name));
  const found = [...roots, join(directory, 'usr', 'lib')]
    .map((root) => join(root, 'asterisk', 'modules'))
    .find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error(`no Asterisk modules under ${directory}`);
  return found;
}
