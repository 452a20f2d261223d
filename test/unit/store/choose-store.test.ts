import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { PermanentError } from '../../../src/errors.js';
import type { StoreConfig } from '../../../src/config/model.js';
import { ManualClock } from '../../support/manual-clock.js';
import { pino } from 'pino';

const MISSING = new PermanentError('ZPB_STORE_SQLITE_MISSING', 'The package better-sqlite3 cannot be loaded');
let refusal: PermanentError = MISSING;
jest.unstable_mockModule('../../../src/store/open-store.js', () => ({
  openStore: () => Promise.reject(refusal),
}));
const { chooseStore } = await import('../../../src/choose-store.js');

const lines: string[] = [];
const context = {
  clock: new ManualClock(),
  random: () => 0,
  log: pino({ base: null }, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) }),
  metrics: { count: () => undefined, gauge: () => undefined },
};
const file = (chosen: boolean): StoreConfig => ({
  kind: 'sqlite',
  path: '/nowhere/bridge.sqlite',
  chosen,
  durability: 'full',
  keep: 1,
});
beforeEach(() => {
  lines.length = 0;
  refusal = MISSING;
});

describe('where SQLite cannot be had', () => {
  test('and nobody has named a file: memory, with one line that says what that means', async () => {
    const { store, problem } = await chooseStore(file(false), context);
    expect(store.kind).toBe('memory');
    expect(problem).toMatchObject({ code: 'ZPB_STORE_SQLITE_MISSING', severity: 'warning' });
    expect(lines).toEqual([problem?.message]);
    expect(lines[0]).toMatch(/kept in memory only.*a crash or restart loses.*npm install better-sqlite3.*store\.url/u);
    await store.close(0);
  });

  test('and somebody has: that is no file, and no memory in its place', async () => {
    await expect(chooseStore(file(true), context)).rejects.toBe(MISSING);
    expect(lines).toEqual([]);
  });
});

test('whatever else is wrong is said and not gone round', async () => {
  refusal = new PermanentError('ZPB_STORE_OPEN', 'the directory cannot be written');
  await expect(chooseStore(file(false), context)).rejects.toBe(refusal);
});
