/** The program itself before a FreeSWITCH whose calls wait at the gate: killed, gone, and back. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { freePort } from '../../lab/free-ports.js';
import { BridgeProcess } from '../../support/bridge-process.js';
import type { OutboundCall, OutboundEnd } from '../../support/fake-outbound-socket.js';
import { FREESWITCH_AGENTS } from '../../support/freeswitch-bench.js';
import { PlayedFreeSwitch } from '../../support/played-freeswitch.js';
import { within } from '../../support/wait-for.js';

let zammad: StandIn;
let pbx: PlayedFreeSwitch;
let bridge: BridgeProcess | undefined;
beforeEach(async () => {
  zammad = await startStandIn();
  pbx = await new PlayedFreeSwitch().start();
});
afterEach(async () => {
  await bridge?.close();
  await pbx.die();
  await zammad.stop();
});

const endOf = (call: OutboundCall): Promise<OutboundEnd> => within(5_000, 'the dialplan to go on', call.end);
const GOES_ON: OutboundEnd = { kind: 'goes on' };

test('killed while a call waits, the call goes on; without it, at once; and when it is back there is one call', async () => {
  const port = await freePort();
  bridge = await BridgeProcess.start({
    zammad: [{ name: 'main', url: zammad.url }],
    pbx: [{ name: 'pbx', adapter: 'freeswitch', port: pbx.esl.port, password: 'ClueCon', gate: { port } }],
    agents: FREESWITCH_AGENTS.map(({ extension, name }) => ({ extension, name })),
    numbers: { country: 'DE' },
    gate: { budget: '30s' },
    delivery: { timeout: '3s' },
    http: { host: '127.0.0.1', port: await freePort() },
  });

  // It hangs; the call waits at the gate when the bridge dies.
  zammad.faults.add({ kind: 'silent', event: 'newCall', times: 1 });
  const { call, begins, goesOn } = pbx.gate('gate-continue', port, { variable_ZAMMAD_USERS: '1000' });
  begins();
  await zammad.when((now) => now.requests().some(({ event }) => event === 'newCall'));
  await bridge.kill();
  expect(await endOf(call)).toEqual(GOES_ON);
  expect(call.told).toEqual(['connect']);

  const alone = pbx.gate('gate-continue', port, { 'Unique-ID': 'alone' }).call;
  expect([await endOf(alone), alone.told]).toEqual([GOES_ON, []]);

  await bridge.launch();
  await bridge.ready();
  await goesOn();
  await zammad.when((now) => now.log().length === 1 && now.log()[0]?.state === 'hangup', 10_000);
  expect(zammad.log()[0]).toMatchObject({ from: '4917139200011', comment: 'normalClearing', done: true });

  zammad.change({ blockList: ['4917139200011'] });
  const blocked = pbx.gate('gate-reject-uuidkill', port);
  blocked.begins();
  expect(await endOf(blocked.call)).toEqual({ kind: 'hung up', cause: 'USER_BUSY' });
  await blocked.goesOn();
  await zammad.when((now) => now.log().length === 2 && now.log()[1]?.state === 'hangup');
  expect(zammad.log()[1]).toMatchObject({ comment: 'busy', done: false });
}, 30_000);
