/** An Asterisk that is just starting, overloaded, reloaded, or a FreePBX: what the adapter must make of it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { LegEvent } from '../../../src/call/vocabulary.js';
import { type AdapterRig, adapterRig, type Answers, closeAdapterRigs } from '../../support/adapter-rig.js';
import { type Answer, encode, type FakeAmi, type Headers } from '../../support/fake-ami.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waitFor } from '../../support/wait-for.js';

afterEach(closeAdapterRigs);

async function rig(
  answers: Answers,
  settings: object = { trunks: ['trunk'] },
): Promise<AdapterRig & { readonly clock: ManualClock }> {
  const clock = new ManualClock();
  return { ...(await adapterRig(answers, settings, clock)), clock };
}

const customer = (index = 1, state = '4', extra: Headers = []): string =>
  encode([
    ['Event', 'Newchannel'],
    ['Channel', `PJSIP/trunk-${index.toString(16).padStart(8, '0')}`],
    ['ChannelState', state],
    ['CallerIDNum', '+4930123456'],
    ['Exten', '+4930555100'],
    ['Uniqueid', `1.${index}`],
    ['Linkedid', `1.${index}`],
    ...extra,
  ]);
const isUp = (index: number): string =>
  encode([
    ['Event', 'Newstate'],
    ['Channel', `PJSIP/trunk-${index.toString(16).padStart(8, '0')}`],
    ['ChannelState', '6'],
    ['Uniqueid', `1.${index}`],
  ]);
const endpoints =
  (...names: string[]) =>
  (): Answer => ({
    items: names.map(
      (name): Headers => [
        ['Event', 'EndpointList'],
        ['ObjectName', name],
        ['Auths', ''],
        ['OutboundAuths', name],
      ],
    ),
    complete: 'EndpointListComplete',
  });
const lineOf = (events: readonly LegEvent[], leg: string): string | undefined =>
  events.flatMap((event) => (event.type === 'appeared' && event.leg === leg ? [event.line.kind] : []))[0];
/** Waits while the clock goes on, half a second at a time, and what the PBX says comes in. */
const passUntil = <T>(clock: ManualClock, what: string, done: () => T | undefined | false): Promise<T> =>
  waitFor(what, () => {
    const found = done();
    if (found === undefined || found === false) clock.turn(500);
    return found;
  });
const asked = (asterisk: FakeAmi, name: string): number =>
  asterisk.actions.filter((action) => action.name === name).length;

describe('a list of channels that does not come whole', () => {
  test('is asked for again until it does, so that no call rings for ever', async () => {
    let whole = false;
    const { asterisk, clock, events, start } = await rig({
      status: () => ({ items: [], complete: 'StatusComplete', ...(whole ? {} : { listItems: 3 }) }),
    });
    const { missing } = await start();
    expect(missing.join()).toMatch(/asked again/);
    expect(missing.join()).not.toMatch(/write=call/);
    await passUntil(clock, 'the second question', () => asked(asterisk, 'status') === 2);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(30_000);
    expect(events).toEqual([]);
    whole = true;
    await passUntil(clock, 'the snapshot', () => events.some(({ type }) => type === 'snapshot'));
    expect(asked(asterisk, 'status')).toBe(3);
  });
  test('is asked for no more when the adapter has stopped', async () => {
    const { clock, adapter, start } = await rig({
      status: () => ({ items: [], complete: 'StatusComplete', listItems: 3 }),
    });
    await start();
    await adapter.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('trunks that Asterisk is asked for', () => {
  test('and does not answer in time: the connection is no good', async () => {
    const { asterisk, clock, start } = await rig({ pjsipshowendpoints: () => 'ignore' }, {});
    const hearing = start();
    await waitFor('the question', () => asked(asterisk, 'pjsipshowendpoints') === 1);
    clock.turn(10_000);
    await expect(hearing).rejects.toMatchObject({ code: 'ZPB_AMI_TIMEOUT', retriable: true });
  });

  test('are asked for again by an Asterisk that had not read its configuration yet', async () => {
    const answers: Answers = { pjsipshowendpoints: endpoints() };
    const { asterisk, clock, events, start } = await rig(answers, {});
    expect((await start()).missing.join()).toMatch(/no PJSIP endpoint looks like a trunk/);
    answers['pjsipshowendpoints'] = endpoints('trunk');
    const before = asked(asterisk, 'pjsipshowendpoints');
    await passUntil(clock, 'the question', () => asked(asterisk, 'pjsipshowendpoints') > before);
    let index = 0;
    await waitFor('a trunk', () => {
      index += 1;
      asterisk.broadcast(customer(index));
      return events.some((event) => event.type === 'appeared' && event.line.kind === 'trunk');
    });
  });

  test('stay known when a starting Asterisk says after a reconnect that there are none', async () => {
    const answers: Answers = { pjsipshowendpoints: endpoints('trunk') };
    const { asterisk, adapter, events, start } = await rig(answers, {});
    await start();
    await adapter.stop();
    answers['pjsipshowendpoints'] = endpoints();
    expect((await start()).missing).toEqual([]);
    asterisk.broadcast(customer());
    expect(await waitFor('the channel', () => lineOf(events, '1.1'))).toBe('trunk');
  });

  test('are looked for again after a reload', async () => {
    const answers: Answers = { pjsipshowendpoints: endpoints('other') };
    const { asterisk, clock, events, start } = await rig(answers, {});
    await start();
    answers['pjsipshowendpoints'] = endpoints('other', 'trunk');
    asterisk.broadcast(
      encode([
        ['Event', 'Reload'],
        ['Module', 'All'],
        ['Status', '0'],
      ]),
    );
    // The next Ping, the trunks, the members of queues.
    await waitFor('the plan', () => clock.pending === 3);
    clock.turn(2_000);
    await waitFor('the question', () => asked(asterisk, 'pjsipshowendpoints') === 2);
    let index = 0;
    await waitFor('a trunk', () => {
      index += 1;
      asterisk.broadcast(customer(index));
      return events.some((event) => event.type === 'appeared' && event.line.kind === 'trunk');
    });
  });
});

describe('a number that is withheld', () => {
  test('is known on a FreePBX, whose dialplan allows it at once and remembers what it was', async () => {
    const { asterisk, clock, events, start } = await rig({
      getvar: (action) => [
        ['Variable', action.get('variable')],
        ['Value', action.get('variable') === 'CALLINGNUMPRES_SV' ? 'prohib_passed_screen' : 'allowed_not_screened'],
      ],
    });
    await start();
    asterisk.broadcast(customer());
    await waitFor('the first question', () => asked(asterisk, 'getvar') === 1 && clock.pending === 2);
    clock.turn(10);
    const last = await waitFor('what it is', () =>
      events.filter((event) => event.type === 'appeared' && event.withheld !== 'asked').at(-1),
    );
    expect(last).toMatchObject({ withheld: true });
  });

  test('is asked for, however many others wait in a queue', async () => {
    const { asterisk, clock, counted, events, start } = await rig({
      getvar: () => [['Value', 'prohib']],
    });
    await start();
    const known = (): number => events.filter((event) => event.type === 'appeared' && event.withheld === true).length;
    for (let index = 1; index <= 1000; index += 1) {
      asterisk.broadcast(customer(index) + isUp(index));
      if (index % 100 === 0) await waitFor('what they withhold', () => known() === index);
    }
    asterisk.broadcast(customer(1001));
    await waitFor('what the last one withholds', () => known() === 1001);
    // All but the last are watched for voicemail; the session pings.
    expect(clock.pending).toBe(1000 + 1);
    expect(counted.get('questions_skipped') ?? 0).toBe(0);
  });
});

describe('a customer who is alone', () => {
  const status = (application: () => string): Answers => ({
    status: (action) => ({
      items:
        action.get('channel') === ''
          ? [
              [
                ['Event', 'Status'],
                ['Channel', 'PJSIP/trunk-00000001'],
                ['Uniqueid', '1.1'],
                ['Linkedid', '1.1'],
                ['ChannelState', '6'],
                ['DNID', '+4930555100'],
                ['BridgeID', ''],
                ['Application', 'BackGround'],
              ],
            ]
          : [
              [
                ['Event', 'Status'],
                ['Uniqueid', '1.1'],
                ['Application', application()],
              ],
            ],
      complete: 'StatusComplete',
    }),
  });
  const ofChannel = (asterisk: FakeAmi): number =>
    asterisk.actions.filter((action) => action.name === 'status' && action.get('channel') !== '').length;

  test('is asked about by the next connection too', async () => {
    let application = 'BackGround';
    const { asterisk, adapter, clock, events, start } = await rig(status(() => application));
    await start();
    await adapter.stop();
    application = 'VoiceMail';
    await start();
    clock.turn(500);
    await waitFor('voicemail', () => events.some(({ type }) => type === 'recorder'));
    expect(ofChannel(asterisk)).toBe(1);
  });

  test('is asked about once at a time, however often he leaves a bridge', async () => {
    const { asterisk, clock, events, start } = await rig(status(() => 'BackGround'));
    await start();
    const bridge = (event: string): string =>
      encode([
        ['Event', event],
        ['Channel', 'PJSIP/trunk-00000001'],
        ['ChannelState', '6'],
        ['Uniqueid', '1.1'],
        ['BridgeUniqueid', 'b'],
        ['BridgeTechnology', 'simple_bridge'],
      ]);
    // Answered before the first event, and heard before it: what is asked a second time is planned when the clock moves.
    await waitFor('the question about his number', () => asked(asterisk, 'getvar') === 1);
    for (let times = 0; times < 5; times += 1) asterisk.broadcast(bridge('BridgeEnter') + bridge('BridgeLeave'));
    await waitFor('the last time', () => events.filter(({ type }) => type === 'left').length === 5);
    clock.turn(500);
    await waitFor('the question', () => ofChannel(asterisk) > 0);
    await waitFor('the next plan', () => clock.pending === 2);
    expect(ofChannel(asterisk)).toBe(1);
  });
});
