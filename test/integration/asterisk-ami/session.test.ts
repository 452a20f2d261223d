import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { AmiMessage } from '../../../adapters/asterisk-ami/message.js';
import { openSession, type SessionOptions } from '../../../adapters/asterisk-ami/session.js';
import { Secret } from '../../../src/secret.js';
import { encode, FakeAmi, type FakeAmiOptions, type Faults } from '../../support/fake-ami.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { pause, waitFor } from '../../support/wait-for.js';
import { openTestSession, sessionOptions, type TestSession } from './open-test-session.js';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

async function fakeAmi(options: FakeAmiOptions = {}): Promise<FakeAmi> {
  const fake = await FakeAmi.start(options);
  cleanUp.push(() => fake.close());
  return fake;
}
async function connected(port: number, more: Partial<SessionOptions> = {}): Promise<TestSession> {
  const opened = await openTestSession(port, more);
  cleanUp.push(() => opened.session.close());
  return opened;
}
/** Everything written at either end before this was read by the other. */
const settled = async ({ session }: TestSession): Promise<void> => {
  await session.send({ Action: 'Ping' });
};
const names = (messages: readonly AmiMessage[]): readonly (string | undefined)[] => messages.map(({ event }) => event);
const newchannel = (uniqueid: string): string =>
  encode([
    ['Event', 'Newchannel'],
    ['CallerIDName', 'Zoë'],
    ['Uniqueid', uniqueid],
  ]);

describe('login', () => {
  test('by challenge: the secret is not on the wire', async () => {
    const fake = await fakeAmi();
    const { session } = await connected(fake.port);
    expect(session.banner).toBe('Asterisk Call Manager/11.0.0');
    expect(fake.actions.map(({ name }) => name)).toEqual(['challenge', 'login']);
    expect(fake.actions.map(({ text }) => text).join()).not.toContain('right');
  });

  test('no challenge: an error without plainLogin, the secret with it', async () => {
    const fake = await fakeAmi({ faults: { challengeError: 'Must specify AuthType' } });
    await expect(openSession(sessionOptions(fake.port))).rejects.toMatchObject({
      code: 'ZPB_AMI_LOGIN',
      retriable: false,
    });
    expect(fake.actions.map(({ name }) => name)).toEqual(['challenge']);
    await connected(fake.port, { plainLogin: true });
    expect(fake.actions.at(-1)?.get('Secret')).toBe('right');
  });

  test.each<[string, Faults, string, boolean]>([
    ['already logged in', { loginError: 'Login Already In Use' }, 'ZPB_AMI_IN_USE', true],
    ['another reason', { loginError: 'Not today' }, 'ZPB_AMI_LOGIN', false],
    ['closed at once', { closeAfter: 40 }, 'ZPB_AMI_CLOSED', true],
    ['never answered', { ignoreLogin: true }, 'ZPB_AMI_LOGIN_TIMEOUT', true],
  ])('%s', async (_what, faults, code, retriable) => {
    const fake = await fakeAmi({ faults });
    // Only where it is to run out: a busy machine may take long to hear that the connection is closed.
    const login = faults.ignoreLogin === true ? 100 : 5_000;
    await expect(openSession(sessionOptions(fake.port, { timeouts: { login } }))).rejects.toMatchObject({
      code,
      retriable,
    });
    await waitFor('the connection to be closed', () => fake.open.length === 0);
  });

  test('something else listens there', async () => {
    const fake = await fakeAmi({ banner: 'SSH-2.0-OpenSSH_9.2' });
    await expect(openSession(sessionOptions(fake.port))).rejects.toMatchObject({
      code: 'ZPB_AMI_PROTOCOL',
      retriable: false,
    });
  });

  test('events before the login is accepted are nobody’s', async () => {
    const fake = await fakeAmi({ banner: `Asterisk Call Manager/11.0.0\r\n${newchannel('1')}`.trimEnd() + '\r\n' });
    const opened = await connected(fake.port);
    await settled(opened);
    expect(names(opened.messages)).toEqual(['FullyBooted']);
  });

  test('FullyBooted is told, not waited for', async () => {
    const without = await fakeAmi({ fullyBooted: false });
    const first = await connected(without.port);
    expect(first.session.fullyBooted).toBe(false);
    const second = await connected((await fakeAmi()).port, { wanted: new Set() });
    await settled(second);
    expect(second.session.fullyBooted).toBe(true);
  });

  test('no secret in any error or log', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    const secret = new Secret('canary-7d1f');
    for (const faults of [{}, { challengeError: 'no' }, { loginError: 'Not today' }]) {
      const fake = await fakeAmi({ faults });
      const error: unknown = await openSession(sessionOptions(fake.port, { secret, log, plainLogin: true })).catch(
        (e: unknown) => e,
      );
      lines.push(String(error), JSON.stringify(error), (error as Error).stack ?? '');
    }
    expect(lines.join()).not.toContain('canary');
  });
});

describe('TLS', () => {
  const tls = { key: TEST_KEY, cert: Buffer.from(TEST_CERTIFICATE) };

  test('with its authority; a challenge refused is no hindrance there', async () => {
    const fake = await fakeAmi({ tls, faults: { challengeError: 'no' } });
    await settled(await connected(fake.port, { tls: { ca: TEST_CERTIFICATE } }));
    await settled(await connected(fake.port, { tls: { ca: TEST_CERTIFICATE, servername: 'pbx.test' } }));
  });

  test.each<[string, SessionOptions['tls']]>([
    ['unknown authority', {}],
    ['other name', { ca: TEST_CERTIFICATE, servername: 'other.test' }],
    ['authority that is no PEM', { ca: '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n' }],
  ])('%s: refused before anything is said', async (_what, given) => {
    const fake = await fakeAmi({ tls });
    await expect(openSession(sessionOptions(fake.port, { tls: given }))).rejects.toMatchObject({
      code: 'ZPB_AMI_TLS',
      retriable: false,
    });
    expect(fake.actions).toEqual([]);
  });

  test('the plain port', async () => {
    const fake = await fakeAmi();
    await expect(openSession(sessionOptions(fake.port, { tls: { ca: TEST_CERTIFICATE } }))).rejects.toMatchObject({
      code: 'ZPB_AMI_TLS',
      message: expect.stringContaining('does not speak TLS') as unknown as string,
    });
  });

  test('a port that accepts and says nothing', async () => {
    const fake = await fakeAmi({ faults: { mute: true } });
    const opening = openSession(
      sessionOptions(fake.port, { tls: { ca: TEST_CERTIFICATE }, timeouts: { connect: 60 } }),
    );
    await expect(opening).rejects.toMatchObject({ code: 'ZPB_AMI_CONNECT', retriable: true });
  });
});

describe('a far end that is gone', () => {
  const timeouts = { pingEvery: 60, pingTimeout: 40 };

  test('half-open: nothing comes, and it is noticed', async () => {
    const fake = await fakeAmi();
    const proxy = await TcpProxy.start(fake.port);
    cleanUp.push(() => proxy.close());
    const { session } = await connected(proxy.port, { timeouts });
    await waitFor('a Ping', () => fake.actions.some(({ name }) => name === 'ping'));
    proxy.blackhole();
    const asked = session.send({ Action: 'Status' });
    await expect(asked).rejects.toMatchObject({ code: 'ZPB_AMI_SILENT' });
    expect(await session.closed).toMatchObject({ code: 'ZPB_AMI_SILENT', retriable: true });
  });

  test('events but no answer to Ping: it lives as long as it speaks', async () => {
    const fake = await fakeAmi({ faults: { ignorePing: true } });
    const { session } = await connected(fake.port, { timeouts: { pingEvery: 30, pingTimeout: 20 } });
    let ended = false;
    void session.closed.then(() => (ended = true));
    for (let turn = 0; turn < 60; turn += 1) {
      fake.broadcast(newchannel(String(turn)));
      await pause(10);
    }
    expect(fake.actions.filter(({ name }) => name === 'ping').length).toBeGreaterThan(3);
    expect(ended).toBe(false);
    expect(await session.closed).toMatchObject({ code: 'ZPB_AMI_SILENT' });
  });

  test('reset and closed', async () => {
    const fake = await fakeAmi();
    const proxy = await TcpProxy.start(fake.port);
    cleanUp.push(() => proxy.close());
    const first = await connected(proxy.port);
    proxy.reset();
    expect(await first.session.closed).toMatchObject({ code: 'ZPB_AMI_CLOSED' });
    const second = await connected(proxy.port);
    fake.shutDown();
    expect(await second.session.closed).toMatchObject({ code: 'ZPB_AMI_CLOSED' });
    expect(names(second.messages)).toContain('Shutdown');
  });

  test('2 MiB without an empty line', async () => {
    const fake = await fakeAmi();
    const { session } = await connected(fake.port);
    fake.broadcast(Buffer.alloc(2 * 1024 * 1024, 'x'));
    expect(await session.closed).toMatchObject({ code: 'ZPB_AMI_TOO_LONG', retriable: true });
  });

  test('garbage is counted and passed over', async () => {
    const fake = await fakeAmi();
    const opened = await connected(fake.port);
    fake.broadcast(Buffer.from([0, 255, 254, 13, 10, 13, 10, 58, 58, 10, 10]));
    fake.broadcast(newchannel('7'));
    await settled(opened);
    expect(opened.messages.at(-1)?.get('Uniqueid')).toBe('7');
    expect(opened.session.counts.dropped).toBe(2);
  });
});

describe('actions', () => {
  const channel = (name: string) =>
    [
      ['Event', 'CoreShowChannel'],
      ['Channel', name],
    ] as const;
  const list = { items: ['a', 'b', 'c'].map(channel), complete: 'CoreShowChannelsComplete' };
  const showChannels = ['CoreShowChannels', 'CoreShowChannelsComplete'] as const;

  test('each gets its own answer, whatever comes between and in whatever order', async () => {
    const held: (() => void)[] = [];
    const fake = await fakeAmi({
      answer: (action, connection) => {
        held.unshift(() => {
          connection.write(newchannel('1'));
          connection.respond(action, 'Success', [['Value', action.get('Variable')]]);
        });
        if (held.length === 3) for (const answer of held) answer();
        return 'ignore';
      },
    });
    const { session } = await connected(fake.port);
    const replies = await Promise.all(
      ['A', 'B', 'C'].map((name) => session.send({ Action: 'Getvar', Variable: name })),
    );
    expect(replies.map((reply) => reply.get('Value'))).toEqual(['A', 'B', 'C']);
  });

  test('a refusal is an answer to send, and an error of list', async () => {
    const fake = await fakeAmi();
    const { session } = await connected(fake.port);
    expect((await session.send({ Action: 'Hangup' })).get('Message')).toBe('Permission denied');
    await expect(session.list({ Action: 'PJSIPShowEndpoints' }, 'EndpointListComplete')).rejects.toMatchObject({
      reason: 'Permission denied',
    });
  });

  test('items are handed over between the events where they stand, though nobody wants their names', async () => {
    const fake = await fakeAmi({ answer: () => ({ ...list, between: newchannel('1') }) });
    const order: string[] = [];
    const { session } = await connected(fake.port, {
      wanted: new Set(['Newchannel']),
      onMessage: ({ event }) => order.push(event ?? ''),
    });
    const items = await session.list({ Action: showChannels[0] }, showChannels[1], {
      onItem: (item) => order.push(item.get('Channel') ?? ''),
    });
    expect(items).toHaveLength(3);
    expect(order).toEqual(['FullyBooted', 'Newchannel', 'a', 'Newchannel', 'b', 'Newchannel', 'c']);
  });

  test.each([
    ['cut in the middle', { cutAfter: 2 }, 'ZPB_AMI_CLOSED'],
    ['cancelled', { cancelled: true }, 'ZPB_AMI_LIST'],
    ['with another number of items', { listItems: 4 }, 'ZPB_AMI_LIST'],
  ])('a list %s', async (_what, fault, code) => {
    const fake = await fakeAmi({ answer: () => ({ ...list, ...fault }) });
    const { session } = await connected(fake.port);
    await expect(session.list({ Action: showChannels[0] }, showChannels[1])).rejects.toMatchObject({ code });
  });

  test('late answers and late items are nobody’s', async () => {
    let answer = (): void => undefined;
    const fake = await fakeAmi({
      answer: (action, connection) => {
        answer = () => {
          connection.respond(action, 'Success');
          connection.write(
            encode([
              ['Event', 'CoreShowChannel'],
              ['ActionID', action.id],
            ]),
          );
        };
        return 'ignore';
      },
    });
    const opened = await connected(fake.port, { wanted: new Set() });
    const late = opened.session.list({ Action: showChannels[0] }, showChannels[1], { timeout: 20 });
    await expect(late).rejects.toMatchObject({ code: 'ZPB_AMI_TIMEOUT' });
    answer();
    await settled(opened);
    expect(names(opened.messages)).toEqual(['FullyBooted']);
    expect(opened.session.counts.unmatched).toBe(2);
  });

  test('a caller may stop waiting', async () => {
    const fake = await fakeAmi({ answer: () => 'ignore' });
    const { session } = await connected(fake.port);
    const abort = new AbortController();
    const asked = session.send({ Action: 'Status' }, { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'ZPB_AMI_STOPPED' });
  });

  test('what waits for an answer is bounded', async () => {
    const fake = await fakeAmi({ answer: () => 'ignore' });
    const { session } = await connected(fake.port);
    const asked = Array.from({ length: 1001 }, () =>
      session.send({ Action: 'Status' }).catch((error: unknown) => error),
    );
    expect(await asked[1000]).toMatchObject({ code: 'ZPB_AMI_BUSY', retriable: true });
    await session.close();
    expect(await asked[0]).toMatchObject({ code: 'ZPB_AMI_STOPPED' });
  });

  test('what waits to be written is bounded', async () => {
    const fake = await fakeAmi({ answer: () => 'ignore' });
    const { session } = await connected(fake.port);
    // Not a turn of the loop in between, so nothing leaves. 30 x 900 bytes an action: 1 MiB is full before 1000 actions are.
    const action = { Action: 'Originate', Variable: Array.from({ length: 30 }, () => 'x'.repeat(880)) };
    const asked = Array.from({ length: 400 }, () => session.send(action).catch((error: unknown) => error));
    expect(await asked.at(-1)).toMatchObject({ code: 'ZPB_AMI_BUSY', retriable: true });
    await session.close();
    await Promise.all(asked);
  });
});

describe('what is handed over', () => {
  test('messages in order, however the stream is cut', async () => {
    const fake = await fakeAmi({ chunk: 3 });
    const opened = await connected(fake.port);
    await fake.play(Buffer.from(['1', '2', '3'].map(newchannel).join('')));
    await waitFor('the events', () => opened.messages.length === 4);
    expect(opened.messages.map((message) => message.get('Uniqueid'))).toEqual([undefined, '1', '2', '3']);
    expect(opened.messages[1]?.get('CallerIDName')).toBe('Zoë');
  });

  test('a recording, in its own time and ten times as fast', async () => {
    const event = (name: string, at: string): string =>
      encode([
        ['Event', name],
        ['Timestamp', `1795410917.${at}`],
      ]);
    const recording = Buffer.from(
      `Asterisk Call Manager/11.0.0\r\n${encode([['Response', 'Success']])}${event('A', '000000')}${encode([['Event', 'B']])}${event('C', '300000')}`,
    );
    const fake = await fakeAmi({ fullyBooted: false });
    const at: number[] = [];
    const opened = await connected(fake.port, { onMessage: () => at.push(performance.now()) });
    const took: number[] = [];
    for (const speed of [1, 10]) {
      at.length = 0;
      const began = performance.now();
      await fake.play(recording, speed);
      await settled(opened);
      expect(at).toHaveLength(3);
      // The last one stands 300 ms behind the first; a timer may be early by one.
      expect(at[2]! - began).toBeGreaterThan(300 / speed - 2);
      took.push(at[2]! - began);
    }
    expect(took[1]).toBeLessThan(took[0]!);
  });

  test('every byte, for recordings', async () => {
    const fake = await fakeAmi();
    const parts: Buffer[] = [];
    const opened = await connected(fake.port, {
      wanted: new Set(),
      onBytes: (bytes) => parts.push(Buffer.from(bytes)),
    });
    fake.broadcast(newchannel('1'));
    await settled(opened);
    const all = Buffer.concat(parts);
    expect(all.toString()).toContain(newchannel('1'));
    expect(all.toString().startsWith('Asterisk Call Manager/')).toBe(true);
    expect(opened.session.counts.bytes).toBe(all.length);
  });

  test('a handler that throws costs its message, not the connection', async () => {
    const lines: string[] = [];
    const seen: string[] = [];
    const fake = await fakeAmi();
    const opened = await connected(fake.port, {
      log: pino({ level: 'error' }, { write: (line: string) => lines.push(line) }),
      onMessage: ({ event }) => {
        seen.push(event ?? '');
        if (event === 'Newchannel') throw new Error('a fault');
      },
    });
    fake.broadcast(newchannel('1') + encode([['Event', 'Hangup']]));
    await settled(opened);
    expect(seen).toEqual(['FullyBooted', 'Newchannel', 'Hangup']);
    expect(opened.session.counts.handlerErrors).toBe(1);
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(['Newchannel']);
  });

  test('nothing after close, though it stood in the same chunk', async () => {
    const fake = await fakeAmi({ fullyBooted: false });
    const seen: (string | undefined)[] = [];
    let close = (): void => undefined;
    const { session } = await connected(fake.port, {
      onMessage: (message) => {
        seen.push(message.get('Uniqueid'));
        close();
      },
    });
    close = () => void session.close();
    fake.broadcast(newchannel('1') + newchannel('2'));
    expect(await session.closed).toMatchObject({ code: 'ZPB_AMI_STOPPED' });
    await session.close();
    expect(seen).toEqual(['1']);
    await waitFor('the far end to see it', () => fake.open.length === 0);
  });

  test('an aborted signal ends it', async () => {
    const fake = await fakeAmi();
    const abort = new AbortController();
    const { session } = await connected(fake.port, { signal: abort.signal });
    abort.abort();
    expect(await session.closed).toMatchObject({ code: 'ZPB_AMI_STOPPED' });
    await expect(openSession(sessionOptions(fake.port, { signal: abort.signal }))).rejects.toMatchObject({
      code: 'ZPB_AMI_STOPPED',
    });
  });
});
