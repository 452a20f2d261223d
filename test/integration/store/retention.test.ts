import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { systemClock, type Clock } from '../../../src/clock.js';
import { openStore } from '../../../src/store/open-store.js';
import type { StoreTuning } from '../../../src/store/settings.js';
import type { Store } from '../../../src/store/store.js';
import { leadOf, openCall, overCall, seenContext, somePost } from '../../support/store-rows.js';
import { pause, waitFor } from '../../support/wait-for.js';

jest.setTimeout(60_000);

const DAY = 86_400_000;
let directory: string;
let path: string;
const opened: Store[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zpb-store-'));
  path = join(directory, 'bridge.db');
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close(1_000);
  await rm(directory, { recursive: true, force: true });
});

/** Opens it as if so many days had gone by. */
async function open(days: number, tuning: Partial<StoreTuning> = {}): Promise<Store> {
  const clock: Clock = { ...systemClock, wall: () => systemClock.wall() + days * DAY };
  const { context } = seenContext({ cleanFirst: 20, cleanEvery: 50, ...tuning }, { clock });
  const store = await openStore({ kind: 'sqlite', path, durability: 'normal', keep: 7 * DAY }, context);
  opened.push(store);
  return store;
}
const close = async (): Promise<void> => {
  for (const store of opened.splice(0)) await store.close(1_000);
};
const counts = (): Record<string, number> => {
  const raw = new Sqlite(path, { readonly: true });
  const rows = raw
    .prepare<[], { what: string; n: number }>(
      `select state as what, count(*) as n from zpb_posts group by state
       union all select case when record is null then 'over' else 'open' end, count(*) from zpb_calls group by 1`,
    )
    .all();
  raw.close();
  return Object.fromEntries(rows.map(({ what, n }) => [what, n]));
};

/** 700 calls that are over and delivered, and one of each other kind. */
async function fill(): Promise<void> {
  const store = await open(0, { cleanFirst: 1e9 });
  const lead = await leadOf(store);
  const names = Array.from({ length: 700 }, (_, n) => `c${n}`);
  const items = await lead.commit({
    calls: names.map((name) => overCall(name)),
    posts: names.map((name) => somePost(name)),
  });
  await Promise.all(items.map(({ seq }) => store.outbox.settle(seq, 'delivered')));
  const others = await lead.commit({
    calls: [openCall('open')],
    posts: [somePost('open'), somePost('waits'), somePost('dead'), somePost('dead', 'hangup')],
  });
  for (const index of [0, 2]) await store.outbox.settle(others[index]!.seq, 'delivered');
  await store.outbox.settle(others[3]!.seq, 'dead', 'refused');
  await close();
}

test('what is done with goes after its time, the rest stays; the file gives its room back', async () => {
  await fill();
  expect(counts()).toEqual({ delivered: 702, waiting: 1, dead: 1, over: 700, open: 1 });
  const before = statSync(path).size;

  await leadOf(await open(6, { cleanEvery: 20 }));
  await pause(300);
  expect(counts()).toEqual({ delivered: 702, waiting: 1, dead: 1, over: 700, open: 1 });
  await close();

  const store = await open(8);
  const lead = await leadOf(store);
  // What an open call or a dead post may still need stays with it.
  await waitFor(
    'the old rows to be gone',
    () => JSON.stringify(counts()) === '{"dead":1,"delivered":2,"waiting":1,"open":1}',
  );
  expect((await lead.load()).newCalls.map(({ callId }) => callId)).toEqual(['open', 'waits']);
  await close();
  expect(statSync(path).size).toBeLessThan(before / 2);

  await leadOf(await open(29));
  await waitFor('the dead post to be gone', () => JSON.stringify(counts()) === '{"delivered":1,"waiting":1,"open":1}');
});

test('who leads nothing removes nothing', async () => {
  await fill();
  await open(100);
  await pause(300);
  expect(counts()).toMatchObject({ delivered: 702 });
});
