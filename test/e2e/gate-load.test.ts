/** The whole program under calls that all wait at once: its SQLite file, its real port, a Zammad that is as slow as a real one. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startStandIn } from '../../src/stand-in/server.js';
import type { StandIn } from '../../src/stand-in/stand-in.js';
import { AgiCall } from '../support/agi-caller.js';
import { StasisCaller } from '../support/stasis-caller.js';
import { BridgeProcess } from '../support/bridge-process.js';
import { waitFor, within } from '../support/wait-for.js';
import { quietAsterisk } from '../support/whole-bridge.js';
import { freePort } from '../lab/free-ports.js';

const CALLS = 50;
/** Three times the default: the first word of Zammad comes after some 150 ms here, and a busy machine may take its time. */
const BUDGET_MS = 1_500;
/** What a busy machine may add on both sides of a socket; the program's own clock is looked at too. */
const SLACK_MS = 1_000;
const CUSTOMER = 491710000000;

/** An Asterisk as one of its interfaces shows it. */
interface Asterisk {
  readonly settings: Readonly<Record<string, unknown>>;
  /** Resolves with what becomes of a call that waits at the gate. */
  asks(id: string, nth: number): Promise<string | undefined>;
  /** A call that nobody is asked about comes and goes. */
  passesBy(id: string, nth: number): void;
  close(): Promise<void>;
}

const channelName = (nth: number): string => `PJSIP/trunk-${nth.toString(16).padStart(8, '0')}`;

async function byFastAgi(): Promise<Asterisk> {
  const manager = await quietAsterisk();
  const gatePort = await freePort();
  return {
    settings: { adapter: 'asterisk-ami', port: manager.port, gate: { port: gatePort } },
    async asks(id, nth) {
      const fields = { uniqueid: id, channel: channelName(nth), callerid: `+${CUSTOMER + nth}` };
      const call = await AgiCall.open({ port: gatePort, fields });
      await call.over;
      return call.set.get('ZAMMAD_ACTION');
    },
    passesBy(id, nth) {
      const channel = `Channel: ${channelName(nth)}\r\nUniqueid: ${id}\r\nLinkedid: ${id}\r\n`;
      manager.broadcast(
        `Event: Newchannel\r\n${channel}ChannelState: 4\r\nChannelStateDesc: Ring\r\nCallerIDNum: +${CUSTOMER + nth}\r\nExten: +49305550100\r\nContext: did\r\n\r\n` +
          `Event: Hangup\r\n${channel}Cause: 16\r\nCause-txt: Normal Clearing\r\n\r\n`,
      );
    },
    close: () => manager.close(),
  };
}

async function byStasis(): Promise<Asterisk> {
  const caller = await StasisCaller.start('lab');
  return {
    settings: { adapter: 'asterisk-ari', port: caller.ari.port, gate: {} },
    async asks(id, nth) {
      const { how } = await caller.call({ id, channel: channelName(nth), from: `+${CUSTOMER + nth}` });
      return how === 'hung up' ? 'reject' : how;
    },
    passesBy(id, nth) {
      caller.passBy({ id, channel: channelName(nth), from: `+${CUSTOMER + nth}` });
    },
    close: () => caller.close(),
  };
}

describe.each([
  ['FastAGI', byFastAgi],
  ['ARI', byStasis],
])(`by %s: ${CALLS} calls that wait at the gate at once`, (_way, begin) => {
  let asterisk: Asterisk;
  let zammad: StandIn;
  let bridge: BridgeProcess;

  beforeAll(async () => {
    asterisk = await begin();
    zammad = await startStandIn({ processingTime: 30, blockList: [String(CUSTOMER)] });
    bridge = await BridgeProcess.start({
      zammad: [{ name: 'main', url: zammad.url }],
      pbx: [
        {
          name: 'office',
          host: '127.0.0.1',
          username: 'bridge',
          secret: 'lab',
          trunks: ['trunk'],
          ...asterisk.settings,
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

  test('Zammad takes 30 ms a post, one after the other', async () => {
    await ringsNobodyForLong('slow');
  }, 30_000);

  test('1,000 posts wait in the backlog', async () => {
    // So many calls come and go at once, far faster than Zammad hears of them.
    for (let i = 0; i < 520; i += 1) asterisk.passesBy(`old.${i}`, CALLS + i);
    await waitFor('1,000 posts to wait', async () => (await metric('zammad_outbox_depth')) > 1_000);
    await ringsNobodyForLong('backlog');
    expect(await metric('zammad_outbox_depth')).toBeGreaterThan(900);
  }, 30_000);

  /** Ms until the PBX was answered, and with what. */
  async function waits(id: string, nth: number): Promise<{ readonly ms: number; readonly action: string | undefined }> {
    const began = performance.now();
    const action = await within(10_000, 'the call to go on', asterisk.asks(id, nth));
    return { ms: performance.now() - began, action };
  }

  /** By the program's own clock: ms of each decision. */
  const decided = (name: string): number[] =>
    [...bridge.log.matchAll(new RegExp(`for call office-${name}\\.\\d+ after (\\d+) ms`, 'g'))].map(([, ms]) =>
      Number(ms),
    );

  async function ringsNobodyForLong(name: string): Promise<void> {
    // All at once; the first of them is the blocked one, and asked about before the others.
    const seen = await Promise.all(Array.from({ length: CALLS }, (_, i) => waits(`${name}.${i}`, i)));
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

  async function metric(name: string): Promise<number> {
    const text = (await bridge.get('/metrics'))?.body ?? '';
    return Number(new RegExp(`^${name}\\{[^}]*\\} (\\d+)$`, 'm').exec(text)?.[1]);
  }
});
