/** Looking why an Asterisk cannot be heard: at real sockets that behave as what one meets at a wrong address. */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { configSchema } from '../../../adapters/asterisk-ami/config.js';
import { probe } from '../../../adapters/asterisk-ami/probe.js';
import { type Clock, systemClock } from '../../../src/clock.js';
import type { ProbeFinding } from '../../../src/pbx/adapter.js';
import { FakeAmi, type FakeAmiOptions, type Headers } from '../../support/fake-ami.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';
import { listenAsOther } from '../../support/other-server.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function ami(options: FakeAmiOptions = {}): Promise<FakeAmi> {
  const fake = await FakeAmi.start(options);
  closers.push(() => fake.close());
  return fake;
}

/** Something else that listens. */
async function other(server: Server): Promise<number> {
  const { port, close } = await listenAsOther(server);
  closers.push(close);
  return port;
}

const SECRET = 'right';
interface Look {
  readonly port: number;
  readonly settings?: object;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}
const look = ({ port, settings = {}, clock = systemClock, signal }: Look): Promise<ProbeFinding> =>
  probe(
    configSchema.parse({ host: '127.0.0.1', port, username: 'bridge', secret: SECRET, trunks: ['trunk'], ...settings }),
    { clock, log: silent },
    signal ?? new AbortController().signal,
  );
const finding = (kind: ProbeFinding['kind'], reason: RegExp, mend = /./): unknown => ({
  kind,
  reason: expect.stringMatching(reason),
  mend: expect.stringMatching(mend),
});

const RIGHTS: Headers = [
  ['Setvar', 'Sets a channel variable or function value.  (Priv: call,all)'],
  ['Originate', 'Originate a call.  (Priv: originate,all)'],
  ['PJSIPShowEndpoints', 'Lists PJSIP endpoints.  (Priv: system,all)'],
];
const withRights = (...names: readonly string[]): FakeAmiOptions => ({
  answer: ({ name }) => (name === 'listcommands' ? RIGHTS.filter(([action]) => names.includes(action)) : undefined),
});
const DIAL = { dial: { context: 'from-internal' } };

describe('it is heard', () => {
  test('and the login may do all that is configured', async () => {
    const { port } = await ami(withRights('Setvar'));
    expect(await look({ port })).toEqual({ kind: 'heard', product: 'Asterisk Call Manager/11.0.0', missing: [] });
  });
  test('and what the login lacks is named', async () => {
    const { port } = await ami(withRights());
    expect(await look({ port, settings: { ...DIAL, trunks: undefined } })).toMatchObject({
      missing: ['call', 'originate', 'system'].map((right) => expect.stringContaining(`write=${right}`)),
    });
  });
  test('and nothing is claimed of an Asterisk that does not say which rights there are', async () => {
    const { port } = await ami();
    expect(await look({ port, settings: DIAL })).toMatchObject({ kind: 'heard', missing: [] });
  });
});

describe('it is not heard', () => {
  test('nobody knows the host', async () => {
    expect(await look({ port: 5038, settings: { host: 'no..host' } })).toEqual(
      finding('unknown-host', /unknown|looked up/),
    );
  });
  test('nothing listens', async () => {
    const fake = await FakeAmi.start();
    const { port } = fake;
    await fake.close();
    expect(await look({ port })).toEqual(finding('refused', /nothing listens/, /bindaddr/));
  });
  test('it closes at once', async () => {
    const port = await other(createServer((socket) => socket.end()));
    expect(await look({ port })).toEqual(finding('not-allowed', /closes it at once/, /firewall.*authlimit/));
  });
  test('the password is wrong, or an access list says no: Asterisk does not tell which', async () => {
    const { port } = await ami({ secret: 'another' });
    const found = await look({ port });
    expect(found).toEqual(finding('wrong-password', /secret is wrong, or its access list/, /deny.*BEFORE.*permit/));
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });
  test('the login is in use', async () => {
    const { port } = await ami({ faults: { loginError: 'Login Already In Use' } });
    expect(await look({ port })).toEqual(finding('other', /already logged in/, /allowmultiplelogin/));
  });
});

describe('something else listens', () => {
  test.each([
    ['SSH', 'SSH-2.0-OpenSSH_9.2p1\r\n', /SSH/],
    ['a FreeSWITCH', 'Content-Type: auth/request\n\n', /FreeSWITCH/],
    ['mail', '220 mail ESMTP\r\n', /greets with "220 mail/],
  ])('%s', async (_what, greeting, reason) => {
    const port = await other(createServer((socket) => socket.write(greeting)));
    expect(await look({ port })).toEqual(finding('wrong-port', reason, /5038/));
  });
  test('a web server, as that for ARI', async () => {
    const port = await other(createHttpServer());
    expect(await look({ port })).toEqual(finding('wrong-port', /web server .*ARI/, /5038/));
  });
  test('a web server, asked with TLS', async () => {
    const port = await other(createHttpServer());
    expect(await look({ port, settings: { tls: {} } })).toEqual(finding('wrong-port', /web server/));
  });
});

describe('TLS', () => {
  const tls = { key: TEST_KEY, cert: Buffer.from(TEST_CERTIFICATE) };
  test('is spoken there, and not here', async () => {
    const { port } = await ami({ tls });
    expect(await look({ port })).toEqual(finding('tls', /speaks TLS, and the setting "tls" is missing/));
  });
  test('is spoken here, and not there', async () => {
    const { port } = await ami();
    expect(await look({ port, settings: { tls: {} } })).toEqual(finding('tls', /does not speak TLS/, /5039/));
  });
  test('has a certificate that nobody trusts', async () => {
    const { port } = await ami({ tls });
    expect(await look({ port, settings: { tls: {} } })).toEqual(finding('tls', /No safe connection/, /"ca"/));
  });
  test('has an authority that cannot be read', async () => {
    const { port } = await ami({ tls });
    expect(await look({ port, settings: { tls: { ca: '/no/such/file.pem' } } })).toEqual(finding('tls', /file\.pem/));
  });
});

describe('it says nothing', () => {
  /** Runs a look on a clock of its own; `steps`: what is waited for in the real world before each time-out. */
  async function lookWith(
    options: FakeAmiOptions,
    steps: readonly [(fake: FakeAmi) => boolean, number][],
    tls = false,
  ) {
    const fake = await ami(options);
    const clock = new ManualClock();
    const found = look({ port: fake.port, clock, settings: tls ? { tls: {} } : {} });
    for (const [seen, ms] of steps) {
      await waitFor('the next step of the look', () => seen(fake));
      clock.turn(ms);
    }
    return found;
  }
  const connected =
    (count: number) =>
    (fake: FakeAmi): boolean =>
      fake.connections.length >= count;
  const asked =
    (name: string) =>
    (fake: FakeAmi): boolean =>
      fake.actions.some((action) => action.name === name);

  test('not a word: stuck, or the port of phones', async () => {
    const mute = { faults: { mute: true } };
    expect(
      await lookWith(mute, [
        [asked('challenge'), 3_000],
        [connected(2), 1_500],
      ]),
    ).toEqual(finding('deaf', /says nothing/, /SIP/));
  });
  test('no answer to the login', async () => {
    expect(await lookWith({ faults: { ignoreLogin: true } }, [[asked('challenge'), 3_000]])).toEqual(
      finding('deaf', /No answer to the login/),
    );
  });
  test('the login, and then no answer to a Ping', async () => {
    expect(await lookWith({ faults: { ignoreActions: true } }, [[asked('ping'), 1_500]])).toEqual(
      finding('deaf', /takes the login and does not answer a Ping/),
    );
  });
  test('not a word, asked with TLS', async () => {
    const mute = { faults: { mute: true } };
    expect(
      await lookWith(
        mute,
        [
          [connected(1), 3_000],
          [asked('logoff'), 1_500],
        ],
        true,
      ),
    ).toEqual(finding('deaf', /says nothing/));
  });
  test('when it is called off it ends at once and leaves nothing open', async () => {
    const fake = await ami({ faults: { mute: true } });
    const abort = new AbortController();
    const found = look({ port: fake.port, signal: abort.signal });
    await waitFor('the connection', () => fake.actions.length > 0);
    abort.abort();
    expect(await found).toMatchObject({ kind: 'other' });
    await waitFor('the look to leave', () => fake.open.length === 0);
  });
});
