import { afterEach, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/clock.js';
import { watchEventLoop, type EventLoopWatch } from '../../../src/event-loop.js';
import { metricsRoutes } from '../../../src/http/metrics-routes.js';
import { createHttpServer, type HttpServer } from '../../../src/http/server.js';
import { Metrics } from '../../../src/metrics.js';
import { silent } from '../../support/whole-bridge.js';
import { waitFor } from '../../support/wait-for.js';

const BLOCK = 80;
/** Longer than a busy machine keeps a test waiting. */
const LONG_BLOCK = 1_000;
/** What is told may be so much too short. */
const RESOLUTION = 5;

let watch: EventLoopWatch | undefined;
let server: HttpServer | undefined;
afterEach(async () => {
  watch?.close();
  await server?.close();
  watch = undefined;
  server = undefined;
});

function block(ms = BLOCK): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
/** The loop turns on; resolves when the watch must have looked again. */
const turns = async (): Promise<void> => {
  const until = performance.now() + 4 * RESOLUTION;
  await waitFor('the loop to turn', () => performance.now() > until, { within: 5_000, every: 1 });
};

test('/metrics tells the longest stall since it was last asked, and starts anew', async () => {
  const metrics = new Metrics();
  const http = createHttpServer({
    host: '127.0.0.1',
    port: 'any',
    health: () => ({ pbx: [], zammad: [], problems: [] }),
    log: silent,
    version: '0',
    clock: systemClock,
    routes: [metricsRoutes(metrics)],
  });
  server = http;
  const url = await http.listen();
  const scrape = async (): Promise<number> => {
    const text = await (await fetch(`${String(url)}/metrics`)).text();
    return Number(/^event_loop_stall_seconds_max (\S+)$/m.exec(text)?.[1]);
  };
  // What happened before the watch began is not told: the start of a program stalls.
  block(LONG_BLOCK);
  watch = watchEventLoop(metrics, systemClock);
  await turns();
  expect(await scrape()).toBeLessThan(LONG_BLOCK / 1000 / 2);
  await turns();
  block();
  await turns();
  expect(await scrape()).toBeGreaterThanOrEqual((BLOCK - RESOLUTION) / 1000);
  await turns();
  block(LONG_BLOCK);
  await turns();
  expect(await scrape()).toBeGreaterThanOrEqual((LONG_BLOCK - RESOLUTION) / 1000);
  await turns();
  expect(await scrape()).toBeLessThan(LONG_BLOCK / 1000 / 2);
});

test('a stall right after the start of the watch, or right after a scrape, is seen', async () => {
  watch = watchEventLoop(new Metrics(), systemClock);
  for (let round = 0; round < 3; round += 1) {
    block();
    await turns();
    expect(watch.take()).toBeGreaterThanOrEqual(BLOCK - RESOLUTION);
  }
});

test('after it is closed it measures nothing and tells nothing', async () => {
  const metrics = new Metrics();
  watch = watchEventLoop(metrics, systemClock);
  await turns();
  watch.close();
  watch.close();
  block();
  await turns();
  expect(await metrics.text()).toMatch(/^event_loop_stall_seconds_max 0$/m);
});
