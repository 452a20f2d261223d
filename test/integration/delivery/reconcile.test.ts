/** Rows that ring for ever are closed; calls in progress never are. */
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { systemClock } from '../../../src/clock.js';
import { Reconciler } from '../../../src/zammad/reconciler.js';
import { DeliveryBench, MAIN, OFFICE, answer, hangup, newCall } from '../../support/delivery-bench.js';
import type { LogLine } from '../../support/delivery-bench.js';
import { pause, waitFor } from '../../support/wait-for.js';

let bench: DeliveryBench;
let reconciler: Reconciler;
const open = new Set<string>();
const lines: LogLine[] = [];
const counters = new Map<string, number>();
const timeout = 1000;

async function begin(token: boolean | 'later' = true, every?: number, standIn = {}): Promise<void> {
  bench = await DeliveryBench.begin({ token: token === true, standIn });
  const client = token === 'later' ? bench.clientWithToken() : bench.client;
  open.clear();
  lines.length = 0;
  counters.clear();
  reconciler = new Reconciler({
    zammads: [{ name: MAIN, client }],
    pbxs: [OFFICE],
    notify: (items) => {
      bench.dispatcher.notify(items);
    },
    clock: systemClock,
    log: pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) }),
    metrics: {
      count: (name, labels, by = 1) => {
        const key = [name, ...Object.values(labels ?? {})].join(' ');
        counters.set(key, (counters.get(key) ?? 0) + by);
      },
      gauge: () => undefined,
    },
    settings: { timeout: 150, lateness: 300 },
    every,
  });
}
const run = (): void => {
  reconciler.run(bench.lead, (callId) => open.has(callId));
};
const row = (call: string) => bench.standIn.row(call);
afterEach(async () => {
  await reconciler.stop();
  await bench.close();
});

test('rows that nobody will close are closed once, missed calls stay on the list; those in progress go on', async () => {
  await begin();
  for (const call of ['office-1', 'office-2', 'office-3', 'office-4', 'shop-1'])
    await bench.client.post(newCall(call), { timeout });
  await bench.client.post(answer('office-2'), { timeout });
  open.add('office-3');
  // Its hangup still waits here, as another bridge's would.
  await bench.commit([hangup('office-4')]);
  run();
  run();
  await waitFor(
    'the rows to be closed',
    () => row('office-1')?.state === 'hangup' && row('office-2')?.state === 'hangup',
  );
  expect(row('office-1')).toMatchObject({ done: false, comment: 'congestion' });
  expect(row('office-2')).toMatchObject({ done: true, comment: 'normalClearing' });
  await pause(100);
  expect(bench.posted().filter((event) => event === 'hangup')).toHaveLength(2);
  for (const call of ['office-3', 'office-4', 'shop-1']) expect(row(call)?.state).toBe('newCall');
  const looks = bench.standIn.requests().filter(({ event }) => event === 'log');
  expect(looks).toHaveLength(2);
  expect(looks[1]!.at - looks[0]!.at).toBeGreaterThanOrEqual(290);
  expect(counters.get('zammad_reconciled_total main closed')).toBe(2);
  expect(lines.filter(({ msg }) => msg.includes('for ever in Zammad main'))).toHaveLength(2);
});

test('an unknown hangup that was lost is sent with its own cause, one that has arrived is settled; neither is listed any more', async () => {
  // As long as the bridge had no API token.
  await begin('later');
  bench.standIn.faults.add({ kind: 'silent', processed: false, event: 'hangup', callId: 'office-1' });
  bench.standIn.faults.add({ kind: 'silent', processed: true, event: 'hangup', callId: 'office-2' });
  await bench.tell([newCall('office-1'), newCall('office-2')]);
  await bench.tell([hangup('office-1', { cause: 'busy' }), hangup('office-2', { cause: 'noAnswer' })]);
  await bench.idle();
  expect([...(await bench.left('office-1')), ...(await bench.left('office-2'))]).toEqual([
    ['hangup', 'unknown'],
    ['hangup', 'unknown'],
  ]);
  bench.standIn.faults.clear();
  const posted = bench.posted();
  run();
  await waitFor('the row to be closed', () => row('office-1')?.state === 'hangup');
  expect(row('office-1')).toMatchObject({ done: false, comment: 'busy' });
  expect(row('office-2')).toMatchObject({ done: false, comment: 'noAnswer' });
  expect(bench.posted()).toEqual([...posted, 'hangup']);
  await waitFor(
    'nothing to be listed',
    async () => (await bench.left('office-1')).length + (await bench.left('office-2')).length === 0,
  );
});

test('a call that ends by itself between the two looks is left alone', async () => {
  await begin();
  await bench.client.post(newCall('office-1'), { timeout });
  run();
  await waitFor('the first look', () => bench.looks === 1);
  await bench.tell([hangup('office-1')]);
  await bench.idle();
  await waitFor('the second look', () => bench.looks === 2);
  await pause(100);
  expect(bench.posted()).toEqual(['newCall', 'hangup']);
  expect(row('office-1')).toMatchObject({ state: 'hangup', done: false });
});

test('it looks again and again, until the lead ends', async () => {
  await begin(true, 30);
  run();
  await waitFor('three looks', () => bench.looks >= 3);
  await bench.lead.release();
  await pause(60);
  const { looks } = bench;
  await pause(120);
  expect(bench.looks).toBe(looks);
});

test('a token that may not read the caller log: said once, nothing else', async () => {
  await begin(true, 20, { apiToken: 'other', weakApiToken: 'api-token-of-an-agent' });
  run();
  await waitFor('three tries', () => bench.looks >= 3);
  expect(lines.filter(({ level }) => level >= 40)).toHaveLength(1);
});

test('without a token nothing is asked', async () => {
  await begin(false, 20);
  run();
  await pause(100);
  expect(bench.standIn.requests()).toEqual([]);
});

test('two who close the same row do not hang it up twice: what is handed in looks first', async () => {
  await begin();
  await bench.client.post(newCall('office-1'), { timeout });
  await bench.tell([hangup('office-1')]);
  bench.dispatcher.handedIn(await bench.commit([hangup('office-1')]));
  await bench.idle();
  expect(bench.posted()).toEqual(['newCall', 'hangup']);
  expect(row('office-1')).toMatchObject({ state: 'hangup', done: false });
});

test('a hangup that is handed in is sent when the caller log may not be read', async () => {
  await begin(true, undefined, { apiToken: 'other', weakApiToken: 'api-token-of-an-agent' });
  await bench.client.post(newCall('office-1'), { timeout });
  bench.dispatcher.handedIn(await bench.commit([hangup('office-1')]));
  await bench.idle();
  expect(row('office-1')).toMatchObject({ state: 'hangup', done: false });
});
