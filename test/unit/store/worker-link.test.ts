import { beforeEach, expect, jest, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Request } from '../../../src/store/protocol.js';
import { ManualClock } from '../../support/manual-clock.js';
import { seenContext, type SeenStore } from '../../support/store-rows.js';

/** A worker that does what the test says. */
class FakeWorker extends EventEmitter {
  readonly asked: Request[] = [];
  terminated = 0;
  postMessage(request: Request): void {
    this.asked.push(request);
  }
  answer(output: unknown): void {
    this.emit('message', { id: this.asked.at(-1)!.id, output });
  }
  terminate(): Promise<number> {
    this.terminated += 1;
    return new Promise(() => undefined);
  }
}

const workers: FakeWorker[] = [];
// In tests it stands in the place of src/store/spawn-worker.ts.
jest.unstable_mockModule('../../support/spawn-worker', () => ({
  spawnWorker: () => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker;
  },
}));
const { WorkerLink } = await import('../../../src/store/worker-link.js');

let clock: ManualClock;
let lines: SeenStore['lines'];
let link: InstanceType<typeof WorkerLink>;
const died = { code: 'ZPB_STORE_WORKER', retriable: true };

beforeEach(() => {
  workers.length = 0;
  clock = new ManualClock();
  const { context, lines: logged } = seenContext({}, { clock, random: () => 0.5 });
  lines = logged;
  link = new WorkerLink({ ...context, settings: {} as never, stuck: 30_000, onEvent: () => undefined });
});

test('one that says nothing for long is ended, and replaced once it has', async () => {
  const first = link.call('pbxs', undefined);
  await clock.advance(20_000);
  const second = link.call('pbxs', undefined);
  workers[0]!.answer(['office']);
  expect(await second).toEqual(['office']);
  // What it says counts: from then on it has its time again.
  await clock.advance(29_999);
  expect(workers[0]!.terminated).toBe(0);
  await clock.advance(1);
  expect(workers[0]!.terminated).toBe(1);
  expect(lines.at(-1)).toMatchObject({ msg: expect.stringContaining('is asked to end') as unknown });
  const refused = expect(first).rejects.toMatchObject(died);
  workers[0]!.emit('exit', 1);
  await refused;
  const third = link.call('pbxs', undefined);
  expect(workers).toHaveLength(2);
  workers[1]!.answer([]);
  expect(await third).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('one that dies again and again is started again after a while, and then at once', async () => {
  const dies = async (): Promise<void> => {
    const asked = expect(link.call('pbxs', undefined)).rejects.toMatchObject(died);
    workers.at(-1)!.emit('error', new Error('out of memory'));
    workers.at(-1)!.emit('exit', 1);
    await asked;
  };
  await dies();
  await dies();
  expect(workers).toHaveLength(2);
  await expect(link.call('pbxs', undefined)).rejects.toMatchObject(died);
  expect(workers).toHaveLength(2);
  await clock.advance(100);
  const asked = link.call('pbxs', undefined);
  expect(workers).toHaveLength(3);
  workers[2]!.answer([]);
  await asked;
  await dies();
  void link.call('pbxs', undefined).catch(() => undefined);
  expect(workers).toHaveLength(4);
});

test('errors come with their code, and say whether time helps', async () => {
  for (const retriable of [true, false]) {
    const asked = link.call('pbxs', undefined);
    const failure = { code: 'ZPB_STORE_GONE', message: 'gone', retriable };
    workers[0]!.emit('message', { id: workers[0]!.asked.at(-1)!.id, failure });
    await expect(asked).rejects.toMatchObject(failure);
  }
});

test('a close waits for an answer and for the end, but not for ever', async () => {
  const asked = expect(link.call('pbxs', undefined)).rejects.toMatchObject(died);
  let over = false;
  const closing = link.close(500).then(() => (over = true));
  await clock.advance(499);
  expect(workers[0]!.terminated).toBe(0);
  await clock.advance(1);
  expect(workers[0]!.terminated).toBe(1);
  expect(over).toBe(false);
  await clock.advance(1_000);
  await closing;
  await asked;
  await expect(link.call('pbxs', undefined)).rejects.toMatchObject({ code: 'ZPB_OUTBOX_CLOSED' });
});
