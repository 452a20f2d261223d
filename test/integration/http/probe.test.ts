import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { pino } from 'pino';
import { probeHealth } from '../../../src/http/probe.js';
import { createHttpServer } from '../../../src/http/server.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function raw(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('probeHealth', () => {
  test('says ok, and why not', async () => {
    const server = createHttpServer({
      host: '127.0.0.1',
      port: 'any',
      version: '1',
      log: pino({ level: 'silent' }),
      health: () => ({
        pbx: [{ name: 'office', state: 'deaf', reason: 'wrong password', since: 0 }],
        zammad: [],
        problems: [],
      }),
    });
    const url = (await server.listen())!;
    cleanUps.push(() => server.close());
    expect(await probeHealth(`${url}/healthz`, 2000)).toEqual({ healthy: true, words: 'ok' });
    expect(await probeHealth(`${url}/readyz`, 2000)).toEqual({
      healthy: false,
      words: 'not ready; PBX office is deaf: wrong password',
    });
    expect(await probeHealth(`${url}/nothing`, 2000)).toEqual({ healthy: false, words: 'HTTP status 404' });
  });

  test('nothing listens', async () => {
    const { healthy, words } = await probeHealth('http://127.0.0.1:1/healthz', 2000);
    expect(healthy).toBe(false);
    expect(words).toMatch(/^no answer: /);
  });

  test('what listens never answers', async () => {
    const url = await raw(() => undefined);
    expect(await probeHealth(url, 100)).toEqual({ healthy: false, words: 'no answer: nothing came within 100 ms' });
  });

  test('something else listens there', async () => {
    const url = await raw((socket) => socket.end('Asterisk Call Manager/11.0.0\r\n'));
    expect((await probeHealth(url, 2000)).healthy).toBe(false);
  });

  test('a body without end is not swallowed', async () => {
    const url = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const pour = (): void => {
        while (socket.writable && socket.write('x'.repeat(16_384)));
      };
      socket.on('drain', pour);
      pour();
    });
    expect(await probeHealth(url, 2000)).toEqual({ healthy: true, words: 'HTTP status 200' });
  });
});
