import { afterEach, expect, test } from '@jest/globals';
import { playableCases } from '../../faults/case-facts.js';
import { HearingLedger } from '../../faults/hearing.js';
import { LOGIN, Theatre } from '../../faults/theatre.js';
import { silent } from '../../support/whole-bridge.js';
import { openSession, type AmiSession } from '../../../adapters/asterisk-ami/session.js';
import { listBridges, listStatus, listStatusOf, getVariable } from '../../../adapters/asterisk-ami/actions.js';
import type { AmiMessage } from '../../../adapters/asterisk-ami/message.js';
import { systemClock } from '../../../src/clock.js';
import { Secret } from '../../../src/secret.js';
import { waitFor } from '../../support/wait-for.js';

const now = (): number => performance.now();
const facts = playableCases().find(({ name }) => name === 'asterisk-22/25-anonymous-caller');
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function audience(port: number, heard: AmiMessage[]): Promise<AmiSession> {
  const session = await openSession({
    ...{ host: '127.0.0.1', port, username: LOGIN.username, secret: new Secret(LOGIN.secret), plainLogin: false },
    ...{ events: 'on', wanted: 'all', clock: systemClock, log: silent, signal: new AbortController().signal },
    tls: undefined,
    onMessage: (message) => void heard.push(message),
  });
  closers.push(() => session.close());
  return session;
}

test('plays one recording twice at a time in its own time, and answers for both at every moment', async () => {
  if (facts === undefined) throw new Error('the case is gone');
  const ledger = new HearingLedger(now);
  const theatre = new Theatre(ledger, now);
  closers.push(() => theatre.close());
  const heard: AmiMessage[] = [];
  const session = await audience(await theatre.open('b'), heard);
  const began = now();
  const plays = Promise.all([theatre.play(facts, 'r1p0'), theatre.play(facts, 'r1p1')]);
  await waitFor('both to talk', () => heard.filter(({ event }) => event === 'BridgeEnter').length === 4);

  const bridges = await session.list(listBridges.action, listBridges.complete);
  const channels = await session.list(listStatus.action, listStatus.complete);
  expect(bridges.length).toBe(2);
  expect(channels.map((one) => one.get('Uniqueid')?.slice(0, 5)).sort()).toEqual(['r1p0-', 'r1p0-', 'r1p1-', 'r1p1-']);
  const trunk = channels.find((one) => one.get('Channel')?.startsWith('PJSIP/trunk') === true)?.get('Channel') ?? '';
  const one = listStatusOf(trunk);
  expect((await session.list(one.action, one.complete)).map((item) => item.get('Channel'))).toEqual([trunk]);
  expect((await session.send(getVariable(trunk, 'CALLERID(pres)'))).get('Value')).toMatch(/^prohib/);
  expect((await session.send(getVariable('PJSIP/nobody-00000001', 'CALLERID(pres)'))).response).toBe('Error');
  expect(ledger.hears('b')).toBe(true);

  await plays;
  const took = now() - began;
  expect(took).toBeGreaterThan(1_500);
  const said = theatre.plays.flatMap(({ sentAt }) => sentAt).length;
  // One more event is that of the login.
  await waitFor('every message to be heard', () => heard.length === said + 1);
  expect(await session.list(listStatus.action, listStatus.complete)).toEqual([]);
});
