/**
 * The emergency journal beside a SQLite file: takes batches when the database does not. Its room is taken when it is made, so
 * that a full disk does not matter; a record counts only when length and checksum are right, so that a torn end is no harm.
 *
 * Every record belongs to a generation. The database holds the number of the last generation that was put into it (counter
 * `spill`, written in the same transaction), so each is put into it once, whatever dies in between.
 */
import { closeSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { asError, RetriableError } from '../errors.js';
import type { Batch } from './rows.js';

/** Length u32, checksum u32 of what follows it, generation f64; little-endian. */
const HEADER = 16;
const SUMMED_FROM = 8;
const BLOCK = 64 * 1024;

export class SpillFile {
  #fd: number | undefined;
  #generation = 1;
  /** Where the next record goes. */
  #at = 0;

  constructor(
    readonly path: string,
    private readonly bytes: number,
  ) {}

  get generation(): number {
    return this.#generation;
  }

  /** From now on records are of this generation; returns those of it that are there already, in order. */
  use(generation: number): readonly Batch[] {
    this.#generation = generation;
    const { batches, end } = this.#scan((found) => found === generation);
    this.#at = end;
    return batches;
  }

  /** The generation of what stands at the beginning, if that is whole: for when the database cannot say which counts. */
  found(): number | undefined {
    let first: number | undefined;
    this.#scan((generation) => {
      first ??= generation;
      return false;
    });
    return first;
  }

  /** Takes the room on the disk, where it is not taken yet. Throws what the disk says. */
  prepare(): void {
    if (this.#fd !== undefined) return;
    const fd = openSync(this.path, openFlags(this.path), 0o600);
    const before = fstatSync(fd).size;
    try {
      for (let size = before; size < this.bytes; ) {
        const part = Buffer.alloc(Math.min(BLOCK, this.bytes - size));
        size += writeSync(fd, part, 0, part.length, size);
      }
      fsyncSync(fd);
    } catch (thrown) {
      // Half of it would be of no use, and the room may be needed. What was there before may hold records.
      ftruncateSync(fd, before);
      closeSync(fd);
      throw thrown;
    }
    this.#fd = fd;
  }

  /** Returns when it is on the disk. Throws a RetriableError `ZPB_STORE_SPILL_FULL` when there is no room for it. */
  append(batch: Batch): void {
    this.prepare();
    const fd = this.#fd;
    if (fd === undefined) return;
    const payload = Buffer.from(JSON.stringify(batch), 'utf8');
    const length = HEADER + payload.length;
    if (this.#at + length > this.bytes) {
      throw new RetriableError('ZPB_STORE_SPILL_FULL', `The emergency journal ${this.path} is full`);
    }
    const record = Buffer.alloc(length);
    record.writeUInt32LE(payload.length, 0);
    record.writeDoubleLE(this.#generation, SUMMED_FROM);
    payload.copy(record, HEADER);
    record.writeUInt32LE(crc32(record.subarray(SUMMED_FROM)), 4);
    writeWhole(fd, record, this.#at);
    fdatasyncSync(fd);
    this.#at += length;
  }

  /** What was in it is in the database: begins anew. */
  restart(): void {
    this.#generation += 1;
    this.#at = 0;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #scan(counts: (generation: number) => boolean): { readonly batches: readonly Batch[]; readonly end: number } {
    const bytes = this.#content();
    const batches: Batch[] = [];
    let at = 0;
    while (at + HEADER <= bytes.length) {
      const length = bytes.readUInt32LE(at);
      const end = at + HEADER + length;
      if (length === 0 || end > bytes.length) break;
      const summed = bytes.subarray(at + SUMMED_FROM, end);
      if (crc32(summed) !== bytes.readUInt32LE(at + 4)) break;
      if (!counts(bytes.readDoubleLE(at + SUMMED_FROM))) break;
      batches.push(JSON.parse(bytes.toString('utf8', at + HEADER, end)) as Batch);
      at = end;
    }
    return { batches, end: at };
  }

  #content(): Buffer {
    let fd: number;
    try {
      fd = openSync(this.path, 'r');
    } catch (thrown) {
      const error = asError(thrown);
      if ('code' in error && error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    }
    try {
      const bytes = Buffer.alloc(fstatSync(fd).size);
      let at = 0;
      for (let got = -1; got !== 0 && at < bytes.length; at += got)
        got = readSync(fd, bytes, at, bytes.length - at, at);
      return bytes.subarray(0, at);
    } finally {
      closeSync(fd);
    }
  }
}

/** Opened for writing in the middle, made where it is missing: no flag of fopen(3) says both. */
function openFlags(path: string): 'r+' | 'w+' {
  try {
    closeSync(openSync(path, 'r+'));
    return 'r+';
  } catch {
    return 'w+';
  }
}

function writeWhole(fd: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
