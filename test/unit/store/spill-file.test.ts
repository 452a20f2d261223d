import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch } from '../../../src/store/rows.js';
import { SpillFile } from '../../../src/store/spill-file.js';
import { OFFICE } from '../../support/store-rows.js';

const BYTES = 64 * 1024;
let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zpb-spill-'));
  path = join(directory, 'x-spill');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const batch = (epoch: number, padding = ''): Batch => ({
  epochs: [{ pbx: OFFICE, epoch }],
  calls: [],
  posts: [],
  taken: [{ seq: padding.length, pbx: OFFICE }],
});
const epochs = (batches: readonly Batch[]): readonly unknown[] => batches.map((one) => one.epochs[0]?.epoch);
/** A file with batches 1, 2, 3 of generation 1. */
function three(): SpillFile {
  const file = new SpillFile(path, BYTES);
  expect(file.use(1)).toEqual([]);
  for (const epoch of [1, 2, 3]) file.append(batch(epoch));
  return file;
}

test('gives back what was put into it, also after it was opened again, and goes on behind it', () => {
  three().close();
  const again = new SpillFile(path, BYTES);
  expect(epochs(again.use(1))).toEqual([1, 2, 3]);
  again.append(batch(4));
  again.close();
  expect(epochs(new SpillFile(path, BYTES).use(1))).toEqual([1, 2, 3, 4]);
});

test('takes its room when it is made, and not more', () => {
  const file = new SpillFile(path, BYTES);
  file.prepare();
  expect(statSync(path).size).toBe(BYTES);
  file.use(1);
  const many = (): void => {
    for (let n = 0; n < 10_000; n += 1) file.append(batch(n));
  };
  expect(many).toThrow('is full');
  expect(statSync(path).size).toBe(BYTES);
  expect(file.use(1).length).toBeGreaterThan(100);
  file.close();
});

test('a torn end, at any byte, costs only the record that it tears', () => {
  three().close();
  const whole = readFileSync(path);
  const length = whole.readUInt32LE(0) + 16;
  for (let at = 0; at <= 3 * length; at += 1) {
    const torn = Buffer.from(whole);
    torn.fill(0, at);
    writeFileSync(path, torn);
    const found = epochs(new SpillFile(path, BYTES).use(1));
    // A record that ends in what happens to be zeros would be whole; ours end in a bracket.
    expect(found).toEqual([1, 2, 3].slice(0, Math.floor(at / length)));
  }
});

test('a flipped bit, anywhere in a record, ends it there', () => {
  three().close();
  const whole = readFileSync(path);
  const length = whole.readUInt32LE(0) + 16;
  for (let at = length; at < 2 * length; at += 1) {
    const spoiled = Buffer.from(whole);
    spoiled[at] = (spoiled[at] ?? 0) ^ 0x10;
    writeFileSync(path, spoiled);
    expect(epochs(new SpillFile(path, BYTES).use(1))).toEqual([1]);
  }
});

test('what is of another generation does not count, also where it stands behind the newer records', () => {
  const file = three();
  file.restart();
  file.append(batch(7));
  file.close();
  expect(epochs(new SpillFile(path, BYTES).use(1))).toEqual([]);
  expect(epochs(new SpillFile(path, BYTES).use(2))).toEqual([7]);
  expect(new SpillFile(path, BYTES).found()).toBe(2);
});

test('no file, an empty one and a text hold nothing', () => {
  expect(new SpillFile(path, BYTES).use(1)).toEqual([]);
  expect(new SpillFile(path, BYTES).found()).toBeUndefined();
  writeFileSync(path, '');
  expect(new SpillFile(path, BYTES).use(1)).toEqual([]);
  writeFileSync(path, 'no journal at all, but a text of some length');
  expect(new SpillFile(path, BYTES).use(1)).toEqual([]);
});
