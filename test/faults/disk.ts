import { execFile } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Room for a database with all it keeps in one run. */
const SIZE = '24m';
const BLOCK = Buffer.alloc(64 * 1024, 0x2e);
const BYTE = Buffer.alloc(1, 0x2e);

/** A data directory of its own on a small file system in memory, which can be filled. Only root may mount one. */
export class SmallDisk {
  readonly #filler: string;

  private constructor(
    readonly directory: string,
    /** Why it cannot be filled; undefined: it can. */
    readonly unfillable: string | undefined,
  ) {
    this.#filler = join(directory, 'filler');
  }

  /** Makes the directory; as root with a file system of its own. */
  static async create(directory: string): Promise<SmallDisk> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if (process.getuid?.() !== 0) return new SmallDisk(directory, 'only root may mount a small disk');
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=700`, 'tmpfs', directory]);
      return new SmallDisk(directory, undefined);
    } catch {
      return new SmallDisk(directory, 'this machine lets nobody mount a small disk');
    }
  }

  /** Leaves not one byte. */
  fill(): void {
    const file = openSync(this.#filler, 'a');
    try {
      for (const piece of [BLOCK, BYTE]) writeUntilFull(file, piece);
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  async remove(): Promise<void> {
    if (this.unfillable === undefined) await run('umount', ['-l', this.directory]);
    await rm(this.directory, { recursive: true, force: true });
  }
}

function writeUntilFull(file: number, piece: Buffer): void {
  try {
    for (;;) writeSync(file, piece);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOSPC') throw thrown;
  }
}
