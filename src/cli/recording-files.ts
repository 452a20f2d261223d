import { open, unlink, type FileHandle } from 'node:fs/promises';
import { asError, PermanentError } from '../errors.js';
import { timesLine, type ChunkTime } from './recording-times.js';

/** What may wait for a slow disk before the recording is given up, bytes. */
const MOST_WAITING = 64 * 1024 * 1024;

/** FILE and FILE.times of one recording, written in the order of the bytes. */
export class RecordingFiles {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #total = 0;
  #trouble: string | undefined;

  private constructor(
    private readonly file: string,
    private readonly bytes: FileHandle,
    private readonly times: FileHandle,
    private readonly onTrouble: () => void,
  ) {}

  /**
   * Creates both; neither may be there.
   * @param onTrouble called when the disk takes no more: the recording should end.
   * @throws PermanentError ZPB_RECORDING
   */
  static async create(file: string, onTrouble: () => void): Promise<RecordingFiles> {
    const bytes = await create(file);
    try {
      return new RecordingFiles(file, bytes, await create(`${file}.times`), onTrouble);
    } catch (thrown) {
      await discard(bytes, file);
      throw thrown;
    }
  }

  /** Bytes taken so far. */
  get total(): number {
    return this.#total;
  }

  /** Takes bytes over; they must not change any more. */
  write({ at, data }: { readonly at: ChunkTime['at']; readonly data: Uint8Array }): void {
    if (data.length === 0 || this.#trouble !== undefined) return;
    this.#waiting += data.length;
    this.#total += data.length;
    if (this.#waiting > MOST_WAITING) {
      this.#fail('the disk takes the bytes too slowly');
      return;
    }
    this.#last = this.#last
      .then(() => this.bytes.appendFile(data))
      .then(() => this.times.appendFile(timesLine({ at, bytes: data.length })))
      .then(() => {
        this.#waiting -= data.length;
      })
      .catch((thrown: unknown) => {
        this.#fail(asError(thrown).message);
      });
  }

  /**
   * Writes out what waits and closes both.
   * @throws PermanentError ZPB_RECORDING when not all could be written.
   */
  async close(): Promise<void> {
    await this.#last;
    await Promise.allSettled([this.bytes.close(), this.times.close()]);
    if (this.#trouble === undefined) return;
    throw new PermanentError('ZPB_RECORDING', `${this.file} cannot be written: ${this.#trouble}; the recording is cut`);
  }

  /** Closes and removes both: nothing was recorded, and they would stand in the way of the next try. */
  async discard(): Promise<void> {
    await this.#last;
    await Promise.all([discard(this.bytes, this.file), discard(this.times, `${this.file}.times`)]);
  }

  #fail(why: string): void {
    this.#trouble ??= why;
    this.onTrouble();
  }
}

async function create(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'wx', 0o600);
  } catch (thrown) {
    const error = asError(thrown);
    const why = 'code' in error && error.code === 'EEXIST' ? 'it is there already; choose another name' : error.message;
    throw new PermanentError('ZPB_RECORDING', `${file} cannot be created: ${why}`);
  }
}

async function discard(handle: FileHandle, file: string): Promise<void> {
  await Promise.allSettled([handle.close(), unlink(file)]);
}
