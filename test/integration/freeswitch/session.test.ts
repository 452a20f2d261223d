import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { EslEvent } from '../../../adapters/freeswitch/event.js';
import { openSession } from '../../../adapters/freeswitch/session.js';
import type { EslSession, SessionOptions } from '../../../adapters/freeswitch/session-contract.js';
import { systemClock } from '../../../src/clock.js';
import { Secret } from '../../../src/secret.js';
import { FakeFreeSwitch, type FakeFreeSwitchOptions } from '../../support/fake-freeswitch.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { waitFor } from '../../support/wait-for.js';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

async function fake(options: FakeFreeSwitchOptions = {}): Promise<FakeFreeSwitch> {
  const started = await FakeFreeSwitch.start(options);
  cleanUp.push(() => started.close());
  return started;
}
const optionsFor = (port: number, more: Partial<SessionOptions> = {}): SessionOptions => ({
  host: '127.0.0.1',
  port,
  password: new Secret('ClueCon'),
  wanted: new Set(['CHANNEL_CREATE', 'HEARTBEAT']),
  clock: systemClock,
  log: pino({ level: 'silent' }),
  onEvent: () => undefined,
  signal: new AbortController().signal,
  ...more,
});
async function connected(port: number, more: Partial<SessionOptions> = {}): Promise<EslSession> {
  const session = await openSession(optionsFor(port, more));
  cleanUp.push(() => session.close());
  return session;
}
const refusal = async (opening: Promise<EslSession>): Promise<unknown> =>
  opening.then(
    () => 'it opened',
    (error: unknown) => error,
  );

describe('login', () => {
  test('the password is sent when it is asked for', async () => {
    const { port, commands } = await fake();
    await connected(port);
    expect(commands).toEqual(['auth ClueCon']);
  });

  test.each([
    { what: 'a wrong password', options: { password: 'other' }, code: 'ZPB_ESL_AUTH', retriable: false },
    {
      what: 'an ACL that does not allow us',
      options: { faults: { rude: true } },
      code: 'ZPB_ESL_ACL',
      retriable: false,
    },
    { what: 'no greeting', options: { faults: { mute: true } }, code: 'ZPB_ESL_LOGIN_TIMEOUT', retriable: true },
    { what: 'no answer', options: { faults: { ignoreAuth: true } }, code: 'ZPB_ESL_LOGIN_TIMEOUT', retriable: true },
  ])('$what', async ({ options, code, retriable }) => {
    for (const chunk of [undefined, 1]) {
      const { port } = await fake({ ...options, ...(chunk === undefined ? {} : { chunk }) });
      const error = await refusal(openSession(optionsFor(port, { timeouts: { login: 150 } })));
      expect(error).toMatchObject({ code, retriable });
      expect(String(error)).not.toContain('ClueCon');
    }
  });

  test('something else listens there', async () => {
    const other = await fake({ faults: { mute: true } });
    const opening = refusal(openSession(optionsFor(other.port)));
    const connection = await waitFor('the connection', () => other.open[0]);
    connection.write('HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\n\n');
    expect(await opening).toMatchObject({ code: 'ZPB_ESL_PROTOCOL', retriable: false });
  });

  test('nothing listens there', async () => {
    const gone = await FakeFreeSwitch.start();
    const { port } = gone;
    await gone.close();
    expect(await refusal(openSession(optionsFor(port)))).toMatchObject({ code: 'ZPB_ESL_CONNECT', retriable: true });
  });

  test('a password with a line break is not sent', async () => {
    const { port, commands } = await fake();
    const error = await refusal(openSession(optionsFor(port, { password: new Secret('a\n\napi fsctl shutdown') })));
    expect(error).toMatchObject({ code: 'ZPB_ESL_COMMAND', retriable: false });
    expect(commands).toEqual([]);
  });

  test('TLS: the certificate is checked', async () => {
    const { port } = await fake({ tls: { key: TEST_KEY, cert: Buffer.from(TEST_CERTIFICATE) } });
    expect(await refusal(openSession(optionsFor(port, { tls: {} })))).toMatchObject({
      code: 'ZPB_ESL_TLS',
      retriable: false,
    });
    const session = await connected(port, { tls: { ca: TEST_CERTIFICATE } });
    expect(await session.api('global_getvar core_uuid')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('commands', () => {
  test('replies go to who asked, in order, wherever the network cuts', async () => {
    const { port } = await fake({
      chunk: 3,
      api: (command) => (command.startsWith('echo ') ? command.slice(5) : undefined),
    });
    const session = await connected(port);
    const asked = ['one', 'two\u00fc', 'three'].map((word) => session.api(`echo ${word}`));
    expect(await Promise.all(asked)).toEqual(['one', 'two\u00fc', 'three']);
    expect(await session.send('nosuch')).toBe('-ERR command not found');
    expect(await session.api('nosuch')).toBe('-ERR nosuch Command not found!\n');
  });

  test('a late reply is not the next one’s', async () => {
    const replies: (() => void)[] = [];
    const { port } = await fake({
      api: (command, connection) => {
        replies.push(() => {
          connection.write(`Content-Type: api/response\nContent-Length: ${command.length}\n\n${command}`);
        });
        return { ignore: true };
      },
    });
    const session = await connected(port);
    await expect(session.api('slow', 50)).rejects.toMatchObject({ code: 'ZPB_ESL_TIMEOUT', retriable: true });
    const quick = session.api('quick');
    await waitFor('both commands', () => replies.length === 2);
    for (const reply of replies) reply();
    expect(await quick).toBe('quick');
  });

  test('a job: begun, and its result, whichever comes first', async () => {
    const esl = await fake({ api: (command) => (command === 'status' ? 'UP 0 years\n' : undefined) });
    const session = await connected(esl.port);
    expect(await session.bgapi('status')).toBe('UP 0 years\n');
    expect(await session.bgapi('nosuch')).toBe('-ERR nosuch Command not found!\n');
    expect(esl.commands.filter((command) => command.startsWith('event '))).toEqual(['event json BACKGROUND_JOB']);
    expect(esl.commands.at(-1)).toMatch(/^bgapi nosuch\nJob-UUID: [0-9a-f-]{36}$/);
  });

  test('a job whose end is never told', async () => {
    const { port } = await fake({ api: (command) => (command === 'originate' ? { ignore: true } : undefined) });
    const session = await connected(port);
    await expect(session.bgapi('originate', 80)).rejects.toMatchObject({ code: 'ZPB_ESL_TIMEOUT' });
  });

  test('what still waits ends with the session', async () => {
    const { port } = await fake({ api: () => ({ ignore: true }) });
    const session = await connected(port);
    const waiting = Promise.allSettled([session.api('x'), session.bgapi('y')]);
    await session.close();
    const outcomes = await waiting;
    expect(
      outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code),
    ).toEqual(['ZPB_ESL_STOPPED', 'ZPB_ESL_STOPPED']);
    await expect(session.api('x')).rejects.toMatchObject({ code: 'ZPB_ESL_STOPPED' });
  });

  test('no line break goes out', async () => {
    const { port, commands } = await fake();
    const session = await connected(port);
    await expect(session.api('uuid_kill x\n\napi fsctl shutdown')).rejects.toMatchObject({ code: 'ZPB_ESL_COMMAND' });
    expect(commands).toEqual(['auth ClueCon']);
  });

  test('who does not keep up gets no more', async () => {
    const { port } = await fake({ api: () => ({ ignore: true }) });
    const session = await connected(port);
    const asked = Array.from({ length: 1_001 }, () => session.api('x').catch((error: unknown) => error));
    expect(await asked.at(-1)).toMatchObject({ code: 'ZPB_ESL_BUSY', retriable: true });
    await session.close();
    await Promise.all(asked);
  });
});

describe('events', () => {
  const create = (name: string): [string, string][] => [
    ['Event-Name', 'CHANNEL_CREATE'],
    ['Caller-Caller-ID-Name', name],
  ];
  async function hearing(esl: FakeFreeSwitch, subscribe: string, more: Partial<SessionOptions> = {}) {
    const events: EslEvent[] = [];
    const session = await connected(esl.port, { onEvent: (event) => void events.push(event), ...more });
    await session.send(subscribe);
    return { events, session };
  }

  test.each(['json', 'plain'])('%s: wanted ones, decoded', async (form) => {
    const esl = await fake({ chunk: 7 });
    const { events, session } = await hearing(esl, `event ${form} ALL`);
    esl.say(create('Zo\u00eb 100% +49'));
    esl.say([['Event-Name', 'MODULE_UNLOAD']]);
    esl.say([...create('first'), ['Caller-Caller-ID-Name', 'second']]);
    await session.api('global_getvar core_uuid');
    expect(events.map((event) => [event.name, event.get('Caller-Caller-ID-Name')])).toEqual([
      ['CHANNEL_CREATE', 'Zo\u00eb 100% +49'],
      ['CHANNEL_CREATE', 'second'],
    ]);
  });

  test('a handler that fails, and an event that cannot be read, cost nothing more', async () => {
    const esl = await fake();
    let calls = 0;
    const { session } = await hearing(esl, 'event json ALL', {
      onEvent: () => {
        calls += 1;
        throw new Error('a defect');
      },
    });
    (await esl.listening()).write('Content-Length: 5\nContent-Type: text/event-json\n\n{"A":');
    esl.say(create('a'));
    esl.say(create('b'));
    await session.api('global_getvar core_uuid');
    expect(calls).toBe(2);
    expect(session.counts).toMatchObject({ handlerErrors: 2, unreadable: 1 });
  });

  test('lingering is announced; the end is the second notice', async () => {
    const esl = await fake();
    const { events, session } = await hearing(esl, 'event json ALL');
    const connection = await esl.listening();
    connection.write(
      'Content-Type: text/disconnect-notice\nContent-Disposition: linger\nLinger-Time: 5\nContent-Length: 0\n\n',
    );
    esl.say(create('still here'));
    connection.disconnect('Disconnected, goodbye.\n');
    expect(await session.closed).toMatchObject({ code: 'ZPB_ESL_CLOSED', message: expect.stringContaining('goodbye') });
    expect(events).toHaveLength(1);
  });

  test('a stop says why', async () => {
    const esl = await fake();
    const { session } = await hearing(esl, 'event json SHUTDOWN');
    esl.shutDown();
    expect(await session.closed).toMatchObject({
      retriable: true,
      message: expect.stringContaining('being shut down'),
    });
  });
});

describe('signs of life', () => {
  async function watched(more: Partial<SessionOptions> = {}) {
    const clock = new ManualClock();
    const esl = await fake();
    const session = await connected(esl.port, { clock, ...more });
    let ended: unknown;
    void session.closed.then((reason) => {
      ended = reason;
    });
    return { clock, esl, session, ended: () => ended };
  }
  test('a connection that only this end believes in is noticed within 45 s', async () => {
    const { clock, esl, ended } = await watched();
    esl.open[0]?.goSilent();
    await clock.advance(45_000);
    expect(ended()).toMatchObject({ code: 'ZPB_ESL_SILENT', retriable: true });
    expect(clock.pending).toBe(0);
  });

  test('the answer to the question is a sign of life', async () => {
    const { clock, esl, session, ended } = await watched();
    clock.turn(20_000);
    for (let round = 1; round <= 3; round += 1) {
      // The password took two frames; then each answer is one.
      await waitFor('the answer', () => session.counts.frames === 2 + round);
      clock.turn(20_000);
    }
    await waitFor(
      'the fourth question',
      () => esl.commands.filter((command) => command.startsWith('api ')).length === 4,
    );
    expect(ended()).toBeUndefined();
  });
});

test('the signal ends it in every state', async () => {
  const esl = await fake({ faults: { mute: true } });
  const abort = new AbortController();
  const opening = refusal(openSession(optionsFor(esl.port, { signal: abort.signal })));
  await waitFor('the connection', () => esl.open.length === 1);
  abort.abort();
  expect(await opening).toMatchObject({ code: 'ZPB_ESL_STOPPED' });
  await waitFor('the connection to be closed', () => esl.open.length === 0);
  expect(await refusal(openSession(optionsFor(esl.port, { signal: abort.signal })))).toMatchObject({
    code: 'ZPB_ESL_STOPPED',
  });
});

test('a recording played to a session gives its events, as JSON and as plain text', async () => {
  const recording = readFileSync(
    new URL('../../../adapters/freeswitch/cases/in-latin1-name/input.esl', import.meta.url),
  );
  const heard = await Promise.all(
    ['json', 'plain'].map(async (form) => {
      const esl = await fake();
      const events: string[] = [];
      const session = await connected(esl.port, {
        onEvent: (event) => void events.push(`${event.name} ${String(event.get('Caller-Caller-ID-Number'))}`),
      });
      await session.send(`event ${form} CHANNEL_CREATE`);
      await esl.play(recording);
      await session.api('global_getvar core_uuid');
      return events;
    }),
  );
  expect(heard[0]).toEqual(['CHANNEL_CREATE +4917139200044', 'CHANNEL_CREATE +4917139200044']);
  expect(heard[1]).toEqual(heard[0]);
});
