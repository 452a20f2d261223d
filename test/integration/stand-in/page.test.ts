import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { ask, bare, hangup, newCall, post } from './http-client.js';

let standIn: StandIn;
beforeEach(async () => {
  standIn = await startStandIn({ limits: { clients: 2 } });
});
afterEach(async () => {
  await standIn.stop();
});

interface Message {
  type: 'state' | 'change';
  total: number;
  open: number;
  rows: { callId: string; state: string; status: string }[];
  requests: { event: string; status: number | null }[];
}

/** A client that keeps every message; `until` waits for one that fits. */
async function look(origin?: string) {
  const client = new WebSocket(
    `${standIn.origin.replace('http', 'ws')}/stand-in/live`,
    origin === undefined ? {} : { origin },
  );
  const messages: Message[] = [];
  let wake = (): void => undefined;
  client.on('message', (data: Buffer) => {
    messages.push(JSON.parse(data.toString()) as Message);
    wake();
  });
  const closed = new Promise((resolve) => client.once('close', resolve));
  await new Promise((resolve, reject) => {
    client.once('open', resolve);
    client.once('error', reject);
  });
  const until = async (fits: (message: Message) => boolean): Promise<Message> => {
    for (;;) {
      const found = messages.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { client, closed, messages, until };
}

describe('the page', () => {
  test.each([
    ['/', 'text/html; charset=utf-8', 'not Zammad'],
    ['/app.js', 'text/javascript; charset=utf-8', 'WebSocket'],
    ['/style.css', 'text/css; charset=utf-8', 'prefers-color-scheme'],
    ['/icon.svg', 'image/svg+xml', '<svg'],
  ])('%s', async (path, type, text) => {
    const { status, headers, body } = await ask(standIn, { method: 'GET', path });
    expect([status, headers['content-type']]).toEqual([200, type]);
    expect(body).toContain(text);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
  test('has nothing inline, and sets values only as text', async () => {
    const { body: page } = await ask(standIn, { method: 'GET', path: '/' });
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    const { body: script } = await ask(standIn, { method: 'GET', path: '/app.js' });
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  });
  test('is not in the journal', async () => {
    await ask(standIn, { method: 'GET', path: '/' });
    expect(standIn.requests()).toEqual([]);
  });
});

describe('the live feed', () => {
  test('the state at first, then every change', async () => {
    await post(standIn, newCall);
    const { messages, until } = await look();
    expect(await until(({ type }) => type === 'state')).toMatchObject({
      total: 1,
      open: 1,
      rows: [{ callId: 'c1', status: 'ringing' }],
    });
    await post(standIn, hangup);
    const change = await until(({ type, rows }) => type === 'change' && rows.some(({ state }) => state === 'hangup'));
    expect(change).toMatchObject({ total: 1, open: 1, rows: [{ status: 'not reached' }] });
    await until(({ requests }) => requests.some(({ event, status }) => event === 'hangup' && status === 200));
    standIn.clear();
    await until((message) => message.type === 'state' && message.total === 0 && message !== messages[0]);
  });
  test('a burst is gathered, and holds at most what a page shows', async () => {
    const { messages, until } = await look();
    await until(({ type }) => type === 'state');
    await Promise.all(Array.from({ length: 300 }, (_none, i) => post(standIn, { ...newCall, callId: `c${i}` })));
    await until(({ total }) => total === 300);
    expect(messages.length).toBeLessThan(100);
    for (const { rows, requests } of messages) {
      expect(rows.length).toBeLessThanOrEqual(200);
      expect(requests.length).toBeLessThanOrEqual(200);
    }
  });
  test('a limited number of clients', async () => {
    await look();
    await look();
    await expect(look()).rejects.toThrow(/503/);
  });
  test('only for its own page', async () => {
    await expect(look('http://elsewhere.example')).rejects.toThrow(/403/);
    await expect(look('null')).rejects.toThrow(/403/);
    await look(standIn.origin);
  });
  test('no other path is upgraded', async () => {
    const { socket, closed } = await bare(standIn);
    socket.write('GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(await closed).toBe('');
  });
  test('goes away and comes back with the server', async () => {
    const first = await look();
    await standIn.goDown();
    await first.closed;
    await standIn.comeUp();
    await (await look()).until(({ type }) => type === 'state');
  });
});

describe('life', () => {
  test('stop ends every connection and may be called twice', async () => {
    const page = await look();
    const { closed } = await bare(standIn);
    await standIn.stop();
    await Promise.all([page.closed, closed]);
    await standIn.stop();
  });
  test('a port that is taken is said so', async () => {
    await expect(startStandIn({ port: standIn.port })).rejects.toMatchObject({
      code: 'ZPB_STAND_IN_LISTEN',
      retriable: true,
    });
  });
  test('the port given is the port taken', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const other = await startStandIn({ port, token: 'own-token' });
    expect(other.url).toBe(`http://127.0.0.1:${port}/api/v1/cti/own-token`);
    await other.stop();
  });
  test('rows and requests are bounded', async () => {
    const small = await startStandIn({ limits: { rows: 3, requests: 4 } });
    for (let i = 0; i < 6; i += 1) await post(small, { ...newCall, callId: `c${i}` });
    expect(small.log().map(({ callId }) => callId)).toEqual(['c3', 'c4', 'c5']);
    expect(small.requests().map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
    await small.stop();
  });
  test('listeners hear of rows, requests and ticket screens; waiting has an end', async () => {
    const own = await startStandIn({ people: [{ name: 'Alice Agent', login: 'alice', phones: ['43'] }] });
    const heard: string[] = [];
    const end = own.subscribe((event) => heard.push(event.type === 'screen' ? `screen of ${event.agent}` : event.type));
    await post(own, newCall);
    await post(own, { event: 'answer', direction: 'in', callId: 'c1', answeringNumber: '43' });
    expect(heard.filter((text) => text === 'row')).toHaveLength(2);
    expect(heard).toContain('screen of Alice Agent');
    end();
    const count = heard.length;
    await post(own, hangup);
    expect(heard).toHaveLength(count);
    await expect(own.when(() => undefined, 20)).rejects.toMatchObject({ code: 'ZPB_STAND_IN_WAIT' });
    const waiting = own.when(() => undefined);
    const failed = expect(waiting).rejects.toThrow(/stopped/);
    await own.stop();
    await failed;
  });
});
