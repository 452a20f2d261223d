/** What a real or an odd Asterisk says that was once taken wrongly. */
import { describe, expect, test } from '@jest/globals';
import { dialledNumber } from '../../../adapters/asterisk/channel-name.js';
import type { AsteriskAmiConfig } from '../../../adapters/asterisk-ami/config.js';
import { readRecording } from '../../../adapters/asterisk-ami/recording.js';
import { amiMessage } from '../../../adapters/asterisk-ami/message.js';
import { asLegId } from '../../../src/call/vocabulary.js';
import { AsteriskBench } from '../../support/asterisk-bench.js';

const said = (event: string, fields: Readonly<Record<string, string>>): ReturnType<typeof amiMessage> =>
  amiMessage({ Event: event, ...fields });
const customer = (index = 1): Record<string, string> => ({
  Channel: `PJSIP/trunk-${index.toString(16).padStart(8, '0')}`,
  Uniqueid: `1.${index}`,
  Linkedid: `1.${index}`,
  CallerIDNum: `+49301${String(index).padStart(6, '0')}`,
});

describe('a channel in a list', () => {
  const phone = {
    Channel: 'PJSIP/100-00000002',
    Uniqueid: '1.2',
    Linkedid: '1.1',
    CallerIDNum: '100',
    ChannelState: '5',
  };
  test.each([
    ['without a DNID header', {}],
    ['with an empty one', { DNID: '' }],
  ])('that was dialled is none that called, %s', (_, dnid) => {
    const bench = new AsteriskBench()
      .resync(
        [],
        [
          said('Status', { ...customer(), ChannelState: '4', DNID: '+4930555100' }),
          said('Status', { ...phone, ...dnid }),
        ],
      )
      .until(1000);
    expect(bench.posts).toMatchObject([{ t: 150, post: { event: 'newCall', direction: 'in', user: ['Alice Agent'] } }]);
  });
});

test('a hang-up that Asterisk refused is not ours when it comes after all', () => {
  const bench = new AsteriskBench().hear(said('Newchannel', { ...customer(), ChannelState: '4', Exten: '100' }));
  bench.legs.markOurs(asLegId('1.1'), true);
  bench.legs.markOurs(asLegId('1.1'), false);
  bench.legs.push(said('HangupRequest', customer()));
  expect(bench.legs.push(said('Hangup', { ...customer(), Cause: '127' }))).toMatchObject([
    { type: 'ended', by: 'far' },
  ]);
});

test.each([
  ['trunk/sip:+493012345678;user=phone@sip.example.com', '+493012345678'],
  ['03012345678@4930555', '03012345678'],
])('the number in %s', (dialString, number) => {
  expect(dialledNumber(dialString)).toBe(number);
});

test('a number that an event said to be withheld is not shown because a later question found it allowed', () => {
  const bench = new AsteriskBench();
  bench.hear(said('Newchannel', { ...customer(), ChannelState: '4', Exten: '100' }));
  bench.hear(said('NewCallerid', { ...customer(), 'CID-CallingPres': '35 (Presentation Prohibited, Network Number)' }));
  bench.tell(bench.legs.learn(asLegId('1.1'), false)).finish();
  expect(bench.posts).toMatchObject([{ post: { event: 'newCall', from: 'anonymous' } }]);
});

test('a recording with a time stamp that is none goes on in its own time', () => {
  const reader = readRecording({ trunks: ['trunk'] } as unknown as AsteriskAmiConfig);
  const wire = (stamp: string, index: number): Buffer =>
    Buffer.from(
      `Event: Newchannel\r\nTimestamp: ${stamp}\r\n${Object.entries({
        ...customer(index),
        ChannelState: '4',
        Exten: '100',
      })
        .map(([name, value]) => `${name}: ${value}`)
        .join('\r\n')}\r\n\r\n`,
    );
  const times = ['1700000000.5', '1e400', '1700000001.5'].flatMap((stamp, index) =>
    reader.push(wire(stamp, index + 1)).map(({ at }) => at),
  );
  expect(times).toEqual([0, 0, 1000]);
});

test('a PBX that was restarted names its Local channels as before: the halves of two lives are no pair', () => {
  const call = (life: string, agent: string, index: number): Readonly<Record<string, string>>[] => {
    const item = (channel: string, part: number, fields: Readonly<Record<string, string>>): Record<string, string> => ({
      Channel: channel,
      Uniqueid: `${life}.${index + part}`,
      Linkedid: `${life}.${index}`,
      ChannelState: '6',
      DNID: '',
      ...fields,
    });
    const local = 'Local/agent@from-queue-00000001';
    return [
      item(`PJSIP/${agent}-00000009`, 3, { CallerIDNum: agent, BridgeID: `${life}-b` }),
      item(`${local};2`, 2, { BridgeID: `${life}-b` }),
      item(`${local};1`, 1, { BridgeID: `${life}-a` }),
      item(`PJSIP/trunk-0000000${life}`, 0, {
        DNID: '+4930555100',
        CallerIDNum: `+4930123456${life}`,
        BridgeID: `${life}-a`,
      }),
    ];
  };
  const list = (items: readonly Readonly<Record<string, string>>[]): ReturnType<typeof said>[] =>
    items.map((item) => said('Status', item));
  const before = list(call('2', '100', 1));
  const now = list(call('3', '101', 5));
  for (const channels of [now, now.toReversed()]) {
    const bench = new AsteriskBench().resync([], before).until(1000).resync([], channels).until(2000);
    const of = (id: string): unknown[] =>
      bench.posts.flatMap(({ post }) =>
        post.callId === id ? [[post.event, 'user' in post ? post.user : post.event === 'hangup' && post.cause]] : [],
      );
    expect(of('lab-2.1')).toEqual([
      ['newCall', ['Alice Agent']],
      ['answer', 'Alice Agent'],
      ['hangup', 'normalClearing'],
    ]);
    expect(of('lab-3.5')).toEqual([
      ['newCall', ['Bob Agent']],
      ['answer', 'Bob Agent'],
    ]);
  }
});
