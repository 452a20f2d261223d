import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { ask, bare, codeOf, hangup, JSON_HEADERS, newCall, post } from './http-client.js';

let standIn: StandIn;
let agent: Agent;
beforeEach(async () => {
  standIn = await startStandIn({ apiToken: 'agent-token' });
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});
afterEach(async () => {
  agent.destroy();
  await standIn.stop();
});
const state = (): string | undefined => standIn.row('c1')?.state;
const lastEntry = () =>
  standIn.when(({ requests }) => {
    const entry = requests().at(-1);
    return entry !== undefined && entry.state !== 'open' && entry;
  });

describe('replies', () => {
  test.each([500, 401, 422, 502, 503, 504])('%i instead of the processing', async (status) => {
    standIn.faults.add({ kind: 'status', status, times: 1 });
    expect((await post(standIn, newCall)).status).toBe(status);
    expect(standIn.log()).toEqual([]);
    expect(await lastEntry()).toMatchObject({ fault: 'status', processed: false, status });
    expect((await post(standIn, newCall)).status).toBe(200);
  });
  test('500 after the save', async () => {
    standIn.faults.add({ kind: 'status', status: 500, processed: true, event: 'newCall' });
    expect((await post(standIn, newCall)).status).toBe(500);
    expect(state()).toBe('newCall');
    expect(await lastEntry()).toMatchObject({ processed: true, status: 500 });
  });
  test('301 to https', async () => {
    standIn.faults.add({ kind: 'status', status: 301 });
    const { status, headers } = await post(standIn, newCall);
    expect(status).toBe(301);
    expect(headers['location']).toBe(standIn.url.replace('http:', 'https:'));
  });
  test('a page of HTML with 200', async () => {
    standIn.faults.add({ kind: 'garbage' });
    const { status, headers, body } = await post(standIn, newCall);
    expect([status, headers['content-type'], state()]).toEqual([200, 'text/html; charset=utf-8', undefined]);
    expect(body).toContain('guest network');
  });
  test.each([65_537, 200_000])('a reply of %i bytes', async (bytes) => {
    standIn.faults.add({ kind: 'huge-reply', bytes });
    const { status, body } = await post(standIn, newCall);
    expect([status, body.length, typeof JSON.parse(body), state()]).toEqual([200, bytes, 'object', 'newCall']);
  });
  test('half a reply', async () => {
    standIn.faults.add({ kind: 'half-reply' });
    const { socket, closed } = await bare(standIn);
    const body = JSON.stringify(newCall);
    socket.write(
      `POST ${new URL(standIn.url).pathname} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(await closed).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*content-length: 2\r\n[^]*\r\n\r\n\{$/);
    expect(state()).toBe('newCall');
    expect(await codeOf(post(standIn, hangup))).toBe('ECONNRESET');
    expect(await lastEntry()).toMatchObject({ state: 'cut', status: 200, processed: true });
  });
});

describe('time', () => {
  test('slow: processed later', async () => {
    standIn.faults.add({ kind: 'slow', ms: 60 });
    const pending = post(standIn, newCall);
    await standIn.when(({ requests }) => requests()[0]?.fault === 'slow');
    expect(standIn.log()).toEqual([]);
    expect((await pending).status).toBe(200);
    expect((await lastEntry()).took).toBeGreaterThanOrEqual(59);
  });
  test('slow: processed also when the client has gone', async () => {
    standIn.faults.add({ kind: 'slow', ms: 80 });
    const leaving = new AbortController();
    const pending = codeOf(post(standIn, newCall, { signal: leaving.signal }));
    await standIn.when(({ requests }) => requests()[0]?.fault === 'slow');
    leaving.abort();
    expect(await pending).toBe('ABORT_ERR');
    await standIn.when(() => state() === 'newCall');
    expect(await lastEntry()).toMatchObject({ state: 'client-gone', processed: true, status: 200 });
  });
  test('late-reply: processed at once', async () => {
    standIn.faults.add({ kind: 'late-reply', ms: 60 });
    const pending = post(standIn, newCall);
    await standIn.when(() => state() === 'newCall');
    expect(standIn.requests()[0]).toMatchObject({ state: 'open', processed: true });
    expect((await pending).status).toBe(200);
  });
  test.each([true, false])('silent, processed: %s', async (processed) => {
    standIn.faults.add({ kind: 'silent', processed });
    const leaving = new AbortController();
    const pending = codeOf(post(standIn, newCall, { signal: leaving.signal }));
    await standIn.when(({ requests }) => requests()[0]?.fault === 'silent' && (!processed || state() === 'newCall'));
    leaving.abort();
    expect(await pending).toBe('ABORT_ERR');
    expect(await lastEntry()).toMatchObject({ state: 'client-gone', status: null, processed });
    expect(state()).toBe(processed ? 'newCall' : undefined);
  });
  test('stop does not wait for a slow or a silent one', async () => {
    standIn.faults.add({ kind: 'silent', times: 1 });
    standIn.faults.add({ kind: 'slow', ms: 3_600_000 });
    const pending = [codeOf(post(standIn, newCall)), codeOf(post(standIn, newCall))];
    await standIn.when(({ requests }) => requests().filter(({ fault }) => fault !== undefined).length === 2);
    await standIn.stop();
    expect(await Promise.all(pending)).toEqual(['ECONNRESET', 'ECONNRESET']);
    expect(standIn.log()).toEqual([]);
  });
});

describe('connections', () => {
  test.each([
    ['reset-before-body', false],
    ['reset-before-processing', false],
    ['reset-after-processing', true],
  ] as const)('%s', async (kind, processed) => {
    standIn.faults.add({ kind, times: 1 });
    expect(await codeOf(post(standIn, newCall))).toBe('ECONNRESET');
    expect(state()).toBe(processed ? 'newCall' : undefined);
    expect(await lastEntry()).toMatchObject({ fault: kind, state: 'cut', status: null, processed });
    expect((await post(standIn, { ...newCall, callId: 'c2' })).status).toBe(200);
  });
  test('accept and close', async () => {
    standIn.faults.add({ kind: 'accept-and-close', times: 2 });
    expect(await codeOf(post(standIn, newCall))).toBe('ECONNRESET');
    expect(await codeOf(post(standIn, newCall))).toBe('ECONNRESET');
    expect(standIn.requests()).toEqual([]);
    expect((await post(standIn, newCall)).status).toBe(200);
  });
  test('down: refused, and up again on the same port', async () => {
    const { port } = standIn;
    await post(standIn, newCall);
    const { closed } = await bare(standIn);
    await standIn.goDown();
    expect(await closed).toBe('');
    expect(await codeOf(post(standIn, hangup))).toBe('ECONNREFUSED');
    await standIn.comeUp();
    expect(standIn.port).toBe(port);
    expect((await post(standIn, hangup)).status).toBe(200);
    expect(state()).toBe('hangup');
  });
  test('down for a while', async () => {
    await standIn.goDown(50);
    const codes: string[] = [];
    const deadline = performance.now() + 5000;
    while (codes.at(-1) !== 'no error' && performance.now() < deadline)
      codes.push(await codeOf(post(standIn, newCall)));
    expect(new Set(codes.slice(0, -1))).toEqual(new Set(['ECONNREFUSED']));
    expect(state()).toBe('newCall');
  });
  test('idle connections are closed, used ones are not', async () => {
    standIn.faults.add({ kind: 'idle-close', ms: 40 });
    const { socket, closed } = await bare(standIn);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await post(standIn, newCall, { agent });
    const [kept] = Object.values(agent.freeSockets)[0] ?? [];
    expect(kept).toBeDefined();
    await new Promise((resolve) => kept?.once('close', resolve));
    standIn.faults.add({ kind: 'slow', ms: 100 });
    expect((await post(standIn, hangup, { agent })).status).toBe(200);
    socket.destroy();
    await closed;
  });
  test('only a connection that was used before', async () => {
    standIn.faults.add({ kind: 'reset-before-processing', reused: true, times: 1 });
    expect((await post(standIn, newCall, { agent })).status).toBe(200);
    expect(await codeOf(post(standIn, hangup, { agent }))).toBe('ECONNRESET');
    expect((await post(standIn, hangup, { agent })).status).toBe(200);
  });
});

describe('choice', () => {
  test('by event and call, some passing first', async () => {
    standIn.faults.add({ kind: 'status', status: 503, event: 'hangup', callId: 'c1', skip: 1, times: 1 });
    expect((await post(standIn, newCall)).status).toBe(200);
    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await post(standIn, hangup)).status);
    expect(statuses).toEqual([200, 503, 200]);
  });
  test('the read-back has its own', async () => {
    standIn.faults.add({ kind: 'status', status: 503, event: 'log' });
    const headers = { ...JSON_HEADERS, authorization: 'Token token=agent-token' };
    expect((await ask(standIn, { method: 'GET', path: '/api/v1/cti/log', headers })).status).toBe(503);
    expect((await post(standIn, newCall)).status).toBe(200);
  });
});

describe('the control path', () => {
  const control = (method: string, path: string, body?: unknown, headers: Record<string, string> = JSON_HEADERS) =>
    ask(standIn, { method, path: `/stand-in/${path}`, headers, body: body === undefined ? '' : JSON.stringify(body) });

  test('orders, lists and clears faults', async () => {
    const order = await control('POST', 'faults', [
      { kind: 'status', status: 503 },
      { kind: 'silent', event: 'hangup', times: 1 },
    ]);
    expect(order).toMatchObject({ status: 200, body: '{"ids":[1,2]}' });
    expect((await post(standIn, newCall)).status).toBe(503);
    expect(JSON.parse((await control('GET', 'faults')).body)).toMatchObject([
      { id: 1, hits: 1, rule: { kind: 'status', status: 503 } },
      { id: 2, hits: 0, rule: { kind: 'silent', event: 'hangup', times: 1 } },
    ]);
    expect((await control('DELETE', 'faults/1')).status).toBe(200);
    expect((await control('DELETE', 'faults/1')).status).toBe(404);
    expect((await post(standIn, newCall)).status).toBe(200);
    await control('DELETE', 'faults');
    expect(standIn.faults.list()).toEqual([]);
  });
  test('says what is wrong with an order', async () => {
    const wrong = await control('POST', 'faults', { kind: 'slow', ms: 'soon' });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toContain('ms');
    expect((await control('POST', 'faults', { kind: 'earthquake' })).status).toBe(400);
    expect((await control('POST', 'nothing', {})).status).toBe(404);
    expect(standIn.faults.list()).toEqual([]);
  });
  test('obeys nothing that a foreign page could send', async () => {
    expect((await control('POST', 'faults', { kind: 'silent' }, { 'content-type': 'text/plain' })).status).toBe(415);
    expect(standIn.faults.list()).toEqual([]);
  });
  test('refuses connections for a while', async () => {
    expect((await control('POST', 'faults', { kind: 'refuse', ms: 60 })).status).toBe(200);
    const codes: string[] = [];
    const deadline = performance.now() + 5000;
    while (!(codes.includes('ECONNREFUSED') && codes.at(-1) === 'no error') && performance.now() < deadline) {
      codes.push(await codeOf(post(standIn, { ...newCall, callId: `c${codes.length}` })));
    }
    expect(codes).toContain('ECONNREFUSED');
    expect(codes.at(-1)).toBe('no error');
  });
  test('sets what an admin sets', async () => {
    expect((await control('POST', 'settings', { enabled: false, blockList: ['1'] })).status).toBe(200);
    expect((await post(standIn, newCall)).status).toBe(422);
    expect((await control('POST', 'settings', { enabled: true })).status).toBe(200);
    expect((await post(standIn, { ...newCall, from: '1' })).body).toContain('reject');
    expect((await control('POST', 'settings', { enable: true })).status).toBe(400);
  });
  test('shows and forgets the log', async () => {
    await post(standIn, newCall);
    await post(standIn, hangup);
    await lastEntry();
    expect(JSON.parse((await control('GET', 'log.json')).body)).toMatchObject({
      total: 1,
      open: 1,
      rows: [{ callId: 'c1', state: 'hangup', status: 'not reached', done: false }],
      requests: [
        { event: 'newCall', status: 200 },
        { event: 'hangup', status: 200, state: 'replied' },
      ],
    });
    await control('DELETE', 'log.json');
    expect([standIn.log(), standIn.requests()]).toEqual([[], []]);
  });
});
