import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { amiMessage, type AmiMessage } from '../../../adapters/asterisk-ami/message.js';
import { AsteriskBench } from '../../support/asterisk-bench.js';
import { asteriskCases } from '../../support/asterisk-cases.js';
import { readAsteriskRecording } from '../../support/asterisk-recording.js';
import { AsteriskState } from '../../support/asterisk-state.js';

/** The real replies to Status and BridgeList of a case folder. */
function realReplies(corpus: string): { bridges: AmiMessage[]; channels: AmiMessage[] } {
  const one = asteriskCases.find(({ name }) => name === `${corpus}/36-reconnect-mid-call`)!;
  const items = readAsteriskRecording(readFileSync(`${one.directory}/snapshot.ami`)).map(({ message }) => message);
  return {
    bridges: items.filter(({ event }) => event === 'BridgeListItem'),
    channels: items.filter(({ event }) => event === 'Status'),
  };
}
const hangup = (channel: AmiMessage, cause = '16'): AmiMessage =>
  amiMessage({
    Event: 'Hangup',
    Channel: channel.get('Channel') ?? '',
    Uniqueid: channel.get('Uniqueid') ?? '',
    Cause: cause,
  });
const eventsOf = (bench: AsteriskBench, from: string): string[] =>
  bench.posts.filter(({ post }) => post.from === from).map(({ post }) => post.event);

describe.each(['asterisk-16', 'asterisk-22'])(
  'the real snapshot of %s: one call talks, one rings, one came through a queue',
  (corpus) => {
    const { bridges, channels } = realReplies(corpus);
    const channelOf = (start: string): AmiMessage => channels.find((item) => item.get('Channel')?.startsWith(start))!;
    const customer = (number: string): AmiMessage =>
      channels.find((item) => item.get('DNID') !== '' && item.get('CallerIDNum') === number)!;
    const cold = (): AsteriskBench => new AsteriskBench({ calls: { sendQueue: true } }).resync(bridges, channels);

    test('a cold start takes up all three, each with number, DID, agents, state and queue', () => {
      const bench = cold().until(1000);
      const posts = bench.posts.map(({ post }) => post);
      expect(posts.filter(({ from }) => from === '491711234567')).toMatchObject([
        { event: 'newCall', to: '49305550100', user: ['Alice Agent'] },
        { event: 'answer', user: 'Alice Agent', answeringNumber: '100' },
      ]);
      expect(posts.filter(({ from }) => from === '4915112223344')).toMatchObject([
        { event: 'newCall', to: '49305550101', user: ['Bob Agent'] },
      ]);
      expect(posts.filter(({ from }) => from === '4915155556666')).toMatchObject([
        { event: 'newCall', to: '49305550301', user: ['Erin Agent'], queue: 'sales' },
        { event: 'answer', user: 'Erin Agent', answeringNumber: '104' },
      ]);
      expect(posts).toHaveLength(5);
    });

    test('in whatever order the channels are listed', () => {
      const backwards = new AsteriskBench()
        .resync(bridges, channels.toReversed())
        .until(1000)
        .posts.map(({ post }) => post);
      const forwards = new AsteriskBench()
        .resync(bridges, channels)
        .until(1000)
        .posts.map(({ post }) => post);
      const key = (post: (typeof forwards)[number]): string => JSON.stringify(post);
      expect(backwards.map(key).sort()).toEqual(forwards.map(key).sort());
    });

    test('a warm reconnect tells nothing twice', () => {
      const bench = cold().until(1000);
      const told = bench.posts.length;
      bench.resync(bridges, channels).resync(bridges, channels.toReversed()).until(5000);
      expect(bench.posts).toHaveLength(told);
    });

    test('what ended while nobody listened is closed: talked = normalClearing, never answered = congestion', () => {
      const bench = cold().until(1000).resync([], []);
      const causes = bench.posts.flatMap(({ post }) => (post.event === 'hangup' ? [[post.from, post.cause]] : []));
      expect(Object.fromEntries(causes)).toEqual({
        491711234567: 'normalClearing',
        4915112223344: 'congestion',
        4915155556666: 'normalClearing',
      });
    });

    test('a refused or cut list closes nothing', () => {
      const bench = cold().until(1000);
      const told = bench.posts.length;
      bench.legs.beginSnapshot();
      bench.tell(bench.legs.statusItem(channels[0]!)).tell(bench.legs.abandonSnapshot()).until(5000);
      expect(bench.posts).toHaveLength(told);
      expect(bench.legs.legs()).toHaveLength(6);
    });

    test('what a connection that ended in the middle of the list could not tell is told by the next one', () => {
      const bench = new AsteriskBench({ calls: { sendQueue: true } });
      bench.legs.beginSnapshot();
      // Of the called phones it is not known who calls them.
      for (const phone of channels.filter((item) => item.get('DNID') === '')) bench.tell(bench.legs.statusItem(phone));
      bench.legs.abandonSnapshot(false);
      bench.resync(bridges, channels).until(1000);
      const byCall = ({ posts }: AsteriskBench): string[] =>
        posts.map(({ post }) => `${post.callId} ${JSON.stringify(post)}`).sort();
      expect(byCall(bench)).toEqual(byCall(cold().until(1000)));
    });

    test('a channel that hangs up between the request and its item stays ended', () => {
      const ringing = customer('+4915112223344');
      const bench = new AsteriskBench().resync(bridges, channels, [hangup(ringing, '127')]).until(5000);
      expect(eventsOf(bench, '4915112223344')).toEqual([]);
      const warm = cold()
        .until(1000)
        .resync(bridges, channels, [hangup(ringing, '127')])
        .until(5000);
      expect(eventsOf(warm, '4915112223344')).toEqual(['newCall', 'hangup']);
    });

    test('a channel that appears while the list is asked for is not taken for a vanished one', () => {
      const born = amiMessage({
        Event: 'Newchannel',
        Channel: 'PJSIP/trunk-000000ff',
        ChannelState: '4',
        CallerIDNum: '+4930999999',
        Exten: '+49305550100',
        Uniqueid: '9.1',
        Linkedid: '9.1',
      });
      const bench = new AsteriskBench().resync(bridges, channels, [born]).until(5000);
      expect(eventsOf(bench, '4930999999')).toEqual(['newCall']);
    });

    test('events older than the list that come behind it change nothing', () => {
      const bench = cold().until(1000);
      const told = bench.posts.length;
      const talking = customer('+491711234567');
      const agent = channelOf('PJSIP/100-');
      const fields = (item: AmiMessage): Record<string, string> => ({
        Channel: item.get('Channel') ?? '',
        Uniqueid: item.get('Uniqueid') ?? '',
        ChannelState: '6',
      });
      for (const item of [agent, talking]) {
        bench.hear(amiMessage({ Event: 'Newstate', ...fields(item) }));
        bench.hear(
          amiMessage({
            Event: 'BridgeEnter',
            ...fields(item),
            BridgeUniqueid: item.get('BridgeID') ?? '',
            BridgeTechnology: 'simple_bridge',
          }),
        );
      }
      bench.hear(hangup(amiMessage({ Channel: 'PJSIP/102-00000001', Uniqueid: '1.1' }))).until(5000);
      expect(bench.posts).toHaveLength(told);
    });

    test('a PBX that was restarted: the calls of before are over, those of now begin', () => {
      const one = asteriskCases.find(({ name }) => name === 'asterisk-22/01-inbound-answered-caller-hangs-up')!;
      const state = new AsteriskState();
      for (const { message, at } of one.messages().slice(0, 6)) state.push(message, at);
      const bench = cold()
        .until(1000)
        .resync(state.bridgeList().map(amiMessage), state.status().map(amiMessage))
        .until(6000);
      const events = bench.posts.map(({ post }) => post.event);
      expect(events.filter((event) => event === 'hangup')).toHaveLength(3);
      expect(events.filter((event) => event === 'newCall')).toHaveLength(4);
      expect([...bench.brain.calls()]).toHaveLength(1);
    });
  },
);

describe('a cold start in the middle of', () => {
  const real = (name: string, file: string): AsteriskBench => {
    const one = asteriskCases.find((other) => other.name === `asterisk-22/${name}`)!;
    const items = readAsteriskRecording(readFileSync(`${one.directory}/${file}`)).map(({ message }) => message);
    const bridges = items.filter(({ event }) => event === 'BridgeListItem');
    return new AsteriskBench(one)
      .resync(
        bridges,
        items.filter(({ event }) => event === 'Status'),
      )
      .until(5000);
  };
  test('parking: waiting there is no conversation', () => {
    expect(real('24b-park-abandoned', 'snapshot-parked.ami').posts.map(({ post }) => post.event)).toEqual(['newCall']);
  });
  test('voicemail', () => {
    expect(real('27b-voicemail', 'snapshot-voicemail.ami').posts.at(-1)?.post).toMatchObject({
      event: 'answer',
      user: 'voicemail',
    });
  });
  test('two customers alone in a conference', () => {
    expect(
      real('29b-two-customers-and-an-agent-in-a-room', 'snapshot-alone.ami').posts.map(({ post }) => post.event),
    ).toEqual(['newCall', 'newCall']);
  });
  test.each(['ringing', 'talking'])(
    'an outbound call over a Local channel, %s: the agent and the number that the trunk was asked for',
    (state) => {
      expect(real('43-outbound-over-local', `snapshot-${state}.ami`).posts[0]?.post).toMatchObject({
        event: 'newCall',
        direction: 'out',
        from: '49305550100',
        to: '493012345678',
        user: ['Alice Agent'],
      });
    },
  );
  test('a click-to-dial over a Local channel', () => {
    const posts = real('30c-click-to-dial-local', 'snapshot-talking.ami').posts.map(({ post }) => post);
    expect(posts).toMatchObject([
      { event: 'newCall', direction: 'out', to: '493012345678', user: ['Alice Agent'] },
      { event: 'answer' },
    ]);
  });
  test('a tandem call: the dialled leg is a forward, no call of its own', () => {
    expect(real('46-tandem-through-ivr', 'snapshot-talking.ami').posts).toMatchObject([
      { post: { event: 'newCall', direction: 'in', from: '491711234567' } },
    ]);
  });
});
