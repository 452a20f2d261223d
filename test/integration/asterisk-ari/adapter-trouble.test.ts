/** What the adapter makes of an Asterisk that is busy, refuses, or says things in an order of its own. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { adapter as definition } from '../../../adapters/asterisk-ari/index.js';
import { asPbxName, type LegEvent } from '../../../src/call/vocabulary.js';
import { systemClock, type Clock } from '../../../src/clock.js';
import { type Adapter, canRefresh, type Hearing } from '../../../src/pbx/adapter.js';
import { type AriAnswer, type AriQuestion, FakeAri } from '../../support/fake-ari.js';
import { ManualClock } from '../../support/manual-clock.js';
import { OPEN_GATE } from '../../support/open-gate.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';

interface Rig {
  readonly ari: FakeAri;
  readonly adapter: Adapter;
  readonly batches: (readonly LegEvent[])[];
  readonly events: () => readonly LegEvent[];
  readonly start: () => Promise<Hearing>;
}
type Answers = Readonly<Record<string, (question: AriQuestion) => AriAnswer | undefined | 'never'>>;
const rigs: Rig[] = [];

afterEach(async () => {
  for (const { adapter, ari } of rigs.splice(0)) {
    await adapter.stop();
    await ari.close();
  }
});

const EMPTY: Answers = {
  '/channels': () => ({ body: [] }),
  '/bridges': () => ({ body: [] }),
  '/endpoints': () => ({ body: [] }),
  '/applications/zammad/eventFilter': () => ({ body: {} }),
};

async function rig(
  answers: Answers = {},
  settings: object = { trunks: ['trunk'] },
  clock: Clock = systemClock,
): Promise<Rig> {
  const all = { ...EMPTY, ...answers };
  const ari = await FakeAri.start({
    secret: 'right',
    answer: (question) =>
      (all[`${question.path}?${question.query.get('variable') ?? ''}`] ?? all[question.path])?.(question),
  });
  const batches: (readonly LegEvent[])[] = [];
  const adapter = definition.create(
    {
      name: asPbxName('office'),
      log: silent,
      metrics: { count: () => undefined },
      clock,
      gate: OPEN_GATE,
      emit: (batch) => void batches.push(batch),
    },
    definition.configSchema.parse({ port: ari.port, username: 'bridge', secret: 'right', ...settings }),
  );
  const made = {
    ari,
    adapter,
    batches,
    events: () => batches.flat(),
    start: () => adapter.start(new AbortController().signal),
  };
  rigs.push(made);
  return made;
}

const TRUNK = '1.1';
const PHONE = '1.2';
const channel = (id: string, state: string, more: object = {}): object => ({
  id,
  name: id === TRUNK ? 'PJSIP/trunk-00000001' : 'PJSIP/100-00000002',
  state,
  caller: { name: '', number: id === TRUNK ? '+4930123456' : '100' },
  connected: { name: '', number: '' },
  dialplan: {
    context: 'x',
    exten: '+4930555100',
    priority: 1,
    app_name: id === TRUNK ? 'Dial' : 'AppDial',
    app_data: '',
  },
  ...more,
});
const BRIDGE = { id: 'b1', technology: 'simple_bridge', channels: [TRUNK, PHONE] };
const VARIABLES: Answers = {
  [`/channels/${TRUNK}/variable?CHANNEL(linkedid)`]: () => ({ body: { value: TRUNK } }),
  [`/channels/${TRUNK}/variable?CALLERID(dnid)`]: () => ({ body: { value: '+4930555777' } }),
  [`/channels/${PHONE}/variable?CHANNEL(linkedid)`]: () => ({ body: { value: TRUNK } }),
};
const TALKING: Answers = {
  ...VARIABLES,
  '/channels': () => ({ body: [channel(TRUNK, 'Up'), channel(PHONE, 'Up')] }),
  '/bridges': () => ({ body: [BRIDGE] }),
};
const of = <Type extends LegEvent['type']>(
  events: readonly LegEvent[],
  type: Type,
): Extract<LegEvent, { type: Type }>[] =>
  events.filter((event): event is Extract<LegEvent, { type: Type }> => event.type === type);

describe('the snapshot', () => {
  test('takes a call up with the number that was dialled, who called whom, and who talks', async () => {
    const { start, events, adapter } = await rig(TALKING);
    expect((await start()).missing).toEqual([]);
    expect(of(events(), 'appeared')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ leg: TRUNK, origin: 'incoming', dialled: '+4930555777', from: '+4930123456' }),
        expect.objectContaining({ leg: PHONE, origin: 'outgoing', by: TRUNK }),
      ]),
    );
    expect(of(events(), 'joined').map(({ leg }) => leg)).toEqual(expect.arrayContaining([TRUNK, PHONE]));
    expect(events().findIndex(({ type }) => type === 'snapshot')).toBeGreaterThan(0);
    expect([...adapter.snapshot()].sort()).toEqual([TRUNK, PHONE]);
  });
  test('what ended while the lists were under way stays ended', async () => {
    const made = await rig({
      ...TALKING,
      [`/channels/${PHONE}/variable?CHANNEL(linkedid)`]: () => {
        made.ari.say({ type: 'ChannelDestroyed', cause: 16, channel: channel(PHONE, 'Up') });
        return { body: { value: TRUNK } };
      },
    });
    await made.start();
    await waitFor('the end', () => of(made.events(), 'ended').length > 0);
    expect(made.adapter.snapshot()).toEqual([TRUNK]);
    expect(of(made.events(), 'snapshot')).toHaveLength(1);
  });
  test('what was said of a channel before the lists told of it counts, and is newer than they are', async () => {
    const made = await rig({
      ...VARIABLES,
      '/channels': () => {
        // The lists were made before this.
        for (const id of [TRUNK, PHONE])
          made.ari.say({ type: 'ChannelEnteredBridge', bridge: BRIDGE, channel: channel(id, 'Up') });
        return { body: [channel(TRUNK, 'Ring'), channel(PHONE, 'Ringing')] };
      },
    });
    await made.start();
    await waitFor('both to hear each other', () => of(made.events(), 'joined').length >= 2);
    expect(
      of(made.events(), 'up')
        .map(({ leg }) => leg)
        .sort(),
    ).toEqual([TRUNK, PHONE]);
  });
  test('lacks a channel whose end is still on its way: its cause is heard', async () => {
    let there = true;
    const made = await rig({
      ...TALKING,
      '/channels': () => ({ body: there ? [channel(TRUNK, 'Up'), channel(PHONE, 'Up')] : [] }),
    });
    await made.start();
    there = false;
    const { adapter } = made;
    if (!canRefresh(adapter)) throw new Error('it cannot refresh');
    const refreshed = adapter.refresh();
    await waitFor('the list', () => made.ari.questions.filter(({ path }) => path === '/channels').length === 2);
    for (const id of [TRUNK, PHONE]) made.ari.say({ type: 'ChannelDestroyed', cause: 17, channel: channel(id, 'Up') });
    await refreshed;
    expect(of(made.events(), 'ended').map(({ leg, q850 }) => [leg, q850])).toEqual([
      [TRUNK, 17],
      [PHONE, 17],
    ]);
    expect(of(made.events(), 'snapshot').at(-1)?.legs).toEqual([]);
  });
  test.each([
    ['refused', { status: 500, body: { message: 'no' } }],
    ['something else', { body: { channels: [] } }],
  ])('%s closes nothing, is said, and asked for again', async (_, answer) => {
    let whole = false;
    const clock = new ManualClock();
    const made = await rig({ ...TALKING, '/bridges': () => (whole ? { body: [BRIDGE] } : answer) }, undefined, clock);
    const hearing = await made.start();
    expect(hearing.missing.join()).toContain('cannot be taken up');
    expect(of(made.events(), 'snapshot')).toEqual([]);
    whole = true;
    // A little at a time, so that the pings are answered.
    await waitFor('the snapshot', () => {
      clock.turn(2_000);
      return of(made.events(), 'snapshot').length === 1;
    });
    expect(hearing.missing).toEqual([]);
  });
  test('refresh rejects when there is no whole list, and says nothing', async () => {
    let status = 200;
    const { adapter, start, events } = await rig({ '/channels': () => ({ status, body: [] }) });
    await start();
    status = 503;
    if (!canRefresh(adapter)) throw new Error('it cannot refresh');
    await expect(adapter.refresh()).rejects.toMatchObject({ code: 'ZPB_ARI_NO_SNAPSHOT' });
    expect(of(events(), 'snapshot')).toHaveLength(1);
  });
});

describe('trunks', () => {
  const setting = (attributes: Readonly<Record<string, string>>): AriAnswer => ({
    body: Object.entries(attributes).map(([attribute, value]) => ({ attribute, value })),
  });
  const endpoints = (...names: string[]): AriAnswer => ({
    body: names.map((resource) => ({ technology: 'PJSIP', resource, state: 'online' })),
  });
  const settings = '/asterisk/config/dynamic/res_pjsip';
  const incoming = { type: 'ChannelCreated', channel: channel(TRUNK, 'Ring') };

  test('are those that log in somewhere, or are known by their address alone', async () => {
    const made = await rig(
      {
        '/endpoints': () => endpoints('trunk', 'provider', '100', '101'),
        [`${settings}/endpoint/trunk`]: () => setting({ auth: '', outbound_auth: '' }),
        [`${settings}/identify/trunk`]: () => setting({ endpoint: 'trunk' }),
        [`${settings}/endpoint/provider`]: () => setting({ auth: '', outbound_auth: 'provider' }),
        [`${settings}/endpoint/100`]: () => setting({ auth: '100', outbound_auth: '' }),
        // No password, and no address it is known by: a phone of a laboratory.
        [`${settings}/endpoint/101`]: () => setting({ auth: '', outbound_auth: '' }),
      },
      {},
    );
    expect((await made.start()).missing).toEqual([]);
    made.ari.say(incoming);
    await waitFor('the customer', () => of(made.events(), 'appeared').length > 0);
    expect(of(made.events(), 'appeared')[0]?.line).toEqual({ kind: 'trunk', name: 'trunk' });
  });
  test.each([
    ['none looks like one', { '/endpoints': () => endpoints('100', '101') }, 'PJSIP/100, PJSIP/101'],
    ['nobody says', { '/endpoints': () => ({ status: 500 }) }, 'not known'],
  ] as const)('%s: said, with the setting', async (_, answers, words) => {
    const { start } = await rig(answers, {});
    const { missing } = await start();
    expect(missing.join()).toContain('set trunks: [NAME] of PBX office');
    expect(missing.join()).toContain(words);
  });
});

describe('a login', () => {
  test('that may only read is told what is therefore missing', async () => {
    const { start } = await rig({
      '/applications/zammad/eventFilter': () => ({ status: 403, body: { message: 'no' } }),
    });
    expect((await start()).missing.join()).toContain('read_only = no');
  });
  test('that may only read is not the application of the dialplan: a call that waits there could not be let go', async () => {
    const { ari, start } = await rig({
      '/applications/zammad/eventFilter': () => ({ status: 403, body: { message: 'no' } }),
    });
    await start();
    await waitFor('the first connection to go', () => ari.connections().now === 1);
    expect(ari.asked.map((url) => new URL(url, 'ws://ari').searchParams.get('app'))).toEqual([
      'zammad',
      'zammad-read-only',
    ]);
  });
  test('at an Asterisk without event filters misses nothing', async () => {
    const { start } = await rig({ '/applications/zammad/eventFilter': () => undefined });
    expect((await start()).missing).toEqual([]);
  });
});

describe('a caller', () => {
  const incoming = { type: 'ChannelCreated', channel: channel(TRUNK, 'Ring') };
  const pres = `/channels/${TRUNK}/variable?CALLERID(pres)`;
  test.each([
    ['who hides', { [pres]: () => ({ body: { value: 'prohib_not_screened' } }) }, true],
    ['who does not', { [pres]: () => ({ body: { value: 'allowed_not_screened' } }) }, false],
    [
      'whom FreePBX has made visible',
      {
        [pres]: () => ({ body: { value: 'allowed' } }),
        [`/channels/${TRUNK}/variable?CALLINGNUMPRES_SV`]: () => ({ body: { value: 'prohib' } }),
      },
      true,
    ],
    ['of whom nobody says', {}, false],
  ] as const)('%s', async (_, answers, withheld) => {
    const made = await rig(answers);
    await made.start();
    made.ari.say(incoming);
    await waitFor('the answer', () => of(made.events(), 'appeared').length >= 2);
    const said = of(made.events(), 'appeared').map((event) => event.withheld);
    expect([said[0], said.at(-1)]).toEqual(['asked', withheld]);
  });
});

describe('another program that has taken the application', () => {
  const replaced = async (answers: Answers, clock?: Clock): Promise<Rig> => {
    const made = await rig(answers, undefined, clock);
    const { lost } = await made.start();
    made.ari.say({ type: 'ApplicationReplaced' });
    expect(await lost).toMatchObject({ code: 'ZPB_ARI_REPLACED', retriable: false });
    await made.adapter.stop();
    return made;
  };
  const REFUSED = { code: 'ZPB_ARI_REPLACED', retriable: true };

  test('keeps it as long as it is there: two bridges would take it from each other without an end', async () => {
    let there = true;
    const { ari, start } = await replaced({ '/applications/zammad': () => (there ? { body: {} } : undefined) });
    for (let time = 0; time < 2; time += 1) await expect(start()).rejects.toMatchObject(REFUSED);
    expect(ari.connections().ever).toBe(1);
    there = false;
    expect((await start()).missing).toEqual([]);
    expect(ari.connections().ever).toBe(2);
  });
  test('and that an Asterisk 16 speaks of for ever: after five minutes it is taken back', async () => {
    const clock = new ManualClock();
    const { start } = await replaced({ '/applications/zammad': () => ({ body: {} }) }, clock);
    await clock.advance(299_000);
    await expect(start()).rejects.toMatchObject(REFUSED);
    await clock.advance(2_000);
    expect((await start()).missing).toEqual([]);
  });
  test('and of which nothing is known: it is connected as ever', async () => {
    const { start } = await replaced({ '/applications/zammad': () => ({ status: 500 }) });
    expect((await start()).missing).toEqual([]);
  });
});
