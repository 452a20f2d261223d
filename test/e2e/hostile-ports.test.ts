/** Strangers at the ports of the whole program, by real sockets: nothing happens but a clear refusal, and telephones work on. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { requestText } from '../support/agi-caller.js';
import { askServer } from '../support/dial-bench.js';
import { HostileSite } from '../support/hostile-site.js';
import { waitFor, within } from '../support/wait-for.js';

let site: HostileSite;
beforeAll(async () => {
  site = await HostileSite.start();
}, 30_000);
afterAll(async () => {
  await site.close();
}, 30_000);

const sockets: Socket[] = [];
/** A connection that is read, and what came. */
async function raw(port: number, localAddress = '127.0.0.1'): Promise<{ readonly socket: Socket; said: () => string }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  sockets.push(socket);
  let text = '';
  socket.on('error', () => undefined).setEncoding('latin1');
  socket.on('data', (more: string) => (text += more));
  await once(socket, 'connect');
  return { socket, said: () => text };
}
const many = (count: number, port: number) => Promise.all(Array.from({ length: count }, () => raw(port)));
const gone = (socket: Socket): Promise<unknown> =>
  waitFor('the connection to be closed', () => socket.destroyed, { within: 20_000 });
const httpPort = (): number => site.bridge.config.http.port;
const url = (): string => `http://127.0.0.1:${httpPort()}`;
/** Orders to ring somebody; not the channel on which the bridge only asks. */
const rung = (): number =>
  site.manager.actions.filter(({ name }) => name === 'originate').length +
  site.stasis.ari.questions.filter(
    ({ method, path, url: asked }) =>
      method === 'POST' && /^\/channels(\/create)?$/.test(path) && !asked.includes('channelId=zpb-ask-'),
  ).length;

describe('the port of the gate', () => {
  test('a line of 1 MiB: cut off', async () => {
    const { socket, said } = await raw(site.gatePort);
    socket.write(`agi_request: ${'x'.repeat(1_048_576)}`);
    await gone(socket);
    expect(said()).toBe('');
    await site.worksOn('long');
  });

  test('200 half requests that stay, byte by byte: who asks meanwhile is served, and they are given up', async () => {
    const half = await many(200, site.gatePort);
    for (const { socket } of half) socket.write(requestText('agi://127.0.0.1/gate').slice(0, 100));
    const drip = setInterval(() => {
      for (const { socket } of half) if (!socket.destroyed) socket.write('x');
    }, 100);
    await site.worksOn('half');
    await Promise.all(half.map(({ socket }) => gone(socket)));
    clearInterval(drip);
    expect(half.map(({ said }) => said()).join('')).toBe('');
  }, 30_000);

  test('more connections than may wait: those beyond are refused, and when they are gone calls are served', async () => {
    const crowd = await many(700, site.gatePort);
    await Promise.all(crowd.map(({ socket }) => gone(socket)));
    await site.worksOn('crowd');
  }, 30_000);

  test('a peer that is not allowed: closed without a word, and said', async () => {
    const { socket, said } = await raw(site.gatePort, '127.0.0.2');
    socket.write(requestText('agi://127.0.0.1/gate?users=100'));
    await gone(socket);
    expect(said()).toBe('');
    await site.bridge.logs('127.0.0.2 may not connect');
  });
});

describe('the HTTP port', () => {
  test.each([
    ['a header of 1 MiB', `GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(1_048_576)}`, 431],
    ['bytes', '\u0000\u00ff\u0001'.repeat(100), 400],
    ['two lengths', 'POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{', 400],
    [
      'a request within a request',
      'POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
  ])('%s: refused, and closed', async (_what, text, status) => {
    const { socket, said } = await raw(httpPort());
    socket.write(text);
    await gone(socket);
    expect(said()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test('half requests and connections that say nothing: they are given up, and it answers', async () => {
    const [silent, half] = await Promise.all([many(100, httpPort()), many(80, httpPort())]);
    for (const { socket } of half) socket.write('POST /api/v1/calls HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Y: ');
    const drip = setInterval(() => {
      for (const { socket } of half) if (!socket.destroyed) socket.write('x');
    }, 250);
    expect((await site.bridge.get('/healthz'))?.status).toBe(200);
    await within(18_000, 'them to be given up', Promise.all([...silent, ...half].map(({ socket }) => gone(socket))));
    clearInterval(drip);
    expect(half[0]?.said()).toMatch(/^HTTP\/1\.1 408 /);
  }, 30_000);

  test('strangers, foreign pages, foreign names: refused, and nobody is rung', async () => {
    const [alice] = site.tokens;
    const post = (headers: Record<string, string>, body: unknown = { number: '030123456' }) =>
      askServer(url(), { method: 'POST', path: '/api/v1/calls', headers, body });
    const authorization = `Bearer ${alice}`;
    const foreign = alice.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const answers = await Promise.all([
      post({}),
      post({ authorization: `Bearer ${foreign}` }),
      post({ authorization, origin: 'https://evil.example.com' }),
      post({ authorization, origin: 'null' }),
      post({ authorization, 'sec-fetch-site': 'cross-site' }),
      post({ authorization, host: 'evil.example.com' }),
      post({ authorization }, { agent: '101', number: '030123456' }),
      post({ authorization, 'content-type': 'text/plain' }, '{"number":"030123456"}'),
      askServer(url(), { path: '/api/v1/calls?number=030123456', headers: { authorization } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 403, 403, 403, 403, 415, 404]);
    expect(rung()).toBe(0);
  });

  test('numbers that would be more than a number: refused, and nothing of them reaches a PBX', async () => {
    const before = site.manager.actions.length;
    const hostile = [
      '030123456\r\nAction: Originate\r\nChannel: PJSIP/200',
      '030123456\nX: 1',
      '030123456%0d%0aAction: Logoff',
      'tel:030123456%0d%0aAction:%20Logoff',
      'tel:%00030123456',
      '030123456\u0000',
      '\u0000',
      '030123456&PJSIP/200',
      '030123456@from-internal',
      '030123456|30',
      '030123456,1)Dial(PJSIP/200',
      '${SHELL(id)}',
      '"030123456" <1>',
      'Local/0@x/n',
      '../../channels',
      '030123456?endpoint=PJSIP/200',
      '030123456#a',
      '٠٣٠١٢٣',
      '1'.repeat(200),
    ];
    for (const token of site.tokens) {
      for (const number of hostile) {
        const answer = await askServer(url(), {
          method: 'POST',
          path: '/api/v1/calls',
          headers: { authorization: `Bearer ${token}` },
          body: { number },
        });
        expect([number.slice(0, 60), answer.status]).toEqual([number.slice(0, 60), 422]);
      }
    }
    expect(rung()).toBe(0);
    expect(site.manager.actions.slice(before).filter(({ name }) => name !== 'ping')).toEqual([]);
  });

  test('what a tel: link may say behind its number goes no further', async () => {
    for (const token of site.tokens)
      await askServer(url(), {
        method: 'POST',
        path: '/api/v1/calls',
        headers: { authorization: `Bearer ${token}` },
        body: { number: 'tel:030123456;tag=evil' },
      });
    const orders = site.manager.actions.filter(({ name }) => name === 'originate');
    expect(orders.map((order) => order.get('Exten'))).toEqual(['030123456']);
    expect(rung()).toBe(2);
    expect(orders[0]?.text).not.toContain('evil');
    expect(
      site.stasis.ari.questions.filter(({ url: asked, body }) => `${asked}${JSON.stringify(body)}`.includes('evil')),
    ).toEqual([]);
  });
});

test('in the end both gates work, and the log is the program’s own: each line one, no defect, no secret', async () => {
  for (const socket of sockets) socket.destroy();
  await site.worksOn('end');
  expect((await site.bridge.get('/readyz'))?.status).toBe(200);
  expect(site.logTroubles()).toEqual([]);
});
