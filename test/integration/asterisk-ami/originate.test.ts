/** Click-to-call over a real socket: what is asked of Asterisk, and what is made of what it says. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock, type Clock } from '../../../src/clock.js';
import { canOriginate, type OriginateOrder, type OriginateOutcome } from '../../../src/pbx/adapter.js';
import { type AdapterRig, adapterRig, type Answers, closeAdapterRigs } from '../../support/adapter-rig.js';
import { encode, type Headers, type ReceivedAction } from '../../support/fake-ami.js';
import { ManualClock } from '../../support/manual-clock.js';
import { originateRecordings } from '../../support/originate-recordings.js';
import { waitFor } from '../../support/wait-for.js';

afterEach(closeAdapterRigs);

const SETTINGS = { trunks: ['trunk'], dial: { context: 'from-internal' } };
const QUEUED: Headers = [['Message', 'Originate successfully queued']];
const refusedWith = (message: string): Headers => [
  ['Response', 'Error'],
  ['Message', message],
];
const HUNG_UP: Headers = [['Message', 'Channel Hungup']];
const REDIRECTED: Headers = [['Message', 'Redirect successful']];

const ORDER: OriginateOrder = {
  agent: { extension: '100', devices: [] },
  number: '03012345678',
  shown: 'Max Mustermann',
  ringFor: 20_000,
};

interface Rig extends AdapterRig {
  readonly order: (more?: Partial<OriginateOrder>) => Promise<OriginateOutcome>;
  /** Actions of this name so far. */
  readonly asked: (name: string) => readonly ReceivedAction[];
  /** The next Originate, once it has come; `nth` from 1. */
  readonly originate: (nth?: number) => Promise<ReceivedAction>;
}

/** A connected adapter; `values`: what Getvar answers. */
async function connect(
  answers: Answers = {},
  options: {
    readonly settings?: object;
    readonly values?: Readonly<Record<string, string>>;
    readonly clock?: Clock;
  } = {},
): Promise<Rig> {
  const { settings = SETTINGS, values = {}, clock = systemClock } = options;
  const rig = await adapterRig(
    {
      originate: () => QUEUED,
      hangup: () => HUNG_UP,
      redirect: () => REDIRECTED,
      getvar: (action) => [['Value', values[action.get('variable')] ?? '']],
      ...answers,
    },
    settings,
    clock,
  );
  const { adapter, asterisk } = rig;
  if (!canOriginate(adapter)) throw new Error('it cannot originate');
  const asked = (name: string): readonly ReceivedAction[] => asterisk.actions.filter((action) => action.name === name);
  await rig.start();
  return {
    ...rig,
    asked,
    order: (more = {}) => adapter.originate({ ...ORDER, ...more }),
    originate: (nth = 1) => waitFor(`Originate ${nth}`, () => asked('originate')[nth - 1]),
  };
}

const event = (name: string, id: string, more: Headers = []): string =>
  encode([['Event', name], ['Channel', 'PJSIP/100-00000001'], ['Uniqueid', id], ...more]);
const answered = (id: string, success: boolean, reason = success ? '4' : '0'): string =>
  encode([
    ['Event', 'OriginateResponse'],
    ['Response', success ? 'Success' : 'Failure'],
    ['Channel', 'PJSIP/100'],
    ['Reason', reason],
    ['Uniqueid', id],
  ]);

describe.each(['22', '16'] as const)('what Asterisk %s said, recorded', (series) => {
  const recordings = originateRecordings(series);
  const techCause = (text: string): string => (series === '22' ? text : text.replace(/, SIP \d+$/, ''));
  test.each([
    ['busy', 'busy', 'extension 100 is busy', 'User busy (17), SIP 486'],
    ['declined', 'declined', 'extension 100 declined the call', 'Call Rejected (21), SIP 603'],
    ['do-not-disturb', 'declined', /takes no calls now: do not disturb/, 'User alerting, no answer (19), SIP 480'],
    [
      'wrong-user',
      'unknown-extension',
      /says that this number is unknown/,
      'Unallocated (unassigned) number (1), SIP 404',
    ],
    ['broken-phone', 'failed', /the call to PJSIP\/100 .* failed/, 'Network out of order (38), SIP 500'],
    ['no-answer', 'no-answer', 'extension 100 did not answer', 'time-out'],
    ['not-registered', 'not-registered', 'extension 100 is not registered (PJSIP/100)', 'UNAVAILABLE'],
    ['unplugged', 'not-registered', /gives no sign .* switched off/, 'time-out'],
    ['unknown-extension', 'unknown-extension', /knows no phone PJSIP\/100/, 'INVALID'],
  ])('%s', async (scenario, why, reason, said) => {
    const values = { 'DEVICE_STATE(PJSIP/100)': scenario === 'not-registered' ? 'UNAVAILABLE' : 'INVALID' };
    const { order, originate, asterisk } = await connect({}, { values });
    const outcome = order();
    const id = (await originate()).get('channelid');
    for (const text of recordings.get(scenario) ?? []) asterisk.broadcast(text.replaceAll('{1}', id));
    expect(await outcome).toEqual({
      kind: 'refused',
      why,
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
      said: techCause(said),
    });
  });

  test('taken', async () => {
    const { order, originate, asterisk, events } = await connect();
    const outcome = order();
    const id = (await originate()).get('channelid');
    for (const text of recordings.get('taken') ?? []) asterisk.broadcast(text.replaceAll('{1}', id));
    expect(await outcome).toEqual({ kind: 'done', leg: id });
    await waitFor('the leg', () => events.some((one) => one.type === 'appeared' && one.leg === id));
  });

  test('two phones: the other one is hung up as answered elsewhere', async () => {
    const contacts = 'PJSIP/100/sip:100@127.0.0.1:5060&PJSIP/100/sip:1001@127.0.0.1:5060';
    const { order, originate, asterisk, asked } = await connect(
      {},
      { values: { 'PJSIP_DIAL_CONTACTS(100)': contacts } },
    );
    const outcome = order({ autoAnswer: { name: 'Call-Info', value: ';answer-after=0' } });
    const [one, other] = [await originate(1), await originate(2)];
    const heard = recordings.get('two-contacts') ?? [];
    const upTo = heard.findIndex((text) => text.includes('OriginateResponse')) + 1;
    for (const text of heard.slice(0, upTo))
      asterisk.broadcast(text.replaceAll('{1}', one.get('channelid')).replaceAll('{2}', other.get('channelid')));
    expect(await outcome).toEqual({ kind: 'done', leg: other.get('channelid') });
    const [hangup] = await waitFor('the hangup', () => asked('hangup').length > 0 && asked('hangup'));
    expect([hangup?.get('channel'), hangup?.get('cause')]).toEqual([expect.stringContaining('PJSIP/109-'), '26']);
    expect([one, other].map((action) => action.get('channel'))).toEqual(contacts.split('&'));
    // Would both take it by themselves, both would dial.
    expect(
      [one, other].map((action) => action.all('variable').some((text) => text.startsWith('PJSIP_HEADER'))),
    ).toEqual([true, false]);
  });

  test('a Local channel: the leg is the phone behind it', async () => {
    const settings = { ...SETTINGS, dial: { context: 'from-internal', phone: 'Local/{extension}@ring-agents' } };
    const { order, originate, asterisk, events } = await connect({}, { settings });
    const outcome = order();
    const action = await originate();
    const id = action.get('channelid');
    expect([action.get('channel'), action.get('otherchannelid')]).toEqual(['Local/100@ring-agents', `${id}-b`]);
    for (const text of recordings.get('local') ?? []) {
      if (!text.startsWith('Event: Hangup')) asterisk.broadcast(text.replaceAll('{1}', id));
    }
    const { leg } = (await outcome) as Extract<OriginateOutcome, { kind: 'done' }>;
    expect(events.find((one) => one.type === 'appeared' && one.leg === leg)).toMatchObject({
      line: { kind: 'agent', extension: '100' },
    });
  });
});

describe('the order', () => {
  test('dials as the agent would: his phone shows the customer, his caller id stays', async () => {
    const { order, originate } = await connect();
    void order({ shown: 'Müller, "M" \\ (x)', autoAnswer: { name: 'Call-Info', value: '<sip:x>;answer-after=0' } });
    const action = await originate();
    const value = (name: string): string => action.get(name);
    expect(['channel', 'context', 'exten', 'priority', 'timeout', 'async', 'callerid'].map(value)).toEqual([
      'PJSIP/100',
      'from-internal',
      '03012345678',
      '1',
      '20000',
      'true',
      '',
    ]);
    expect(action.all('variable')).toEqual([
      'CONNECTEDLINE(num,i)=03012345678',
      'CONNECTEDLINE(name,i)=Müller\\, \\"M\\" \\\\ \\(x\\)',
      'PJSIP_HEADER(add,Call-Info)=<sip:x>;answer-after=0',
    ]);
  });

  test('ids are never the same, also of another adapter', async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => {
        const { order, originate } = await connect();
        void order();
        void order({ agent: { extension: '101', devices: ['PJSIP/bob'] } });
        return [(await originate(1)).get('channelid'), (await originate(2)).get('channelid')];
      }),
    );
    expect(new Set(ids.flat()).size).toBe(4);
  });

  test.each([
    ['a line break in the number', { number: '0301\r\nAction: Command' }, /digits/],
    ['a letter in the number', { number: '0301a' }, /digits/],
    ['no number', { number: '' }, /digits/],
    ['two phones in one', { agent: { extension: '100', devices: ['PJSIP/a&PJSIP/b'] } }, /device/],
    ['a line break in a device', { agent: { extension: '100', devices: ['PJSIP/a\r\nX: y'] } }, /device/],
    ['an extension that is none', { agent: { extension: '1)&x', devices: [] } }, /extension/],
    ['a header name that is none', { autoAnswer: { name: 'X)=1,Y', value: '1' } }, /header/],
    ['a line break in a header', { autoAnswer: { name: 'X', value: '1\r\nY: 2' } }, /header/],
  ])('%s is never sent', async (_what, more, reason) => {
    const { order, asterisk } = await connect();
    const before = asterisk.actions.length;
    expect(await order(more)).toMatchObject({ kind: 'refused', why: 'failed', reason: expect.stringMatching(reason) });
    expect(asterisk.actions).toHaveLength(before);
  });

  test('a line break in what is shown is a space', async () => {
    const { order, originate } = await connect();
    void order({ shown: 'Max\r\nExten: 0900' });
    expect((await originate()).all('variable')).toContain('CONNECTEDLINE(name,i)=Max Exten: 0900');
  });
});

describe('several phones', () => {
  const TWO = { agent: { extension: '100', devices: ['PJSIP/a', 'PJSIP/b'] } };
  const upAt = (action: ReceivedAction): string =>
    encode([
      ['Event', 'Newstate'],
      ['Channel', `${action.get('channel')}-00000001`],
      ['Uniqueid', action.get('channelid')],
      ['ChannelState', '6'],
    ]) + answered(action.get('channelid'), true);

  test('taken at the same moment: they wait, and only one of them is put through', async () => {
    const { order, originate, asterisk, asked } = await connect();
    const outcome = order(TWO);
    const phones = [await originate(1), await originate(2)];
    expect(phones.map((action) => ['application', 'data', 'context', 'exten'].map((name) => action.get(name)))).toEqual(
      [
        ['Wait', '10', '', ''],
        ['Wait', '10', '', ''],
      ],
    );
    asterisk.broadcast(phones.map(upAt).join(''));
    expect(await outcome).toEqual({ kind: 'done', leg: phones[0]?.get('channelid') });
    const redirects = asked('redirect').map((action) =>
      ['channel', 'context', 'exten', 'priority'].map((name) => action.get(name)),
    );
    expect(redirects).toEqual([['PJSIP/a-00000001', 'from-internal', '03012345678', '1']]);
    const hangup = await waitFor('the hangup', () => asked('hangup')[0]);
    expect([hangup.get('channel'), hangup.get('cause')]).toEqual(['PJSIP/b-00000001', '26']);
  });

  test.each([
    ['Permission denied', 'not-allowed', /write=call.*restart the bridge/],
    ['Channel does not exist: PJSIP/a-00000001', 'failed', /took the call, but the PBX pbx did not dial/],
  ])('the one that was taken is not put through (%s): it is hung up, and why is said', async (said, why, reason) => {
    const { order, originate, asterisk, asked } = await connect({ redirect: () => refusedWith(said) });
    const outcome = order(TWO);
    const phones = [await originate(1), await originate(2)];
    asterisk.broadcast(upAt(phones[0]!));
    expect(await outcome).toEqual({ kind: 'refused', why, reason: expect.stringMatching(reason), said });
    await waitFor('the hangup', () => asked('hangup').some((one) => one.get('channel') === 'PJSIP/a-00000001'));
  });

  test('the redirection is not answered: it is hung up', async () => {
    const clock = new ManualClock();
    const { order, originate, asterisk, asked } = await connect({ redirect: () => 'ignore' }, { clock });
    const outcome = order(TWO);
    const phones = [await originate(1), await originate(2)];
    asterisk.broadcast(upAt(phones[1]!));
    await waitFor('the redirection', () => asked('redirect')[0]);
    clock.turn(3_000);
    expect(await outcome).toMatchObject({ why: 'not-heard', said: expect.stringContaining('did not answer') });
    await waitFor('the hangup', () => asked('hangup').some((one) => one.get('channel') === 'PJSIP/b-00000001'));
  });

  test('the connection breaks: nobody is put through, and it is said so', async () => {
    const { order, originate, asterisk } = await connect();
    const outcome = order(TWO);
    await originate(2);
    for (const connection of asterisk.open) connection.destroy();
    expect(await outcome).toMatchObject({ why: 'not-heard', reason: expect.stringContaining('is not put through') });
  });

  test('none rings for a number that the dialplan lacks', async () => {
    const values = { 'DIALPLAN_EXISTS(from-internal,03012345678,1)': '0' };
    const { order, asked } = await connect({}, { values });
    expect(await order(TWO)).toMatchObject({ why: 'failed', reason: expect.stringMatching(/no 03012345678 in/) });
    expect(asked('originate')).toEqual([]);
  });
});

describe('what stands in the way', () => {
  test('nobody has set it up', async () => {
    const { order, asterisk } = await connect({}, { settings: { trunks: ['trunk'] } });
    expect(await order()).toMatchObject({ why: 'not-allowed', reason: expect.stringContaining('dial: { context') });
    expect(asterisk.actions.some(({ name }) => name === 'originate')).toBe(false);
  });

  test('the login may not', async () => {
    const rights: Headers = [
      ['ListCommands', 'List available manager commands.  (Priv: <none>)'],
      ['Setvar', 'Sets a channel variable or function value.  (Priv: call,all)'],
    ];
    const rig = await adapterRig({ listcommands: () => rights, originate: () => undefined }, SETTINGS, systemClock);
    const hearing = await rig.start();
    expect(hearing.missing).toEqual([expect.stringContaining('write=originate')]);
    const { adapter } = rig;
    expect(canOriginate(adapter) && (await adapter.originate(ORDER))).toMatchObject({
      why: 'not-allowed',
      reason: expect.stringMatching(/write=originate.*restart the bridge/),
      said: 'Permission denied',
    });
  });

  test('the dialplan has no such number', async () => {
    const { order } = await connect({ originate: () => refusedWith('Extension does not exist.') });
    expect(await order()).toMatchObject({
      why: 'failed',
      reason: expect.stringMatching(/no 03012345678 in the context from-internal/),
    });
  });

  test('the agent is being rung already', async () => {
    const { order, originate, asterisk, asked } = await connect();
    const first = order();
    const id = (await originate()).get('channelid');
    expect(await order({ number: '0171' })).toMatchObject({ why: 'busy', reason: expect.stringContaining('already') });
    asterisk.broadcast(answered(id, true));
    expect(await first).toMatchObject({ kind: 'done' });
    expect(asked('originate')).toHaveLength(1);
    // When that is over he may be rung again.
    void order();
    await originate(2);
  });

  test('the connection breaks while the phone rings; the next order says so at once', async () => {
    const { order, originate, asterisk } = await connect();
    const outcome = order();
    const id = (await originate()).get('channelid');
    asterisk.broadcast(event('Newstate', id, [['ChannelState', '5']]));
    for (const connection of asterisk.open) connection.destroy();
    expect(await outcome).toMatchObject({ why: 'not-heard', reason: expect.stringContaining('broke') });
    expect(await order()).toMatchObject({ why: 'not-heard', reason: expect.stringContaining('not connected') });
  });

  test('the adapter stops while the phone rings', async () => {
    const { order, originate, adapter } = await connect();
    const outcome = order();
    await originate();
    await adapter.stop();
    expect(await outcome).toMatchObject({ why: 'not-heard' });
  });

  test('Asterisk does not answer the order: a phone that rings all the same is hung up', async () => {
    const clock = new ManualClock();
    const { order, originate, asterisk, asked } = await connect({ originate: () => 'ignore' }, { clock });
    const outcome = order();
    const id = (await originate()).get('channelid');
    clock.turn(3_000);
    expect(await outcome).toMatchObject({ why: 'not-heard', said: expect.stringContaining('did not answer') });
    asterisk.broadcast(event('Newchannel', id, [['ChannelState', '0']]));
    const hangup = await waitFor('the hangup', () => asked('hangup')[0]);
    expect(hangup.get('channel')).toBe('PJSIP/100-00000001');
  });

  test('Asterisk never says how it came out: after the time the phone is hung up', async () => {
    const clock = new ManualClock();
    const { order, originate, asterisk, asked, events } = await connect({}, { clock });
    const outcome = order({ ringFor: 1_000 });
    const id = (await originate()).get('channelid');
    asterisk.broadcast(event('Newchannel', id, [['ChannelState', '0']]));
    asterisk.broadcast(
      event('DialBegin', '', [
        ['DestUniqueid', id],
        ['DialString', '100'],
      ]),
    );
    asterisk.broadcast(event('Newstate', id, [['ChannelState', '5']]));
    await waitFor('the leg', () => events.some((one) => one.type === 'called'));
    clock.turn(6_000);
    expect(await outcome).toMatchObject({ why: 'no-answer' });
    expect((await waitFor('the hangup', () => asked('hangup')[0])).get('channel')).toBe('PJSIP/100-00000001');
    // He may be rung again.
    void order();
    await originate(2);
  });

  test('half of what tells the outcome is enough, after a moment', async () => {
    const clock = new ManualClock();
    const { order, originate, asterisk, events } = await connect({}, { clock });
    const outcome = order();
    const id = (await originate()).get('channelid');
    asterisk.broadcast(event('Newchannel', id, [['ChannelState', '0']]));
    asterisk.broadcast(event('Newstate', id, [['ChannelState', '6']]));
    asterisk.broadcast(event('Hangup', id, [['Cause', '21']]));
    await waitFor('the end of the leg', () => events.some((one) => one.type === 'ended'));
    clock.turn(500);
    expect(await outcome).toMatchObject({ why: 'declined' });
  });
});
