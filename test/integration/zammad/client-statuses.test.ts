/** The client against the answers of the real Zammad, status and body as measured (5.0 to 2026). */
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { asCallId, asZammadName } from '../../../src/call/vocabulary.js';
import type { AnswerPost, HangupPost, NewCallPost, Post } from '../../../src/call/vocabulary.js';
import { systemClock } from '../../../src/clock.js';
import { PermanentError } from '../../../src/errors.js';
import { Secret } from '../../../src/secret.js';
import { createZammadClient } from '../../../src/zammad/client.js';
import type { ZammadClient, ZammadClientSettings } from '../../../src/zammad/client.js';

const ORIGIN = 'https://zammad.example.com';
const CANARY = 'Canary-Token_0123456789abcd';
const API_CANARY = 'api-canary-98765';
const PATH = `/api/v1/cti/${CANARY}`;
const base = { callId: asCallId('office-1'), direction: 'in', from: '491711234567', to: '4930555200' } as const;
const newCall: NewCallPost = { ...base, event: 'newCall', user: ['Alice Agent', 'Bob & Co'], queue: 'sales' };
const outbound: NewCallPost = { ...newCall, direction: 'out', to: '4912347114711' };
const answer: AnswerPost = { ...base, event: 'answer', user: 'Alice Agent', answeringNumber: '100' };
const hangup: HangupPost = { ...base, event: 'hangup', cause: 'cancel' };

let client: ZammadClient;
const make = (more: Partial<ZammadClientSettings> = {}): ZammadClient =>
  createZammadClient({
    name: asZammadName('main'),
    url: new Secret(`${ORIGIN}${PATH}`),
    origin: ORIGIN,
    apiToken: new Secret(API_CANARY),
    encoding: 'form',
    version: '1.2.3',
    clock: systemClock,
    ...more,
  });
const options = { timeout: 3000 };

beforeAll(() => {
  nock.disableNetConnect();
});
// Node's own http module is shared by all test files of a worker: what nock did to it must be undone.
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});
beforeEach(() => {
  client = make();
});
afterEach(() => {
  client.close();
  expect(nock.pendingMocks()).toEqual([]);
  nock.cleanAll();
});

const exists = '{"error":"This object already exists.","error_human":"This object already exists."}';
const errorId = '{"error":"Error ID 8fazdWOg: Please contact your administrator."}';
const feature = '{"error":"Feature is disabled, please contact your administrator!"}';

test.each<[string, Post, number, string, object]>([
  ['accepted', newCall, 200, '{}', { kind: 'delivered', reply: { kind: 'none' } }],
  [
    'blocked',
    newCall,
    200,
    '{"action":"reject","reason":"busy"}',
    { kind: 'delivered', reply: { kind: 'reject', reason: 'busy' } },
  ],
  [
    'caller id set',
    outbound,
    200,
    '{"action":"dial","caller_id":"4930777000000","number":"4912347114711"}',
    { kind: 'delivered', reply: { kind: 'dial', callerId: '4930777000000', number: '4912347114711' } },
  ],
  ['second newCall', newCall, 500, exists, { kind: 'exists' }],
  ['second newCall at the same moment', newCall, 422, exists, { kind: 'exists' }],
  ['second newCall, up to 5.0', newCall, 500, '{"error":"Object already exists!"}', { kind: 'exists' }],
  ['newCall, other error', newCall, 500, errorId, { kind: 'unknownOutcome', cause: 'error' }],
  ['answer of an unknown call', answer, 500, errorId, { kind: 'unknownCall' }],
  ['hangup of an unknown call', hangup, 500, errorId, { kind: 'unknownCall' }],
  ['"already exists" on a hangup means nothing', hangup, 500, exists, { kind: 'unknownCall' }],
  [
    'wrong token',
    newCall,
    401,
    '{"error":"Invalid token, please contact your admin!"}',
    { kind: 'held', message: expect.stringContaining('Integrations → CTI') },
  ],
  ['switched off', hangup, 422, feature, { kind: 'held', message: expect.stringContaining('switch it on') }],
  ['not configured', newCall, 422, '{"error":"Feature not configured, please contact your admin!"}', { kind: 'held' }],
  [
    'wrong path',
    newCall,
    404,
    '{"error":"This page doesn\'t exist."}',
    { kind: 'held', message: expect.stringContaining('copy the endpoint URL') },
  ],
  ['a filter before Zammad', newCall, 403, '<html>', { kind: 'held' }],
  [
    'a login page before Zammad',
    hangup,
    200,
    '<!DOCTYPE html><title>Sign in</title>',
    { kind: 'held', message: expect.stringContaining('login page') },
  ],
  ['some other text', newCall, 200, 'OK', { kind: 'delivered', reply: { kind: 'odd', why: 'not JSON' } }],
  ['wrong direction', newCall, 422, '{"error":"Invalid \'direction\'!"}', { kind: 'refused' }],
  ['NUL in a value', newCall, 422, errorId, { kind: 'refused' }],
  ['invalid UTF-8', newCall, 400, '', { kind: 'refused' }],
])('%s', async (_what, post, status, body, outcome) => {
  nock(ORIGIN).post(PATH).reply(status, body, { 'Content-Type': 'application/json' });
  const seen = await client.post(post, options);
  expect(seen).toMatchObject(outcome);
  expect(inspect(seen)).not.toContain(CANARY);
});

test('an error page in HTML counts by its status', async () => {
  nock(ORIGIN).post(PATH).reply(500, '<html>500: An unknown error occurred</html>', { 'Content-Type': 'text/html' });
  expect(await client.post(hangup, options)).toMatchObject({ kind: 'unknownCall' });
});

test('the request id leads to the line in Zammad’s log', async () => {
  nock(ORIGIN).post(PATH).reply(400, '', { 'X-Request-Id': '0b6e4f0e-1c2d' });
  expect(await client.post(newCall, options)).toMatchObject({ message: expect.stringContaining('0b6e4f0e-1c2d') });
});

test.each([301, 302, 307, 308])('%i is not followed, and only the origin of its target is shown', async (status) => {
  nock(ORIGIN)
    .post(PATH)
    .reply(status, '', { Location: `https://other.example.com${PATH}` });
  const seen = await client.post(newCall, options);
  expect(seen).toMatchObject({ kind: 'held', message: expect.stringContaining('https://other.example.com') });
  expect(JSON.stringify(seen)).not.toContain(CANARY);
});

describe('the request', () => {
  test('is a form as in Zammad’s documentation, with one Accept', async () => {
    let seen: { readonly body: unknown; readonly headers: Readonly<Record<string, unknown>> } | undefined;
    nock(ORIGIN)
      .post(PATH)
      .reply(200, function reply(_uri, body) {
        seen = { body, headers: this.req.headers };
        return {};
      });
    await client.post(newCall, options);
    expect(seen?.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'zammad-pbx-bridge/1.2.3',
    });
    expect(seen?.headers).not.toHaveProperty('content-encoding');
    expect(seen?.headers).not.toHaveProperty('cookie');
    expect(seen?.body).toBe(
      'event=newCall&from=491711234567&to=4930555200&direction=in&callId=office-1' +
        '&user[]=Alice%20Agent&user[]=Bob%20%26%20Co&queue=sales',
    );
  });

  test('is JSON where that is configured', async () => {
    client.close();
    client = make({ encoding: 'json' });
    nock(ORIGIN)
      .post(PATH, {
        event: 'answer',
        from: '491711234567',
        to: '4930555200',
        direction: 'in',
        callId: 'office-1',
        user: 'Alice Agent',
        answeringNumber: '100',
      })
      .matchHeader('content-type', 'application/json')
      .reply(200, '{}');
    expect((await client.post(answer, options)).kind).toBe('delivered');
  });
});

describe('probe', () => {
  test.each<[string, number, string, string]>([
    ['all is well', 422, '{"error":"Invalid \'direction\'!"}', 'ok'],
    ['all is well, 5.x', 422, '{"error":"Invalid direction!"}', 'ok'],
    ['wrong token', 401, '{"error":"Invalid token, please contact your admin!"}', 'held'],
    ['switched off', 422, feature, 'held'],
    ['wrong path', 404, '{"error":"This page doesn\'t exist."}', 'held'],
    ['redirect', 301, '', 'held'],
    ['some other web page', 200, '<!doctype html>', 'held'],
    ['proxy without Zammad', 502, '<html>', 'down'],
    ['proxy, time-out', 504, '<html>', 'down'],
  ])('%s', async (_what, status, body, kind) => {
    nock(ORIGIN)
      .post(PATH, '')
      .reply(status, body, { Location: `https://x.example.com${PATH}` });
    const found = await client.probe(options);
    expect(found.kind).toBe(kind);
    expect(JSON.stringify(found)).not.toContain(CANARY);
  });

  test('tells no call: it carries no parameter at all', async () => {
    const bodies: unknown[] = [];
    nock(ORIGIN)
      .post(PATH, (body) => {
        bodies.push(body);
        return true;
      })
      .reply(422, '{"error":"Invalid direction!"}');
    await client.probe(options);
    // nock's reading of an empty form.
    expect(bodies).toEqual([{}]);
  });
});

describe('callLog', () => {
  const log = () => nock(ORIGIN).get('/api/v1/cti/log').matchHeader('authorization', `Token token=${API_CANARY}`);

  test('gives of each row what there is', async () => {
    log().reply(200, {
      list: [
        { id: 7, call_id: 'office-1', state: 'newCall', done: false, from: '49171', preferences: {} },
        { id: 6, call_id: 'office-0', state: 'hangup', done: true },
      ],
      assets: { User: {} },
      backends: [],
    });
    expect(await client.callLog(options)).toEqual({
      kind: 'calls',
      calls: [
        { callId: 'office-1', state: 'newCall', done: false, from: '49171' },
        { callId: 'office-0', state: 'hangup', done: true },
      ],
    });
  });

  test.each<[number, string, string]>([
    [401, '{"error":"Invalid BasicAuth credentials"}', 'denied'],
    [403, '{"error":"Not authorized"}', 'denied'],
    [502, '', 'failed'],
    [200, '<html>', 'failed'],
    [200, '{"rows":[]}', 'failed'],
  ])('%i %s: %s', async (status, body, kind) => {
    log().reply(status, body);
    const found = await client.callLog(options);
    expect(found.kind).toBe(kind);
    expect(JSON.stringify(found)).not.toContain(API_CANARY);
  });

  test('without a token nothing is asked', async () => {
    client.close();
    client = make({ apiToken: undefined });
    expect(client.canReadBack).toBe(false);
    expect((await client.callLog(options)).kind).toBe('denied');
  });

  test('is found beside the endpoint, also behind a path', async () => {
    client.close();
    client = make({ url: new Secret(`${ORIGIN}/help/desk${PATH}`) });
    nock(ORIGIN).get('/help/desk/api/v1/cti/log').reply(200, '{"list":[]}');
    expect(await client.callLog(options)).toEqual({ kind: 'calls', calls: [] });
  });
});

test('a URL that is none is refused without being shown', () => {
  for (const url of [`ftp://x/${CANARY}`, CANARY, `https://[/${CANARY}`]) {
    let thrown: unknown;
    try {
      make({ url: new Secret(url) });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PermanentError);
    expect(inspect(thrown, { depth: 20, showHidden: true })).not.toContain(CANARY);
  }
});
