/** The WebSocket of ARI against a server on loopback that does what servers and networks do. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { AriEvent } from '../../../adapters/asterisk-ari/event.js';
import { openSession, type AriSession, type SessionOptions } from '../../../adapters/asterisk-ari/session.js';
import { systemClock } from '../../../src/clock.js';
import { Secret } from '../../../src/secret.js';
import { FakeAri, type FakeAriOptions } from '../../support/fake-ari.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';

const SECRET = 'canary-of-the-ari-session';
const opened: { close: () => Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function fake(options: Partial<FakeAriOptions> = {}): Promise<FakeAri> {
  const ari = await FakeAri.start({ secret: SECRET, ...options });
  opened.push(ari);
  return ari;
}

async function open(
  port: number,
  options: Partial<SessionOptions> = {},
): Promise<{ session: AriSession; events: AriEvent[] }> {
  const events: AriEvent[] = [];
  const session = await openSession({
    host: '127.0.0.1',
    port,
    path: '/ari',
    username: 'bridge',
    secret: new Secret(SECRET),
    app: 'zammad',
    clock: systemClock,
    log: silent,
    signal: new AbortController().signal,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  opened.push(session);
  return { session, events };
}

const failure = (opening: Promise<unknown>): Promise<Error> =>
  opening.then(
    () => {
      throw new Error('it opened');
    },
    (error: unknown) => error as Error,
  );
const CREATED = { type: 'ChannelCreated', channel: { id: '1.1', name: 'PJSIP/trunk-00000001' } };
const told = (events: readonly AriEvent[], count: number): Promise<true> =>
  waitFor(`${count} events`, () => events.length >= count || undefined);

describe('the login', () => {
  test('goes in a header, and all events are subscribed to', async () => {
    const ari = await fake();
    const { events } = await open(ari.port);
    expect(ari.asked).toEqual(['/ari/events?app=zammad&subscribeAll=true']);
    ari.say(CREATED);
    await told(events, 1);
    expect(events[0]?.fields['channel']).toEqual(CREATED.channel);
  });
  test.each([
    [401, 'ZPB_ARI_AUTH', 'type = user'],
    [403, 'ZPB_ARI_FORBIDDEN', 'ari.conf'],
    [200, 'ZPB_ARI_PROTOCOL', 'bindport'],
  ])('refused with %i: %s, for a person to mend', async (status, code, words) => {
    const ari = await fake();
    ari.refuse = status;
    const error = await failure(open(ari.port));
    expect(error).toMatchObject({ code, retriable: false });
    expect(error.message).toContain(words);
    expect(inspect(error, { depth: 10 })).not.toContain(SECRET);
    expect(ari.sockets).toBeLessThanOrEqual(1);
  });
  // Measured: Asterisk 16 and 22 say the first two, in this order, while they start; the last is a proxy before one that is gone.
  test.each([
    [404, 'ZPB_ARI_NOT_THERE', 'enabled = yes'],
    [503, 'ZPB_ARI_NOT_READY', 'start'],
    [502, 'ZPB_ARI_NOT_READY', 'start'],
  ])('refused with %i: %s, tried again soon', async (status, code, words) => {
    const ari = await fake();
    ari.refuse = status;
    const error = await failure(open(ari.port));
    expect(error).toMatchObject({ code, retriable: true });
    expect(error.message).toContain(words);
  });
  test('at a port of something else', async () => {
    const other = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('Asterisk Call Manager/11.0.0\r\n'),
    );
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    opened.push({
      close: () =>
        new Promise((resolve) =>
          other.close(() => {
            resolve();
          }),
        ),
    });
    const error = await failure(open((other.address() as AddressInfo).port));
    expect(error).toMatchObject({ code: 'ZPB_ARI_PROTOCOL', retriable: false });
  });
  test('where nothing listens', async () => {
    const ari = await fake();
    const { port } = ari;
    await ari.close();
    const error = await failure(open(port));
    expect(error).toMatchObject({ code: 'ZPB_ARI_CONNECT', retriable: true });
    expect(error.message).toContain('http.conf');
  });
  test('that gets no answer is given up', async () => {
    const ari = await fake();
    ari.mute = true;
    const clock = new ManualClock();
    const opening = failure(open(ari.port, { clock }));
    await waitFor('the question', () => ari.asked.length === 1);
    clock.turn(10_000);
    expect(await opening).toMatchObject({ code: 'ZPB_ARI_HANDSHAKE', retriable: true });
    expect(clock.pending).toBe(0);
  });
});

describe('TLS', () => {
  test('to a PBX whose authority is known', async () => {
    const ari = await fake({ tls: { key: TEST_KEY, cert: TEST_CERTIFICATE } });
    const { events } = await open(ari.port, { tls: { ca: TEST_CERTIFICATE } });
    ari.say(CREATED);
    await told(events, 1);
  });
  test.each([
    ['an authority that nobody trusts', {}],
    ['another name', { ca: TEST_CERTIFICATE, servername: 'elsewhere.test' }],
  ])('to %s is refused, and the login is not sent', async (_, tls) => {
    const ari = await fake({ tls: { key: TEST_KEY, cert: TEST_CERTIFICATE } });
    expect(await failure(open(ari.port, { tls }))).toMatchObject({ code: 'ZPB_ARI_TLS', retriable: false });
    expect(ari.asked).toEqual([]);
  });
  test('to a port that speaks none', async () => {
    const ari = await fake();
    expect(await failure(open(ari.port, { tls: {} }))).toMatchObject({ code: 'ZPB_ARI_TLS', retriable: false });
  });
});

describe('what comes in', () => {
  test('is skipped when it is no event, and the next one is heard', async () => {
    const ari = await fake();
    const { session, events } = await open(ari.port);
    for (const frame of ['{', '[]', 'null', '{"type":7}', '"x"', Buffer.from([0xff, 0])]) ari.raw(frame);
    ari.say(CREATED);
    await told(events, 1);
    expect(session.counts).toEqual({ events: 1, dropped: 6, handlerErrors: 0 });
  });
  test('may make a handler fail, and the next one is heard', async () => {
    const ari = await fake();
    const events: AriEvent[] = [];
    const { session } = await open(ari.port, {
      onEvent: (event) => {
        events.push(event);
        if (events.length === 1) throw new Error('a fault in what an event means');
      },
    });
    ari.say(CREATED);
    ari.say(CREATED);
    await told(events, 2);
    expect(session.counts.handlerErrors).toBe(1);
  });
  test('may come byte by byte', async () => {
    const ari = await fake();
    const { events } = await open(ari.port);
    const text = Buffer.from(JSON.stringify({ ...CREATED, note: 'Jürgen' }));
    for (const byte of Buffer.concat([Buffer.from([0x81, text.length]), text])) ari.bytes(Buffer.from([byte]));
    await told(events, 1);
    expect(events[0]?.fields['note']).toBe('Jürgen');
  });
  test.each([
    [
      'bytes that are no WebSocket',
      (ari: FakeAri) => {
        ari.bytes(Buffer.from('HTTP/1.1 500 What\r\n\r\n'));
      },
    ],
    [
      'a message of more than 1 MiB',
      (ari: FakeAri) => {
        ari.say({ type: 'X', text: 'x'.repeat(1_100_000) });
      },
    ],
    [
      'the announcement of an endless one',
      (ari: FakeAri) => {
        ari.bytes(Buffer.from([0x81, 127, 0, 0, 0xff, 0, 0, 0, 0, 0]));
      },
    ],
  ])('%s ends it', async (_, say) => {
    const ari = await fake();
    const { session } = await open(ari.port);
    say(ari);
    expect(await session.closed).toMatchObject({ code: 'ZPB_ARI_FRAMES', retriable: true });
  });
});

describe('the end', () => {
  test.each([
    [1000, 'in good order'],
    [1001, 'going down'],
    [1011, 'its log says why'],
    [4000, 'close code 4000'],
  ])('with the close code %i is explained', async (code, words) => {
    const ari = await fake();
    const { session } = await open(ari.port);
    ari.closeEvents(code);
    const reason = await session.closed;
    expect(reason).toMatchObject({ code: 'ZPB_ARI_CLOSED', retriable: true });
    expect(reason.message).toContain(words);
  });
  test('by a cut connection', async () => {
    const ari = await fake();
    const { session } = await open(ari.port);
    ari.cut();
    expect(await session.closed).toMatchObject({ code: 'ZPB_ARI_CLOSED' });
  });
  test('by another program that takes the application is for a person to mend', async () => {
    const ari = await fake();
    const { session } = await open(ari.port);
    ari.say({ type: 'ApplicationReplaced' });
    const reason = await session.closed;
    expect(reason).toMatchObject({ code: 'ZPB_ARI_REPLACED', retriable: false });
    expect(reason.message).toContain('"app"');
  });
  test('of a half-open connection is noticed within 16 s, and not before', async () => {
    const ari = await fake();
    const clock = new ManualClock();
    const { session } = await open(ari.port, { clock });
    let pongs = 0;
    ari.onPing = () => (pongs += 1);
    // It answers: it lives.
    clock.turn(10_000);
    await waitFor('the first ping', () => pongs === 1);
    ari.ignorePings = true;
    let ended = false;
    void session.closed.then(() => (ended = true));
    await waitFor('time to pass', () => {
      clock.turn(1_000);
      return ended || undefined;
    });
    expect(clock.monotonic()).toBeGreaterThan(20_000);
    expect(await session.closed).toMatchObject({ code: 'ZPB_ARI_SILENT', retriable: true });
    expect(clock.pending).toBe(0);
  });
  test('by close: nothing is heard any more', async () => {
    const ari = await fake();
    const { session, events } = await open(ari.port);
    for (let n = 0; n < 20; n += 1) ari.say(CREATED);
    await session.close();
    const { length } = events;
    expect(await session.closed).toMatchObject({ code: 'ZPB_ARI_STOPPED' });
    await waitFor('the server to see it', () => ari.connections().now === 0);
    expect(events.length).toBe(length);
  });
});
