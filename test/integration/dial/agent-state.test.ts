import { afterEach, describe, expect, test } from '@jest/globals';
import { startDialBench, type Answer, type DialBench } from '../../support/dial-bench.js';

let bench: DialBench;
afterEach(async () => {
  await bench.close();
});
const PATH = '/api/v1/agents/100/state';
const start = async (): Promise<string> => {
  bench = await startDialBench();
  return (await bench.tokenOf('100')).text;
};
const by = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const put = (token: string, body: unknown, path = PATH, headers: Record<string, string> = {}): Promise<Answer> =>
  bench.ask({ method: 'PUT', path, body, headers: { ...by(token), ...headers } });
const DND = { state: 'do-not-disturb' };

describe('an agent', () => {
  test('sees his state, sets it, and sees who has set it', async () => {
    const token = await start();
    const seen = await bench.ask({ path: PATH, headers: by(token) });
    expect([seen.status, seen.json]).toEqual([200, { agent: '100', state: 'available', since: null, by: null }]);
    const set = await put(token, DND);
    expect(set).toMatchObject({ status: 200, json: { agent: '100', ...DND, by: 'api', kept: true, pbx: [] } });
    expect(Number.isNaN(Date.parse(String(set.json['since'])))).toBe(false);
    expect((await bench.ask({ path: PATH, headers: by(token) })).json).toMatchObject({ ...DND, by: 'api' });
    expect((await put(token, { state: 'available' })).json).toMatchObject({ state: 'available' });
  });

  test('in a browser needs the proof of its page', async () => {
    const token = await start();
    const origin = { origin: bench.url };
    const signedIn = await bench.ask({ method: 'POST', path: '/api/v1/session', body: { token }, headers: origin });
    const cookie = (signedIn.headers['set-cookie'] as string[])[0]!.split(';')[0]!;
    const ask = (headers: Record<string, string>) => bench.ask({ method: 'PUT', path: PATH, body: DND, headers });
    expect((await ask({ ...origin, cookie })).json).toMatchObject({ error: { code: 'ZPB_CSRF' } });
    expect((await ask({ cookie, origin: 'https://evil.example.com' })).status).toBe(403);
    expect(bench.availability.state('100')).toMatchObject({ state: 'available' });
    const proof = { 'x-csrf-token': String(signedIn.json['csrf']) };
    expect((await ask({ ...origin, cookie, ...proof })).json).toMatchObject({ ...DND, by: 'page' });
  });
});

describe('nobody', () => {
  test.each(['101', '%31%30%31', '999', '100%00', '../101', '100%2f..%2f101', '*', ''])(
    'sets or sees the state of %j with the token of 100',
    async (other) => {
      const token = await start();
      const path = `/api/v1/agents/${other}/state`;
      expect([400, 403, 404]).toContain((await put(token, DND, path)).status);
      expect([400, 403, 404]).toContain((await bench.ask({ path, headers: by(token) })).status);
      for (const extension of ['100', '101'])
        expect(bench.availability.state(extension)).toMatchObject({ state: 'available' });
    },
  );

  test('gets anything without a token', async () => {
    await start();
    expect((await bench.ask({ path: PATH })).status).toBe(401);
    expect((await put('zpb_x', DND)).status).toBe(401);
    expect(bench.availability.state('100')).toMatchObject({ state: 'available' });
  });
});

describe('what is no state', () => {
  test.each([
    [{}],
    [{ state: 'dnd' }],
    [{ state: 'DO-NOT-DISTURB' }],
    [{ state: ['do-not-disturb'] }],
    [{ ...DND, by: 'pbx' }],
    [{ ...DND, agent: '101' }],
    ['{"state":"do-not-disturb","__proto__":{}}'],
    ['{"state":'],
    ['null'],
    [''],
  ])('%j is refused', async (body) => {
    const token = await start();
    const answer = await put(token, body);
    expect(answer).toMatchObject({ status: 400, json: { error: { code: 'ZPB_HTTP_BAD_REQUEST' } } });
    expect(bench.availability.state('100')).toMatchObject({ state: 'available' });
  });
  test('nor a body without end, or of another kind', async () => {
    const token = await start();
    expect((await put(token, { state: 'x'.repeat(100_000) })).status).toBe(413);
    expect(
      (await put(token, 'state=do-not-disturb', PATH, { 'content-type': 'application/x-www-form-urlencoded' })).status,
    ).toBe(415);
  });
  test('nor is one set by a GET', async () => {
    const token = await start();
    await bench.ask({ path: `${PATH}?state=do-not-disturb`, headers: by(token) });
    expect(bench.availability.state('100')).toMatchObject({ state: 'available' });
  });
});

test('so many in a minute: 429 and when again; others go on', async () => {
  const token = await start();
  const statuses = new Set<number>();
  for (let n = 0; n < 20; n += 1) statuses.add((await put(token, DND)).status);
  expect([...statuses]).toEqual([200]);
  const refused = await put(token, DND);
  expect(refused).toMatchObject({ status: 429, json: { error: { code: 'ZPB_AGENT_STATE_RATE' } } });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  const other = (await bench.tokenOf('101')).text;
  expect((await put(other, DND, '/api/v1/agents/101/state')).status).toBe(200);
  expect((await bench.ask({ path: PATH, headers: by(token) })).status).toBe(200);
});
