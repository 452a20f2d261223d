import { createServer, type Server } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { configSchema } from '../../../adapters/freeswitch/config.js';
import { probe } from '../../../adapters/freeswitch/probe.js';
import { systemClock, type Clock } from '../../../src/clock.js';
import type { ProbeFinding } from '../../../src/pbx/adapter.js';
import { type ApiAnswer, FakeFreeSwitch, type FakeFreeSwitchOptions } from '../../support/fake-freeswitch.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';
import { listenAsOther } from '../../support/other-server.js';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

/** A deadline passes when the test says so, and never by itself. */
class HeldClock implements Clock {
  readonly #held = new Map<() => void, number>();
  monotonic(): number {
    return systemClock.monotonic();
  }
  wall(): number {
    return systemClock.wall();
  }
  after(ms: number, task: () => void): () => void {
    const held = (): void => {
      task();
    };
    this.#held.set(held, ms);
    return () => {
      this.#held.delete(held);
    };
  }
  async pass(ms: number): Promise<void> {
    const due = await waitFor(`a deadline of ${ms} ms`, () => [...this.#held].find(([, held]) => held === ms)?.[0]);
    this.#held.delete(due);
    due();
  }
}
const LOGIN_MS = 2_500;
const COMMAND_MS = 1_000;
const POKE_MS = 1_200;
const SECRET = 'a-secret-of-the-test';

const look = (
  port: number,
  settings: object = {},
  clock: Clock = systemClock,
  signal = new AbortController().signal,
): Promise<ProbeFinding> =>
  probe(configSchema.parse({ port, password: SECRET, ...settings }), { clock, log: silent }, signal);

async function fake(options: FakeFreeSwitchOptions = {}): Promise<FakeFreeSwitch> {
  const esl = await FakeFreeSwitch.start({ password: SECRET, ...options });
  cleanUp.push(() => esl.close());
  return esl;
}
async function listening(server: Server): Promise<number> {
  const { port, close } = await listenAsOther(server);
  cleanUp.push(close);
  return port;
}
/** A server that says something at once. */
const greeting = (text: string): Promise<number> =>
  listening(
    createServer((socket) => {
      socket.write(text);
    }),
  );
const STATUS = 'UP 0 years\nFreeSWITCH (Version 1.10.12-release  64bit) is ready\n';
const status = (command: string): ApiAnswer | undefined => (command === 'status' ? STATUS : undefined);

describe('what a probe finds', () => {
  test('it is heard; nothing stays open', async () => {
    const esl = await fake({ api: status });
    expect(await look(esl.port)).toEqual({ kind: 'heard', product: 'FreeSWITCH 1.10.12-release', missing: [] });
    await waitFor('the connection to be closed', () => esl.open.length === 0);
  });

  test('a login that may not do everything', async () => {
    const esl = await fake({
      faults: { refuseEvents: '-ERR permission denied' },
      api: () => '-ERR permission denied\n',
    });
    expect(await look(esl.port)).toEqual({
      kind: 'heard',
      missing: [
        'the login may not hear events (-ERR permission denied)',
        'the login may not ask which calls there are (-ERR permission denied)',
      ],
    });
  });

  test('an unknown host', async () => {
    // No resolver is asked for a name that cannot be one.
    expect(await look(8021, { host: 'no..where' })).toMatchObject({
      kind: 'unknown-host',
      reason: expect.stringContaining('no..where:8021'),
      mend: expect.stringMatching(/"host"|name servers/),
    });
  });

  test('nothing listens', async () => {
    const port = await greeting('');
    for (const task of cleanUp.splice(0)) await task();
    expect(await look(port)).toMatchObject({ kind: 'refused', mend: expect.stringContaining('event_socket.conf.xml') });
  });

  test('an access list; a wrong password', async () => {
    const rude = await fake({ faults: { rude: true } });
    expect(await look(rude.port)).toMatchObject({
      kind: 'not-allowed',
      mend: expect.stringContaining('apply-inbound-acl'),
    });
    const other = await fake({ password: 'another' });
    const finding = await look(other.port);
    expect(finding).toMatchObject({ kind: 'wrong-password', mend: expect.stringContaining('"password"') });
    expect(JSON.stringify(finding)).not.toContain(SECRET);
  });

  test('who closes at once', async () => {
    const port = await listening(createServer((socket) => socket.end()));
    expect(await look(port)).toMatchObject({ kind: 'not-allowed' });
  });

  test.each([
    ['SSH', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'],
    ['the manager interface of an Asterisk', 'Asterisk Call Manager/9.0.0\r\n'],
    ['a mail server', '220 mail.example.test ESMTP\r\n'],
  ])('%s, known by its greeting', async (_what, text) => {
    expect(await look(await greeting(text))).toMatchObject({
      kind: 'wrong-port',
      reason: expect.stringContaining(text.trim().slice(0, 8)),
      mend: expect.stringContaining('8021'),
    });
  });

  /** Nothing is said to it before it has said something; then the login has lasted too long. */
  async function silentAtFirst(port: number): Promise<ProbeFinding> {
    const clock = new HeldClock();
    const finding = look(port, {}, clock);
    await clock.pass(LOGIN_MS);
    return finding;
  }
  test('HTTP, which speaks only when it is spoken to', async () => {
    const port = await listening(createHttpServer());
    expect(await silentAtFirst(port)).toMatchObject({
      kind: 'wrong-port',
      reason: expect.stringContaining('HTTP/1.1'),
    });
  });

  test('SIP, which answers two line breaks by one', async () => {
    const port = await listening(createServer((socket) => socket.once('data', () => socket.write('\r\n'))));
    expect(await silentAtFirst(port)).toMatchObject({ kind: 'wrong-port' });
  });

  test('TLS where none is configured, and none where it is', async () => {
    const server = createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE });
    const port = await listening(server.on('tlsClientError', () => undefined));
    expect(await silentAtFirst(port)).toMatchObject({
      kind: 'tls',
      reason: expect.stringContaining('"tls" is missing'),
    });
    const plain = await fake();
    expect(await look(plain.port, { tls: {} })).toMatchObject({ kind: 'tls', mend: expect.stringContaining('tls.ca') });
    expect(await look(plain.port, { tls: { ca: '/nowhere/ca.pem' } })).toMatchObject({ kind: 'tls' });
  });

  test('deaf: it says nothing at all, whatever it is told', async () => {
    const esl = await fake({ faults: { mute: true } });
    const clock = new HeldClock();
    const finding = look(esl.port, {}, clock);
    await clock.pass(LOGIN_MS);
    await waitFor('it to be spoken to', () => esl.commands.includes('exit'));
    await clock.pass(POKE_MS);
    expect(await finding).toMatchObject({ kind: 'deaf', reason: expect.stringContaining('said nothing') });
    await waitFor('the connections to be closed', () => esl.open.length === 0);
  });

  test('deaf: it does not answer the password', async () => {
    const esl = await fake({ faults: { ignoreAuth: true } });
    const clock = new HeldClock();
    const finding = look(esl.port, {}, clock);
    await waitFor('the password', () => esl.commands.length === 1);
    await clock.pass(LOGIN_MS);
    expect(await finding).toMatchObject({ kind: 'deaf', reason: expect.stringContaining('asked for the password') });
    await waitFor('the connections to be closed', () => esl.open.length === 0);
  });

  test('deaf: it takes the password, and answers nothing more', async () => {
    const esl = await fake({ faults: { ignoreCommands: true } });
    const clock = new HeldClock();
    const finding = look(esl.port, {}, clock);
    await waitFor('the question', () => esl.commands.includes('api status'));
    await clock.pass(COMMAND_MS);
    expect(await finding).toMatchObject({ kind: 'deaf', reason: expect.stringContaining('No answer to "api"') });
    await waitFor('the connection to be closed', () => esl.open.length === 0);
  });

  test('an aborted signal ends it at once, at each step', async () => {
    const esl = await fake({ faults: { mute: true } });
    for (const step of ['the login', 'what it says itself']) {
      const clock = new HeldClock();
      const ending = new AbortController();
      const finding = look(esl.port, {}, clock, ending.signal);
      if (step === 'the login') await waitFor('the connection', () => esl.open.length === 1);
      else {
        await clock.pass(LOGIN_MS);
        await waitFor('it to be spoken to', () => esl.commands.includes('exit'));
      }
      ending.abort();
      expect(await finding).toMatchObject({ kind: step === 'the login' ? 'other' : 'deaf' });
      await waitFor('it to be closed', () => esl.open.length === 0);
    }
  });
});
