/** The client against real sockets: what is surely not processed, and what nobody can know. */
import { setMaxListeners } from 'node:events';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asCallId, asZammadName } from '../../../src/call/vocabulary.js';
import type { HangupPost, NewCallPost } from '../../../src/call/vocabulary.js';
import { systemClock } from '../../../src/clock.js';
import { Secret } from '../../../src/secret.js';
import { readAuthorities } from '../../../src/zammad/authorities.js';
import { createZammadClient } from '../../../src/zammad/client.js';
import type { ZammadClient, ZammadClientSettings } from '../../../src/zammad/client.js';
import { pause, waitFor } from '../../support/wait-for.js';
import { ScriptedServer, respond } from './scripted-server.js';

const CANARY = 'Canary-Token_0123456789abcd';
const hangup: HangupPost = {
  event: 'hangup',
  callId: asCallId('office-1'),
  direction: 'in',
  from: '491711234567',
  to: '4930555200',
  cause: 'cancel',
};
const newCall: NewCallPost = { ...hangup, event: 'newCall', user: ['Alice'] };

const server = { current: new ScriptedServer() };
const clients: ZammadClient[] = [];

function client(
  more: Partial<ZammadClientSettings> = {},
  origin = `http://127.0.0.1:${server.current.port}`,
): ZammadClient {
  const made = createZammadClient({
    name: asZammadName('main'),
    url: new Secret(`${origin}/api/v1/cti/${CANARY}`),
    origin,
    encoding: 'form',
    version: '1.2.3',
    clock: systemClock,
    ...more,
  });
  clients.push(made);
  return made;
}

/** No part of the URL beyond its origin may be in anything a client gives. */
function expectClean(value: unknown): void {
  for (const text of [JSON.stringify(value), inspect(value, { depth: 20, showHidden: true }), String(value)]) {
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain('/api/v1/cti');
  }
}

beforeEach(async () => {
  server.current = new ScriptedServer();
  await server.current.listen();
});
afterEach(async () => {
  for (const made of clients.splice(0)) made.close();
  await server.current.close();
});

describe('surely not processed', () => {
  test('nothing listens', async () => {
    const { port } = server.current;
    const made = client({}, `http://127.0.0.1:${port}`);
    await server.current.close();
    const outcome = await made.post(hangup, { timeout: 3000 });
    expect(outcome).toEqual({ kind: 'notProcessed', message: expect.stringContaining('ECONNREFUSED') });
    expectClean(outcome);
    server.current = new ScriptedServer();
    await server.current.listen();
  });

  test('the name cannot be resolved', async () => {
    const outcome = await client({}, 'http://zammad.invalid').post(hangup, { timeout: 5000 });
    expect(outcome.kind).toBe('notProcessed');
    expectClean(outcome);
  });

  test('TLS to a port that speaks plain HTTP', async () => {
    server.current.behaviour = (socket, { text }) => {
      if (text !== '') socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    };
    const outcome = await client({}, `https://127.0.0.1:${server.current.port}`).post(hangup, { timeout: 3000 });
    expect(outcome.kind).toBe('notProcessed');
    expectClean(outcome);
  });

  test('the deadline passes during the TLS handshake', async () => {
    const outcome = await client({}, `https://127.0.0.1:${server.current.port}`).post(hangup, { timeout: 150 });
    expect(outcome).toEqual({ kind: 'notProcessed', message: expect.stringContaining('within 150 ms') });
    await waitFor('the connection to be closed', () => server.current.open === 0);
  });

  test('the caller stops before anything was sent', async () => {
    const outcome = await client().post(hangup, { timeout: 1000, signal: AbortSignal.abort() });
    expect(outcome.kind).toBe('notProcessed');
    expect(server.current.connections).toBe(0);
  });

  test.each(['502 Bad Gateway', '503 Service Unavailable', '429 Too Many Requests'])(
    '%s of a proxy',
    async (status) => {
      server.current.behaviour = (socket, { text }) => {
        if (text !== '') respond(socket, status, '<html>', 'Retry-After: 7\r\n');
      };
      expect(await client().post(hangup, { timeout: 3000 })).toMatchObject({ kind: 'notProcessed', retryAfter: 7000 });
    },
  );
});

describe('nobody can say', () => {
  test('accepted, then closed before anything was read: the bytes may have got there', async () => {
    server.current.behaviour = (socket) => {
      socket.destroy();
    };
    const outcome = await client().post(hangup, { timeout: 3000 });
    expect(outcome).toMatchObject({ kind: 'unknownOutcome', cause: 'silent' });
    expectClean(outcome);
  });

  test.each([
    { when: 'after the head of the request', end: '\r\n\r\n' },
    { when: 'after the whole request', end: 'cause=cancel' },
  ])('reset $when', async ({ end }) => {
    server.current.behaviour = (socket, { text }) => {
      if (text.includes(end)) socket.resetAndDestroy();
    };
    const outcome = await client().post(hangup, { timeout: 3000 });
    expect(outcome).toMatchObject({ kind: 'unknownOutcome', cause: 'silent' });
    expectClean(outcome);
  });

  test('no answer: the deadline holds, and the connection is closed', async () => {
    const began = performance.now();
    const outcome = await client().post(hangup, { timeout: 200 });
    const took = performance.now() - began;
    expect(outcome).toMatchObject({
      kind: 'unknownOutcome',
      cause: 'silent',
      message: expect.stringContaining('200 ms'),
    });
    expect(took).toBeGreaterThanOrEqual(195);
    expect(took).toBeLessThan(2000);
    expectClean(outcome);
    await waitFor('the connection to be closed', () => server.current.open === 0);
  });

  test('an answer that trickles does not hold the deadline up', async () => {
    server.current.behaviour = (socket, { text }) => {
      if (text === '') return;
      const timer = setInterval(() => socket.write('H'), 20);
      socket.on('close', () => {
        clearInterval(timer);
      });
    };
    const outcome = await client().post(hangup, { timeout: 250 });
    expect(outcome.kind).toBe('unknownOutcome');
  });

  test('stopped while the request is under way', async () => {
    const abort = new AbortController();
    server.current.behaviour = (_socket, { text }) => {
      if (text.includes('cause=cancel')) abort.abort();
    };
    const outcome = await client().post(hangup, { timeout: 5000, signal: abort.signal });
    expect(outcome).toMatchObject({ kind: 'unknownOutcome', message: expect.stringContaining('stops') });
  });

  test('504 of a proxy', async () => {
    server.current.behaviour = (socket, { text }) => {
      if (text !== '') respond(socket, '504 Gateway Timeout', '');
    };
    expect(await client().post(hangup, { timeout: 3000 })).toMatchObject({ kind: 'unknownOutcome', cause: 'silent' });
  });
});

describe('the status counts as soon as it is there', () => {
  test.each(['reset', 'deadline'])('200, and the body never comes: %s', async (how) => {
    server.current.behaviour = (socket, { text }) => {
      if (text === '') return;
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"act', () => {
        if (how === 'reset') setTimeout(() => socket.resetAndDestroy(), 30);
      });
    };
    const outcome = await client().post(newCall, { timeout: 400 });
    expect(outcome).toEqual({ kind: 'delivered', reply: { kind: 'odd', why: 'broken off' } });
  });

  test('200 with a small body that grows beyond 64 KiB when it is unpacked, which nobody asked for', async () => {
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
    server.current.behaviour = (socket, { requests }) => {
      if (requests === 0) return;
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n' +
          `Content-Length: ${packed.length}\r\n\r\n`,
      );
      socket.write(packed);
    };
    const outcome = await client().post(newCall, { timeout: 3000 });
    expect(outcome).toEqual({ kind: 'delivered', reply: { kind: 'odd', why: 'longer than 64 KiB' } });
  });
  test('200 with a body beyond 64 KiB is not read to its end', async () => {
    server.current.behaviour = (socket, { text }) => {
      if (text !== '') respond(socket, '200 OK', `{"action":"reject","x":"${'x'.repeat(70_000)}"}`);
    };
    const outcome = await client().post(newCall, { timeout: 3000 });
    expect(outcome).toEqual({ kind: 'delivered', reply: { kind: 'odd', why: 'longer than 64 KiB' } });
  });
});

describe('connections', () => {
  const ok = (): void => {
    server.current.behaviour = (socket, { text }) => {
      if (text.includes('callId=')) respond(socket, '200 OK', '{}');
    };
  };

  test('are kept and used again', async () => {
    ok();
    const made = client();
    for (let i = 0; i < 3; i += 1) expect((await made.post(newCall, { timeout: 3000 })).kind).toBe('delivered');
    expect(server.current).toMatchObject({ requests: 3, connections: 1 });
  });

  test('idle ones are closed by us, before a server does', async () => {
    ok();
    const made = client({ maxIdle: 80 });
    await made.post(newCall, { timeout: 3000 });
    await waitFor('the idle connection to be closed', () => server.current.open === 0);
    expect((await made.post(newCall, { timeout: 3000 })).kind).toBe('delivered');
    expect(server.current.connections).toBe(2);
  });

  test('the idle limit does not cut a slow answer short', async () => {
    server.current.behaviour = (socket, { text }) => {
      if (text.includes('callId=')) {
        setTimeout(() => {
          respond(socket, '200 OK', '{}');
        }, 300);
      }
    };
    expect((await client({ maxIdle: 60 }).post(newCall, { timeout: 3000 })).kind).toBe('delivered');
  });

  test('a hangup with a socket of its own does not meet a server that closes what is idle', async () => {
    // Answers, and resets the connection as soon as anything more comes over it: what a close looks like that is under way.
    server.current.behaviour = (socket, { text }) => {
      if (!text.includes('callId=')) return;
      respond(socket, '200 OK', '{}');
      socket.removeAllListeners('data');
      socket.on('data', () => socket.resetAndDestroy());
    };
    const made = client();
    for (let i = 0; i < 3; i += 1) {
      expect((await made.post(newCall, { timeout: 3000, freshSocket: true })).kind).toBe('delivered');
      expect((await made.post(hangup, { timeout: 3000, freshSocket: true })).kind).toBe('delivered');
    }
    // And the trap is real: a kept connection runs into it.
    await made.post(newCall, { timeout: 3000 });
    expect((await made.post(hangup, { timeout: 3000 })).kind).toBe('unknownOutcome');
  });

  test('as many at once as are asked for: none waits behind a slow one', async () => {
    server.current.behaviour = () => undefined;
    const made = client();
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const posts = Array.from({ length: 40 }, () => made.post(newCall, { timeout: 5000, signal: stop.signal }));
    await waitFor('all of them to arrive', () => server.current.requests === 40);
    stop.abort();
    await Promise.all(posts);
  });

  test('close ends them all', async () => {
    ok();
    const made = client({ maxIdle: 60_000 });
    await made.post(newCall, { timeout: 3000 });
    expect(server.current.open).toBe(1);
    made.close();
    await waitFor('every connection to be closed', () => server.current.open === 0);
  });
});

describe('TLS', () => {
  let dir: string;
  let cert: string;
  const tls: { requests: number; close: () => Promise<void>; origin: string } = {
    requests: 0,
    close: () => Promise.resolve(),
    origin: '',
  };

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'zpb-tls-'));
    const key = join(dir, 'key.pem');
    cert = join(dir, 'cert.pem');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'ignore' },
    );
    tls.requests = 0;
    const running = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
      tls.requests += 1;
      request.resume();
      response.end('{}');
    });
    running.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve));
    tls.origin = `https://localhost:${(running.address() as AddressInfo).port}`;
    tls.close = () =>
      new Promise((resolve) => {
        running.closeAllConnections();
        running.close(() => {
          resolve();
        });
      });
  });
  afterEach(async () => {
    await tls.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test('an unknown authority: nothing reaches the server, and the message names the setting', async () => {
    const outcome = await client({}, tls.origin).post(hangup, { timeout: 3000 });
    expect(outcome).toEqual({ kind: 'notProcessed', message: expect.stringContaining('zammad[].caFile') });
    await pause(50);
    expect(tls.requests).toBe(0);
    expectClean(outcome);
  });

  test('caFile makes it known; another name is still refused', async () => {
    const ca = await readAuthorities(cert);
    expect((await client({ ca }, tls.origin).post(hangup, { timeout: 3000 })).kind).toBe('delivered');
    const elsewhere = await client({ ca }, tls.origin.replace('localhost', '127.0.0.1')).post(hangup, {
      timeout: 3000,
    });
    expect(elsewhere).toMatchObject({
      kind: 'notProcessed',
      message: expect.stringContaining('another name'),
    });
  });

  test('a caFile that cannot be read or holds no certificate is a PermanentError', async () => {
    await expect(readAuthorities(join(dir, 'none.pem'))).rejects.toMatchObject({
      code: 'ZPB_ZAMMAD_CA_FILE',
      retriable: false,
    });
    const empty = join(dir, 'empty.pem');
    writeFileSync(empty, 'nothing');
    await expect(readAuthorities(empty)).rejects.toMatchObject({ code: 'ZPB_ZAMMAD_CA_FILE' });
  });
});
