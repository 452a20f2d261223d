/** A store whose worker does not answer. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Request } from '../../../src/store/protocol.js';
import type { Store } from '../../../src/store/store.js';
import { ManualClock } from '../../support/manual-clock.js';
import { seenContext } from '../../support/store-rows.js';

/** Answers only what the test says. */
class SilentWorker extends EventEmitter {
  readonly asked: Request[] = [];
  terminated = 0;
  postMessage(request: Request): void {
    this.asked.push(request);
  }
  answerAll(): void {
    for (const { id } of this.asked.splice(0)) this.emit('message', { id, output: undefined });
  }
  terminate(): Promise<number> {
    this.terminated += 1;
    return Promise.resolve(0);
  }
}

let worker: SilentWorker | undefined;
// In tests it stands in the place of src/store/spawn-worker.ts.
jest.unstable_mockModule('../../support/spawn-worker', () => ({
  spawnWorker: () => {
    worker = new SilentWorker();
    return worker;
  },
}));
const { openStore, openDesk } = await import('../../../src/store/open-store.js');

const SETTINGS = { kind: 'sqlite', path: '/nowhere/bridge.db', durability: 'full', keep: 1_000 } as const;
let clock: ManualClock;
const opened: Store[] = [];

beforeEach(() => {
  clock = new ManualClock();
  worker = undefined;
});
afterEach(async () => {
  const closing = Promise.all(opened.splice(0).map((store) => store.close(0)));
  await clock.advance(10_000);
  await closing;
  expect(clock.pending).toBe(0);
});

test('an open that is not answered holds the start up for 10 s only; what comes late counts', async () => {
  const { context } = seenContext({}, { clock, random: () => 0.5 });
  let store: Store | undefined;
  void openStore(SETTINGS, context).then((it) => (store = it));
  await clock.advance(9_999);
  expect(store).toBeUndefined();
  await clock.advance(1);
  opened.push(store!);
  expect(store!.state).toMatchObject({ state: 'memory', reason: expect.stringContaining('10000 ms') as unknown });
  // It is asked again, and has not answered the first question yet.
  await clock.advance(1_000);
  expect(worker!.asked.map(({ name }) => name)).toEqual(['open', 'open']);
  worker!.answerAll();
  await clock.advance(0);
  expect(store!.state).toEqual({ state: 'ok' });
});

test('a look from outside is not waited for any longer either', async () => {
  const { context } = seenContext({}, { clock });
  const refused = expect(openDesk(SETTINGS, context)).rejects.toMatchObject({ code: 'ZPB_STORE_UNAVAILABLE' });
  await clock.advance(15_000);
  await refused;
  expect(worker!.terminated).toBe(1);
});

test('a start that is given up ends at once, and so does its worker', async () => {
  const stop = new AbortController();
  const { context } = seenContext({}, { clock, signal: stop.signal });
  const refused = expect(openStore(SETTINGS, context)).rejects.toMatchObject({ code: 'ZPB_STOPPED', retriable: true });
  await clock.advance(500);
  stop.abort();
  await refused;
  await clock.advance(2_000);
  expect(worker!.terminated).toBe(1);
});

test('one that was given up before begins nothing', async () => {
  const { context } = seenContext({}, { clock, signal: AbortSignal.abort() });
  await expect(openStore(SETTINGS, context)).rejects.toMatchObject({ code: 'ZPB_STOPPED' });
  expect(worker).toBeUndefined();
});
