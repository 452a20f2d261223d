/** Looking why an Asterisk cannot be heard over ARI: at real sockets that behave as what one meets at a wrong address. */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { configSchema } from '../../../adapters/asterisk-ari/config.js';
import { probe } from '../../../adapters/asterisk-ari/probe.js';
import { asPbxName } from '../../../src/call/vocabulary.js';
import { type Clock, systemClock } from '../../../src/clock.js';
import type { ProbeFinding } from '../../../src/pbx/adapter.js';
import { type AriAnswers, FakeAri, type FakeAriOptions } from '../../support/fake-ari.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';
import { listenAsOther } from '../../support/other-server.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const SECRET = 'right-and-long';
async function fake(options: Partial<FakeAriOptions> = {}): Promise<FakeAri> {
  const ari = await FakeAri.start({ secret: SECRET, ...options });
  closers.push(() => ari.close());
  return ari;
}

/** Something else that listens. */
async function other(server: Server): Promise<number> {
  const { port, close } = await listenAsOther(server);
  closers.push(close);
  return port;
}

interface Look {
  readonly port: number;
  readonly settings?: object;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly isConnected?: boolean;
}
const look = ({ port, settings = {}, clock = systemClock, signal, isConnected = false }: Look): Promise<ProbeFinding> =>
  probe(
    configSchema.parse({ host: '127.0.0.1', port, username: 'bridge', secret: SECRET, trunks: ['trunk'], ...settings }),
    { name: asPbxName('office'), clock, log: silent },
    isConnected,
    signal ?? new AbortController().signal,
  );
const finding = (kind: ProbeFinding['kind'], reason: RegExp, mend = /./): unknown => ({
  kind,
  reason: expect.stringMatching(reason),
  mend: expect.stringMatching(mend),
});

const WELL: AriAnswers = ({ path }) => {
  if (path === '/asterisk/info') return { body: { system: { version: '22.10.1' } } };
  if (path === '/endpoints') return { body: [{ technology: 'PJSIP', resource: 'trunk', state: 'online' }] };
  return path === '/applications/zammad-look/eventFilter' ? { body: {} } : undefined;
};

describe('it is heard', () => {
  test('and the login may do all that is needed; the application is left alone', async () => {
    const ari = await fake({ answer: WELL });
    expect(await look({ port: ari.port })).toEqual({ kind: 'heard', product: 'Asterisk 22.10.1', missing: [] });
    expect(ari.asked).toEqual(['/ari/events?app=zammad-look&subscribeAll=true']);
    expect(ari.questions.filter(({ method }) => method !== 'GET').map(({ path }) => path)).toEqual([
      '/applications/zammad-look/eventFilter',
    ]);
    await waitFor('the look to leave', () => ari.sockets === 0);
  });
  test.each([
    ['the login may only read', '/applications/zammad-look/eventFilter', { status: 403 }, /read_only = no/],
    ['the application is taken', '/applications/zammad', { body: { name: 'zammad' } }, /"app" of its own/],
  ] as const)('and %s', async (_, path, answer, words) => {
    const ari = await fake({ answer: (question) => (question.path === path ? answer : WELL(question)) });
    expect(await look({ port: ari.port })).toMatchObject({ missing: [expect.stringMatching(words)] });
  });
  test('and the application is the bridge itself', async () => {
    const ari = await fake({
      answer: (question) => (question.path === '/applications/zammad' ? { body: {} } : WELL(question)),
    });
    expect(await look({ port: ari.port, isConnected: true })).toMatchObject({ kind: 'heard', missing: [] });
  });
  test('and there are no trunks', async () => {
    const ari = await fake({ answer: WELL });
    expect(await look({ port: ari.port, settings: { trunks: undefined } })).toMatchObject({
      missing: [expect.stringMatching(/no call can be told: set trunks/)],
    });
  });
  test('and nothing is claimed of what it does not answer in time', async () => {
    const clock = new ManualClock();
    const ari = await fake({ answer: () => 'never' });
    const found = look({ port: ari.port, clock });
    await waitFor('the questions', () => ari.questions.length >= 4);
    clock.turn(2_500);
    expect(await found).toEqual({ kind: 'heard', missing: [] });
  });
});

describe('it is not heard', () => {
  test('nobody knows the host', async () => {
    expect(await look({ port: 8088, settings: { host: 'no..host' } })).toEqual(
      finding('unknown-host', /unknown|looked up/, /host|name servers/),
    );
  });
  test('nothing listens', async () => {
    const ari = await FakeAri.start({ secret: SECRET });
    const { port } = ari;
    await ari.close();
    expect(await look({ port })).toEqual(finding('refused', /nothing listens/, /bindport/));
  });
  test('it closes at once', async () => {
    const port = await other(createServer((socket) => socket.end()));
    expect(await look({ port })).toEqual(finding('not-allowed', /closes it at once/, /firewall.*sessionlimit/));
  });
  test('the password is wrong', async () => {
    const ari = await fake({ secret: 'another' });
    const found = await look({ port: ari.port });
    expect(found).toEqual(finding('wrong-password', /refused the login of user "bridge"/, /password_format/));
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });
  test.each([
    [403, 'not-allowed', /does not allow/, /ACL/],
    [404, 'other', /no ARI/, /enabled = yes/],
    [503, 'other', /is not ready/, /starting/],
    [200, 'wrong-port', /no ARI/, /bindport/],
  ] as const)('status %i: %s', async (status, kind, reason, mend) => {
    const ari = await fake();
    ari.refuse = status;
    expect(await look({ port: ari.port })).toEqual(finding(kind, reason, mend));
  });
  test('AMI listens there', async () => {
    const port = await other(createServer((socket) => socket.write('Asterisk Call Manager/11.0.0\r\n')));
    expect(await look({ port })).toEqual(finding('wrong-port', /no ARI of an Asterisk/, /8088/));
  });
  test('another web server', async () => {
    const port = await other(createHttpServer((_request, response) => response.end('hello')));
    expect(await look({ port })).toEqual(finding('wrong-port', /no ARI/));
  });
  test('it says nothing', async () => {
    const clock = new ManualClock();
    const ari = await fake();
    ari.mute = true;
    const found = look({ port: ari.port, clock });
    await waitFor('the handshake', () => ari.asked.length > 0);
    clock.turn(3_000);
    expect(await found).toEqual(finding('deaf', /No answer to the login/, /stuck/));
    await waitFor('the look to leave', () => ari.sockets === 0);
  });
  test('the look is called off', async () => {
    const ari = await fake();
    ari.mute = true;
    const abort = new AbortController();
    const found = look({ port: ari.port, signal: abort.signal });
    await waitFor('the handshake', () => ari.asked.length > 0);
    abort.abort();
    expect(await found).toMatchObject({ kind: 'other' });
    await waitFor('the look to leave', () => ari.sockets === 0);
  });
});

describe('TLS', () => {
  const tls = { key: TEST_KEY, cert: TEST_CERTIFICATE };
  test('is spoken there, and not here', async () => {
    const ari = await fake({ tls });
    expect(await look({ port: ari.port })).toEqual(
      finding('tls', /speaks TLS, and the setting "tls" is missing/, /tls/),
    );
  });
  test('is spoken here, and not there', async () => {
    const ari = await fake();
    expect(await look({ port: ari.port, settings: { tls: {} } })).toEqual(finding('tls', /does not speak TLS/, /8089/));
  });
  test('has a certificate that nobody trusts', async () => {
    const ari = await fake({ tls });
    expect(await look({ port: ari.port, settings: { tls: {} } })).toEqual(finding('tls', /No safe connection/, /"ca"/));
  });
  test('has an authority that cannot be read', async () => {
    const settings = { tls: { ca: '/no/such/file.pem' } };
    expect(await look({ port: 8088, settings })).toEqual(finding('tls', /file\.pem/));
  });
});
