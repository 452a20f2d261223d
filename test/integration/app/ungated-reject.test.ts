/** Zammad rejects a call that did not wait at a gate. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Config } from '../../../src/config/model.js';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import type { FakeAmi } from '../../support/fake-ami.js';
import { waitFor } from '../../support/wait-for.js';
import { entryOf, quietAsterisk, startWholeBridge, type WholeBridge } from '../../support/whole-bridge.js';

const recorded = readFileSync(new URL('../../../src/demo/calls/cancelled.ami', import.meta.url), 'utf8');
const [rings = '', isOver = ''] = recorded.split(/(?=Event: HangupRequest)/, 2);

let zammad: StandIn;
let asterisk: FakeAmi;
let bridge: WholeBridge;
beforeEach(async () => {
  zammad = await startStandIn({ blockList: ['491711234567'] });
  asterisk = await quietAsterisk();
});
afterEach(async () => {
  await bridge.stop();
  await asterisk.close();
  await zammad.stop();
});

/** The call of a blocked number rings. */
async function ring(gate: Partial<Config['gate']>): Promise<void> {
  bridge = await startWholeBridge({
    zammad: [entryOf('main', zammad)],
    pbx: [{ name: 'pbx', port: asterisk.port }],
    gate,
  });
  await asterisk.loggedIn();
  await waitFor('the PBX to be heard', () => bridge.app.health().pbx[0]?.state === 'hearing');
  asterisk.broadcast(rings);
}
async function end(): Promise<unknown> {
  asterisk.broadcast(isOver + recorded.slice(rings.length + isOver.length));
  await zammad.when((now) => now.log().length === 1 && now.log().every(({ state }) => state === 'hangup'));
  const [{ comment, done } = {}] = zammad.log();
  return { comment, done };
}
const orders = (): number => asterisk.actions.filter(({ name }) => name === 'hangup').length;

test.each<['busy' | 'forwarded', boolean]>([
  ['busy', false],
  ['forwarded', true],
])('it is hung up, and its hangup has the cause that is wanted: %s', async (rejectedCause, done) => {
  await ring({ rejectedCause });
  await waitFor('the order', () => orders() === 1);
  expect(await end()).toEqual({ comment: rejectedCause, done });
});

test('a call that is older than gate.lateReject is left alone', async () => {
  zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 150, times: 1 });
  await ring({ lateReject: 50 });
  await waitFor('the reject', () => bridge.lines.some((line) => line.includes('older than gate.lateReject')));
  expect(await end()).toEqual({ comment: 'cancel', done: false });
  expect(orders()).toBe(0);
});
