/** The gate of an Asterisk before peers that may not connect, say nonsense, too much or nothing. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { requestText, WITHHELD } from '../../support/agi-caller.js';
import { agiBench, BUSY, closeAgiBenches, closed, CONTINUE, empty, over } from '../../support/agi-bench.js';
import { waitFor, within } from '../../support/wait-for.js';

afterEach(closeAgiBenches);

describe('who may connect', () => {
  test('nobody else: closed without a word, counted each time, said once a minute', async () => {
    const { call, asked, counted, warnings, clock } = await agiBench(CONTINUE, {
      allow: ['192.0.2.1', '2001:db8::/32'],
    });
    for (const wave of [1, 2]) {
      const calls = await Promise.all(Array.from({ length: 20 }, () => call()));
      await Promise.all(calls.map(over));
      expect(calls.every(({ said }) => said.length === 0)).toBe(true);
      expect(counted.get('gate_refused')).toBe(20 * wave);
      expect(warnings).toHaveLength(wave);
      clock.turn(60_000);
    }
    expect(warnings[0]).toContain('127.0.0.1 may not connect');
    expect(asked).toEqual([]);
  });
});

/** An address of this machine that holds only together with its interface. */
const linkLocal = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
  (all ?? []).flatMap(({ address }) => (address.startsWith('fe80:') ? [`${address}%${name}`] : [])),
)[0];
(linkLocal === undefined ? test.skip : test)('a link-local peer is known by its address alone', async () => {
  const { call } = await agiBench(CONTINUE, { host: '::', allow: ['fe80::/10'] });
  const waiting = await call({ host: linkLocal ?? '' });
  await over(waiting);
  expect(waiting.set.get('ZAMMAD_ACTION')).toBe('continue');
});

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
(hasIpv6 ? describe : describe.skip)(
  `who may connect${hasIpv6 ? '' : ' (this machine has no IPv6)'}, at a port for both families`,
  () => {
    test.each([
      ['127.0.0.0/8', '127.0.0.1'],
      ['::1', '::1'],
      // To a socket that hears both families, 127.0.0.1 is ::ffff:127.0.0.1.
      ['127.0.0.1', '127.0.0.1'],
      ['::ffff:127.0.0.1', '127.0.0.1'],
      ['::/0', '::1'],
    ])('%s lets %s in', async (entry, host) => {
      const { call } = await agiBench(CONTINUE, { host: '::', allow: [entry] });
      const waiting = await call({ host });
      await over(waiting);
      expect(waiting.set.get('ZAMMAD_ACTION')).toBe('continue');
    });
    test.each([
      ['127.0.0.2', '127.0.0.1'],
      ['127.0.0.1', '::1'],
      ['fe80::/10', '::1'],
    ])('%s does not let %s in', async (entry, host) => {
      const { call, counted } = await agiBench(CONTINUE, { host: '::', allow: [entry] });
      await over(await call({ host }));
      expect(counted.get('gate_refused')).toBe(1);
    });
  },
);

describe('hostile peers', () => {
  test('a line of 1 MiB is cut off long before its end', async () => {
    const it = await agiBench(CONTINUE);
    const socket = await it.raw();
    socket.write(`agi_request: ${'x'.repeat(1_048_576)}`);
    await closed(socket);
    await empty(it);
    expect(it.asked).toEqual([]);
  });
  test('thousands of lines are cut off', async () => {
    const it = await agiBench(CONTINUE);
    const socket = await it.raw();
    socket.write('agi_arg_1: x\n'.repeat(10_000));
    await closed(socket);
    await empty(it);
    expect(it.asked).toEqual([]);
  });
  test('lines without end, one by one: never more than the bound', async () => {
    const it = await agiBench(CONTINUE);
    const socket = await it.raw();
    let lines = 0;
    await waitFor('the cut', () => {
      if (!socket.destroyed) socket.write(`agi_x: ${'y'.repeat(100)}\n`.repeat(20));
      lines += 20;
      return it.gate.connections === 0;
    });
    expect(lines).toBeLessThan(2_000);
    expect(it.asked).toEqual([]);
  });
  test('half a request: given up after two seconds, also when a byte comes now and then', async () => {
    const it = await agiBench(CONTINUE);
    const socket = await it.raw();
    socket.write(requestText('agi://127.0.0.1/gate').slice(0, 100));
    await waitFor('the deadline', () => it.clock.pending === 1);
    it.clock.turn(1_900);
    socket.write('x');
    await waitFor('the deadline', () => it.clock.pending === 1);
    it.clock.turn(100);
    await closed(socket);
    await empty(it);
    expect(it.asked).toEqual([]);
  });
  test('half a request, then the end', async () => {
    const it = await agiBench(CONTINUE);
    const socket = await it.raw();
    socket.end(requestText('agi://127.0.0.1/gate').slice(0, 100));
    await closed(socket);
    await empty(it);
    expect(it.clock.pending).toBe(0);
  });
  test('a request, reset at once', async () => {
    const it = await agiBench(CONTINUE);
    for (let count = 0; count < 20; count += 1) (await it.raw()).resetAndDestroy();
    await empty(it);
    const next = await it.call();
    await over(next);
    expect(next.set.get('ZAMMAD_ACTION')).toBe('continue');
  });
  test.each([
    ['another path', requestText('agi://127.0.0.1/other?users=100')],
    ['no path', requestText('agi://127.0.0.1')],
    ['another scheme', requestText('http://127.0.0.1/gate')],
    ['no channel', requestText('agi://127.0.0.1/gate', { channel: '' })],
    ['no id', requestText('agi://127.0.0.1/gate', { uniqueid: '' })],
    ['HTTP', 'GET /gate HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'],
    ['an empty line', '\n'],
    ['bytes', `${'\u0000\u00ff\u0001'.repeat(50)}\n\n`],
  ])('%s: closed without a word, counted, said once', async (_, text) => {
    const { raw, asked, counted, warnings } = await agiBench(BUSY);
    for (const time of [1, 2]) {
      const socket = await raw();
      let said = '';
      socket.setEncoding('utf8').on('data', (more: string) => (said += more));
      socket.write(text);
      await closed(socket);
      expect(said).toBe('');
      expect(counted.get('gate_refused')).toBe(time);
    }
    expect(warnings).toHaveLength(1);
    expect(asked).toEqual([]);
  });
  test('replies that are none: the call goes on', async () => {
    for (const reply of ['510 Invalid or unknown command', '520-Usage', 'nonsense', '200']) {
      const it = await agiBench(BUSY);
      const socket = await it.raw();
      socket.write(`${requestText('agi://127.0.0.1/gate?users=1&queue=q', WITHHELD)}${reply}\n`);
      await closed(socket);
      await empty(it);
      // Which is no longer so where it was to be rejected: that is done another way.
      expect(it.hungUp).toEqual(['1700000000.1']);
    }
  });
  test('HANGUP without end instead of a reply', async () => {
    const it = await agiBench(BUSY);
    const socket = await it.raw();
    socket.write(requestText('agi://127.0.0.1/gate?users=1&queue=q'));
    await waitFor('the cut', () => {
      if (!socket.destroyed) socket.write('HANGUP\n'.repeat(200));
      return it.gate.connections === 0;
    });
  });
  test('what was asked holds no line break and has an end, whatever the address says', async () => {
    const { call, asked } = await agiBench(CONTINUE);
    const users = Array.from({ length: 300 }, (_, index) => String(index)).join('%2C');
    const queue = `a%0D%0AX-Evil:%001${'z'.repeat(500)}`;
    await over(await call({ address: `agi://127.0.0.1/gate?users=${'9'.repeat(500)}%2C${users}&queue=${queue}` }));
    expect(asked[0]?.users).toHaveLength(200);
    expect(asked[0]?.users?.[0]).toBe('9'.repeat(100));
    expect(asked[0]?.queue).toBe(`aX-Evil:1${'z'.repeat(91)}`);
  });
  test('more connections than may wait: those beyond are closed at once and go on, the others are served', async () => {
    const it = await agiBench(undefined, { maxConnections: 20 });
    const calls = await Promise.all(Array.from({ length: 20 }, () => it.call()));
    await waitFor('the questions', () => it.asked.length === 20);
    const beyond = await Promise.all(Array.from({ length: 30 }, () => it.call()));
    await Promise.all(beyond.map(over));
    expect(beyond.every(({ said }) => said.length === 0)).toBe(true);
    expect(it.counted.get('gate_refused')).toBe(30);
    expect(it.warnings).toHaveLength(1);
    it.answer(BUSY);
    await Promise.all(calls.map(over));
    expect(calls.every(({ set }) => set.get('ZAMMAD_ACTION') === 'reject')).toBe(true);
    await empty(it);
    const next = await it.call();
    await waitFor('the question', () => it.asked.length === 21);
    it.answer(CONTINUE);
    await over(next);
  });
  test('peers that keep their end open after the answer hold no place', async () => {
    const it = await agiBench(CONTINUE);
    const peer = connect({ port: it.port, host: '127.0.0.1', allowHalfOpen: true });
    peer.on('error', () => undefined);
    await once(peer, 'connect');
    peer.resume().write(`${requestText('agi://127.0.0.1/gate?users=1&queue=q', WITHHELD)}200 result=1\n`);
    await within(5_000, 'the end of what the gate says', once(peer, 'end'));
    expect(it.gate.connections).toBe(1);
    it.clock.turn(1_000);
    await empty(it);
    expect(it.clock.pending).toBe(0);
  });
});
