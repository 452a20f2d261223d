/** What a Zammad answers, and what calls bring along, through the whole program: nothing of it becomes an order, and no call waits for it. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { FaultInput } from '../../src/stand-in/fault-rules.js';
import { HostileSite } from '../support/hostile-site.js';
import type { StasisOutcome } from '../support/stasis-caller.js';
import { waitFor, within } from '../support/wait-for.js';

let site: HostileSite;
beforeAll(async () => {
  site = await HostileSite.start();
}, 30_000);
afterEach(() => {
  site.zammad.faults.clear();
  site.zammad.change({ routingTable: [], callerIdKey: 'caller_id' });
});
afterAll(async () => {
  await site.close();
}, 30_000);

let nth = 0;
const nextId = (): string => `1700000000.${(nth += 1)}`;
/** With a name short enough to be one. */
const named = (text: string): [name: string, text: string] => [JSON.stringify(text.slice(0, 40)), text];
const channelOf = (device: string): string => `PJSIP/${device}-${nth.toString(16).padStart(8, '0')}`;

/** What the dialplan finds when agent 100 calls out. */
async function agentByAgi(): Promise<Readonly<Record<string, string>>> {
  const fields = { uniqueid: nextId(), channel: channelOf('100'), callerid: '100', dnid: 'unknown', extension: 's' };
  return Object.fromEntries(await site.asksByAgi({ address: 'agi://127.0.0.1/gate?number=03012345678', fields }));
}
async function agentByStasis(): Promise<Readonly<Record<string, string>>> {
  const call = site.stasis.call({
    id: nextId(),
    channel: channelOf('101'),
    from: '101',
    dialled: 's',
    args: ['number=03012345678'],
  });
  const { how, set } = await within(5_000, 'the call to go on', call);
  expect(how).toBe('continue');
  return Object.fromEntries(set);
}

describe('the caller id that Zammad names', () => {
  test.each(
    [
      '49305550777\r\nX-Evil: 1',
      '49305550777\nAction: Logoff',
      '49305550777%0d%0aX-Evil: 1',
      '49305550777\u0000',
      '49305550777;tag=1',
      '49305550777"\nSET VARIABLE X "1',
      '"Evil" <49305550777>',
      '49305550777&value=1',
      '../../channels',
      '${SHELL(id)}',
      '٤٩٣٠',
      '1'.repeat(5_000),
      '+',
    ].map(named),
  )('%s: not shown; the call goes on as the dialplan says', async (_name, callerId) => {
    for (const callerIdKey of ['caller_id', 'callerId'] as const) {
      site.zammad.change({ routingTable: [{ dest: '*', callerId }], callerIdKey });
      expect(await agentByAgi()).toEqual({ ZAMMAD_ACTION: 'continue' });
      expect(await agentByStasis()).toEqual({});
    }
  });
  test('as a person may write it: its digits are shown', async () => {
    site.zammad.change({ routingTable: [{ dest: '*', callerId: '+49 (30) 555-0777' }] });
    const shown = { 'CALLERID(num)': '+49305550777', ZAMMAD_ACTION: 'dial' };
    expect(await agentByAgi()).toEqual(shown);
    expect(await agentByStasis()).toEqual(shown);
  });
});

describe('an answer that is none', () => {
  test.each<[string, FaultInput]>([
    ['more than 64 KiB', { kind: 'huge-reply', event: 'newCall' }],
    ['half an answer', { kind: 'half-reply', event: 'newCall' }],
    ['a connection that is reset', { kind: 'reset-after-processing', event: 'newCall' }],
    ['an error', { kind: 'status', status: 500, event: 'newCall' }],
  ])(
    '%s: the call goes on within the budget',
    async (_what, fault) => {
      for (const ask of [agentByAgi, agentByStasis]) {
        site.zammad.faults.clear();
        site.zammad.faults.add({ ...fault, times: 1 } as FaultInput);
        const began = performance.now();
        const found = await ask();
        expect(found['ZAMMAD_ACTION'] ?? 'continue').toBe('continue');
        expect(performance.now() - began).toBeLessThan(1_000);
        await waitFor('Zammad to be well again', async () => (await site.bridge.get('/readyz'))?.status === 200, {
          within: 20_000,
        });
      }
    },
    60_000,
  );
});

/** Whatever Zammad was told of a call, as text. */
const toldOf = (id: string): string =>
  JSON.stringify(site.zammad.requests().filter(({ callId }) => callId?.includes(id) === true));

describe('what a call brings along', () => {
  const texts = [
    '"; SET VARIABLE X 1',
    '491729999999"\u0007',
    '49171%0d%0aX-Evil: 1',
    '${SHELL(id)}',
    '491729999999;tag=1',
    '<script>alert(1)</script>',
    'x'.repeat(20_000),
    '491729999999\u0000',
    '\u202e491729999999',
  ];

  test.each(texts.map(named))(
    '%s as number, name, extension and queue over FastAGI: the call goes on, and Zammad gets plain text',
    async (_name, text) => {
      const id = nextId();
      const fields = {
        uniqueid: id,
        channel: channelOf('trunk'),
        callerid: text,
        calleridname: text,
        dnid: text,
        extension: text,
        callingpres: text,
      };
      const address = `agi://127.0.0.1/gate?users=${encodeURIComponent(text)}&queue=${encodeURIComponent(text)}`;
      const found = await site.asksByAgi({ address, fields });
      expect([...found.keys()].filter((name) => name !== 'ZAMMAD_ACTION')).toEqual([]);
      expect(toldOf(id)).not.toMatch(/\\u00[01]|\\[rnt]/);
      expect(toldOf(id).length).toBeLessThan(4_000);
    },
  );

  test.each(texts.map(named))('%s in the same places over ARI', async (_name, text) => {
    const id = nextId();
    const call = site.stasis.call({
      id,
      channel: channelOf('trunk'),
      from: text,
      dialled: text,
      args: [`users=${text}`, `queue=${text}`, `number=${text}`],
    });
    const { how, set } = await within(5_000, 'the call to go on', call);
    expect([how, set.size]).toEqual(['continue', 0]);
    expect(toldOf(id)).not.toMatch(/\\u00[01]|\\[rnt]/);
    expect(toldOf(id).length).toBeLessThan(4_000);
  });

  test.each([
    '1/../../asterisk/modules',
    '../applications/zammad',
    '%2e%2e%2fbridges',
    '1?app=x',
    '1#x',
    '1;x=1',
    '1\r\nX: 1',
    '1 2',
    'é\u0000',
  ])('the channel id %j stays one part of the path of a request', async (id) => {
    const before = site.stasis.ari.questions.length;
    const outcome: StasisOutcome = await within(5_000, 'the call to be over', site.stasis.call({ id }));
    expect(outcome.how).toBe('hung up');
    for (const { url } of site.stasis.ari.questions.slice(before)) {
      const [path = ''] = url.split('?');
      const [, ari, what, part = '', ...rest] = path.split('/');
      expect([ari, what, decodeURIComponent(part), rest.length <= 1]).toEqual(['ari', 'channels', id, true]);
    }
  });

  test.each(['..', '.', ''].map(named))('the channel id %s: nothing is asked of the PBX', async (_name, id) => {
    const before = site.stasis.ari.questions.length;
    void site.stasis.call({ id });
    await site.worksOn(`after-${id.length}`);
    const asked = site.stasis.ari.questions.slice(before).map(({ url }) => url);
    expect(asked.filter((url) => !url.includes('after-'))).toEqual([]);
  });

  test('events that are none: the next call is served', async () => {
    const { ari } = site.stasis;
    for (const frame of [
      '',
      '{',
      'null',
      '[]',
      '"x"',
      '{"type":7}',
      `{"type":"StasisStart","args":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
    ])
      ari.raw(frame);
    for (const args of [
      undefined,
      null,
      'users=100',
      [[['users=100']]],
      [{ users: 1 }],
      Array.from({ length: 100_000 }, () => 'users=1'),
    ])
      ari.say({ type: 'StasisStart', args, channel: { id: 7, name: {} } });
    await site.worksOn('frames');
    // No event is as long: the connection is given up, and had anew.
    ari.say({ type: 'StasisStart', args: ['x'.repeat(1_048_576)], channel: null });
    await site.bridge.logs('the PBX is heard again');
    await site.worksOn('long-frame');
  }, 30_000);
});

test('in the end both gates work, nobody was rung, and the log is the program’s own', async () => {
  await site.worksOn('end');
  expect(site.manager.actions.filter(({ name }) => name === 'originate' || name === 'logoff')).toEqual([]);
  expect(site.logTroubles()).toEqual([]);
});
