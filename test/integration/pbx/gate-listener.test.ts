/** The port of a gate: had, not had, and tried again. Who may connect is held in asterisk-ami/fast-agi-hostile.test.ts. */
import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { GateListener } from '../../../src/pbx/gate-listener.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

async function taken(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}
function listener(port: number, clock: ManualClock): GateListener {
  const one = new GateListener({
    host: '127.0.0.1',
    port,
    allow: ['127.0.0.1'],
    onSocket: (socket) => socket.end('hello'),
    clock,
    log: silent,
    count: () => undefined,
  });
  cleanUp.push(() => one.close());
  return one;
}

test('a port in use is tried again with growing waits, up to a minute, and is had when it is free', async () => {
  const { server, port } = await taken();
  const clock = new ManualClock();
  const one = listener(port, clock);
  expect(await one.open()).toMatchObject({ code: 'ZPB_GATE_LISTEN' });
  for (const wait of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000]) {
    clock.turn(wait - 1);
    expect(clock.pending).toBe(1);
    clock.turn(1);
    await waitFor('the next try', () => clock.pending === 1);
  }
  server.close();
  await once(server, 'close');
  clock.turn(60_000);
  await waitFor('the port', () => one.state.kind === 'open');
  expect([one.port, await one.open(), clock.pending]).toEqual([port, undefined, 0]);
});

test('closed, it is not tried again; opened anew it is', async () => {
  const { server, port } = await taken();
  const clock = new ManualClock();
  const one = listener(port, clock);
  await one.open();
  await one.close();
  expect(clock.pending).toBe(0);
  server.close();
  await once(server, 'close');
  expect(one.state).toMatchObject({ kind: 'closed', reason: 'the gate is open only while the PBX is heard' });
  expect(await one.open()).toBeUndefined();
  const socket = connect({ port, host: '127.0.0.1' });
  expect(String((await once(socket, 'data'))[0])).toBe('hello');
});

test('closed while it begins to listen: no port stays open', async () => {
  const { server, port } = await taken();
  server.close();
  await once(server, 'close');
  const one = listener(port, new ManualClock());
  const opening = one.open();
  await one.close();
  await opening;
  expect([one.port, one.state.kind]).toEqual([undefined, 'closed']);
  await once(createServer().listen(port, '127.0.0.1').unref(), 'listening');
});
