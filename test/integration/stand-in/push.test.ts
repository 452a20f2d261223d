import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn, StandInOptions } from '../../../src/stand-in/stand-in.js';
import { answer, ask, bare, FORM_HEADERS, hangup, JSON_HEADERS, newCall, post } from './http-client.js';

const running: StandIn[] = [];
const start = async (options: StandInOptions = {}): Promise<StandIn> => {
  const standIn = await startStandIn({ random: () => 0, ...options });
  running.push(standIn);
  return standIn;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((standIn) => standIn.stop()));
});
const ERROR_ID = { error: 'Error ID AAAAAAAA: Please contact your administrator.' };
const parsed = (body: string): unknown => JSON.parse(body);

describe('what is accepted', () => {
  test('a call from its first ring to its end', async () => {
    const standIn = await start();
    for (const params of [newCall, answer, { ...hangup, cause: 'normalClearing' }]) {
      expect(await post(standIn, params)).toMatchObject({ status: 200, body: '{}' });
    }
    expect(standIn.log()).toHaveLength(1);
    expect(standIn.row('c1')).toMatchObject({ state: 'hangup', done: true, toComment: 'Alice Agent' });
    const closed = await standIn.when(
      ({ requests }) => requests().every(({ state }) => state === 'replied') && requests(),
    );
    expect(closed.map(({ event, status, processed }) => [event, status, processed])).toEqual([
      ['newCall', 200, true],
      ['answer', 200, true],
      ['hangup', 200, true],
    ]);
  });
  test('a blocked caller', async () => {
    const standIn = await start({ blockList: ['4912347114711'] });
    expect(await post(standIn, newCall)).toMatchObject({ status: 200, body: '{"action":"reject","reason":"busy"}' });
  });
  test('an outbound call gets its caller id', async () => {
    const standIn = await start({ routingTable: [{ dest: '49123*', callerId: '4930777000000' }] });
    expect(await post(standIn, { ...newCall, direction: 'out', to: '4912347114711' })).toMatchObject({
      status: 200,
      body: '{"action":"dial","caller_id":"4930777000000","number":"4912347114711"}',
    });
  });
  test.each([
    ['.json', {}],
    ['/', {}],
    ['.json/', {}],
  ])('with %s at the end of the URL', async (end) => {
    const standIn = await start();
    expect(await post(standIn, newCall, { path: `${new URL(standIn.url).pathname}${end}` })).toMatchObject({
      status: 200,
    });
  });
  test('as a form with a list', async () => {
    const standIn = await start();
    const body = 'event=newCall&direction=in&callId=c1&from=1&to=2&user[]=Alice+A&user[]=Bob%20B';
    expect(await ask(standIn, { headers: FORM_HEADERS, body })).toMatchObject({ status: 200, body: '{}' });
    expect(standIn.row('c1')?.toComment).toBe('Alice A, Bob B');
  });
  test('as multipart, by what fetch sends', async () => {
    const standIn = await start();
    const form = new FormData();
    for (const [name, value] of Object.entries(newCall)) form.append(name, value);
    expect((await fetch(standIn.url, { method: 'POST', body: form })).status).toBe(200);
    expect(standIn.row('c1')?.from).toBe('4912347114711');
  });
  test('as query-string parameters; token and action in the body lose against the path', async () => {
    const standIn = await start();
    const path = `${new URL(standIn.url).pathname}?${new URLSearchParams(newCall).toString()}`;
    expect(await ask(standIn, { path, headers: FORM_HEADERS, body: 'token=wrong&action=x' })).toMatchObject({
      status: 200,
    });
  });
  test('empty texts', async () => {
    const standIn = await start();
    expect((await post(standIn, { ...newCall, callId: '', from: '', to: '' })).status).toBe(200);
    expect((await post(standIn, { ...newCall, callId: '' })).status).toBe(500);
  });
  test('a session cookie for who has none', async () => {
    const standIn = await start();
    expect((await post(standIn, newCall)).headers['set-cookie']).toHaveLength(1);
    const again = await post(standIn, answer, { headers: { ...JSON_HEADERS, cookie: 'a=b' } });
    expect(again.headers['set-cookie']).toBeUndefined();
    expect(again.headers['keep-alive']).toBeUndefined();
  });
});

describe('what is refused', () => {
  test.each([
    [422, { ...newCall, direction: undefined }, { error: "Invalid 'direction'!" }],
    [422, { ...answer, direction: 'IN' }, { error: "Invalid 'direction'!" }],
    [422, { ...newCall, event: 'ring' }, ERROR_ID],
    [422, { ...newCall, event: undefined }, ERROR_ID],
    [422, { ...newCall, to: 'a\0' }, ERROR_ID],
    [500, { ...answer, callId: 'unknown' }, ERROR_ID],
    [500, { ...hangup, callId: undefined }, ERROR_ID],
  ])('%i for %j', async (status, params, body) => {
    const standIn = await start();
    const result = await post(standIn, params);
    expect(result.status).toBe(status);
    expect(parsed(result.body)).toEqual(body);
    expect(standIn.log()).toEqual([]);
  });
  test.each(['callId', 'from', 'to'])('newCall without %s', async (name) => {
    const result = await post(await start(), { ...newCall, [name]: null });
    expect(result.status).toBe(422);
    const column = name === 'callId' ? 'call_id' : name;
    expect(parsed(result.body)).toMatchObject({ error: `Attribute '${column}" of relation "cti_logs' required!` });
  });
  test('a call id twice', async () => {
    const standIn = await start();
    await post(standIn, newCall);
    const result = await post(standIn, newCall);
    expect(result.status).toBe(500);
    const error = 'This object already exists.';
    expect(parsed(result.body)).toEqual({ error, error_human: error });
  });
  test('the same newCall 20 times at once: one row, one 200', async () => {
    const standIn = await start({ processingTime: 2 });
    const results = await Promise.all(Array.from({ length: 20 }, () => post(standIn, newCall)));
    expect(results.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(results.filter(({ status }) => status === 500)).toHaveLength(19);
    expect(standIn.log()).toHaveLength(1);
  });
  test('answer after hangup: 200 and no change', async () => {
    const standIn = await start();
    await post(standIn, newCall);
    await post(standIn, hangup);
    const before = standIn.row('c1');
    expect(await post(standIn, answer)).toMatchObject({ status: 200, body: '{}' });
    expect(standIn.row('c1')).toEqual(before);
  });
  test('a list of users on answer: 500, but the call is answered', async () => {
    const standIn = await start();
    await post(standIn, newCall);
    const result = await post(standIn, { ...answer, user: ['A', 'B'] });
    expect([result.status, parsed(result.body)]).toEqual([500, ERROR_ID]);
    expect(standIn.row('c1')).toMatchObject({ state: 'answer', toComment: 'A, B' });
  });
  test.each([
    ['malformed JSON', '{"event":'],
    ['a compressed body', gzipSync(JSON.stringify(newCall))],
  ])('%s: 500', async (_what, body) => {
    const result = await ask(await start(), { headers: { ...JSON_HEADERS, 'content-encoding': 'gzip' }, body });
    expect([result.status, parsed(result.body)]).toEqual([500, ERROR_ID]);
  });
  test.each([
    ['invalid UTF-8', Buffer.from([0x61, 0x3d, 0xff])],
    ['user=a and user[]=b', 'user=a&user[]=b'],
  ])('%s: 400, no body, text/html', async (_what, body) => {
    const result = await ask(await start(), { headers: FORM_HEADERS, body });
    expect(result).toMatchObject({ status: 400, body: '' });
    expect(result.headers['content-type']).toMatch(/^text\/html/);
  });
  test.each([undefined, 'text/plain', 'application/vnd.api+json', 'application/x-www-form-urlencoded'])(
    'JSON sent as %s is not read',
    async (type) => {
      const headers = { accept: 'application/json', ...(type === undefined ? {} : { 'content-type': type }) };
      const result = await ask(await start(), { headers, body: JSON.stringify(newCall) });
      expect([result.status, parsed(result.body)]).toEqual([422, { error: "Invalid 'direction'!" }]);
    },
  );
  test('a body over 1 MiB: 413', async () => {
    const standIn = await start({ limits: { body: 1000 } });
    const result = await ask(standIn, { headers: JSON_HEADERS, body: 'x'.repeat(1001) });
    expect(result.status).toBe(413);
    expect((await post(standIn, newCall)).status).toBe(200);
  });
});

describe('the order of checks', () => {
  const wrong = '/api/v1/cti/wrong-token';
  const off = { error: 'Feature is disabled, please contact your administrator!' };
  const invalid = { error: 'Invalid token, please contact your admin!' };
  const blank = { error: 'Feature not configured, please contact your admin!' };
  test('off, then configuration, then token, then direction', async () => {
    const standIn = await start({ enabled: false, configured: false });
    const path = async (where?: string) => {
      const { status, body } = await post(standIn, {}, where === undefined ? {} : { path: where });
      return [status, parsed(body)];
    };
    expect(await path(wrong)).toEqual([422, off]);
    standIn.change({ enabled: true });
    expect(await path(wrong)).toEqual([422, blank]);
    standIn.change({ configured: true });
    expect(await path(wrong)).toEqual([401, invalid]);
    expect(await path()).toEqual([422, { error: "Invalid 'direction'!" }]);
    expect(await path('/api/v1/cti/log')).toEqual([401, invalid]);
  });
  test.each(['text/html', undefined])('they are JSON even with Accept %s', async (accept) => {
    const standIn = await start();
    const headers = { 'content-type': 'application/json', ...(accept === undefined ? {} : { accept }) };
    const wrongToken = await ask(standIn, { headers, path: wrong, body: '{}' });
    expect([wrongToken.status, parsed(wrongToken.body)]).toEqual([401, invalid]);
    const direction = await ask(standIn, { headers, body: '{}' });
    expect([direction.status, parsed(direction.body)]).toEqual([422, { error: "Invalid 'direction'!" }]);
  });
});

describe('raised errors and Accept', () => {
  const page = { 'content-type': 'application/json' };
  test.each([undefined, 'text/html', 'application/json, text/plain, */*'])('a page for %s', async (accept) => {
    const headers = accept === undefined ? page : { ...page, accept };
    const result = await ask(await start(), { headers, body: JSON.stringify(hangup) });
    expect(result.status).toBe(500);
    expect(result.headers['content-type']).toMatch(/^text\/html/);
    expect(result.body).toContain('500: An unknown error occurred');
  });
  test.each(['*/*', 'application/json'])('JSON for %s', async (accept) => {
    const result = await ask(await start(), { headers: { ...page, accept }, body: JSON.stringify(hangup) });
    expect([result.status, parsed(result.body)]).toEqual([500, ERROR_ID]);
  });
  test('JSON for a path that ends in .json', async () => {
    const standIn = await start();
    const path = `${new URL(standIn.url).pathname}.json`;
    const result = await ask(standIn, {
      headers: { ...page, accept: 'text/html' },
      path,
      body: JSON.stringify(hangup),
    });
    expect([result.status, parsed(result.body)]).toEqual([500, ERROR_ID]);
  });
});

describe('what is not there', () => {
  test.each([
    ['GET', undefined],
    ['PUT', undefined],
    ['DELETE', undefined],
    ['POST', '/api/v1/cti'],
    ['POST', '/api/v1/integration/cti/some-token'],
    ['GET', '/nothing'],
  ])('%s %s', async (method, path) => {
    const result = await ask(await start(), {
      method,
      headers: { accept: '*/*' },
      ...(path === undefined ? {} : { path }),
    });
    expect(result.status).toBe(404);
    expect(parsed(result.body)).toMatchObject({ error: "This page doesn't exist." });
  });
});

test('the token is in no entry of the journal', async () => {
  const standIn = await start();
  await post(standIn, newCall);
  await ask(standIn, { path: new URL(standIn.url).pathname.replace('/cti/', '/integration/cti/') });
  expect(standIn.requests()).toHaveLength(2);
  expect(JSON.stringify(standIn.requests())).not.toContain('stand-in-token');
});

test('posts of one call that overlap are marked', async () => {
  const standIn = await start({ processingTime: 20 });
  await Promise.all([post(standIn, newCall), post(standIn, hangup), post(standIn, { ...newCall, callId: 'c2' })]);
  const marks = standIn.requests().map(({ callId, overlapped }) => `${callId ?? ''} ${overlapped}`);
  expect(marks.sort()).toEqual(['c1 false', 'c1 true', 'c2 false']);
});

test('posts are worked on one after another, each for its time', async () => {
  const standIn = await start({ processingTime: 30 });
  const begun = performance.now();
  await Promise.all(Array.from({ length: 5 }, (_none, i) => post(standIn, { ...newCall, callId: `c${i}` })));
  expect(performance.now() - begun).toBeGreaterThanOrEqual(145);
});

test('a request that is no HTTP gets 400, and the next one is served', async () => {
  const standIn = await start();
  const { socket, closed } = await bare(standIn);
  socket.write('nonsense\r\n\r\n');
  expect(await closed).toMatch(/^HTTP\/1\.1 400/);
  expect((await post(standIn, newCall)).status).toBe(200);
});

describe('an agent', () => {
  const auth = (token: string, scheme = 'Token token=') => ({ ...JSON_HEADERS, authorization: `${scheme}${token}` });
  const withTokens = { apiToken: 'agent-token', weakApiToken: 'weak-token' };
  const log = (standIn: StandIn, headers: Record<string, string>) =>
    ask(standIn, { method: 'GET', path: '/api/v1/cti/log', headers });

  test('reads the log, newest first, and ticks a call', async () => {
    const standIn = await start({ ...withTokens, viewLimit: 2 });
    for (const callId of ['a', 'b', 'c']) await post(standIn, { ...newCall, callId });
    await post(standIn, { ...hangup, callId: 'c' });
    const { status, body } = await log(standIn, auth('agent-token'));
    expect(status).toBe(200);
    const { list, ...rest } = parsed(body) as { list: { id: number; call_id: string }[] };
    expect(rest).toEqual({ assets: {}, backends: [] });
    expect(list.map((row) => row.call_id)).toEqual(['c', 'b']);
    expect(list[0]).toMatchObject({
      state: 'hangup',
      done: false,
      comment: 'cancel',
      to_pretty: '+49 30 600000000',
      start_at: null,
    });
    const id = list[0]?.id ?? 0;
    for (const done of [true, false]) {
      const ticked = await ask(standIn, {
        path: `/api/v1/cti/done/${id}`,
        headers: auth('agent-token', 'Bearer '),
        body: JSON.stringify({ done }),
      });
      expect(ticked).toMatchObject({ status: 200, body: '{}' });
      expect(standIn.row('c')?.done).toBe(done);
    }
    await ask(standIn, {
      path: '/api/v1/cti/done/bulk',
      headers: auth('agent-token'),
      body: JSON.stringify({ ids: [1, id, 99] }),
    });
    expect(standIn.log().map(({ done }) => done)).toEqual([true, false, true]);
    expect(standIn.requests().at(-1)).toMatchObject({ event: 'done' });
  });
  test.each([
    ['none', JSON_HEADERS, 403],
    ['a wrong one', auth('other'), 401],
    ['one without the permission', auth('weak-token'), 403],
  ])('with %s as token: %j', async (_what, headers, status) => {
    const standIn = await start(withTokens);
    expect((await log(standIn, headers)).status).toBe(status);
    await post(standIn, newCall);
    expect((await ask(standIn, { path: '/api/v1/cti/done/1', headers, body: '{}' })).status).toBe(status);
    expect(standIn.row('c1')?.done).toBe(false);
  });
  test('nobody gets in where no token is set', async () => {
    expect((await log(await start(), auth(''))).status).toBe(403);
    expect((await log(await start(), auth('undefined'))).status).toBe(401);
  });
  test('a row that is not there: 404', async () => {
    const standIn = await start(withTokens);
    expect((await ask(standIn, { path: '/api/v1/cti/done/7', headers: auth('agent-token'), body: '{}' })).status).toBe(
      404,
    );
  });
});
