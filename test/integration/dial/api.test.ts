import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeHealth } from '../../../src/http/probe.js';
import { MemoryCredentials } from '../../../src/store/memory-credentials.js';
import { startDialBench, type DialBench, type DialBenchOptions } from '../../support/dial-bench.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { waitFor } from '../../support/wait-for.js';

let bench: DialBench;
afterEach(async () => {
  await bench.close();
});
const start = async (options: DialBenchOptions = {}): Promise<{ text: string; id: string }> => {
  bench = await startDialBench(options);
  return bench.tokenOf('100');
};
const ordered = (count = 1): Promise<unknown> =>
  waitFor('the order to reach the PBX', () => bench.pbx.orders.length === count);
const NUMBER = '+49 30 123456';

describe('POST /api/v1/calls', () => {
  test('rings the agent of the token, and says what became of it', async () => {
    const { text } = await start();
    const answer = bench.dial(text, { number: NUMBER });
    await ordered();
    expect(bench.pbx.orders[0]).toMatchObject({ agent: { extension: '100' }, number: '030123456', ringFor: 5_000 });
    bench.pbx.take('7');
    expect(await answer).toMatchObject({
      status: 200,
      json: { status: 'done', reason: 'taken', number: '+4930123456', callId: 'office-7' },
    });
    const declined = bench.dial(text, { agent: '100', number: NUMBER });
    await ordered(2);
    bench.pbx.refuse('declined', '603 Decline');
    expect(await declined).toMatchObject({
      status: 409,
      json: {
        status: 'refused',
        reason: 'declined',
        said: '603 Decline',
        words: 'The call was declined at extension 100.',
      },
    });
  });

  test.each([
    ['112', 422, 'emergency'],
    ['no number', 422, 'bad-number'],
    ['030123456\r\nAction: Logoff', 422, 'bad-number'],
    ['tel:%0d%0aExten:%20s', 422, 'bad-number'],
    ['0900 1234567', 403, 'number-denied'],
    ['*72030123456', 422, 'feature-code'],
    ['100', 422, 'own-number'],
  ])('%j rings nobody: %i', async (number, status, reason) => {
    const { text } = await start();
    const answer = await bench.dial(text, { number });
    expect([answer.status, answer.json['reason'], bench.pbx.orders]).toEqual([status, reason, []]);
  });

  test('nobody dials as somebody else', async () => {
    const { text } = await start();
    expect(await bench.dial(text, { agent: '101', number: NUMBER })).toMatchObject({
      status: 403,
      json: { error: { code: 'ZPB_DIAL_OTHER_AGENT' } },
    });
    expect(bench.pbx.orders).toEqual([]);
  });

  test('a stranger gets nothing, whatever he brings', async () => {
    const { text, id } = await start();
    const other = (await bench.tokenOf('101')).text;
    for (const authorization of [
      '',
      'Bearer',
      'Bearer x',
      `Basic ${text}`,
      `Bearer zpb_${id}_${other.slice(-43)}`,
      `Bearer ${text}x`,
    ])
      expect(
        await bench.ask({
          method: 'POST',
          path: '/api/v1/calls',
          headers: { authorization },
          body: { number: NUMBER },
        }),
      ).toMatchObject({ status: 401, json: { error: { code: 'ZPB_TOKEN_UNKNOWN' } } });
    const none = await bench.ask({ method: 'POST', path: '/api/v1/calls', body: { number: NUMBER } });
    // Whoever forgot it hears of the token, not of pages and their origin.
    expect(none).toMatchObject({ status: 401, json: { error: { code: 'ZPB_TOKEN_UNKNOWN' } } });
    expect(JSON.stringify(none.json)).toContain('Authorization: Bearer TOKEN');
    expect(bench.pbx.orders).toEqual([]);
  });

  test('a revoked token is of no use at once', async () => {
    const { text, id } = await start();
    await bench.credentials.revoke(id);
    expect((await bench.dial(text, { number: NUMBER })).status).toBe(401);
  });

  test('a GET does nothing', async () => {
    const { text } = await start();
    const headers = { authorization: `Bearer ${text}` };
    for (const path of ['/api/v1/calls?number=030123456', '/dial?number=tel:030123456'])
      expect([404, 200]).toContain((await bench.ask({ path, headers })).status);
    expect((await bench.ask({ path: '/api/v1/calls?number=1', headers })).status).toBe(404);
    expect(bench.pbx.orders).toEqual([]);
  });

  test.each([
    ['application/x-www-form-urlencoded', 'number=030123456', 415],
    ['text/plain', '{"number":"030123456"}', 415],
    ['multipart/form-data; boundary=x', '--x--', 415],
    ['application/json', '{"number":', 400],
    ['application/json', '[]', 400],
    ['application/json', '{"number":30123456}', 400],
    ['application/json', '{"number":"030123456","channel":"PJSIP/200"}', 400],
    ['application/json', '{"number":"030123456","__proto__":{"agent":"101"}}', 400],
    ['application/json', JSON.stringify({ number: '1'.repeat(2 ** 20) }), 413],
  ])('a body of type %s that is not one of ours', async (type, body, status) => {
    const { text } = await start();
    const answer = await bench.dial(text, body, { 'content-type': type });
    expect([answer.status, bench.pbx.orders]).toEqual([status, []]);
  });

  test('a body that comes drop by drop is given up', async () => {
    const { text } = await start({ limits: { request: 200, check: 50 } });
    const socket = connect(Number(new URL(bench.url).port), '127.0.0.1');
    socket.write(
      `POST /api/v1/calls HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${text}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"nu`,
    );
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 408 /);
    expect(bench.pbx.orders).toEqual([]);
  });

  test('so many in a minute: 429 and when again', async () => {
    const { text } = await start({ rate: 1 });
    const first = bench.dial(text, { number: NUMBER });
    await ordered();
    expect((await bench.dial(text, { number: NUMBER })).status).toBe(409);
    bench.pbx.take();
    await first;
    const refused = await bench.dial(text, { number: NUMBER });
    expect([refused.status, refused.json['reason']]).toEqual([429, 'too-often']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('the PBX says nothing to the order: no 503, upon which a proxy would give it to the next bridge', async () => {
    const { text } = await start();
    const answer = bench.dial(text, { number: NUMBER });
    await ordered();
    bench.pbx.refuse('not-heard', 'no answer in time');
    expect(await answer).toMatchObject({ status: 504, json: { reason: 'not-heard', said: 'no answer in time' } });
  });

  test('led elsewhere: 503 with the address', async () => {
    const { text } = await start({ find: () => ({ kind: 'elsewhere', address: 'https://two.example.com:9470' }) });
    expect(await bench.dial(text, { number: NUMBER })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '3' },
      json: { reason: 'elsewhere', leader: 'https://two.example.com:9470' },
    });
  });

  test('a store that cannot be asked: 503, and its words stay in the log', async () => {
    const credentials = new MemoryCredentials();
    credentials.find = () => Promise.reject(new Error('inner workings'));
    const { text } = await start({ credentials });
    const answer = await bench.dial(text, { number: NUMBER });
    expect(answer).toMatchObject({ status: 503, json: { error: { code: 'ZPB_TOKEN_NOT_NOW' } } });
    expect(answer.text).not.toContain('inner workings');
    expect(bench.lines.join('')).toContain('inner workings');
    // Signing in goes another way.
    const signIn = await bench.ask({
      method: 'POST',
      path: '/api/v1/session',
      body: { token: text },
      headers: { origin: bench.url },
    });
    expect([signIn.status, signIn.text.includes('inner workings')]).toEqual([503, false]);
  });
});

describe('pages of others', () => {
  test.each([
    { origin: 'https://evil.example.com' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'http://localhost:1' },
  ])('%j is refused, token or not', async (headers) => {
    const { text } = await start();
    const answer = await bench.dial(text, { number: NUMBER }, headers);
    expect(answer).toMatchObject({ status: 403, json: { error: { code: 'ZPB_HTTP_ORIGIN' } } });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(bench.pbx.orders).toEqual([]);
  });
  test('a preflight is not answered', async () => {
    await start();
    const headers = { origin: 'https://evil.example.com', 'access-control-request-method': 'POST' };
    const { status, headers: sent } = await bench.ask({ method: 'OPTIONS', path: '/api/v1/calls', headers });
    expect([status, Object.keys(sent).filter((name) => name.startsWith('access-control'))]).toEqual([404, []]);
  });
  test('a name that was pointed at this machine is refused', async () => {
    const { text } = await start();
    expect(await bench.dial(text, { number: NUMBER }, { host: 'evil.example.com' })).toMatchObject({
      status: 403,
      json: { error: { code: 'ZPB_HTTP_OTHER_NAME' } },
    });
    expect((await bench.ask({ path: '/dial', headers: { host: 'evil.example.com' } })).status).toBe(403);
  });
});

describe('a signed-in browser', () => {
  interface Browser {
    readonly cookie: string;
    readonly csrf: string;
  }
  const signIn = async (token: string, headers: Record<string, string> = {}): Promise<Browser> => {
    const answer = await bench.ask({
      method: 'POST',
      path: '/api/v1/session',
      body: { token },
      headers: { origin: bench.url, ...headers },
    });
    expect(answer).toMatchObject({ status: 200, json: { agent: '100', name: 'Alice Agent' } });
    expect(answer.text).not.toContain(token);
    const [set] = answer.headers['set-cookie'] as string[];
    expect(set).toMatch(/^zpb-local=zps_\S+; Path=\/; Max-Age=7776000; HttpOnly; SameSite=Strict$/);
    return { cookie: set!.split(';')[0]!, csrf: String(answer.json['csrf']) };
  };
  const by = ({ cookie, csrf }: Browser, more: Record<string, string> = {}): Record<string, string> => ({
    cookie,
    origin: bench.url,
    'x-csrf-token': csrf,
    ...more,
  });
  const post = (headers: Record<string, string>) =>
    bench.ask({ method: 'POST', path: '/api/v1/calls', body: { number: NUMBER }, headers });

  test('dials with its cookie and its proof, and only with both', async () => {
    const { text } = await start();
    const browser = await signIn(text);
    expect((await bench.ask({ path: '/api/v1/session', headers: by(browser) })).json).toEqual({
      agent: '100',
      name: 'Alice Agent',
      csrf: browser.csrf,
    });
    const other = await signIn(text);
    for (const wrong of [
      { cookie: browser.cookie, origin: bench.url },
      by(browser, { 'x-csrf-token': 'x' }),
      by(browser, { 'x-csrf-token': other.csrf }),
    ])
      expect(await post(wrong)).toMatchObject({ status: 403, json: { error: { code: 'ZPB_CSRF' } } });
    for (const wrong of [
      by(browser, { origin: 'https://evil.example.com' }),
      { cookie: browser.cookie, 'x-csrf-token': browser.csrf },
    ])
      expect(await post(wrong)).toMatchObject({ status: 403, json: { error: { code: 'ZPB_HTTP_ORIGIN' } } });
    expect(bench.pbx.orders).toEqual([]);
    const answer = post(by(browser));
    await ordered();
    bench.pbx.take();
    expect((await answer).status).toBe(200);
  });

  test('that signs in anew leaves its old session behind for nobody', async () => {
    const { text } = await start();
    const old = await signIn(text);
    const fresh = await signIn(text, { cookie: old.cookie });
    expect((await post(by(old))).status).toBe(401);
    expect((await bench.ask({ path: '/api/v1/session', headers: by(fresh) })).status).toBe(200);
  });

  test('is out when it signs out, and another stays in', async () => {
    const { text } = await start();
    const [one, two] = [await signIn(text), await signIn(text)];
    const out = await bench.ask({ method: 'DELETE', path: '/api/v1/session', headers: by(one) });
    expect([out.status, String(out.headers['set-cookie'])]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect((await post(by(one))).status).toBe(401);
    expect((await bench.ask({ path: '/api/v1/session', headers: by(two) })).status).toBe(200);
  });

  test('is out when its token is revoked', async () => {
    const { text, id } = await start();
    const browser = await signIn(text);
    await bench.credentials.revoke(id);
    expect((await post(by(browser))).status).toBe(401);
  });

  test('cannot be made with a foreign form, a foreign page or a wrong token', async () => {
    const { text } = await start();
    const path = '/api/v1/session';
    const ask = (headers: Record<string, string>, body: unknown) => bench.ask({ method: 'POST', path, headers, body });
    const own = { origin: bench.url };
    expect((await ask({ ...own, 'content-type': 'application/x-www-form-urlencoded' }, `token=${text}`)).status).toBe(
      415,
    );
    expect((await ask({ origin: 'https://evil.example.com' }, { token: text })).status).toBe(403);
    expect((await ask(own, { token: 'zpb_x' })).status).toBe(401);
    expect((await ask(own, { token: text, agent: '101' })).status).toBe(400);
  });

  test('no secret is in the log', async () => {
    const { text } = await start();
    const { cookie, csrf } = await signIn(text);
    await post({ cookie, origin: bench.url, 'x-csrf-token': 'wrong' });
    await bench.dial(`${text}x`, { number: NUMBER });
    const log = bench.lines.join('');
    for (const secret of [text.slice(-43), cookie.slice(-43), csrf]) expect(log).not.toContain(secret);
  });
});

describe('TLS', () => {
  let directory: string;
  const files = () => ({ certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') });
  const withFiles = (cert: string | Buffer = TEST_CERTIFICATE): void => {
    directory = mkdtempSync(join(tmpdir(), 'zpb-tls-'));
    writeFileSync(files().certFile, cert);
    writeFileSync(files().keyFile, TEST_KEY);
  };
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  test('a cookie that stays within TLS; plain HTTP at its port is refused', async () => {
    withFiles();
    const { text } = await start({ tls: files() });
    const { port } = new URL(bench.url);
    expect(bench.url).toBe(`https://127.0.0.1:${port}`);
    // Its own health check does not care for which name the certificate is.
    expect(await probeHealth(`${bench.url}/healthz`, 3_000)).toEqual({ healthy: true, words: 'ok' });
    const answer = await bench.ask({
      method: 'POST',
      path: '/api/v1/session',
      body: { token: text },
      headers: { origin: bench.url },
    });
    expect(String(answer.headers['set-cookie'])).toMatch(/^__Host-zpb=zps_.*; Secure$/);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`GET /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${text}\r\n\r\n`);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    expect(Buffer.concat(chunks).toString()).not.toContain('Alice');
  });

  test('a proxy on this machine, trusted by name, that was reached with TLS', async () => {
    withFiles();
    const { text } = await start({ trustProxy: ['127.0.0.1'] });
    const headers = { host: 'phone.example.com', 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' };
    const ask = (more: Record<string, string>) =>
      bench.ask({ path: '/api/v1/session', headers: { authorization: `Bearer ${text}`, ...headers, ...more } });
    expect((await ask({ origin: 'https://phone.example.com' })).status).toBe(200);
    expect((await ask({ origin: 'http://phone.example.com' })).status).toBe(403);
    expect(await ask({ 'x-forwarded-proto': 'http' })).toMatchObject({
      status: 403,
      json: { error: { code: 'ZPB_HTTPS_NEEDED' } },
    });
  });

  test('files that are no pair are said so', async () => {
    withFiles('-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n');
    bench = await startDialBench();
    await expect(startDialBench({ tls: files() })).rejects.toMatchObject({ code: 'ZPB_HTTP_CERTIFICATE' });
    copyFileSync(files().keyFile, files().certFile);
    await expect(startDialBench({ tls: files() })).rejects.toThrow(/http\.certFile.*http\.keyFile/);
  });
});

describe('the page', () => {
  test.each([
    ['/dial', 'text/html; charset=utf-8', 'id="agent-switches"'],
    ['/dial/', 'text/html; charset=utf-8', 'id="agent-switches"'],
    ['/dial/app.js', 'text/javascript; charset=utf-8', 'registerProtocolHandler'],
    ['/dial/texts.js', 'text/javascript; charset=utf-8', 'Ihr Telefon klingelt'],
    ['/dial/style.css', 'text/css; charset=utf-8', 'prefers-color-scheme'],
    ['/dial/icon.svg', 'image/svg+xml', '<svg'],
  ])('%s, with nothing inline', async (path, type, text) => {
    await start();
    const { status, headers, text: body } = await bench.ask({ path });
    expect([status, headers['content-type']]).toEqual([200, type]);
    expect(body).toContain(text);
    expect(String(headers['content-security-policy'])).toMatch(/^default-src 'none'; script-src 'self'/);
    expect(String(headers['content-security-policy'])).not.toMatch(/unsafe|\*/);
    expect(body).not.toMatch(
      /<style|\sstyle=|\son\w+="|<script(?![^>]*\ssrc=)|innerHTML|outerHTML|insertAdjacentHTML|eval\(/,
    );
  });
});
