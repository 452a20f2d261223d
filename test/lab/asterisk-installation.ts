import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const labScript = fileURLToPath(new URL('asterisk-lab.sh', import.meta.url));
const repository = fileURLToPath(new URL('../../', import.meta.url));

const INSTALL_MS = 180_000;
/** What asterisk-lab.sh says when the machine cannot have it. */
const UNAVAILABLE = 69;

export type AsteriskSeries = '22' | '16';

export interface AsteriskInstallation {
  readonly kind: 'installed';
  /** Where it was unpacked. */
  readonly directory: string;
  /** `22.10.1` */
  readonly version: string;
}
/** This machine cannot have it: no apt, no network, suite gone. Tests are skipped with this reason. */
export interface NoInstallation {
  readonly kind: 'unavailable';
  readonly reason: string;
}

/**
 * Unpacks Debian's Asterisk of that series under `.lab` (or `ZPB_LAB_DIR`), once; later calls return at once, and calls
 * side by side wait for each other. Throws when it should have worked and did not.
 */
export async function installAsterisk(series: AsteriskSeries): Promise<AsteriskInstallation | NoInstallation> {
  const directory = join(process.env['ZPB_LAB_DIR'] ?? join(repository, '.lab'), `asterisk-${series}`);
  if (process.platform !== 'linux') return { kind: 'unavailable', reason: 'the lab needs Linux' };
  const { status, said } = await runScript(['install', series, directory]);
  if (status === UNAVAILABLE) return { kind: 'unavailable', reason: said };
  if (status !== 0) throw new Error(`asterisk-lab.sh install ${series} ${directory} failed (${status}): ${said}`);
  const packaged = await readFile(join(directory, 'asterisk-lab.version'), 'utf8');
  return { kind: 'installed', directory, version: /\d+\.\d+\.\d+/.exec(packaged)?.[0] ?? packaged.trim() };
}

function runScript(args: readonly string[]): Promise<{ readonly status: number | string; readonly said: string }> {
  return new Promise((resolve) => {
    execFile('bash', [labScript, ...args], { timeout: INSTALL_MS }, (error, _stdout, stderr) => {
      resolve({ status: error === null ? 0 : (error.code ?? error.signal ?? 'killed'), said: stderr.trim() });
    });
  });
}
