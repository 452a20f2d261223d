/** Zammad names a caller id, and the PBX did not wait for it. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import type { FakeAmi } from '../../support/fake-ami.js';
import { entryOf, quietAsterisk, startWholeBridge, type WholeBridge } from '../../support/whole-bridge.js';

const outbound = readFileSync(new URL('../../../src/demo/calls/outbound.ami', import.meta.url), 'utf8');

let zammad: StandIn;
let asterisk: FakeAmi;
let bridge: WholeBridge;
beforeEach(async () => {
  zammad = await startStandIn({ routingTable: [{ dest: '*', callerId: '49305550777' }] });
  asterisk = await quietAsterisk();
  bridge = await startWholeBridge({ zammad: [entryOf('main', zammad)], pbx: [{ name: 'pbx', port: asterisk.port }] });
});
afterEach(async () => {
  await bridge.stop();
  await asterisk.close();
  await zammad.stop();
});

test('is said once, with the line of the dialplan that mends it', async () => {
  await asterisk.loggedIn();
  for (const [nth, id] of ['first', 'second'].entries()) {
    // Another call: other ids.
    await asterisk.play(Buffer.from(outbound.replaceAll(/^((?:\w+)?(?:Unique|Linked)id): /gm, `$1: ${id}-`)), 4);
    await zammad.when((now) => now.log().length === nth + 1 && now.log().every(({ state }) => state === 'hangup'));
  }
  const said = bridge.lines.filter((line) => line.includes('names the caller id of a call'));
  expect(said).toHaveLength(1);
  expect(said[0]).toContain('AGI(agi://127.0.0.1:4573/gate?number=${EXTEN})');
});
