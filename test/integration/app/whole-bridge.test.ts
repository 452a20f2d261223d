import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import type { FakeAmi } from '../../support/fake-ami.js';
import { waitFor } from '../../support/wait-for.js';
import { entryOf, quietAsterisk, startWholeBridge, type WholeBridge } from '../../support/whole-bridge.js';

const recording = (name: string): Buffer =>
  readFileSync(new URL(`../../../src/demo/calls/${name}.ami`, import.meta.url));
const CANARY = 'canary-secret-4711';

let zammad: StandIn;
let asterisk: FakeAmi;
let bridge: WholeBridge | undefined;
beforeEach(async () => {
  zammad = await startStandIn();
  asterisk = await quietAsterisk();
});
afterEach(async () => {
  await bridge?.stop();
  bridge = undefined;
  await asterisk.close();
  await zammad.stop();
});

const hearing = (whole: WholeBridge): Promise<true | undefined> =>
  waitFor(
    'the bridge to hear the PBX',
    () => whole.app.health().pbx.every(({ state }) => state === 'hearing') || undefined,
  );
const over = (standIn: StandIn, calls: number): Promise<unknown> =>
  standIn.when(
    (now) =>
      now.log().length === calls &&
      now.log().every(({ state }) => state === 'hangup') &&
      now.requests().every(({ state }) => state !== 'open'),
  );
const rowsOf = (standIn: StandIn): unknown =>
  standIn.log().map(({ direction, from, to, done, comment }) => ({ direction, from, to, done, comment }));

describe('the whole bridge', () => {
  test('tells recorded calls of a real Asterisk as they were', async () => {
    bridge = await startWholeBridge({ zammad: [entryOf('main', zammad)], pbx: [{ name: 'pbx', port: asterisk.port }] });
    await hearing(bridge);
    await Promise.all(['direct', 'busy', 'outbound', 'cancelled'].map((name) => asterisk.play(recording(name), 4)));
    await over(zammad, 4);
    expect(rowsOf(zammad)).toEqual(
      expect.arrayContaining([
        { direction: 'in', from: '491711234567', to: '49305550100', done: true, comment: 'normalClearing' },
        { direction: 'in', from: '491711234567', to: '49305550100', done: false, comment: 'busy' },
        { direction: 'in', from: '491711234567', to: '49305550100', done: false, comment: 'cancel' },
        { direction: 'out', from: '49305550100', to: '493012345678', done: true, comment: 'normalClearing' },
      ]),
    );
    expect(zammad.requests().filter(({ overlapped }) => overlapped)).toEqual([]);
    expect(await bridge.stop()).toBe(0);
  });

  test('a Zammad that cannot be reached gets everything when it is back, once and in order', async () => {
    await zammad.goDown();
    bridge = await startWholeBridge({ zammad: [entryOf('main', zammad)], pbx: [{ name: 'pbx', port: asterisk.port }] });
    await hearing(bridge);
    await asterisk.play(recording('direct'), 10);
    await waitFor('the posts to wait', () => bridge?.app.health().zammad[0]?.waiting === 3 || undefined);
    expect(bridge.app.health().zammad[0]).toMatchObject({ state: 'down' });
    await zammad.comeUp();
    await over(zammad, 1);
    expect(
      zammad
        .requests()
        .filter(({ event }) => event !== undefined)
        .map(({ event, status }) => [event, status]),
    ).toEqual([
      ['newCall', 200],
      ['answer', 200],
      ['hangup', 200],
    ]);
  });

  test('two PBXs and two Zammads: each call goes where the filters send it, under an id of its own', async () => {
    const second = await startStandIn();
    const other = await quietAsterisk();
    bridge = await startWholeBridge({
      zammad: [entryOf('all', zammad), entryOf('outbound-only', second, { direction: 'out' })],
      pbx: [
        { name: 'pbx', port: asterisk.port },
        { name: 'pbx-2', port: other.port },
      ],
    });
    await hearing(bridge);
    await Promise.all([
      asterisk.play(recording('direct'), 10),
      other.play(recording('direct'), 10),
      other.play(recording('outbound'), 10),
    ]);
    await over(zammad, 3);
    await over(second, 1);
    expect(new Set(zammad.log().map(({ callId }) => callId.replace(/-\d+\.\d+$/, '')))).toEqual(
      new Set(['pbx', 'pbx-2']),
    );
    expect(second.log()[0]).toMatchObject({ direction: 'out' });
    await bridge.stop();
    await other.close();
    await second.stop();
  });

  test('the connection to the PBX cut in mid-call: the call goes on and is told once', async () => {
    const bytes = recording('direct').toString('utf8');
    const middle = bytes.indexOf('Event: HangupRequest');
    const snapshotLater: string[] = [];
    await asterisk.close();
    asterisk = await quietAsterisk({
      answer: (action) => {
        if (action.name === 'bridgelist')
          return {
            items: [
              [
                ['Event', 'BridgeListItem'],
                ['BridgeUniqueid', idOf(bytes, 'BridgeUniqueid')],
                ['BridgeTechnology', 'simple_bridge'],
              ],
            ],
            complete: 'BridgeListComplete',
          };
        if (action.name === 'status')
          return { items: snapshotLater.length === 0 ? [] : statusItems(bytes), complete: 'StatusComplete' };
        return undefined;
      },
    });
    bridge = await startWholeBridge({ zammad: [entryOf('main', zammad)], pbx: [{ name: 'pbx', port: asterisk.port }] });
    await hearing(bridge);
    asterisk.broadcast(bytes.slice(0, middle));
    await zammad.when((now) => now.log()[0]?.state === 'answer');
    snapshotLater.push('now');
    for (const connection of asterisk.open) connection.end();
    await waitFor(
      'a second login',
      () => asterisk.actions.filter(({ name }) => name === 'status').length === 2 || undefined,
    );
    await asterisk.loggedIn();
    asterisk.broadcast(bytes.slice(middle));
    await over(zammad, 1);
    expect(
      zammad
        .requests()
        .filter(({ event }) => event !== undefined)
        .map(({ event }) => event),
    ).toEqual(['newCall', 'answer', 'hangup']);
    expect(zammad.log()[0]).toMatchObject({ comment: 'normalClearing', done: true });
  });

  test.each([
    ['busy', 'stays on', false],
    ['forwarded', 'is off', true],
  ] as const)(
    'a blocked caller is hung up, told as %s, and %s the list of missed calls',
    async (cause, _list, done) => {
      zammad.change({ blockList: ['491711234567'] });
      const pbx = [{ name: 'pbx', port: asterisk.port }];
      bridge = await startWholeBridge({ zammad: [entryOf('main', zammad)], pbx, gate: { rejectedCause: cause } });
      await hearing(bridge);
      const bytes = recording('cancelled').toString('utf8');
      asterisk.broadcast(bytes.slice(0, bytes.indexOf('Event: HangupRequest')));
      const order = await waitFor('the order to hang up', () => asterisk.actions.find(({ name }) => name === 'hangup'));
      expect([order.get('Cause'), order.get('Channel')]).toEqual(['17', /^Channel: (\S+trunk\S+)/m.exec(bytes)?.[1]]);
      asterisk.broadcast(bytes.slice(bytes.indexOf('Event: Hangup\r\n')));
      await over(zammad, 1);
      expect(zammad.log()[0]).toMatchObject({ comment: cause, done });
      expect(zammad.requests().filter(({ event }) => event === 'hangup')).toHaveLength(1);
    },
  );

  test('a wrong password: said once, readiness red, retried slowly; no secret in any line', async () => {
    const url = zammad.url.replace(/[^/]+$/, CANARY);
    bridge = await startWholeBridge({
      zammad: [{ name: 'main', url }],
      pbx: [{ name: 'pbx', port: asterisk.port, secret: CANARY }],
    });
    const whole = bridge;
    const reason = await waitFor(
      'the PBX to be deaf',
      () => whole.app.health().pbx.find(({ state }) => state === 'deaf')?.reason,
    );
    expect(reason).toContain('bridge');
    await waitFor('Zammad to be held', () => whole.app.health().zammad.find(({ state }) => state === 'held'));
    expect(asterisk.actions.filter(({ name }) => name === 'login')).toHaveLength(1);
    expect(whole.lines.filter((line) => line.includes('is not heard'))).toHaveLength(1);
    expect(whole.lines.join('\n') + JSON.stringify(whole.app.health())).not.toContain(CANARY);
  });

  test('while the first answer of Zammad is awaited it is not ready', async () => {
    zammad.faults.add({ kind: 'slow', ms: 300 });
    bridge = await startWholeBridge({ zammad: [entryOf('main', zammad)], pbx: [{ name: 'pbx', port: asterisk.port }] });
    expect(bridge.app.health().zammad[0]).toMatchObject({ state: 'connecting', waiting: 0 });
    const whole = bridge;
    await waitFor('Zammad to be ok', () => whole.app.health().zammad[0]?.state === 'ok' || undefined);
  });

  test('a Zammad that hangs holds a stop up for the time to drain, not longer, and what is lost is said', async () => {
    zammad.faults.add({ kind: 'silent', event: 'answer' });
    bridge = await startWholeBridge({
      zammad: [entryOf('main', zammad)],
      pbx: [{ name: 'pbx', port: asterisk.port }],
      drain: 300,
      timeout: 20_000,
    });
    await hearing(bridge);
    await asterisk.play(recording('direct'), 10);
    await zammad.when((now) => now.requests().some(({ event, state }) => event === 'answer' && state === 'open'));
    const began = performance.now();
    expect(await bridge.stop()).toBeGreaterThan(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    const said = bridge.lines.filter((line) => /"level":"(warn|error)"/.test(line));
    expect(said.join('')).toContain('were not delivered before the end');
    expect(said.join('')).not.toContain('is down');
  });

  test('an HTTP port that is taken: a permanent error, and nothing stays open', async () => {
    const servers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
    const before = servers();
    const start = startWholeBridge({
      zammad: [entryOf('main', zammad)],
      pbx: [{ name: 'pbx', port: asterisk.port }],
      httpPort: zammad.port,
    });
    await expect(start).rejects.toMatchObject({ code: 'ZPB_HTTP_ADDRESS', retriable: false });
    await waitFor('the server to be gone', () => servers() === before);
    expect(asterisk.open).toHaveLength(0);
  });

  test('stopped in mid-call it leaves the call open and loses nothing that was due', async () => {
    bridge = await startWholeBridge({ zammad: [entryOf('main', zammad)], pbx: [{ name: 'pbx', port: asterisk.port }] });
    await hearing(bridge);
    const bytes = recording('direct').toString('utf8');
    asterisk.broadcast(bytes.slice(0, bytes.indexOf('Event: HangupRequest')));
    await zammad.when((now) => now.log()[0]?.state === 'answer');
    expect(await bridge.stop()).toBe(0);
    await waitFor('the PBX connection to be closed', () => asterisk.open.length === 0);
    expect(zammad.log()[0]).toMatchObject({ state: 'answer' });
  });
});

const idOf = (text: string, header: string): string => new RegExp(`^${header}: (\\S+)`, 'm').exec(text)?.[1] ?? '';

/** What Status says of the two legs of the direct call while they talk. */
function statusItems(bytes: string): [string, string][][] {
  const bridge = idOf(bytes, 'BridgeUniqueid');
  const [trunk, phone] = [...new Set([...bytes.matchAll(/^Channel: (PJSIP\/\S+)/gm)].map(([, name]) => name ?? ''))];
  const unique = (channel = ''): string =>
    new RegExp(`Channel: ${channel}\\r\\n[\\s\\S]*?Uniqueid: (\\S+)`).exec(bytes)?.[1] ?? '';
  const item = (
    channel = '',
    caller: string,
    connected: string,
    dnid: string,
    application: string,
  ): [string, string][] => [
    ['Event', 'Status'],
    ['Channel', channel],
    ['ChannelState', '6'],
    ['CallerIDNum', caller],
    ['ConnectedLineNum', connected],
    ['Exten', '100'],
    ['Uniqueid', unique(channel)],
    ['Linkedid', unique(trunk)],
    ['DNID', dnid],
    ['BridgeID', bridge],
    ['Application', application],
    ['Data', ''],
  ];
  return [
    item(trunk, '+491711234567', '100', '+49305550100', 'Dial'),
    item(phone, '100', '+491711234567', '', 'AppDial'),
  ];
}
