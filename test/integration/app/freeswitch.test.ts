/** The whole bridge before a FreeSWITCH that plays recorded calls in their own time. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { adapter } from '../../../adapters/freeswitch/index.js';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { FREESWITCH_AGENTS } from '../../support/freeswitch-bench.js';
import { PlayedFreeSwitch, recorded } from '../../support/played-freeswitch.js';
import { waitFor } from '../../support/wait-for.js';
import { entryOf, startWholeBridge, type WholeBridge } from '../../support/whole-bridge.js';

let zammad: StandIn;
let pbx: PlayedFreeSwitch;
let bridge: WholeBridge;
beforeEach(async () => {
  zammad = await startStandIn();
  pbx = await new PlayedFreeSwitch().start();
  bridge = await startWholeBridge({
    zammad: [entryOf('main', zammad)],
    agents: FREESWITCH_AGENTS,
    pbx: [{ name: 'pbx', port: pbx.esl.port, other: { adapter, settings: { password: 'ClueCon' } } }],
  });
  await hearing();
});
afterEach(async () => {
  await bridge.stop();
  await pbx.esl.close();
  await zammad.stop();
});

const stateIs = (wanted: string): Promise<unknown> =>
  waitFor(`the PBX to be ${wanted}`, () => bridge.app.health().pbx[0]?.state === wanted);
const hearing = (): Promise<unknown> => stateIs('hearing');
const over = (calls: number): Promise<unknown> =>
  zammad.when(
    (now) =>
      now.log().length === calls &&
      now.log().every(({ state }) => state === 'hangup') &&
      now.requests().every(({ state }) => state !== 'open'),
  );
const rows = (): unknown =>
  zammad.log().map(({ direction, from, done, comment }) => ({ direction, from, done, comment }));
const answers = (): number => zammad.requests().filter(({ event }) => event === 'answer').length;
const CALLED = { direction: 'in', from: '4917139200011' };

test('tells recorded calls as they were', async () => {
  const names = ['loopback-group-answered', 'in-busy-486', 'queue-abandoned', 'out-answered-caller-hangup'];
  await Promise.all(names.map((name) => pbx.play(recorded(name), 4)));
  await over(4);
  expect(rows()).toEqual(
    expect.arrayContaining([
      { ...CALLED, done: true, comment: 'normalClearing' },
      { ...CALLED, done: false, comment: 'busy' },
      { ...CALLED, done: false, comment: 'cancel' },
      { direction: 'out', from: '493023125100', done: true, comment: 'normalClearing' },
    ]),
  );
  expect(bridge.lines.join('')).not.toContain('ClueCon');
});

describe('in the middle of a call', () => {
  const events = recorded('attended-transfer-refer');
  /** After it was answered, before the transfer. */
  const middle = events.findIndex(({ event }) => event.name === 'CHANNEL_BRIDGE') + 1;

  test.each([
    { what: 'the connection is cut', ballast: 0 },
    { what: 'it is cut, and the list is of 5 MiB', ballast: 5 * 1024 * 1024 },
  ])('$what: the call goes on', async ({ ballast }) => {
    await pbx.play(events.slice(0, middle), 10);
    await zammad.when(() => answers() === 1);
    pbx.ballast = ballast;
    for (const connection of pbx.esl.open) connection.destroy();
    await stateIs('deaf');
    await hearing();
    await pbx.play(events.slice(middle), 10);
    await over(1);
    expect([rows(), answers()]).toEqual([[{ ...CALLED, done: true, comment: 'normalClearing' }], 2]);
  });

  test('FreeSWITCH dies without a word: the call is over when it is back', async () => {
    await pbx.play(events.slice(0, middle), 10);
    await zammad.when(() => answers() === 1);
    const { port } = pbx.esl;
    await pbx.die();
    await stateIs('deaf');
    await pbx.start(port);
    await hearing();
    await over(1);
    expect(rows()).toEqual([{ ...CALLED, done: true, comment: 'normalClearing' }]);
  });
});

test('a FreeSWITCH that is gone is looked at, and its health says why and what to do', async () => {
  const { port } = pbx.esl;
  await pbx.esl.close();
  const health = await waitFor('the finding', () => {
    const [office] = bridge.app.health().pbx;
    return office?.mend === undefined ? undefined : office;
  });
  expect(health).toMatchObject({
    state: 'deaf',
    reason: expect.stringContaining(`127.0.0.1:${port}: nothing listens there`),
    mend: expect.stringContaining('event_socket.conf.xml'),
  });
  await pbx.start(port);
  await hearing();
  expect(bridge.app.health().pbx[0]).not.toHaveProperty('mend', expect.anything());
});
