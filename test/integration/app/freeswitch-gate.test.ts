/** The whole bridge before a FreeSWITCH whose calls wait at the gate: recorded calls, a stand-in for Zammad that rejects and names numbers. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { adapter } from '../../../adapters/freeswitch/index.js';
import type { Config } from '../../../src/config/model.js';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { freePort } from '../../lab/free-ports.js';
import type { OutboundCall, OutboundEnd } from '../../support/fake-outbound-socket.js';
import { FREESWITCH_AGENTS } from '../../support/freeswitch-bench.js';
import { type GatedCall, PlayedFreeSwitch } from '../../support/played-freeswitch.js';
import { waitFor, within } from '../../support/wait-for.js';
import { entryOf, startWholeBridge, type WholeBridge, type ZammadEntry } from '../../support/whole-bridge.js';
import { ScriptedServer } from '../zammad/scripted-server.js';

const CUSTOMER = '4917139200011';
const GOES_ON: OutboundEnd = { kind: 'goes on' };
const BUSY: OutboundEnd = { kind: 'hung up', cause: 'USER_BUSY' };

let zammad: StandIn;
let pbx: PlayedFreeSwitch;
let bridge: WholeBridge;
let gatePort: number;
const cleanUp: (() => unknown)[] = [];
beforeEach(async () => {
  zammad = await startStandIn();
  pbx = await new PlayedFreeSwitch().start();
  gatePort = await freePort();
});
afterEach(async () => {
  await bridge.stop();
  for (const task of cleanUp.splice(0).reverse()) await task();
  await pbx.die();
  await zammad.stop();
});

async function start(gate: Partial<Config['gate']> = {}, more: readonly ZammadEntry[] = []): Promise<void> {
  bridge = await startWholeBridge({
    zammad: [entryOf('main', zammad), ...more],
    agents: FREESWITCH_AGENTS,
    pbx: [
      {
        name: 'pbx',
        port: pbx.esl.port,
        other: { adapter, settings: { password: 'ClueCon', gate: { port: gatePort } } },
      },
    ],
    gate,
  });
  await stateIs('hearing');
}
const stateIs = (wanted: string): Promise<unknown> =>
  waitFor(`the PBX to be ${wanted}`, () => bridge.app.health().pbx[0]?.state === wanted);
const endOf = (call: OutboundCall): Promise<OutboundEnd> => within(5_000, 'the dialplan to go on', call.end);
const posts = (): readonly string[] =>
  zammad.requests().flatMap(({ event = 'probe', accepted }) => (accepted ? [event] : []));
const asked = (): Promise<unknown> => zammad.when((now) => now.requests().some(({ event }) => event === 'newCall'));
const over = (calls = 1): Promise<unknown> =>
  zammad.when(
    (now) =>
      now.log().length === calls &&
      now.log().every(({ state }) => state === 'hangup') &&
      now.requests().every(({ state }) => state !== 'open'),
  );
const row = (): unknown => {
  const [{ direction, from, to, done, comment } = {}] = zammad.log();
  return { direction, from, to, done, comment };
};
const rowOf = (direction: 'in' | 'out', from: string, to: string, comment: string, done: boolean): unknown => ({
  direction,
  from,
  to,
  done,
  comment,
});

describe.each(['the event', 'the gate'])('%s says first that there is a call', (first) => {
  /** The call of a recording, until it has left the gate. */
  async function decided(name: string, headers: Readonly<Record<string, string>> = {}): Promise<GatedCall> {
    if (first === 'the event') {
      const gated = pbx.gate(name, gatePort, headers);
      gated.begins();
      await endOf(gated.call);
      return gated;
    }
    const gated = pbx.gate(name, gatePort, headers);
    await asked();
    await endOf(gated.call);
    gated.begins();
    return gated;
  }

  test('a blocked caller hears busy before any phone is called', async () => {
    zammad.change({ blockList: [CUSTOMER] });
    await start();
    const { call, goesOn } = await decided('gate-reject-uuidkill');
    expect(await call.end).toEqual(BUSY);
    await goesOn();
    await over();
    expect(row()).toEqual(rowOf('in', CUSTOMER, '493023125100', 'busy', false));
    expect(posts()).toEqual(['newCall', 'hangup']);
    expect(pbx.esl.commands.filter((command) => command.includes('uuid_kill'))).toEqual([]);
  });

  test('another caller is put through, told once, with the agents that the dialplan names', async () => {
    zammad.change({ blockList: ['4900000'] });
    await start();
    const { call, goesOn } = await decided('gate-continue', { variable_ZAMMAD_USERS: '1000,1001' });
    expect([await call.end, call.variables.get('ZAMMAD_ACTION'), posts()]).toEqual([GOES_ON, 'continue', ['newCall']]);
    expect(zammad.requests().find(({ event }) => event === 'newCall')?.params).toMatchObject({
      user: ['Alice Agent', 'Bob Agent'],
    });
    await goesOn();
    await over();
    expect(row()).toEqual(rowOf('in', CUSTOMER, '493023125100', 'normalClearing', true));
    expect(posts()).toEqual(['newCall', 'answer', 'hangup']);
  });

  test('an agent who calls out shows the number that Zammad names', async () => {
    zammad.change({ routingTable: [{ dest: '4930*', callerId: '493023125777' }] });
    await start();
    const { call, goesOn } = await decided('gate-out-callerid-setvar');
    expect([await call.end, call.variables.get('ZAMMAD_ACTION')]).toEqual([GOES_ON, 'dial']);
    for (const name of ['ZAMMAD_CALLER_ID', 'effective_caller_id_number', 'outbound_caller_id_number'])
      expect(call.variables.get(name)).toBe('493023125777');
    await goesOn();
    await over();
    expect(row()).toEqual(rowOf('out', '493023125777', '493023125811', 'normalClearing', true));
    expect(posts()).toEqual(['newCall', 'answer', 'hangup']);
  });

  test('an agent whose call is rejected, which has no leg outside: told all the same', async () => {
    const strict = new ScriptedServer();
    await strict.listen();
    cleanUp.push(() => strict.close());
    strict.behaviour = (socket, { text }) => {
      if (!text.includes('\r\n\r\n')) return;
      const body = text.includes('event=newCall') ? '{"action":"reject","reason":"busy"}' : '{}';
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    };
    await start({}, [{ name: 'strict', url: `http://127.0.0.1:${strict.port}/api/v1/cti/token` }]);
    const { call, goesOn } = await decided('gate-out-reject');
    expect(await call.end).toEqual(BUSY);
    await goesOn();
    await over();
    expect(row()).toMatchObject({ direction: 'out', to: '493023125814', comment: 'busy' });
    expect(posts()).toEqual(['newCall', 'hangup']);
    await waitFor('the hangup', () => strict.texts.some((text) => text.includes('event=hangup')));
  });
});

describe('Zammad', () => {
  test('does not answer in time: the call goes on, and is told once', async () => {
    zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 400, times: 1 });
    await start({ budget: 60 });
    const { call, begins, goesOn } = pbx.gate('gate-continue', gatePort);
    begins();
    expect(await endOf(call)).toEqual(GOES_ON);
    expect(call.variables.get('ZAMMAD_ACTION')).toBe('continue');
    expect(bridge.lines.some((line) => line.includes('gate: timeout'))).toBe(true);
    await goesOn();
    await over();
    expect(posts()).toEqual(['newCall', 'answer', 'hangup']);
  });

  test('rejects too late: the call is hung up over the event socket', async () => {
    zammad.change({ blockList: [CUSTOMER] });
    zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 200, times: 1 });
    await start({ budget: 60 });
    const { call, begins } = pbx.gate('gate-continue', gatePort);
    begins();
    expect(await endOf(call)).toEqual(GOES_ON);
    await waitFor('the order', () => pbx.esl.commands.includes(`api uuid_kill ${call.leg} USER_BUSY`));
  });

  test('is down: the call goes on, and is told when it is back', async () => {
    await start();
    await zammad.goDown();
    const { call, begins, goesOn } = pbx.gate('gate-continue', gatePort);
    begins();
    expect(await endOf(call)).toEqual(GOES_ON);
    await goesOn();
    await zammad.comeUp();
    await over();
    expect(row()).toEqual(rowOf('in', CUSTOMER, '493023125100', 'normalClearing', true));
  });
});

test('50 calls at once, each with its own answer', async () => {
  zammad.change({ blockList: Array.from({ length: 25 }, (_, index) => String(491720000000 + 2 * index)) });
  await start({ budget: 4_000 });
  const calls = Array.from({ length: 50 }, (_, index) => {
    const number = `+${String(491720000000 + index)}`;
    return pbx.gate('gate-continue', gatePort, { 'Unique-ID': `leg-${index}`, 'Caller-Caller-ID-Number': number }).call;
  });
  const ends = await Promise.all(calls.map(endOf));
  expect(ends).toEqual(ends.map((_, index) => (index % 2 === 0 ? BUSY : GOES_ON)));
  expect(new Set(zammad.log().map(({ callId }) => callId)).size).toBe(50);
});

describe('in the middle of a wait', () => {
  test('the caller gives up: cancel, and nothing rings', async () => {
    zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 300, times: 1 });
    await start({ budget: 4_000 });
    const { call, begins, goesOn } = pbx.gate('gate-sync-continue', gatePort, { 'Socket-Mode': 'async' });
    begins();
    await asked();
    call.hangUp();
    await goesOn();
    await over();
    expect(row()).toEqual(rowOf('in', CUSTOMER, '493023125100', 'cancel', false));
  });

  test('the connection of the events is cut: the call goes on, and is one call', async () => {
    zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 300, times: 1 });
    await start({ budget: 4_000 });
    const { call, begins, goesOn } = pbx.gate('gate-continue', gatePort);
    begins();
    await asked();
    for (const connection of pbx.esl.open) connection.destroy();
    // Whoever hears nothing decides nothing: the port is closed.
    expect(await endOf(call)).toEqual(GOES_ON);
    await stateIs('hearing');
    await goesOn();
    await over();
    expect(posts()).toEqual(['newCall', 'answer', 'hangup']);
  });

  test('FreeSWITCH dies, and is back without it: the call is over', async () => {
    zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 100, times: 1 });
    await start({ budget: 4_000 });
    const { begins } = pbx.gate('gate-continue', gatePort);
    begins();
    await asked();
    const { port } = pbx.esl;
    await pbx.die();
    await stateIs('deaf');
    await pbx.start(port);
    await over();
    expect(row()).toEqual(rowOf('in', CUSTOMER, '493023125100', 'congestion', false));
    // The gate is there for the next one.
    await stateIs('hearing');
    const next = pbx.gate('gate-continue', gatePort, { 'Unique-ID': 'the-next-one' }).call;
    expect([await endOf(next), next.variables.get('ZAMMAD_ACTION')]).toEqual([GOES_ON, 'continue']);
  });
});
