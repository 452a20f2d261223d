/** A SQLite file that is locked, full, damaged, of another version or out of reach. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import Sqlite from 'better-sqlite3';
import { openDesk, openStore } from '../../../src/store/open-store.js';
import type { Credential } from '../../../src/store/credentials.js';
import type { StoreTuning } from '../../../src/store/settings.js';
import type { Desk, Lead, Store } from '../../../src/store/store.js';
import { lockFile, unlockAll } from '../../support/sqlite-lock.js';
import {
  isLead,
  leadOf,
  OFFICE,
  openCall,
  seenContext,
  somePost,
  someRecord,
  type SeenStore,
} from '../../support/store-rows.js';
import { pause, waitFor } from '../../support/wait-for.js';

jest.setTimeout(60_000);

let directory: string;
let path: string;
let seen: SeenStore;
const opened: Store[] = [];

const open = async (tuning: Partial<StoreTuning> = {}, file = path): Promise<Store> => {
  seen = seenContext(tuning);
  const store = await openStore({ kind: 'sqlite', path: file, durability: 'full', keep: 7 * 86_400_000 }, seen.context);
  opened.push(store);
  return store;
};
const close = async (): Promise<void> => {
  for (const store of opened.splice(0)) await store.close(2_000);
};
const settled = (store: Store): Promise<unknown> =>
  waitFor('the store to be well', () => store.state.state === 'ok' && store.unwritten === 0);
const errors = (): readonly unknown[] => seen.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
const callsOf = (lead: Lead): Promise<readonly string[]> =>
  lead.load().then(({ posts }) => posts.map(({ callId }) => callId));

/** Writes `count` calls with a post each; returns their names. */
async function write(lead: Lead, count: number, prefix = 'c'): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  await Promise.all(names.map((name) => lead.commit({ calls: [openCall(name)], posts: [somePost(name)] })));
  return names;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zpb-store-'));
  path = join(directory, 'bridge.db');
});
afterEach(async () => {
  unlockAll();
  await close();
  await rm(directory, { recursive: true, force: true });
});

describe('a locked file', () => {
  test('for 3 s: the event loop goes on, rows land in the journal and then in the database', async () => {
    const store = await open();
    const lead = await leadOf(store);
    await write(lead, 5, 'before');
    const unlock = await lockFile(path);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const began = performance.now();
    const names: string[] = [];
    const waits: number[] = [];
    for (let n = 0; performance.now() - began < 3_000; n += 1) {
      const from = performance.now();
      const [item] = await lead.commit({ calls: [openCall(`l${n}`)], posts: [somePost(`l${n}`)] });
      await store.outbox.attempt(item!.seq);
      waits.push(performance.now() - from);
      names.push(`l${n}`);
      expect(store.state).toMatchObject({ state: 'spilling', reason: expect.stringContaining('locked') as unknown });
      await pause(10);
    }
    delay.disable();
    // Of 3,000; the rest is what a busy machine of tests adds.
    expect(delay.max / 1e6).toBeLessThan(250);
    // Only the first one waits for the lock.
    expect(waits[0]).toBeGreaterThan(150);
    expect(waits.slice(1).filter((ms) => ms > 150).length).toBeLessThan(waits.length / 10);
    expect(isLead(lead)).toBe(true);
    await expect(lead.load()).rejects.toMatchObject({ code: 'ZPB_STORE_UNAVAILABLE', retriable: true });
    expect(await lead.handedIn()).toEqual([]);
    await unlock();
    await settled(store);
    expect((await callsOf(lead)).slice(5)).toEqual(names);
    expect((await lead.load()).posts.at(-1)).toMatchObject({ state: 'sending', attempts: 1 });
    expect(errors()).toHaveLength(1);
    expect(seen.lines.filter(({ msg }) => String(msg).startsWith('store: well again'))).toHaveLength(1);
  });

  test('locked when it is opened: it is waited for', async () => {
    await open();
    await close();
    const unlock = await lockFile(path);
    const opening = open();
    await pause(100);
    await unlock();
    const store = await opening;
    await settled(store);
    await write(await leadOf(store), 1);
  });
});

describe('a full journal', () => {
  test('then memory takes the rows, up to its bound, and all of them are written in the end', async () => {
    const store = await open({ spillBytes: 20_000, rows: 100 });
    const lead = await leadOf(store);
    const unlock = await lockFile(path);
    const names: string[] = [];
    const until = async (done: () => boolean): Promise<void> => {
      while (!done()) names.push(...(await write(lead, 1, `n${names.length}-`)));
    };
    await until(() => store.state.state === 'spilling');
    await until(() => store.state.state === 'memory');
    await until(() => store.unwritten >= 99);
    await expect(write(lead, 1)).rejects.toMatchObject({ code: 'ZPB_OUTBOX_FULL', retriable: true });
    expect(errors()).toHaveLength(2);
    await unlock();
    await settled(store);
    expect(await callsOf(lead)).toEqual(names);
  });
});

describe('neither file nor journal takes writes', () => {
  test('a handed-in post is given out once all the same, and again when it is sent again', async () => {
    symlinkSync('/dev/full', `${path}-spill`);
    const store = await open();
    const lead = await leadOf(store);
    await lead.load();
    const desk = await openDesk({ kind: 'sqlite', path, durability: 'full', keep: 7 * 86_400_000 }, seen.context);
    try {
      const [handedIn] = await desk.handIn([somePost('a')]);
      const { seq } = handedIn!;
      const unlock = await lockFile(path);
      await write(lead, 1);
      expect(store.state.state).toBe('memory');
      const given: (readonly number[])[] = [];
      for (let look = 0; look < 3; look += 1) {
        const items = await lead.handedIn();
        given.push(items.map((item) => item.seq));
        for (const item of items) {
          await store.outbox.attempt(item.seq);
          await store.outbox.settle(item.seq, 'dead', 'refused');
        }
      }
      expect(given).toEqual([[seq], [], []]);
      await unlock();
      await settled(store);
      expect(await lead.handedIn()).toEqual([]);
      expect(await desk.resend([seq])).toHaveLength(1);
      expect((await lead.handedIn()).map((item) => item.seq)).toEqual([seq]);
    } finally {
      await desk.close();
    }
  });
});

const mountable = ((): string | undefined => {
  if (process.getuid?.() !== 0) return 'only root can mount a small disk';
  const place = join(tmpdir(), `zpb-mount-${process.pid}`);
  try {
    execFileSync('mkdir', ['-p', place]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place], { stdio: 'pipe' });
    execFileSync('umount', [place]);
    return undefined;
  } catch {
    return 'no tmpfs can be mounted here';
  } finally {
    execFileSync('rmdir', [place]);
  }
})();
const testOnSmallDisk = mountable === undefined ? test : test.skip;

describe('a full disk', () => {
  testOnSmallDisk(
    `first the journal, then memory; nothing is lost${mountable === undefined ? '' : ` (skipped: ${mountable})`}`,
    async () => {
      const disk = join(directory, 'disk');
      await mkdir(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
      try {
        const file = join(disk, 'bridge.db');
        const store = await open({ spillBytes: 256 * 1024 }, file);
        const lead = await leadOf(store);
        const names = await write(lead, 20, 'before');
        const filler = openSync(join(disk, 'filler'), 'w');
        try {
          for (;;) writeSync(filler, Buffer.alloc(4096));
        } catch {
          // Full.
        }
        closeSync(filler);
        const until = async (state: string): Promise<void> => {
          for (let n = 0; store.state.state !== state; n += 1) {
            if (n > 2_000) throw new Error(`never ${state}`);
            names.push(...(await write(lead, 10, `${state}${n}-`)));
          }
        };
        await until('spilling');
        expect(store.state).toMatchObject({ reason: expect.stringContaining('disk is full') as unknown });
        await until('memory');
        await rm(join(disk, 'filler'));
        await settled(store);
        await close();
        const again = await leadOf(await open({}, file));
        expect(new Set(await callsOf(again))).toEqual(new Set(names));
      } finally {
        await close();
        execFileSync('umount', [disk]);
      }
    },
  );
});

describe('a damaged file', () => {
  const aside = (): readonly string[] =>
    readdirSync(directory).filter((name) => /^bridge\.db\.corrupt-[^.]*Z$/.test(name));
  const token = (id: string): Credential => ({ id, kind: 'token', agent: '100', hash: 'h', createdAt: 1_000 });
  /** A closed store with many calls, all in the one file. */
  const filled = async (): Promise<{ readonly names: readonly string[]; readonly epoch: number }> => {
    const store = await open();
    await (await leadOf(store)).release();
    const lead = await leadOf(store);
    await store.credentials.add(token('kept'));
    await store.credentials.add(token('revoked'));
    await store.credentials.revoke('revoked');
    const names = await write(lead, 400);
    await close();
    return { names, epoch: lead.epoch };
  };
  const spoil = (from: number, to: number): void => {
    const file = openSync(path, 'r+');
    const { size } = statSync(path);
    const at = Math.floor(size * from);
    const garbage = Buffer.from(Array.from({ length: Math.floor(size * to) - at }, (_, index) => (index * 7919) % 251));
    writeSync(file, garbage, 0, garbage.length, at);
    closeSync(file);
  };

  test.each([
    [
      'garbage in the middle',
      () => {
        spoil(0.4, 0.5);
      },
    ],
    [
      'garbage at the end',
      () => {
        spoil(0.9, 1);
      },
    ],
    [
      'cut in half',
      () => {
        const file = openSync(path, 'r+');
        ftruncateSync(file, Math.floor(statSync(path).size / 2));
        closeSync(file);
      },
    ],
  ])('%s: what can be read is taken over, the file is set aside', async (_, damage) => {
    const { names, epoch } = await filled();
    damage();
    const store = await open();
    const lead = await leadOf(store);
    expect(lead.epoch).toBeGreaterThan(epoch);
    const heritage = await lead.load();
    expect(heritage.posts.length + heritage.calls.length).toBeGreaterThan(50);
    expect(names).toEqual(expect.arrayContaining(heritage.posts.map(({ callId }) => callId)));
    expect((await store.credentials.tokens()).map(({ id }) => id)).toEqual(['kept']);
    expect(aside()).toHaveLength(1);
    expect(errors()).toEqual([expect.stringContaining('was damaged')]);
    const fresh = await write(lead, 3, 'after');
    await close();
    expect(await callsOf(await leadOf(await open()))).toEqual(expect.arrayContaining(fresh));
    expect(errors()).toEqual([]);
  });

  test('no database at all', async () => {
    writeFileSync(path, 'this is a text and no database\n'.repeat(1_000));
    const store = await open();
    await write(await leadOf(store), 3);
    expect(aside()).toHaveLength(1);
    expect(readFileSync(join(directory, aside()[0]!), 'utf8')).toContain('a text');
  });

  test('damaged while it is in use: everything open is in the new file', async () => {
    const store = await open();
    const lead = await leadOf(store);
    const names = await write(lead, 400);
    const items = (await lead.load()).posts;
    await store.outbox.attempt(items[0]!.seq);
    await store.outbox.settle(items[1]!.seq, 'delivered');
    const raw = new Sqlite(path);
    raw.pragma('wal_checkpoint(truncate)');
    raw.prepare(`insert into zpb_counters values ('test', 1)`).run();
    raw.pragma('wal_checkpoint(truncate)');
    raw.close();
    spoil(0, 1);
    const more: string[] = [];
    await waitFor('the damage to be met', async () => {
      more.push(...(await write(lead, 1, `m${more.length}-`)));
      return aside().length > 0;
    });
    await settled(store);
    await close();
    const next = await leadOf(await open());
    expect(next.epoch).toBeGreaterThan(lead.epoch);
    const { posts, calls } = await next.load();
    expect(new Set(posts.map(({ callId }) => callId))).toEqual(
      new Set([...names.filter((name) => name !== 'c1'), ...more]),
    );
    expect(posts.find(({ callId }) => callId === 'c0')).toMatchObject({ state: 'sending', attempts: 1 });
    expect(calls).toHaveLength(names.length + more.length);
  });

  test('a process that ended between the two steps of putting the new file in its place loses nothing', async () => {
    const { names } = await filled();
    renameSync(path, `${path}.mended`);
    // Of the damaged one.
    writeFileSync(`${path}-wal`, 'no log');
    expect(await callsOf(await leadOf(await open()))).toEqual(names);
    expect(existsSync(`${path}.mended`)).toBe(false);
  });

  test('records of calls that are of no shape, or of half of it, are told and counted; the others go on', async () => {
    await write(await leadOf(await open()), 4);
    await close();
    const raw = new Sqlite(path);
    const set = raw.prepare('update zpb_calls set record = ? where call_id = ?');
    set.run(JSON.stringify({ ...someRecord('c0'), tellings: 'none' }), 'c0');
    set.run(JSON.stringify({ ...someRecord('c1'), customers: {} }), 'c1');
    set.run(JSON.stringify(someRecord('c1')), 'c3');
    raw.close();
    const { calls } = await (await leadOf(await open())).load();
    expect(calls.map(({ id, version, customers }) => [id, version, customers])).toEqual([
      ['c1', 0, []],
      ['c2', 1, ['leg-c2']],
    ]);
    const told = seen.lines.filter(({ msg }) => String(msg).startsWith('store: what was kept of a call'));
    expect(told.map(({ callId }) => callId)).toEqual(['c0', 'c1', 'c3']);
    expect(seen.counts.get('store_unreadable_calls_total office')).toBe(3);
  });

  test('somebody who only looks at it mends nothing', async () => {
    await filled();
    spoil(0.3, 0.9);
    const settings = { kind: 'sqlite', path, durability: 'full', keep: 1 } as const;
    await expect(openDesk(settings, seenContext().context)).rejects.toMatchObject({ code: 'ZPB_STORE_OPEN' });
    expect(aside()).toEqual([]);
  });
});

describe('a file that a person must see to', () => {
  const look = (): Promise<Desk> =>
    openDesk({ kind: 'sqlite', path, durability: 'full', keep: 1 }, seenContext().context);

  test('of a newer version', async () => {
    await open();
    await close();
    const raw = new Sqlite(path);
    raw.prepare(`insert into zpb_migrations values ('999-future', '2030-01-01T00:00:00Z')`).run();
    raw.close();
    await expect(open()).rejects.toMatchObject({ code: 'ZPB_STORE_NEWER', retriable: false });
  });

  test('a directory where a file should be, or a file where a directory should be', async () => {
    await mkdir(path);
    const folder = {
      code: 'ZPB_STORE_OPEN',
      message: `The store ${path} cannot be opened: it is a folder; store.path is to name a file`,
    };
    await expect(open()).rejects.toMatchObject(folder);
    await expect(look()).rejects.toMatchObject(folder);
    writeFileSync(join(directory, 'file'), '');
    await expect(open({}, join(directory, 'file', 'bridge.db'))).rejects.toMatchObject({ code: 'ZPB_STORE_OPEN' });
  });

  const linux = process.platform === 'linux' ? test : test.skip;
  linux('a place where no folder can be made, not even by trying again (skipped where there is no /proc)', async () => {
    await expect(open({}, '/proc/nope/bridge.db')).rejects.toMatchObject({
      code: 'ZPB_STORE_OPEN',
      message: expect.stringContaining('ENOENT') as unknown,
    });
  });

  const unwritable = process.getuid?.() === 0 ? test.skip : test;
  unwritable('a directory where nothing can be written (skipped for root, who may write everywhere)', async () => {
    await chmod(directory, 0o500);
    await expect(open()).rejects.toMatchObject({ code: 'ZPB_STORE_OPEN' });
    await chmod(directory, 0o700);
  });

  test('a look at what is not there makes nothing, and says that no bridge has run yet', async () => {
    await expect(look()).rejects.toMatchObject({
      code: 'ZPB_STORE_OPEN',
      message: expect.stringContaining(`no store ${path} yet: no bridge has run`) as unknown,
    });
    expect(existsSync(path)).toBe(false);
    await expect(openDesk({ kind: 'memory' }, seenContext().context)).rejects.toMatchObject({
      code: 'ZPB_STORE_MEMORY',
    });
  });

  test('nobody else can read the file', async () => {
    const store = await open();
    await write(await leadOf(store), 1);
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o077).toBe(0);
    expect(await store.lead(OFFICE)).toEqual({ holder: 'this process' });
  });
});
