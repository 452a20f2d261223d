/**
 * The defects of asterisk-manager 0.2.0, by their numbers in adapters/asterisk-ami/README.md. Each test shows first, on the
 * package as it is, that the defect is real, and then that a session does not have it.
 */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { AmiCodec } from '../../../adapters/asterisk-ami/codec.js';
import { openSession, type SessionOptions } from '../../../adapters/asterisk-ami/session.js';
import type { AmiAction } from '../../../adapters/asterisk-ami/writer.js';
import { Secret } from '../../../src/secret.js';
import { type BareManager, bareManager, bareParser } from '../../support/bare-asterisk-manager.js';
import { encode, FakeAmi, type FakeAmiOptions } from '../../support/fake-ami.js';
import { pause, waitFor } from '../../support/wait-for.js';
import { openTestSession, sessionOptions, type TestSession } from './open-test-session.js';

const cleanUp: (() => unknown)[] = [];
beforeEach(() => {
  // The package talks to the console (15); that is no part of the tests' output.
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const task of cleanUp.splice(0).reverse()) await task();
});

async function fakeAmi(options: FakeAmiOptions = {}): Promise<FakeAmi> {
  const fake = await FakeAmi.start(options);
  cleanUp.push(() => fake.close());
  return fake;
}
async function connected(fake: FakeAmi, more: Partial<SessionOptions> = {}): Promise<TestSession> {
  const opened = await openTestSession(fake.port, more);
  cleanUp.push(() => opened.session.close());
  return opened;
}
/** The package, connected by itself. */
function bare(fake: FakeAmi, secret = 'right'): BareManager {
  const manager = bareManager(fake.port, '127.0.0.1', 'bridge', secret, true);
  cleanUp.push(() => {
    manager.removeAllListeners('close');
    manager.disconnect();
  });
  return manager;
}
const seenBy = (fake: FakeAmi): string[] => fake.actions.map(({ name }) => name);
/** Both ends have read what was written before this. */
async function settled(session: TestSession['session']): Promise<void> {
  await session.send({ Action: 'Ping' });
}
test('1: a refused login is silent -> it is a typed error that says what to mend', async () => {
  const fake = await fakeAmi();
  const heard: string[] = [];
  const manager = bare(fake, 'wrong');
  for (const event of ['error', 'connect', 'close']) manager.on(event, () => heard.push(event));
  await waitFor('the package to be sent away', () => heard.includes('close'));
  expect(heard).toEqual(['connect', 'close']);

  const refused = openSession(sessionOptions(fake.port, { secret: new Secret('wr0ng') }));
  await expect(refused).rejects.toMatchObject({ code: 'ZPB_AMI_AUTH', retriable: false });
  const message = await refused.catch(String);
  for (const part of [`127.0.0.1:${fake.port}`, '"bridge"', 'deny', 'permit', 'section'])
    expect(message).toContain(part);
  expect(message).not.toContain('wr0ng');
});

test('2: a wrong password is tried again for ever at the same pace -> it is permanent, and nothing tries again by itself', async () => {
  const fake = await fakeAmi();
  const waits: number[] = [];
  const real = globalThis.setTimeout;
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const timers = jest.spyOn(globalThis, 'setTimeout').mockImplementation(((task: () => void, ms: number) => {
    if (ms < 10_000) return real(task, ms);
    waits.push(ms);
    return real(task, 1);
  }) as typeof setTimeout);
  const manager = bare(fake, 'wrong');
  manager.keepConnected(); // It works only now, while the socket is opening (3).
  await waitFor('the package to have tried five times', () => waits.length >= 5);
  manager.removeAllListeners('close');
  await waitFor('its last try to end', () => fake.connections.length === waits.length + 1 && fake.open.length === 0);
  timers.mockRestore();
  expect(new Set(waits)).toEqual(new Set([10_000]));

  const other = await fakeAmi();
  await expect(openSession(sessionOptions(other.port, { secret: new Secret('wrong') }))).rejects.toMatchObject({
    retriable: false,
  });
  await waitFor('every connection to be closed', () => other.open.length === 0);
  expect(other.connections).toHaveLength(1);
});

test('3: keepConnected() does nothing once connected -> the end of a session is always told', async () => {
  const fake = await fakeAmi();
  const manager = bare(fake);
  await fake.loggedIn();
  manager.keepConnected();
  expect(manager.reconnect).toBeUndefined();
  manager.disconnect();
  await waitFor('the package to be gone', () => fake.open.length === 0);

  const { session } = await connected(fake);
  (await fake.loggedIn()).destroy();
  expect(await session.closed).toMatchObject({ code: 'ZPB_AMI_CLOSED', retriable: true });
});

test('4, 5: half a message of the old connection is glued to the new one -> each session has a parser of its own', async () => {
  const half = 'Event: Hangup\r\nUniqueid: 111.1\r\nCau';
  const parser = bareParser();
  parser.feed(half);
  parser.feed(
    'Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n',
  );
  expect(parser.items).toEqual([expect.objectContaining({ event: 'Hangup', response: 'Success', uniqueid: '111.1' })]);

  const fake = await fakeAmi();
  const first = await connected(fake);
  await settled(first.session);
  const before = first.session.counts.bytes;
  const connection = await fake.loggedIn();
  connection.write(half);
  await waitFor('the half message to arrive', () => first.session.counts.bytes === before + half.length);
  connection.destroy();
  await first.session.closed;
  const second = await connected(fake);
  await settled(second.session);
  expect([...first.messages, ...second.messages].map(({ event }) => event)).toEqual(['FullyBooted', 'FullyBooted']);
});

test('6: a line break in a value is a second action -> it is refused before a byte is written', async () => {
  const attack = { action: 'Originate', callerid: 'x\r\n\r\nAction: Command\r\nCommand: core stop now' };
  const fake = await fakeAmi();
  const manager = bare(fake);
  await fake.loggedIn();
  await pause(20);
  manager.action({ ...attack });
  await waitFor('the second action', () => seenBy(fake).includes('command'));

  const other = await fakeAmi();
  const { session } = await connected(other);
  await expect(session.send({ Action: attack.action, CallerID: attack.callerid })).rejects.toMatchObject({
    code: 'ZPB_AMI_ACTION',
  });
  await settled(session);
  expect(seenBy(other)).toEqual(['challenge', 'login', 'ping']);
});

test('7: the wire can fire close, connect and error -> it can only say messages', async () => {
  const fake = await fakeAmi();
  const lie =
    'Event: Close\r\n\r\nEvent: Error\r\n\r\nEvent: RawEvent\r\n\r\nResponse: Success\r\nActionID: error\r\n\r\n';
  const manager = bare(fake);
  const fired: string[] = [];
  for (const event of ['close', 'error']) manager.on(event, () => fired.push(event));
  // Without RawEvent, with which the package would never come back.
  (await fake.loggedIn()).write(lie.replace('Event: RawEvent\r\n\r\n', ''));
  await waitFor('the package to be lied to', () => fired.length >= 3);
  expect(manager.isConnected()).toBe(true);
  manager.disconnect();
  await waitFor('the package to be gone', () => fake.open.length === 0);

  const { session, messages } = await connected(fake);
  (await fake.loggedIn()).write(lie);
  await settled(session);
  expect(messages.map(({ event }) => event)).toEqual(['FullyBooted', 'Close', 'Error', 'RawEvent']);
  expect(session.counts.unmatched).toBe(1);
});

test('8: what is asked while offline is done after the next login -> it is refused at once and never sent', async () => {
  const fake = await fakeAmi();
  const manager = bare(fake);
  manager.action({ action: 'Originate', channel: 'PJSIP/100' });
  await waitFor('the held action', () => seenBy(fake).includes('originate'));

  const other = await fakeAmi();
  const { session } = await connected(other);
  other.open[0]?.destroy();
  await session.closed;
  await expect(session.send({ Action: 'Originate', Channel: 'PJSIP/100' })).rejects.toMatchObject({
    code: 'ZPB_AMI_CLOSED',
  });
  const next = await connected(other);
  await settled(next.session);
  expect(seenBy(other)).not.toContain('originate');
});

test('9: an action on a dead connection is never answered -> every action settles', async () => {
  const fake = await fakeAmi({ answer: () => 'ignore' });
  const manager = bare(fake);
  await fake.loggedIn();
  const gone = new Promise<void>((resolve) => {
    manager.on('close', () => {
      resolve();
    });
  });
  await pause(20);
  fake.open[0]?.destroy();
  await gone;
  let answers = 0;
  for (let index = 0; index < 10; index += 1) manager.action({ action: 'Ping' }, () => (answers += 1));
  await pause(50);
  expect(answers).toBe(0);

  const { session } = await connected(fake);
  await expect(session.send({ Action: 'Slow' }, { timeout: 30 })).rejects.toMatchObject({ code: 'ZPB_AMI_TIMEOUT' });
  const asked = session.send({ Action: 'Slow' });
  (await fake.loggedIn()).destroy();
  await expect(asked).rejects.toMatchObject({ code: 'ZPB_AMI_CLOSED' });
  await expect(session.send({ Action: 'Ping' })).rejects.toMatchObject({ code: 'ZPB_AMI_CLOSED' });
});

test('10: the header is "Event", which Asterisk ignores -> it is "Events"', async () => {
  const fake = await fakeAmi();
  bare(fake);
  await fake.loggedIn();
  expect(fake.actions.map((action) => [action.get('Event'), action.get('Events')])).toEqual([['on', '']]);

  const other = await fakeAmi();
  await connected(other, { events: 'call,agent' });
  const login = other.actions.find(({ name }) => name === 'login');
  expect([login?.get('Event'), login?.get('Events')]).toEqual(['', 'call,agent']);
});

test('11: values change their shape with their name and number -> a message gives what stood on the wire', () => {
  const text = encode([
    ['Event', 'VarSet'],
    ['Variable', 'DIALSTATUS'],
    ['Value', 'ANSWER'],
    ['ChanVariable', 'A=1'],
    ['ChanVariable', 'A=2'],
    ['__proto__', 'x'],
  ]).replace('Value: ', 'Value:');
  const parser = bareParser();
  parser.feed(text);
  const [item] = parser.items;
  expect([item?.['variable'], item?.['value'], item?.['value:answer'], item?.['chanvariable']]).toEqual([
    { DIALSTATUS: '' },
    undefined,
    '',
    { A: '2' },
  ]);
  expect(Array.isArray(Object.getPrototypeOf(item))).toBe(true);

  const [message] = new AmiCodec({ events: 'all' }).push(Buffer.from(text));
  expect(['Variable', 'Value', '__proto__'].map((name) => message?.get(name))).toEqual(['DIALSTATUS', 'ANSWER', 'x']);
  expect(message?.all('ChanVariable')).toEqual(['A=1', 'A=2']);
});

test('12: a long message takes the square of its length -> it takes its length', () => {
  const long = Buffer.from(`Response: Success\r\nActionID: 1\r\n${'Output: x\r\n'.repeat(20_000)}\r\n`);
  const chunks = Array.from({ length: Math.ceil(long.length / 1024) }, (_, index) =>
    long.subarray(index * 1024, index * 1024 + 1024),
  );
  const cpu = (task: () => void): number => {
    const before = process.cpuUsage();
    task();
    return process.cpuUsage(before).user;
  };
  const parser = bareParser();
  const codec = new AmiCodec({ events: 'all' });
  const took = {
    bare: cpu(() => {
      for (const chunk of chunks) parser.feed(chunk.toString('utf8'));
    }),
    ours: cpu(() => {
      for (const chunk of chunks) codec.push(chunk);
    }),
  };
  expect(codec.counts.messages).toBe(1);
  expect(took.ours * 4).toBeLessThan(took.bare);
});

test('13: no TLS, no time-out, no Ping -> a far end that never speaks ends the login (TLS, Ping: session.test.ts)', async () => {
  const mute = await fakeAmi({ faults: { mute: true } });
  const manager = bare(mute);
  await waitFor('the package to connect', () => mute.connections.length === 1);
  await pause(50);
  expect(manager.isConnected()).toBe(true);

  await expect(openSession(sessionOptions(mute.port, { timeouts: { login: 50 } }))).rejects.toMatchObject({
    code: 'ZPB_AMI_LOGIN_TIMEOUT',
    retriable: true,
  });
});

test('14: disconnect() leaves a connection that is just opening -> abort and close end it in every state', async () => {
  const fake = await fakeAmi();
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const manager = bareManager(fake.port, '127.0.0.1', 'bridge', 'right', true);
  manager.disconnect();
  await waitFor('the connection nobody wants', () => fake.open.length === 1);
  await pause(30);
  expect(fake.open).toHaveLength(1);
  fake.open[0]?.destroy();

  const other = await fakeAmi({ faults: { ignoreLogin: true } });
  const abort = new AbortController();
  const opening = openSession(sessionOptions(other.port, { signal: abort.signal }));
  abort.abort();
  await expect(opening).rejects.toMatchObject({ code: 'ZPB_AMI_STOPPED' });
  const later = new AbortController();
  const loggingIn = openSession(sessionOptions(other.port, { signal: later.signal }));
  await waitFor('the challenge', () => seenBy(other).includes('challenge'));
  later.abort();
  await expect(loggingIn).rejects.toMatchObject({ code: 'ZPB_AMI_STOPPED' });
  await waitFor('every connection to be closed', () => other.open.length === 0);
});

test('15: it writes to stdout -> nothing of it reaches stdout', async () => {
  const fake = await fakeAmi();
  const said = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const manager = bare(fake);
  await fake.loggedIn();
  await pause(20);
  manager.action({ action: 'Setvar', variable: { A: null } });
  expect(said).toHaveBeenCalledWith('ERROR: ', expect.anything());
  said.mockClear();
  const stdout = jest.spyOn(process.stdout, 'write');

  const { session } = await connected(fake);
  await expect(session.send({ Action: 'Setvar', Variable: null } as unknown as AmiAction)).rejects.toThrow();
  fake.open.at(-1)?.destroy();
  await session.closed;
  expect([said.mock.calls, stdout.mock.calls]).toEqual([[], []]);
});

test('16: an action that cannot be written is queued for ever -> it fails, once, alone', async () => {
  const fake = await fakeAmi();
  const { session } = await connected(fake);
  const poison = { Action: 'Setvar', Variable: null } as unknown as AmiAction;
  await expect(session.send(poison)).rejects.toThrow();
  await settled(session);
  expect(seenBy(fake)).toEqual(['challenge', 'login', 'ping']);

  const said = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const other = await fakeAmi();
  const manager = bare(other);
  const answered = jest.fn();
  manager.action({ action: 'Setvar', variable: { A: null } }, answered);
  const failed = (): number => said.mock.calls.filter(([what]) => what === 'ERROR: ').length;
  await waitFor('the action to fail', () => failed() === 1);
  const gone = new Promise<void>((resolve) => {
    manager.on('close', () => {
      resolve();
    });
  });
  other.open[0]?.destroy();
  await gone;
  manager.connect(other.port, '127.0.0.1', () => {
    manager.login();
  });
  await waitFor('the same action to fail after the next login', () => failed() === 2);
  expect(answered).not.toHaveBeenCalled();
});

test('17: socket errors are swallowed -> they are the reason of the rejection', async () => {
  const fake = await FakeAmi.start();
  const { port } = fake;
  await fake.close();
  const manager = bareManager();
  const told: string[] = [];
  const closed = new Promise<void>((resolve) => {
    manager.on('close', () => {
      resolve();
    });
  });
  manager.on('response', () => told.push('response'));
  manager.connect(port, '127.0.0.1', () => told.push('connected'));
  await closed; // An emitter without an error listener would have thrown; the package's own empty one has swallowed it.
  expect(told).toEqual([]);

  await expect(openSession(sessionOptions(port))).rejects.toMatchObject({
    code: 'ZPB_AMI_CONNECT',
    retriable: true,
    cause: { code: 'ECONNREFUSED' },
  });
});

test('18: "Response: Follows" goes to whoever asked last -> without an ActionID it goes to nobody', async () => {
  const follows = 'Response: Follows\r\nPrivilege: Command\r\nuptime\r\n--END COMMAND--\r\n\r\n';
  const fake = await fakeAmi({ answer: () => 'ignore' });
  const manager = bare(fake);
  const connection = await fake.loggedIn();
  await pause(20);
  const wrong = new Promise((resolve) => {
    manager.action({ action: 'Hangup' }, (_error, reply) => {
      resolve(reply);
    });
  });
  connection.write(follows);
  expect(await wrong).toMatchObject({ response: 'follows' });
  manager.disconnect();
  await waitFor('the package to be gone', () => fake.open.length === 0);

  const { session } = await connected(fake);
  const asked = session.send({ Action: 'Hangup' }, { timeout: 100 });
  (await fake.loggedIn()).write(follows);
  await expect(asked).rejects.toMatchObject({ code: 'ZPB_AMI_TIMEOUT' });
  expect(session.counts.unmatched).toBe(1);
});

test('19: listeners get two arguments nobody documented -> a handler gets the message alone', async () => {
  const fake = await fakeAmi();
  const manager = bare(fake);
  const counts: number[] = [];
  manager.on('managerevent', (...args) => counts.push(args.length));
  await waitFor('an event', () => counts.length > 0);
  expect(counts[0]).toBeGreaterThan(1);

  const ours: number[] = [];
  const { session } = await connected(fake, { onMessage: (...args: unknown[]) => ours.push(args.length) });
  await settled(session);
  expect(ours).toEqual([1]);
});

test('20: it sorts the lines and changes the action -> order and action stay', async () => {
  const fake = await fakeAmi({ answer: () => [] });
  const manager = bare(fake);
  await fake.loggedIn();
  await pause(20);
  const action: Record<string, unknown> = { action: 'Originate', actionid: 'x', variable: { Z: 1, A: 2 } };
  manager.action(action);
  await waitFor('the action', () => seenBy(fake).includes('originate'));
  expect(fake.actions.at(-1)?.all('Variable')).toEqual(['A=2', 'Z=1']);
  expect(action).not.toHaveProperty('actionid');

  const { session } = await connected(fake);
  await session.send(Object.freeze({ Action: 'Originate', Variable: Object.freeze(['Z=1', 'A=2']) }));
  expect(fake.actions.at(-1)?.all('Variable')).toEqual(['Z=1', 'A=2']);
});

test('21: it knows no lists -> a list settles with its items', async () => {
  const items = ['100', '101'].map(
    (name) =>
      [
        ['Event', 'Status'],
        ['Channel', `PJSIP/${name}`],
      ] as const,
  );
  const fake = await fakeAmi({
    answer: () => ({ items, complete: 'StatusComplete', between: 'Event: Newstate\r\n\r\n' }),
  });
  const manager = bare(fake);
  await fake.loggedIn();
  await pause(20);
  const first = await new Promise((resolve) => {
    manager.action({ action: 'Status' }, (_error, reply) => {
      resolve(reply);
    });
  });
  expect(first).toMatchObject({ eventlist: 'start' });
  manager.disconnect();
  await waitFor('the package to be gone', () => fake.open.length === 0);

  const { session, messages } = await connected(fake);
  const list = await session.list({ Action: 'Status' }, 'StatusComplete');
  expect(list.map((item) => item.get('Channel'))).toEqual(['PJSIP/100', 'PJSIP/101']);
  expect(messages.map(({ event }) => event)).toEqual(['FullyBooted', 'Newstate', 'Newstate']);
});
