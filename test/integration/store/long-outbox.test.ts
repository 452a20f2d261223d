/** A lead that takes up very many posts: the main thread goes on meanwhile. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/store.js';
import { leadOf, OFFICE, seenContext, somePost } from '../../support/store-rows.js';

jest.setTimeout(60_000);

const POSTS = 60_000;
let directory: string;
let store: Store;
const open = (): Promise<Store> =>
  openStore(
    { kind: 'sqlite', path: join(directory, 'bridge.db'), durability: 'normal', keep: 7 * 86_400_000 },
    seenContext().context,
  );

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zpb-store-'));
  store = await open();
});
afterEach(async () => {
  await store.close(2_000);
  await rm(directory, { recursive: true, force: true });
});

test(`${POSTS} posts that were left are taken up in many short turns`, async () => {
  const lead = await leadOf(store);
  for (let n = 0; n < POSTS; n += 3_000) {
    const posts = Array.from({ length: 1_000 }, (_, k) => `call-${n + k}`);
    await lead.commit({
      calls: [],
      posts: posts.flatMap((name) => [somePost(name), somePost(name, 'answer'), somePost(name, 'hangup')]),
    });
  }
  await store.close(10_000);
  store = await open();
  const next = await leadOf(store, OFFICE);
  const turns: number[] = [];
  const began = performance.now();
  let at = began;
  let watching = true;
  const watch = (): void => {
    const now = performance.now();
    turns.push(now - at);
    at = now;
    if (watching) setImmediate(watch);
  };
  setImmediate(watch);
  const { posts, newCalls } = await next.load();
  const whole = performance.now() - began;
  watching = false;
  expect(posts).toHaveLength(POSTS);
  expect(newCalls).toHaveLength(POSTS / 3);
  turns.sort((a, b) => b - a);
  // About 10 ms each of some 1,600; all in one took 400. Parts of the whole, for a busy machine is slower in all of them; a few may meet the
  // collector of garbage.
  expect(turns[0]).toBeLessThan(whole / 5);
  expect(turns[3]).toBeLessThan(whole / 12);
});
