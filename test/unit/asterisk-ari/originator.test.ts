import { describe, expect, test } from '@jest/globals';
import { Originator } from '../../../adapters/asterisk-ari/originate/originator.js';
import type { AriReply, AriRequest } from '../../../adapters/asterisk-ari/rest-contract.js';
import { asteriskEvent } from '../../../adapters/asterisk-ari/translation.js';
import { dialSettings } from '../../../adapters/asterisk/dial-settings.js';
import type { LegId } from '../../../src/call/vocabulary.js';
import { RetriableError } from '../../../src/errors.js';
import type { OriginateOrder } from '../../../src/pbx/adapter.js';
import type { AriQuestion } from '../../support/fake-ari.js';
import { FakeFunctions } from '../../support/fake-functions.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { silent } from '../../support/whole-bridge.js';

type Answer = (request: AriRequest) => AriReply | Promise<AriReply> | Error | undefined;
const ORDER: OriginateOrder = {
  agent: { extension: '100', devices: [] },
  number: '03012345678',
  shown: 'Müller',
  ringFor: 5_000,
};
const BOTH: OriginateOrder = { ...ORDER, agent: { extension: '100', devices: ['PJSIP/a', 'PJSIP/b'] } };
const FAILED: AriReply = { status: 500, body: { error: 'Allocation failed' } };

const questionOf = ({ method, path, query = {} }: AriRequest): AriQuestion => {
  const given = Object.entries(query).map(([name, value]) => [name, String(value)] as [string, string]);
  return { method, path: `/${path.join('/')}`, query: new URLSearchParams(given), url: '', body: undefined };
};

function rig(answer: Answer = () => undefined, dial: object | 'off' = { context: 'from-internal' }) {
  const asked: AriRequest[] = [];
  const functions = new FakeFunctions(() => undefined);
  const clock = new ManualClock();
  const ours: LegId[] = [];
  let lose: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => {
    lose = resolve;
  });
  const originator = new Originator({
    app: 'zammad',
    dial: dial === 'off' ? undefined : dialSettings.parse(dial),
    name: 'office',
    clock,
    log: silent,
    markOurs: (leg) => void ours.push(leg),
    behind: (leg) => leg,
    idPrefix: 'id',
  });
  const request = (one: AriRequest): Promise<AriReply> => {
    // On a channel of its own, not about a phone.
    const told = functions.answer(questionOf(one));
    if (told === undefined) asked.push(one);
    const given = answer(one) ??
      (told && { status: told.status ?? 200, body: told.body }) ?? {
        status: one.method === 'DELETE' ? 204 : 200,
        body: {},
      };
    return given instanceof Error ? Promise.reject(given) : Promise.resolve(given);
  };
  originator.connected({ rest: { request, close: () => undefined }, lost });
  const state = (id: string, ChannelState: string): void => {
    originator.hear(asteriskEvent('Newstate', { Uniqueid: id, ChannelState }));
  };
  return {
    originator,
    asked,
    functions,
    clock,
    ours,
    lose,
    made: (id = 'id-1') => {
      state(id, '0');
    },
    rings: (id = 'id-1') => {
      state(id, '5');
    },
    taken: (id = 'id-1') => {
      state(id, '6');
    },
    ends: (cause: number, id = 'id-1', text = 'Words') => {
      originator.hear(asteriskEvent('Hangup', { Uniqueid: id, Cause: String(cause), 'Cause-txt': text }));
    },
    hungUp: () =>
      asked.filter(({ method }) => method === 'DELETE').map(({ path, query }) => [path[1], query?.['reason']]),
  };
}

test('nothing of an order that is over is kept by a connection that stands for months', async () => {
  const { originator } = rig();
  let kept = 0;
  const lost = new Promise<void>(() => undefined);
  const then = lost.then.bind(lost);
  lost.then = ((...given: Parameters<typeof then>) => {
    kept += 1;
    return then(...given);
  }) as typeof lost.then;
  const request = (): Promise<AriReply> => Promise.resolve({ status: 400, body: { message: 'no' } });
  originator.connected({ rest: { request, close: () => undefined }, lost });
  for (let n = 0; n < 5; n += 1) await originator.originate(ORDER);
  expect(kept).toBeLessThanOrEqual(1);
});

describe('a click', () => {
  test('rings the agent, who sees whom he will talk to, and then dials as himself', async () => {
    const { originator, asked, rings, taken, clock } = rig();
    const autoAnswer = { name: 'Call-Info', value: ';answer-after=0' };
    const clicked = originator.originate({ ...ORDER, autoAnswer });
    await settle();
    rings();
    taken();
    expect(await clicked).toEqual({ kind: 'done', leg: 'id-1' });
    expect(asked).toEqual([
      {
        method: 'POST',
        path: ['channels'],
        query: {
          endpoint: 'PJSIP/100',
          channelId: 'id-1',
          otherChannelId: undefined,
          formats: undefined,
          context: 'from-internal',
          extension: '03012345678',
          priority: 1,
          timeout: 7,
        },
        body: {
          variables: {
            'CONNECTEDLINE(num,i)': '03012345678',
            'CONNECTEDLINE(name,i)': 'Müller',
            'PJSIP_HEADER(add,Call-Info)': ';answer-after=0',
          },
        },
        timeout: 3_000,
      },
    ]);
    expect(clock.pending).toBe(0);
  });
  test('all his devices ring; of two that are taken at the same moment one dials, and the other shows no missed call', async () => {
    const { originator, asked, taken, ours, hungUp, ends, clock } = rig();
    const clicked = originator.originate(BOTH);
    await settle();
    expect(asked.map(({ query }) => [query?.['app'], query?.['appArgs'], query?.['context']])).toEqual([
      ['zammad', 'click', undefined],
      ['zammad', 'click', undefined],
    ]);
    taken('id-1');
    taken('id-2');
    originator.arrived('id-2');
    originator.arrived('id-1');
    expect(await clicked).toEqual({ kind: 'done', leg: 'id-2' });
    expect(asked.filter(({ path }) => path[2] === 'continue')).toEqual([
      {
        method: 'POST',
        path: ['channels', 'id-2', 'continue'],
        query: { context: 'from-internal', extension: '03012345678', priority: 1 },
        timeout: 3_000,
      },
    ]);
    expect(hungUp()).toEqual([['id-1', 'answered_elsewhere']]);
    expect(ours).toEqual(['id-1']);
    ends(26, 'id-1');
    expect(clock.pending).toBe(0);
  });
  test.each([
    ['refuses', { status: 409, body: { message: 'Channel not in Stasis' } }, 'failed', 'Channel not in Stasis'],
    ['does not answer', new RetriableError('ZPB_ARI_TIMEOUT', 'late'), 'not-heard', 'late'],
  ])('a PBX that %s to have him dial: he is hung up, and it is said', async (_, reply, why, said) => {
    const { originator, hungUp } = rig(({ path }) => (path[2] === 'continue' ? reply : undefined));
    const clicked = originator.originate(BOTH);
    await settle();
    originator.arrived('id-1');
    expect(await clicked).toMatchObject({ kind: 'refused', why, said });
    expect(hungUp().map(([id]) => id)).toEqual(['id-2', 'id-1']);
  });
  test('a phone that comes to wait for nobody is hung up', () => {
    const { originator, hungUp } = rig();
    originator.arrived('id-7');
    expect(hungUp()).toEqual([['id-7', 'normal']]);
  });
  test.each([
    [17, 'busy'],
    [21, 'declined'],
    [20, 'not-registered'],
    [1, 'unknown-extension'],
    [38, 'failed'],
  ])('a phone that ends with cause %i: %s, and the PBX’s own words', async (cause, why) => {
    const { originator, rings, ends } = rig();
    const clicked = originator.originate(ORDER);
    await settle();
    rings();
    ends(cause);
    expect(await clicked).toMatchObject({ kind: 'refused', why, said: `Words (${cause})` });
  });
  test('one device declines, the other rings on', async () => {
    const { originator, ends, rings, taken } = rig();
    const clicked = originator.originate(BOTH);
    await settle();
    ends(21, 'id-1');
    rings('id-2');
    taken('id-2');
    originator.arrived('id-2');
    expect(await clicked).toMatchObject({ kind: 'done' });
  });
  test('rings in vain: it is hung up when its time is up', async () => {
    const { originator, rings, clock, hungUp } = rig();
    const clicked = originator.originate(ORDER);
    await settle();
    rings();
    await clock.advance(5_000);
    expect(await clicked).toMatchObject({ kind: 'refused', why: 'no-answer' });
    expect(hungUp()).toEqual([['id-1', 'normal']]);
  });
  test('a phone that gives no sign at all is taken to be off', async () => {
    const { originator, clock, made } = rig();
    const clicked = originator.originate(ORDER);
    await settle();
    made();
    await clock.advance(5_000);
    expect(await clicked).toMatchObject({ why: 'not-registered' });
  });
});

describe('an endpoint with several contacts', () => {
  const two = ['sip:100@desk', 'sip:100@soft'];
  const rung = (asked: readonly AriRequest[]) =>
    asked.filter(({ path }) => path.join() === 'channels').map(({ query }) => [query?.['endpoint'], query?.['app']]);

  test('has each rung, and the one that is taken dials', async () => {
    const { originator, asked, functions, taken, hungUp, clock } = rig();
    functions.contacts.set('100', two);
    const clicked = originator.originate(ORDER);
    await settle();
    expect(rung(asked)).toEqual([
      ['PJSIP/100/sip:100@desk', 'zammad'],
      ['PJSIP/100/sip:100@soft', 'zammad'],
    ]);
    taken('id-2');
    originator.arrived('id-2');
    expect(await clicked).toEqual({ kind: 'done', leg: 'id-2' });
    expect(hungUp()).toEqual([['id-1', 'answered_elsewhere']]);
    expect(functions.asking.size).toBe(0);
    expect(clock.pending).toBe(1);
  });
  test('one question for all devices, and five phones at most', async () => {
    const { originator, asked, functions, clock } = rig();
    functions.contacts.set('a', two);
    functions.contacts.set('b', [...two, 'sip:3', 'sip:4']);
    const clicked = originator.originate({
      ...BOTH,
      agent: { extension: '100', devices: ['PJSIP/a', 'SIP/c', 'PJSIP/b'] },
    });
    await settle();
    expect(rung(asked).map(([phone]) => phone)).toEqual([
      'PJSIP/a/sip:100@desk',
      'PJSIP/a/sip:100@soft',
      'SIP/c',
      'PJSIP/b/sip:100@desk',
      'PJSIP/b/sip:100@soft',
    ]);
    expect(functions.asked).toBe(1);
    await clock.advance(5_000);
    await clicked;
  });
  test.each([
    ['one contact', ['sip:100@desk']],
    ['none', ['']],
    ['another endpoint’s', ['&PJSIP/200/sip:200@desk']],
  ])('%s: the phone is rung as it is', async (_, contacts) => {
    const { originator, asked, functions, taken } = rig();
    functions.contacts.set('100', contacts);
    const clicked = originator.originate(ORDER);
    await settle();
    taken();
    expect(await clicked).toMatchObject({ kind: 'done' });
    expect(rung(asked)).toEqual([['PJSIP/100', undefined]]);
  });
  test.each([
    ['refuses a channel to ask on', { status: 403, body: { message: 'no' } }],
    ['breaks off', new RetriableError('ZPB_ARI_TIMEOUT', 'late')],
  ])('a PBX that %s: as it is', async (_, reply) => {
    const { originator, asked, taken } = rig(({ path }) => (path[1] === 'create' ? reply : undefined));
    const clicked = originator.originate(ORDER);
    await settle();
    taken();
    expect(await clicked).toMatchObject({ kind: 'done' });
    expect(rung(asked)).toEqual([['PJSIP/100', undefined]]);
  });
  test('a PBX that does not say it: as it is, a second later', async () => {
    const { originator, asked, taken, clock } = rig(({ path }) =>
      path[1] === 'create' ? new Promise<AriReply>(() => undefined) : undefined,
    );
    const clicked = originator.originate(ORDER);
    await clock.advance(999);
    expect(rung(asked)).toEqual([]);
    await clock.advance(1);
    taken();
    expect(await clicked).toMatchObject({ kind: 'done' });
    expect(rung(asked)).toEqual([['PJSIP/100', undefined]]);
  });
  test.each(['broken', 'ended'])('nobody is rung when the connection has %s meanwhile', async (how) => {
    let create: (reply: AriReply) => void = () => undefined;
    const { originator, asked, lose, clock } = rig(({ path }) =>
      path[1] === 'create' ? new Promise<AriReply>((resolve) => (create = resolve)) : undefined,
    );
    const clicked = originator.originate(ORDER);
    await settle();
    if (how === 'broken') lose();
    else await originator.end();
    create({ status: 200, body: {} });
    expect(await clicked).toMatchObject({ kind: 'refused', why: 'not-heard' });
    expect(rung(asked)).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe('the PBX does not ring the phone', () => {
  test.each([
    ['is not registered', { status: 200, body: { state: 'offline' } }, 'not-registered'],
    ['does not exist', { status: 404, body: { message: 'Endpoint not found' } }, 'unknown-extension'],
    ['seems to be well', { status: 200, body: { state: 'online' } }, 'failed'],
  ])('which %s', async (_, endpoint, why) => {
    const { originator, asked } = rig(({ method, path }) =>
      method === 'POST' ? FAILED : path[0] === 'endpoints' ? endpoint : undefined,
    );
    expect(await originator.originate(ORDER)).toMatchObject({ kind: 'refused', why });
    expect(asked[1]?.path).toEqual(['endpoints', 'PJSIP', '100']);
  });
  test('because the login may not', async () => {
    const { originator } = rig(() => ({ status: 403, body: { message: 'no' } }));
    const outcome = await originator.originate(ORDER);
    expect(outcome).toMatchObject({ why: 'not-allowed', said: 'no' });
    expect(JSON.stringify(outcome)).toContain('read_only = no');
  });
  test('and does not answer: should it ring later, it is hung up', async () => {
    const { originator, hungUp, rings, clock } = rig(({ method }) =>
      method === 'POST' ? new RetriableError('ZPB_ARI_TIMEOUT', 'late') : undefined,
    );
    expect(await originator.originate(ORDER)).toMatchObject({ why: 'not-heard', said: 'late' });
    rings();
    expect(hungUp()).toEqual([
      ['id-1', 'normal'],
      ['id-1', 'normal'],
    ]);
    rings();
    expect(hungUp()).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
  test('because the connection breaks', async () => {
    const { originator, lose, hungUp } = rig();
    const clicked = originator.originate(ORDER);
    await settle();
    lose();
    expect(await clicked).toMatchObject({ why: 'not-heard' });
    expect(hungUp()).toEqual([]);
  });
  test('because it is not connected', async () => {
    const { originator, clock } = rig();
    await originator.end();
    expect(await originator.originate(ORDER)).toMatchObject({ why: 'not-heard' });
    expect(clock.pending).toBe(0);
  });
  test('because nobody has set it up', async () => {
    const { originator } = rig(undefined, 'off');
    expect(await originator.originate(ORDER)).toMatchObject({ kind: 'refused' });
  });
  test('while it rings already', async () => {
    const { originator, ends } = rig();
    const first = originator.originate(ORDER);
    expect(await originator.originate(ORDER)).toMatchObject({ why: 'busy' });
    await settle();
    ends(17);
    await first;
  });
});

test('at the end it is waited for that no phone rings in vain, but not for long', async () => {
  let answerDelete: (reply: AriReply) => void = () => undefined;
  const { originator, clock, rings } = rig(({ method }) =>
    method === 'DELETE' ? new Promise<AriReply>((resolve) => (answerDelete = resolve)) : undefined,
  );
  const clicked = originator.originate(ORDER);
  await settle();
  rings();
  await clock.advance(5_000);
  await clicked;
  let ended = false;
  const end = originator.end().then(() => (ended = true));
  await settle();
  expect(ended).toBe(false);
  answerDelete({ status: 204, body: undefined });
  await end;
  expect(clock.pending).toBe(0);
});

test('a Local channel has two ids, a format that phones understand, and a caller', async () => {
  const { originator, asked, taken } = rig(undefined, {
    context: 'from-internal',
    phone: 'Local/{extension}@ring-agents',
  });
  const clicked = originator.originate(ORDER);
  await settle();
  expect(asked[0]?.query).toMatchObject({
    endpoint: 'Local/100@ring-agents',
    otherChannelId: 'id-1-b',
    formats: 'slin',
  });
  expect(asked[0]?.body).toMatchObject({ variables: { 'CALLERID(num)': '100' } });
  taken();
  await clicked;
});
