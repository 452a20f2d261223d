/** The whole program under calls that all wait at once: its SQLite file, its real port, a Zammad that is as slow as a real one. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startStandIn } from '../../src/stand-in/server.js';
import type { StandIn } from '../../src/stand-in/stand-in.js';
import { AgiCall } from '../support/agi-caller.js';
import { BridgeProcess } from '../support/bridge-process.js';
import type { FakeAmi } from '../support/fake-ami.js';
import { waitFor, within } from '../support/wait-for.js';
import { quietAsterisk } from '../support/whole-bridge.js';
import { freePort } from '../lab/free-ports.js';

const CALLS = 50;
/** Twice the default: the first word of Zammad comes after some 150 ms here, and a busy machine may take its time. */
const BUDGET_MS = 1_000;
/** What a busy machine may add on both sides of a socket; the program's own clock is looked at too. */
const SLACK_MS = 1_000;
const CUSTOMER = 491710000000;

let asterisk: FakeAmi;
let zammad: StandIn;
let bridge: BridgeProcess;
let gatePort: number;

beforeAll(async () => {
  asterisk = await quietAsterisk();
  gatePort = await freePort();
  zammad = await startStandIn({ processingTime: 30, blockList: [String(CUSTOMER)] });
  bridge = await BridgeProcess.start({
    zammad: [{ name: 'main', url: zammad.url }],
    pbx: [
      {
        name: 'office',
        adapter: 'asterisk-ami',
        host: '127.0.0.1',
        port: asterisk.port,
        username: 'bridge',
        secret: 'lab',
        trunks: ['trunk'],
        gate: { port: gatePort },
      },
    ],
    agents: [{ extension: '100', name: 'Alice' }],
    gate: { budget: `${BUDGET_MS}ms` },
    // What is left at the end is not of interest.
    delivery: { drain: '100ms' },
    http: { host: '127.0.0.1', port: await freePort() },
  });
}, 30_000);
afterAll(async () => {
  await bridge.close();
  await Promise.all([asterisk.close(), zammad.stop()]);
}, 30_000);

const channelName = (nth: number): string => `PJSIP/trunk-${nth.toString(16).padStart(8, '0')}`;

/** Ms from the connection to the dialplan's going on, and what the dialplan found. */
async function waits(id: string, nth: number): Promise<{ readonly ms: number; readonly action: string | undefined }> {
  const began = performance.now();
  const fields = { uniqueid: id, channel: channelName(nth), callerid: `+${CUSTOMER + nth}` };
  const call = await AgiCall.open({ port: gatePort, fields });
  await within(10_000, 'the dialplan to go on', call.over);
  return { ms: performance.now() - began, action: call.set.get('ZAMMAD_ACTION') };
}

/** All at once; the first of them is the blocked one. */
const allWait = (name: string): ReturnType<typeof Promise.all<ReturnType<typeof waits>[]>> =>
  Promise.all(Array.from({ length: CALLS }, (_, i) => waits(`${name}.${i}`, i)));

/** By the program's own clock: ms of each decision. */
const decided = (name: string): number[] =>
  [...bridge.log.matchAll(new RegExp(`for call office-${name}\\.\\d+ after (\\d+) ms`, 'g'))].map(([, ms]) =>
    Number(ms),
  );

async function ringsNobodyForLong(name: string): Promise<void> {
  const seen = await allWait(name);
  // The first one is blocked, and asked about before the others.
  expect(seen[0]?.action).toBe('reject');
  expect(new Set(seen.slice(1).map(({ action }) => action))).toEqual(new Set(['continue']));
  const slow = Math.max(...seen.map(({ ms }) => ms));
  const own = await waitFor('every decision in the log', () => decided(name).length === CALLS && decided(name));
  expect(Math.max(...own)).toBeLessThanOrEqual(BUDGET_MS + SLACK_MS / 2);
  expect(slow).toBeLessThanOrEqual(BUDGET_MS + SLACK_MS);
  // Each is told once, be it late.
  await waitFor('every newCall', () => newCalls(name).length >= CALLS, { within: 60_000 });
  expect(new Set(newCalls(name)).size).toBe(CALLS);
}
const newCalls = (name: string): readonly (string | undefined)[] =>
  zammad
    .requests()
    .filter(({ event, callId }) => event === 'newCall' && callId?.startsWith(`office-${name}.`))
    .map(({ callId }) => callId);

describe(`${CALLS} calls that wait at the gate at once`, () => {
  test('Zammad takes 30 ms a post, one after the other', async () => {
    await ringsNobodyForLong('slow');
  }, 30_000);

  test('1,000 posts wait in the backlog', async () => {
    await backlogOf(520);
    await ringsNobodyForLong('backlog');
    expect(await metric('zammad_outbox_depth')).toBeGreaterThan(900);
  }, 30_000);
});

/** So many calls come and go at once, far faster than Zammad hears of them. */
async function backlogOf(calls: number): Promise<void> {
  const ami = await asterisk.loggedIn();
  for (let i = 0; i < calls; i += 1) {
    const id = `old.${i}`;
    const channel = `Channel: ${channelName(CALLS + i)}\r\nUniqueid: ${id}\r\nLinkedid: ${id}\r\n`;
    ami.write(
      `Event: Newchannel\r\n${channel}ChannelState: 4\r\nChannelStateDesc: Ring\r\nCallerIDNum: +${CUSTOMER + CALLS + i}\r\nExten: +49305550100\r\nContext: did\r\n\r\n` +
        `Event: Hangup\r\n${channel}Cause: 16\r\nCause-txt: Normal Clearing\r\n\r\n`,
    );
  }
  await waitFor('1,000 posts to wait', async () => (await metric('zammad_outbox_depth')) > 1_000);
}

async function metric(name: string): Promise<number> {
  const text = (await bridge.get('/metrics'))?.body ?? '';
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1]);
}
