/** One SQLite file, and processes that die over it or want it at once. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { openStore } from '../../../src/store/open-store.js';
import { callRow, type Batch } from '../../../src/store/rows.js';
import { DEFAULT_TUNING, type StoreSettings } from '../../../src/store/settings.js';
import { SpillFile } from '../../../src/store/spill-file.js';
import { putBack, takeOver } from '../../../src/store/spilled-batches.js';
import { openSqlite } from '../../../src/store/sqlite-database.js';
import type { Store } from '../../../src/store/store.js';
import { spawnedWorkers } from '../../support/spawn-worker.js';
import { lockFile, unlockAll } from '../../support/sqlite-lock.js';
import { bundleProgram, StoreProcess, type Program } from '../../support/store-process.js';
import { isLead, leadOf, OFFICE, openCall, seenContext, somePost } from '../../support/store-rows.js';
import { pause, waitFor } from '../../support/wait-for.js';

jest.setTimeout(90_000);

const KILLS = 15;
/** How far each state is. */
const STEPS = ['waiting', 'sending', 'delivered'];

let program: Program;
beforeAll(async () => {
  program = await bundleProgram('store-writer');
});
afterAll(() => {
  program.remove();
});

let directory: string;
let path: string;
let settings: StoreSettings;
const opened: Store[] = [];
const processes: StoreProcess[] = [];

const open = async (seen = seenContext()): Promise<Store> => {
  const store = await openStore(settings, seen.context);
  opened.push(store);
  return store;
};
const writer = async (): Promise<StoreProcess> => {
  const child = new StoreProcess(program, ['sqlite', path]);
  processes.push(child);
  await waitFor('a first post', () => child.lines.some((line) => line.endsWith('delivered')));
  return child;
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zpb-store-'));
  path = join(directory, 'bridge.db');
  settings = { kind: 'sqlite', path, durability: 'full', keep: 7 * 86_400_000 };
});
afterEach(async () => {
  unlockAll();
  for (const child of processes.splice(0)) await child.kill();
  for (const store of opened.splice(0)) await store.close(1_000);
  await rm(directory, { recursive: true, force: true });
});

/** What a process said it had confirmed, against what is in the file. */
function missing(lines: readonly string[]): readonly string[] {
  const raw = new Sqlite(path, { readonly: true });
  try {
    const posts = new Map(
      raw
        .prepare<[], { seq: number; state: string }>('select seq, state from zpb_posts')
        .all()
        .map(({ seq, state }) => [seq, state]),
    );
    const calls = new Map(
      raw
        .prepare<[], { call_id: string; record: string | null }>('select call_id, record from zpb_calls')
        .all()
        .map(({ call_id, record }) => [call_id, record]),
    );
    return lines.filter((line) => {
      const [first = '', second = ''] = line.split(' ');
      if (first === 'leads') return false;
      if (first === 'call') return !calls.has(second);
      if (first === 'over') return calls.get(second) !== null;
      return STEPS.indexOf(posts.get(Number(first)) ?? '') < STEPS.indexOf(second);
    });
  } finally {
    raw.close();
  }
}

describe('processes on one SQLite file', () => {
  test(`everything confirmed survives kill -9, ${KILLS} times`, async () => {
    let confirmed = 0;
    for (let round = 0; round < KILLS; round += 1) {
      const child = await writer();
      await pause(Math.random() * 150);
      await child.kill();
      confirmed += child.lines.length;
      expect(missing(child.lines)).toEqual([]);
    }
    expect(confirmed).toBeGreaterThan(KILLS * 10);
    const store = await open();
    const heritage = await (await leadOf(store)).load();
    expect(heritage.posts.length).toBeGreaterThan(0);
    const raw = new Sqlite(path, { readonly: true });
    expect(raw.pragma('integrity_check', { simple: true })).toBe('ok');
    raw.close();
  });

  test('the second one is told who leads; after a kill -9 of the first it leads at once', async () => {
    const child = await writer();
    const store = await open();
    const other = await store.lead(OFFICE);
    expect(other).toMatchObject({ holder: expect.stringContaining(`pid ${child.pid}`) as unknown });
    const epoch = Number(child.lines[0]!.split(' ')[1]);
    await child.kill();
    const began = performance.now();
    const lead = await leadOf(store);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(lead.epoch).toBeGreaterThan(epoch);
    expect((await lead.load()).posts.length).toBeGreaterThan(0);
  });

  test('a process that stands still keeps its lead', async () => {
    const child = await writer();
    const store = await open(seenContext({ ttl: 50 }));
    const other = await waitFor('it to stand still outside of a transaction', async () => {
      child.signal('SIGSTOP');
      try {
        await pause(100);
        return await store.lead(OFFICE);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'ZPB_STORE_UNAVAILABLE', retriable: true });
        return undefined;
      } finally {
        child.signal('SIGCONT');
      }
    });
    expect(isLead(other)).toBe(false);
  });

  test('what a killed process had only in the emergency journal is there for the next one, once', async () => {
    const child = await writer();
    const unlock = await lockFile(path);
    const before = child.lines.length;
    await waitFor('writes to the journal', () => child.lines.length > before + 40);
    await child.kill();
    await unlock();
    expect(missing(child.lines).length).toBeGreaterThan(0);
    const store = await open();
    expect(missing(child.lines)).toEqual([]);
    const lead = await leadOf(store);
    const [post] = (await lead.load()).posts;
    await store.outbox.settle(post!.seq, 'delivered');
    await store.close(1_000);
    const again = await leadOf(await open());
    expect((await again.load()).posts.map(({ seq }) => seq)).not.toContain(post!.seq);
  });

  test.each([
    ['has asked in between', true],
    ['has not asked', false],
  ])('the same for one that had the file open before the killed one led, and %s', async (_, asks) => {
    const store = await open();
    const child = await writer();
    if (asks) expect(isLead(await store.lead(OFFICE))).toBe(false);
    const unlock = await lockFile(path);
    const before = child.lines.length;
    await waitFor('writes to the journal', () => child.lines.length > before + 40);
    await child.kill();
    await unlock();
    expect(missing(child.lines).length).toBeGreaterThan(0);
    await leadOf(store);
    expect(missing(child.lines)).toEqual([]);
  });

  test('a process that stood still while its journal was taken over overwrites nothing of the new owner', async () => {
    const store = await open();
    await leadOf(store);
    const spill = new SpillFile(`${path}-spill`, DEFAULT_TUNING.spillBytes);
    expect(spill.use(1)).toEqual([]);
    const batch = (name: string): Batch => ({
      epochs: [],
      calls: [callRow(OFFICE, openCall(name), 1)],
      posts: [],
      taken: [],
    });
    spill.append(batch('a'));
    await store.close(1_000);
    const raw = new Sqlite(path);
    const sqlite = await openSqlite(Sqlite, path, { durability: 'full', mustExist: true, check: false });
    try {
      const heir = new SpillFile(spill.path, DEFAULT_TUNING.spillBytes);
      expect(await takeOver(sqlite.db, heir)).toBe(1);
      raw.exec(`update zpb_calls set record = null where call_id = 'a'`);
      // The former owner goes on.
      spill.append(batch('b'));
      expect(await putBack(sqlite.db, spill)).toBeUndefined();
      expect(raw.prepare('select call_id, record from zpb_calls').all()).toEqual([{ call_id: 'a', record: null }]);
      heir.close();
    } finally {
      spill.close();
      sqlite.close();
      raw.close();
    }
  });

  test('a worker thread that is ended is replaced, and nothing is lost', async () => {
    const seen = seenContext();
    const store = await open(seen);
    const lead = await leadOf(store);
    const committed: Promise<readonly { seq: number }[]>[] = [];
    for (let n = 0; n < 200; n += 1) {
      committed.push(lead.commit({ calls: [openCall(`c${n}`)], posts: [somePost(`c${n}`)] }));
      if (n % 50 === 25) void spawnedWorkers.at(-1)!.terminate();
      await pause(1);
    }
    const seqs = (await Promise.all(committed)).flat().map(({ seq }) => seq);
    expect((await lead.load()).posts.map(({ seq }) => seq)).toEqual(seqs);
    expect(store.state).toEqual({ state: 'ok' });
    expect(seen.counts.get('store_worker_restarts_total')).toBeGreaterThan(1);
  });
});
