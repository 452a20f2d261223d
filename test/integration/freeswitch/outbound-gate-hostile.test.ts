/** The gate of a FreeSWITCH before peers that may not connect, say nonsense, too much or nothing. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { blockWith, recordedGate } from '../../support/fake-outbound-socket.js';
import {
  BUSY,
  closed,
  closeOutboundBenches,
  CONTINUE,
  empty,
  endOf,
  outboundBench,
} from '../../support/outbound-bench.js';
import { waitFor, within } from '../../support/wait-for.js';

afterEach(closeOutboundBenches);

const { block } = recordedGate('gate-continue');

test('who may not connect: told nothing but "connect", counted each time, said once a minute', async () => {
  const { raw, asked, counted, warnings, clock } = await outboundBench(CONTINUE, {
    allow: ['192.0.2.1', '2001:db8::/32'],
  });
  for (const wave of [1, 2]) {
    let said = '';
    const sockets = await Promise.all(Array.from({ length: 10 }, () => raw()));
    for (const socket of sockets) socket.on('data', (bytes: Buffer) => (said += bytes.toString()));
    await waitFor('the word', () => said === 'connect\n\n'.repeat(10));
    for (const socket of sockets) socket.write('Content-Type: command/reply\nReply-Text: +OK\n\n');
    await Promise.all(sockets.map(closed));
    expect(said).toBe('connect\n\n'.repeat(10));
    expect(counted.get('gate_refused')).toBe(10 * wave);
    expect(warnings).toHaveLength(wave);
    clock.turn(60_000);
  }
  expect(warnings[0]).toContain('127.0.0.1 may not connect');
  expect(asked).toEqual([]);
});

test('a FreeSWITCH that may not connect: its calls go on, unasked', async () => {
  const { call, asked, gate } = await outboundBench(BUSY, { allow: ['192.0.2.1'] });
  for (const how of [{}, { 'Socket-Mode': 'static' }]) {
    const waiting = call({ ...how, variable_socket_resume: undefined });
    expect(await endOf(waiting)).toEqual({ kind: 'goes on' });
  }
  expect([asked, gate.connections]).toEqual([[], 0]);
});

test('one that may not connect and says nothing is cut off after two seconds', async () => {
  const { raw, clock } = await outboundBench(CONTINUE, { allow: ['192.0.2.1'] });
  const socket = await raw();
  await waitFor('the deadline', () => clock.pending === 2);
  clock.turn(2_000);
  await closed(socket);
  await waitFor('the last timer', () => clock.pending === 0);
});

describe('too much, or never an end', () => {
  test.each([
    ['a line of 1 MiB', `variable_x: ${'x'.repeat(1_048_576)}`],
    ['thousands of lines', 'variable_x: y\n'.repeat(20_000)],
    ['empty lines', '\n'.repeat(600_000)],
    ['a body of 16 MiB', `Content-Type: api/response\nContent-Length: 16777216\n\n${'x'.repeat(600_000)}`],
    ['a body of a length that is none', 'Content-Type: api/response\nContent-Length: -1\n\n'],
  ])('%s: cut off long before its end', async (_, text) => {
    const it = await outboundBench(CONTINUE);
    const socket = await it.raw();
    socket.write(text);
    await closed(socket);
    await empty(it);
    await waitFor('the last timer', () => it.clock.pending === 0);
    expect(it.asked).toEqual([]);
  });
  test('headers without end, some at a time: never more than the bound', async () => {
    const it = await outboundBench(CONTINUE);
    const socket = await it.raw();
    let bytes = 0;
    await waitFor('the cut', () => {
      const more = `variable_x: ${'y'.repeat(1_000)}\n`.repeat(4);
      if (!socket.destroyed) socket.write(more);
      bytes += more.length;
      return it.gate.connections === 0;
    });
    expect(bytes).toBeLessThan(2_000_000);
    expect(it.asked).toEqual([]);
  });
  test('half a block: given up after two seconds, also when a byte comes now and then', async () => {
    const it = await outboundBench(CONTINUE);
    const socket = await it.raw();
    socket.write(block.slice(0, 1_000));
    await waitFor('the deadline', () => it.clock.pending === 2);
    it.clock.turn(1_900);
    socket.write('x');
    await waitFor('the deadline', () => it.clock.pending === 2);
    it.clock.turn(100);
    await closed(socket);
    await empty(it);
    await waitFor('the last timer', () => it.clock.pending === 0);
    expect(it.asked).toEqual([]);
  });
  test('half a block, then the end; and resets', async () => {
    const it = await outboundBench(CONTINUE);
    const socket = await it.raw();
    socket.end(block.slice(0, 1_000));
    await closed(socket);
    for (let count = 0; count < 20; count += 1) (await it.raw()).resetAndDestroy();
    await empty(it);
    await waitFor('the last timer', () => it.clock.pending === 0);
    expect(await endOf(it.call())).toEqual({ kind: 'goes on' });
  });
});

describe('nonsense', () => {
  test.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n\n'],
    ['bytes', `${'\u0000\u00ff\u0001'.repeat(50)}\n\n`],
    ['an inbound event socket', 'Content-Type: auth/request\n\n'],
    ['a reply that is no call', 'Content-Type: command/reply\nReply-Text: +OK\n\n'],
    ['no leg', blockWith(block, { 'Unique-ID': undefined })],
    ['a leg of two words', blockWith(block, { 'Unique-ID': 'a b' })],
    ['a leg with a line break', blockWith(block, { 'Unique-ID': 'a\napi system x' })],
    ['no mode', blockWith(block, { 'Socket-Mode': undefined })],
  ])('%s: nothing but "connect", closed, counted, said once', async (_, text) => {
    const { raw, asked, counted, warnings, hungUp } = await outboundBench(BUSY);
    for (const time of [1, 2]) {
      const socket = await raw();
      let said = '';
      socket.setEncoding('utf8').on('data', (more: string) => (said += more));
      socket.write(text);
      await closed(socket);
      expect(said).toBe('connect\n\n');
      expect(counted.get('gate_refused')).toBe(time);
    }
    expect(warnings).toHaveLength(1);
    expect([asked, hungUp]).toEqual([[], []]);
  });
  test('what was asked holds no line break and has an end, whatever the variables say', async () => {
    const { call, asked } = await outboundBench(CONTINUE);
    const users = Array.from({ length: 300 }, (_, index) => String(index)).join(',');
    const waiting = call({
      variable_ZAMMAD_USERS: `${'9'.repeat(500)},${users}`,
      variable_ZAMMAD_QUEUE: `a\r\nX-Evil:\u00001${'z'.repeat(500)}`,
      'Caller-Caller-ID-Number': '1\n\napi system x',
    });
    await endOf(waiting);
    expect(asked[0]?.users).toHaveLength(200);
    expect(asked[0]?.users?.[0]).toBe('9'.repeat(100));
    expect(asked[0]?.queue).toBe(`aX-Evil:1${'z'.repeat(91)}`);
    expect(waiting.told).toHaveLength(4);
  });
  test.each(['-ERR command not found', 'nonsense', ''])(
    'replies that are no yes (%j): a reject is done another way',
    async (reply) => {
      const it = await outboundBench(BUSY);
      const socket = await it.raw();
      await once(socket, 'data');
      socket.write(block);
      await once(socket, 'data');
      socket.write(`Content-Type: command/reply\nReply-Text: ${reply}\n\n`.repeat(3));
      if (!reply.startsWith('-ERR')) {
        await waitFor('the farewell', () => it.clock.pending === 2);
        it.clock.turn(1_000);
      }
      await waitFor('the other way', () => it.hungUp.length === 1);
    },
  );
  test('a variable that is refused is said, and the call goes on', async () => {
    const it = await outboundBench(CONTINUE);
    const socket = await it.raw();
    await once(socket, 'data');
    socket.write(block);
    await once(socket, 'data');
    const reply = (text: string): string => `Content-Type: command/reply\nReply-Text: ${text}\n\n`;
    socket.write(`${reply('-ERR denied')}${reply('+OK')}${reply('+OK bye')}`);
    await closed(socket);
    await empty(it);
    expect(it.warnings).toHaveLength(1);
    expect(it.warnings[0]).toContain('-ERR denied');
  });
});

test('more connections than may wait: those beyond go on at once, the others are served', async () => {
  const it = await outboundBench(undefined, { maxConnections: 20 });
  const calls = Array.from({ length: 20 }, (_, index) => it.call({ 'Unique-ID': `leg-${index}` }));
  await waitFor('the questions', () => it.asked.length === 20);
  const beyond = Array.from({ length: 30 }, () => it.call({ variable_socket_resume: undefined }));
  expect(await Promise.all(beyond.map(endOf))).toEqual(beyond.map(() => ({ kind: 'goes on' })));
  expect(beyond.every(({ told }) => told.join(' ') === 'connect resume exit')).toBe(true);
  expect([it.counted.get('gate_refused'), it.warnings.length]).toEqual([30, 1]);
  it.answer(BUSY);
  const ends = await Promise.all(calls.map(endOf));
  expect(ends.every(({ kind }) => kind === 'hung up')).toBe(true);
  await empty(it);
});

test('peers that keep their end open after the answer hold no place', async () => {
  const it = await outboundBench(CONTINUE);
  const peer = connect({ port: it.port, host: '127.0.0.1', allowHalfOpen: true });
  peer.on('error', () => undefined).resume();
  await once(peer, 'connect');
  peer.write(block + 'Content-Type: command/reply\nReply-Text: +OK\n\n'.repeat(3));
  await within(5_000, 'the end of what the gate says', once(peer, 'end'));
  expect(it.gate.connections).toBe(1);
  it.clock.turn(1_000);
  await empty(it);
  await waitFor('the last timer', () => it.clock.pending === 0);
});

test('a call with 150 kB of variables, as browsers and long dialplans make them, is asked about', async () => {
  const { call, asked } = await outboundBench(BUSY);
  const waiting = call({ variable_switch_r_sdp: 'a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n'.repeat(2_000) });
  expect(await endOf(waiting)).toMatchObject({ kind: 'hung up' });
  expect(asked).toHaveLength(1);
});

test('a block in pieces of one byte', async () => {
  const { call, asked } = await outboundBench(CONTINUE);
  expect(await endOf(call({}, { chunk: 1 }))).toEqual({ kind: 'goes on' });
  expect(asked).toHaveLength(1);
});
