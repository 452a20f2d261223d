/** What the adapter asks of the PBX besides hearing it: trunks, the snapshot, single channels, orders. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { asLegId } from '../../../src/call/vocabulary.js';
import { systemClock } from '../../../src/clock.js';
import { canHangUp, type Hearing } from '../../../src/pbx/adapter.js';
import { type AdapterRig, adapterRig, type Answers, closeAdapterRigs } from '../../support/adapter-rig.js';
import { encode, type Headers } from '../../support/fake-ami.js';
import { waitFor } from '../../support/wait-for.js';

afterEach(closeAdapterRigs);

async function connect(
  answers: Answers,
  settings: object = { trunks: ['trunk'] },
): Promise<AdapterRig & { readonly hearing: Hearing }> {
  const rig = await adapterRig(answers, settings, systemClock);
  return { ...rig, hearing: await rig.start() };
}

const customer = (extra: Headers = []): string =>
  encode([
    ['Event', 'Newchannel'],
    ['Channel', 'PJSIP/trunk-00000001'],
    ['ChannelState', '4'],
    ['CallerIDNum', '+4930123456'],
    ['Exten', '+4930555100'],
    ['Uniqueid', '1.1'],
    ['Linkedid', '1.1'],
    ...extra,
  ]);

describe('trunks', () => {
  test('that are not configured and may not be asked for are missing, and nothing is guessed', async () => {
    const { hearing, asterisk, events } = await connect({}, {});
    expect(hearing.missing.join()).toMatch(/trunks: \[NAME\] of PBX pbx.*write=system/);
    asterisk.broadcast(customer());
    await waitFor('the channel', () => events.some(({ type }) => type === 'appeared'));
    expect(events.find(({ type }) => type === 'appeared')).toMatchObject({ line: { kind: 'agent' } });
  });

  test('are found by what Asterisk says of its endpoints', async () => {
    const endpoint = (name: string, auths: string, outbound: string): Headers => [
      ['Event', 'EndpointList'],
      ['ObjectName', name],
      ['Auths', auths],
      ['OutboundAuths', outbound],
    ];
    const { hearing, asterisk, events } = await connect(
      {
        pjsipshowendpoints: () => ({
          items: [
            endpoint('100', '100', ''),
            endpoint('provider', '', 'provider'),
            endpoint('trunk', '', ''),
            endpoint('door', '', ''),
          ],
          complete: 'EndpointListComplete',
        }),
        pjsipshowendpoint: (action) => ({
          items:
            action.get('endpoint') === 'trunk'
              ? [
                  [['Event', 'EndpointDetail']],
                  [
                    ['Event', 'IdentifyDetail'],
                    ['ObjectName', 'trunk'],
                  ],
                ]
              : [[['Event', 'EndpointDetail']]],
          complete: 'EndpointDetailComplete',
        }),
      },
      {},
    );
    expect(hearing.missing).toEqual([]);
    asterisk.broadcast(customer());
    asterisk.broadcast(
      encode([
        ['Event', 'Newchannel'],
        ['Channel', 'PJSIP/door-00000002'],
        ['ChannelState', '4'],
        ['Exten', '100'],
        ['Uniqueid', '1.2'],
      ]),
    );
    const lines = (): Map<string, string> =>
      new Map(events.flatMap((event) => (event.type === 'appeared' ? [[event.leg, event.line.kind] as const] : [])));
    await waitFor('both channels', () => lines().size === 2);
    expect(Object.fromEntries(lines())).toEqual({ '1.1': 'trunk', '1.2': 'agent' });
  });
});

describe('the snapshot', () => {
  test('refused: the PBX is heard, what is missing is said, nothing is closed', async () => {
    const { hearing, events } = await connect({ status: () => undefined });
    expect(hearing.missing.join()).toMatch(/calls in progress cannot be taken up.*write=call/);
    expect(events.some(({ type }) => type === 'snapshot')).toBe(false);
  });

  test.each(['cancelled', 'too short'])('%s: nothing is concluded from it', async (fault) => {
    const { hearing, events } = await connect({
      status: () => ({
        items: [],
        complete: 'StatusComplete',
        ...(fault === 'cancelled' ? { cancelled: true } : { listItems: 3 }),
      }),
    });
    expect(hearing.missing).toHaveLength(1);
    expect(events).toEqual([]);
  });

  test('a call that ends while it is taken is over', async () => {
    const item: Headers = [
      ['Event', 'Status'],
      ['Channel', 'PJSIP/trunk-00000001'],
      ['ChannelState', '6'],
      ['CallerIDNum', '+4930123456'],
      ['Uniqueid', '1.1'],
      ['Linkedid', '1.1'],
      ['DNID', '+4930555100'],
      ['BridgeID', ''],
      ['Application', 'Queue'],
      ['Data', 'support,t'],
    ];
    const { events } = await connect({
      status: () => ({
        items: [item],
        complete: 'StatusComplete',
        between: encode([
          ['Event', 'Hangup'],
          ['Channel', 'PJSIP/trunk-00000001'],
          ['Uniqueid', '1.1'],
          ['Cause', '16'],
        ]),
      }),
    });
    expect(events).toEqual([
      { type: 'ended', leg: '1.1', q850: 16, by: 'pbx' },
      { type: 'snapshot', legs: [] },
    ]);
  });
});

describe('about single channels', () => {
  test('a number that is withheld is found out by asking', async () => {
    const { asterisk, events } = await connect({
      getvar: (action) =>
        action.get('variable') === 'CALLERID(pres)'
          ? [
              ['Variable', 'CALLERID(pres)'],
              ['Value', 'prohib_not_screened'],
            ]
          : undefined,
    });
    asterisk.broadcast(customer());
    const last = await waitFor('the answer', () =>
      events.find((event) => event.type === 'appeared' && event.withheld === true),
    );
    expect(last).toMatchObject({ leg: '1.1', from: '+4930123456' });
  });

  test('voicemail is known by asking what answers a customer whom nobody hears', async () => {
    const { asterisk, events } = await connect({
      status: (action) => ({
        items:
          action.get('channel') === ''
            ? []
            : [
                [
                  ['Event', 'Status'],
                  ['Channel', action.get('channel')],
                  ['Application', 'VoiceMail'],
                  ['Uniqueid', '1.1'],
                ],
              ],
        complete: 'StatusComplete',
      }),
    });
    asterisk.broadcast(
      customer() +
        encode([
          ['Event', 'Newstate'],
          ['Channel', 'PJSIP/trunk-00000001'],
          ['ChannelState', '6'],
          ['Uniqueid', '1.1'],
        ]),
    );
    expect(await waitFor('voicemail', () => events.find(({ type }) => type === 'recorder'))).toEqual({
      type: 'recorder',
      leg: '1.1',
      kind: 'voicemail',
    });
  });
});

describe('an order to hang up', () => {
  test.each([
    [
      [
        ['Response', 'Success'],
        ['Message', 'Channel Hungup'],
      ] as Headers,
      { kind: 'done' },
    ],
    [
      [
        ['Response', 'Error'],
        ['Message', 'No such channel'],
      ] as Headers,
      { kind: 'gone' },
    ],
    [
      [
        ['Response', 'Error'],
        ['Message', 'Permission denied'],
      ] as Headers,
      { kind: 'refused', reason: 'Permission denied' },
    ],
  ])('%j', async (answer, outcome) => {
    const { asterisk, adapter, events } = await connect({ hangup: () => answer });
    asterisk.broadcast(customer());
    await waitFor('the channel', () => events.some(({ type }) => type === 'appeared'));
    if (!canHangUp(adapter)) throw new Error('the adapter cannot hang up');
    expect(await adapter.hangUp(asLegId('1.1'), 17)).toEqual(outcome);
    expect(asterisk.actions.find(({ name }) => name === 'hangup')?.get('channel')).toBe('PJSIP/trunk-00000001');
  });

  test('the end that follows is ours', async () => {
    const { asterisk, adapter, events } = await connect({ hangup: () => [['Response', 'Success']] });
    asterisk.broadcast(customer());
    await waitFor('the channel', () => events.some(({ type }) => type === 'appeared'));
    if (canHangUp(adapter)) await adapter.hangUp(asLegId('1.1'), 17);
    asterisk.broadcast(
      encode([
        ['Event', 'Hangup'],
        ['Channel', 'PJSIP/trunk-00000001'],
        ['Uniqueid', '1.1'],
        ['Cause', '17'],
      ]),
    );
    expect(await waitFor('its end', () => events.find(({ type }) => type === 'ended'))).toMatchObject({
      by: 'us',
      q850: 17,
    });
  });
});
