import { describe, expect, test } from '@jest/globals';
import { RetriableError } from '../../../src/errors.js';
import type { Post } from '../../../src/call/vocabulary.js';
import { FakeOutbox } from '../../support/fake-outbox.js';
import type { Fault } from './support/model-zammad.js';
import { settle } from '../../support/manual-clock.js';
import { MAIN, Rig, answer, hangup, newCall } from './support/rig.js';

/** The n-th request of an event meets a fault. */
const onEvent = (event: Post['event'], faults: readonly Fault[]): ((post: Post) => Fault) => {
  const left = [...faults];
  return (post) => (post.event === event ? (left.shift() ?? 'none') : 'none');
};

describe('order and slots', () => {
  test('sends the posts of a call one after the other, each attempt written before it is made', async () => {
    const written: string[] = [];
    const outbox = new FakeOutbox();
    const attempt = outbox.attempt.bind(outbox);
    outbox.attempt = async (seq) => {
      await attempt(seq);
      written.push(`attempt ${seq % 2 ** 32} after ${rig.zammad.sent.length} requests`);
    };
    const rig: Rig = new Rig({}, outbox);
    rig.start();
    rig.tell([newCall('a'), answer('a'), hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'answer', 'hangup']);
    expect(written).toEqual(['attempt 1 after 0 requests', 'attempt 2 after 1 requests', 'attempt 3 after 2 requests']);
    expect(rig.zammad.mostPerCall).toBe(1);
    expect(rig.outbox.open()).toEqual([]);
    expect(rig.dispatcher.state(MAIN)).toEqual({
      state: 'ok',
      known: true,
      reason: undefined,
      depth: 0,
      oldestAge: undefined,
    });
  });

  test('serves few calls side by side', async () => {
    const rig = new Rig({ parallel: 3 });
    rig.start();
    rig.tell(Array.from({ length: 20 }, (_, i) => newCall(`c${i}`)));
    await rig.untilIdle();
    expect(rig.zammad.most).toBe(3);
    expect(rig.zammad.rows.size).toBe(20);
  });

  test('gated newCalls have slots of their own that a backlog cannot take', async () => {
    const rig = new Rig({ parallel: 1, urgentParallel: 1 });
    rig.zammad.reply = { kind: 'reject', reason: 'busy' };
    rig.append(Array.from({ length: 5 }, (_, i) => newCall(`old${i}`)));
    rig.start();
    const [item] = rig.append([newCall('gated')]);
    const reply = rig.dispatcher.urgent(item!);
    await rig.clock.advance(rig.zammad.latency);
    await expect(reply).resolves.toEqual({ kind: 'reply', reply: { kind: 'reject', reason: 'busy' } });
    expect(rig.zammad.sent.slice(0, 2).map(({ post }) => post.callId)).toEqual(['old0', 'gated']);
    await rig.untilIdle();
    const seen = rig.replies.map(({ callId, live, gate }) => ({ callId, live, gate }));
    expect(seen).toContainEqual({ callId: 'gated', live: true, gate: 'told' });
    expect(seen).toContainEqual({ callId: 'old0', live: false, gate: 'none' });
  });

  test('a gate is told at once when Zammad is down, and its post is delivered later', async () => {
    const rig = new Rig();
    let down = true;
    rig.zammad.reply = { kind: 'reject', reason: 'busy' };
    rig.zammad.fault = () => (down ? 'refusedConnection' : 'none');
    rig.start();
    rig.tell([newCall('first')]);
    await rig.clock.advance(30);
    expect(rig.dispatcher.state(MAIN).state).toBe('down');
    const [item] = rig.append([newCall('gated')]);
    await expect(rig.dispatcher.urgent(item!)).resolves.toEqual({ kind: 'noReply', why: 'connection refused' });
    down = false;
    await rig.untilIdle();
    expect([...rig.zammad.rows.keys()].sort()).toEqual(['first', 'gated']);
    expect(rig.replies.map(({ callId, gate }) => [callId, gate])).toEqual([
      ['first', 'none'],
      ['gated', 'passed'],
    ]);
  });

  test('a gate whose attempt fails learns it; it does not wait for the retries', async () => {
    const rig = new Rig();
    rig.zammad.reply = { kind: 'reject', reason: 'busy' };
    rig.zammad.fault = onEvent('newCall', ['refusedConnection']);
    rig.start();
    const [item] = rig.append([newCall('gated')]);
    const reply = rig.dispatcher.urgent(item!);
    await rig.clock.advance(rig.zammad.latency);
    await expect(reply).resolves.toMatchObject({ kind: 'noReply' });
    await rig.untilIdle();
    // Its call went on: what is said of it now is for whoever can still end it.
    expect(rig.replies.map(({ gate, age }) => [gate, age > 0])).toEqual([['passed', true]]);
    expect(rig.zammad.rows.has(item!.callId)).toBe(true);
  });

  test('live calls go before the backlog', async () => {
    const rig = new Rig({ parallel: 1 });
    const old = { happenedAt: rig.clock.wall() - 5 * 60_000 };
    rig.append([newCall('old1'), newCall('old2')], old);
    rig.append([hangup('old1'), hangup('old2')], old);
    rig.start();
    rig.tell([newCall('live'), hangup('live')]);
    await rig.untilIdle();
    // The first old one was under way already; a call once begun ends before the next old one rings.
    expect(rig.zammad.sent.map(({ post }) => `${post.event} ${post.callId}`)).toEqual([
      'newCall old1',
      'newCall live',
      'hangup live',
      'hangup old1',
      'newCall old2',
      'hangup old2',
    ]);
  });

  test('takes up what is open, whatever was notified before in another order', async () => {
    const rig = new Rig();
    rig.append([newCall('a')]);
    rig.tell([hangup('a')]);
    rig.start();
    await rig.untilIdle();
    expect(rig.zammad.events()).toEqual(['newCall', 'hangup']);
  });
});

describe('what must not be sent twice', () => {
  test('a newCall that Zammad has already is delivered', async () => {
    const rig = new Rig();
    rig.zammad.fault = onEvent('newCall', ['answerLost']);
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'newCall', 'hangup']);
    expect(rig.counters.get('zammad_posts_total main newCall exists')).toBe(1);
  });

  test('500 on a hangup: the call is told anew as it was, then the hangup', async () => {
    const rig = new Rig();
    rig.zammad.reply = { kind: 'reject', reason: 'busy' };
    rig.start();
    rig.tell([newCall('a')]);
    await rig.untilIdle();
    rig.zammad.rows.clear();
    rig.tell([hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'hangup', 'newCall', 'hangup']);
    expect(rig.zammad.sent[2]?.post).toEqual(newCall('a'));
    expect(rig.replies.map(({ live }) => live)).toEqual([true, false]);
    expect(rig.zammad.rows.get(newCall('a').callId)?.history).toEqual(['newCall', 'hangup']);
    expect(rig.counters.get('zammad_recreated_total main')).toBe(1);
  });

  test('the answer to the retold newCall is lost: with a token the caller log decides, and the hangup goes out', async () => {
    const rig = new Rig({ timeout: 1000 });
    rig.zammad.canReadBack = true;
    rig.zammad.fault = onEvent('newCall', ['answerLost']);
    rig.start();
    rig.tell([hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['hangup', 'newCall', 'newCall', 'hangup']);
    expect(rig.zammad.callLogReads).toHaveLength(1);
    expect(rig.zammad.rows.get(newCall('a').callId)).toMatchObject({ history: ['newCall', 'hangup'], done: false });
  });

  test('after a restart a newCall that nobody remembers is rebuilt from the event', async () => {
    const rig = new Rig();
    rig.start();
    rig.tell([answer('a')]);
    await rig.untilIdle();
    expect(rig.zammad.sent[1]?.post).toEqual({ ...newCall('a', { user: ['Alice Agent'] }), queue: undefined });
    expect(rig.zammad.rows.get(newCall('a').callId)?.state).toBe('answer');
  });

  test('500 on a hangup of a call that Zammad knows: the outcome is unknown, and it is not sent again', async () => {
    const rig = new Rig();
    rig.zammad.fault = onEvent('hangup', ['errorAfterSave']);
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'hangup', 'newCall']);
    expect(rig.outbox.troubled().map(({ state }) => state)).toEqual(['unknown']);
    expect(rig.zammad.rows.get(newCall('a').callId)?.done).toBe(false);
  });

  test('an answer of unknown outcome is sent again eight times, then listed, and the hangup goes on', async () => {
    const rig = new Rig();
    rig.zammad.fault = onEvent(
      'answer',
      Array.from({ length: 9 }, () => 'swallowed' as const),
    );
    rig.start();
    rig.tell([newCall('a'), answer('a')]);
    rig.tell([hangup('a')], { repeatable: true });
    await rig.untilIdle();
    const answers = Array.from({ length: 9 }, () => 'answer');
    expect(rig.zammad.events('a')).toEqual(['newCall', ...answers, 'hangup']);
    expect(rig.outbox.troubled().map(({ post, state }) => [post.event, state])).toEqual([['answer', 'unknown']]);
  });

  test('a repeatable hangup of unknown outcome is sent until there is an answer', async () => {
    const rig = new Rig();
    rig.zammad.fault = onEvent('hangup', ['swallowed', 'answerLost', 'swallowed']);
    rig.start();
    rig.tell([newCall('a'), hangup('a')], { repeatable: true });
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'hangup', 'hangup', 'hangup', 'hangup']);
    expect(rig.outbox.troubled()).toEqual([]);
  });

  test('the hangup of a missed call, without a token: marked unknown, counted, and a line says what to do', async () => {
    const rig = new Rig();
    rig.zammad.fault = onEvent('hangup', ['answerLost']);
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'hangup']);
    expect(rig.zammad.rows.get(newCall('a').callId)).toMatchObject({ state: 'hangup', done: false });
    expect(rig.counters.get('zammad_unknown_total main hangup')).toBe(1);
    expect(
      rig.lines.some(({ level, msg }) => level === 50 && msg.includes('caller log') && msg.includes('apiToken')),
    ).toBe(true);
  });

  test.each([
    { fault: 'answerLost' as const, sent: ['newCall', 'hangup'] },
    { fault: 'swallowed' as const, sent: ['newCall', 'hangup', 'hangup'] },
  ])(
    'the same with a token, $fault: the caller log decides, not before the deadline of the request',
    async ({ fault, sent }) => {
      const rig = new Rig({ timeout: 7000, lateness: 7000 });
      rig.zammad.canReadBack = true;
      rig.zammad.fault = onEvent('hangup', [fault]);
      rig.start();
      rig.tell([newCall('a'), hangup('a')]);
      await rig.untilIdle();
      expect(rig.zammad.events('a')).toEqual(sent);
      expect(rig.zammad.rows.get(newCall('a').callId)?.history).toEqual(['newCall', 'hangup']);
      expect(rig.zammad.callLogReads).toHaveLength(1);
      expect(rig.zammad.callLogReads[0]).toBeGreaterThanOrEqual(rig.zammad.sent[1]!.at + 7000);
      expect(rig.outbox.troubled()).toEqual([]);
    },
  );

  test('a caller log that cannot be read now is read later; one that may not be read leaves the hangup unknown', async () => {
    const rig = new Rig();
    rig.zammad.canReadBack = true;
    const results = [
      { kind: 'failed' as const, message: '502' },
      { kind: 'denied' as const, message: 'no permission cti.agent' },
    ];
    rig.zammad.callLogResult = () => results.shift();
    rig.zammad.fault = onEvent('hangup', ['swallowed']);
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.callLogReads).toHaveLength(2);
    expect(rig.outbox.troubled()).toMatchObject([{ state: 'unknown', reason: 'no permission cti.agent' }]);
  });

  test('hangups and second tries get a socket of their own', async () => {
    const rig = new Rig();
    rig.zammad.fault = onEvent('answer', ['swallowed']);
    rig.start();
    rig.tell([newCall('a'), answer('a'), hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.sent.map(({ post, options }) => [post.event, options.freshSocket])).toEqual([
      ['newCall', false],
      ['answer', false],
      ['answer', true],
      ['hangup', true],
    ]);
  });
});

describe('restart', () => {
  test.each([
    { post: newCall('a'), repeatable: false, sent: ['newCall'], troubled: [] },
    { post: answer('a'), repeatable: false, sent: ['answer'], troubled: [] },
    { post: hangup('a'), repeatable: true, sent: ['hangup'], troubled: [] },
    { post: hangup('a'), repeatable: false, sent: [], troubled: ['unknown'] },
  ])('an attempt at $post.event (repeatable: $repeatable) that was under way is of unknown outcome', async (wanted) => {
    const rig = new Rig();
    rig.zammad.rows.set(wanted.post.callId, { state: 'newCall', done: false, history: ['newCall'] });
    const [item] = rig.append([wanted.post], { repeatable: wanted.repeatable });
    await rig.outbox.attempt(item!.seq);
    rig.start();
    await rig.untilIdle();
    expect(rig.zammad.events()).toEqual(wanted.sent);
    expect(rig.outbox.troubled().map(({ state }) => state)).toEqual(wanted.troubled);
  });

  test('a hangup that waited for its call to be told anew goes on there', async () => {
    const rig = new Rig();
    rig.zammad.fault = onEvent('newCall', ['refusedConnection', 'refusedConnection']);
    rig.start();
    rig.tell([hangup('a')]);
    await rig.clock.advance(60);
    expect(rig.zammad.events()).toEqual(['hangup', 'newCall']);
    const stopped = rig.dispatcher.stop(0);
    await rig.clock.advance(1);
    await stopped;
    rig.newDispatcher();
    rig.start();
    await rig.untilIdle();
    expect(rig.zammad.events()).toEqual(['hangup', 'newCall', 'newCall', 'newCall', 'hangup']);
    expect(rig.outbox.troubled()).toEqual([]);
  });

  test('a stop lets requests end, cuts short what does not, and leaves no timer', async () => {
    const rig = new Rig();
    rig.zammad.fault = (post) => (post.callId === 'slow' ? 'swallowed' : 'none');
    rig.start();
    rig.tell([newCall('quick'), newCall('slow'), hangup('slow')]);
    await settle();
    let stopped = false;
    const stop = rig.dispatcher.stop(1000).then(() => {
      stopped = true;
    });
    await rig.clock.advance(999);
    expect(stopped).toBe(false);
    await rig.clock.advance(2);
    await stop;
    expect(rig.clock.pending).toBe(0);
    expect(rig.outbox.open().map(({ post, state }) => [post.callId, post.event, state])).toEqual([
      ['slow', 'newCall', 'sending'],
      ['slow', 'hangup', 'waiting'],
    ]);
  });

  test('a stop that cuts requests short says nothing bad about Zammad', async () => {
    const rig = new Rig();
    rig.zammad.fault = () => 'swallowed';
    rig.start();
    rig.tell([newCall('a'), newCall('b')]);
    await settle();
    const stop = rig.dispatcher.stop(10);
    await rig.clock.advance(20);
    await stop;
    expect(rig.lines.filter(({ level }) => level >= 40)).toEqual([]);
    const probing = new Rig();
    probing.start();
    probing.dispatcher.look();
    const stopped = probing.dispatcher.stop(0);
    await probing.clock.advance(1);
    await stopped;
    expect(probing.lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  test('posts for a Zammad that is not configured any more are listed', async () => {
    const rig = new Rig();
    rig.append([newCall('a')], { zammad: 'gone' as typeof MAIN });
    rig.start();
    await settle();
    expect(rig.outbox.troubled()).toMatchObject([{ state: 'dead' }]);
  });
});

describe('Zammad is not well', () => {
  test('down: one request at a time, with growing waits; back: no flood', async () => {
    const rig = new Rig();
    let down = true;
    rig.zammad.fault = () => (down ? 'refusedConnection' : 'none');
    rig.start();
    rig.tell(Array.from({ length: 40 }, (_, i) => newCall(`c${i}`)));
    await rig.clock.advance(120_000);
    const during = rig.zammad.sent.map(({ at }) => at);
    // Four were under way when it went down; then 0.4, 0.8, … s up to 30 s.
    expect(during.length).toBeGreaterThan(8);
    expect(during.length).toBeLessThan(16);
    const waits = during.slice(4).map((at, i) => at - during[i + 3]!);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(375);
    expect(rig.lines.filter(({ level }) => level === 40)).toHaveLength(1);
    down = false;
    rig.zammad.most = 0;
    const before = rig.zammad.sent.length;
    await rig.untilIdle();
    expect(rig.zammad.rows.size).toBe(40);
    expect(rig.zammad.most).toBe(4);
    const first = rig.zammad.sent.slice(before).map(({ at }) => at);
    // 1, 1, then 2, 3, 4 side by side.
    expect(first.filter((at) => at === first[0])).toHaveLength(1);
    expect(first.filter((at) => at === first[1])).toHaveLength(1);
    expect(rig.lines.filter(({ msg }) => msg.includes('takes posts again'))).toHaveLength(1);
  });

  test('silent: after one unanswered request nothing is sent before a harmless probe is answered', async () => {
    const rig = new Rig({ timeout: 5000 });
    rig.zammad.fault = onEvent('hangup', ['swallowed']);
    let well = false;
    rig.zammad.probeResult = () => (well ? { kind: 'ok' } : { kind: 'down', message: 'no answer' });
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.clock.advance(5100);
    rig.tell([newCall('b'), hangup('b')]);
    await rig.clock.advance(60_000);
    expect(rig.zammad.events('b')).toEqual([]);
    expect(rig.zammad.probes).toBeGreaterThan(3);
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'down', reason: 'no answer', depth: 2 });
    expect(rig.dispatcher.state(MAIN).oldestAge).toBeGreaterThanOrEqual(60_000);
    well = true;
    await rig.untilIdle();
    expect(rig.zammad.rows.get(newCall('b').callId)?.history).toEqual(['newCall', 'hangup']);
  });

  test('held: everything waits, it is said loudly once, and goes on when somebody has mended it', async () => {
    const rig = new Rig();
    let wrong = true;
    rig.zammad.fault = () => (wrong ? 'tokenWrong' : 'none');
    rig.zammad.probeResult = () => (wrong ? { kind: 'held', message: 'the token is wrong' } : { kind: 'ok' });
    rig.start();
    rig.tell([newCall('a'), newCall('b'), hangup('a')]);
    await rig.clock.advance(3_600_000);
    expect(rig.zammad.sent).toHaveLength(2);
    expect(rig.zammad.probes).toBeGreaterThan(30);
    expect(rig.zammad.probes).toBeLessThan(60);
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'held', reason: 'the token is wrong', depth: 3 });
    expect(rig.lines.filter(({ level }) => level >= 40)).toMatchObject([{ level: 50 }]);
    wrong = false;
    // An hour-old newCall would only ring: it goes out with its hangup.
    rig.tell([hangup('b')]);
    await rig.untilIdle();
    expect(rig.zammad.rows.size).toBe(2);
    expect(rig.dispatcher.state(MAIN).state).toBe('ok');
  });

  test('a post that Zammad does not take although it is well: said once, with the reason', async () => {
    const rig = new Rig();
    // A broken pattern in Zammad's routing table does this to every outbound newCall.
    rig.zammad.post = () => Promise.resolve({ kind: 'unknownOutcome', cause: 'error', message: '500' });
    rig.start();
    rig.tell([newCall('bad', { direction: 'out' })]);
    await rig.clock.advance(600_000);
    const said = rig.lines.filter(({ level }) => level >= 40);
    expect(said).toMatchObject([{ level: 40, callId: 'bad', event: 'newCall', reason: '500' }]);
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'ok', depth: 1 });
  });

  test('whether it is well is not known before the first request has come out', async () => {
    const rig = new Rig();
    rig.start();
    rig.dispatcher.look();
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'ok', known: false });
    await rig.clock.advance(rig.zammad.latency);
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'ok', known: true });
  });

  test('a call that fails by itself blocks no other', async () => {
    const rig = new Rig({ parallel: 1 });
    rig.zammad.fault = (post, n) => (post.callId === 'bad' && n < 8 ? 'errorAfterSave' : 'none');
    rig.zammad.rows.set(newCall('bad').callId, { state: 'newCall', done: false, history: ['newCall'] });
    rig.start();
    rig.tell([answer('bad')]);
    rig.tell(Array.from({ length: 5 }, (_, i) => newCall(`c${i}`)));
    await rig.clock.advance(1000);
    expect(rig.zammad.rows.size).toBe(6);
    expect(rig.dispatcher.state(MAIN).state).toBe('ok');
  });
});

describe('giving up', () => {
  test('a refused post is listed, its call with it; others go on', async () => {
    const rig = new Rig();
    rig.zammad.fault = (post) => (post.callId === 'bad' && post.event === 'newCall' ? 'refused' : 'none');
    rig.start();
    rig.tell([newCall('bad'), hangup('bad'), newCall('good')]);
    await rig.untilIdle();
    expect(rig.zammad.probes).toBe(1);
    expect(rig.zammad.events('bad')).toEqual(['newCall']);
    expect(rig.outbox.troubled().map(({ post, state }) => [post.event, state])).toEqual([
      ['hangup', 'dead'],
      ['newCall', 'dead'],
    ]);
    expect(rig.zammad.rows.has(newCall('good').callId)).toBe(true);
  });

  test('a refused post is kept if the probe says that the integration is off', async () => {
    const rig = new Rig();
    let off = true;
    rig.zammad.fault = () => (off ? 'refused' : 'none');
    rig.zammad.probeResult = () => (off ? { kind: 'held', message: 'switched off' } : { kind: 'ok' });
    rig.start();
    rig.tell([newCall('a')]);
    await rig.clock.advance(60_000);
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'held', depth: 1 });
    off = false;
    await rig.untilIdle();
    expect(rig.zammad.rows.size).toBe(1);
  });

  test('a call whose newest post is too old is listed, not sent', async () => {
    const rig = new Rig({ maxAge: 3_600_000 });
    rig.append([newCall('old'), hangup('old')], { happenedAt: rig.clock.wall() - 3_600_001 });
    rig.start();
    await rig.untilIdle();
    expect(rig.zammad.sent).toEqual([]);
    expect(rig.outbox.troubled().map(({ state }) => state)).toEqual(['dead', 'dead']);
    expect(rig.counters.get('zammad_dead_total main hangup')).toBe(1);
  });

  test('an old newCall whose hangup is there too goes out with it', async () => {
    const rig = new Rig({ maxAge: 3_600_000 });
    rig.append([newCall('a')], { happenedAt: rig.clock.wall() - 7_200_000 });
    rig.append([hangup('a')], { happenedAt: rig.clock.wall() - 60_000 });
    rig.start();
    await rig.untilIdle();
    expect(rig.zammad.rows.get(newCall('a').callId)?.history).toEqual(['newCall', 'hangup']);
  });

  test('an old newCall alone does not ring: it waits for its hangup', async () => {
    const rig = new Rig({ newCallAlone: 600_000 });
    rig.append([newCall('a')], { happenedAt: rig.clock.wall() - 700_000 });
    rig.start();
    await rig.clock.advance(3_600_000);
    expect(rig.zammad.sent).toEqual([]);
    rig.tell([hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'hangup']);
  });

  test('… and is listed when that never comes', async () => {
    const rig = new Rig({ newCallAlone: 600_000, maxAge: 7_200_000 });
    rig.append([newCall('a')], { happenedAt: rig.clock.wall() - 700_000 });
    rig.start();
    await rig.untilIdle(7_200_000);
    expect(rig.outbox.troubled()).toMatchObject([{ state: 'dead' }]);
  });
});

describe('the outbox cannot be written', () => {
  test('an attempt that could not be written is not made, but later', async () => {
    const outbox = new FakeOutbox();
    const attempt = outbox.attempt.bind(outbox);
    let full = true;
    outbox.attempt = (seq) => (full ? Promise.reject(new RetriableError('ZPB_TEST', 'disk full')) : attempt(seq));
    const rig = new Rig({}, outbox);
    rig.start();
    rig.tell([newCall('a')]);
    await rig.clock.advance(10_000);
    expect(rig.zammad.sent).toEqual([]);
    expect(rig.counters.get('zammad_outbox_failures_total main attempt')).toBeGreaterThan(2);
    full = false;
    await rig.untilIdle();
    expect(rig.zammad.rows.size).toBe(1);
  });

  test('what could not be written after the request is not sent again by this run', async () => {
    const outbox = new FakeOutbox();
    outbox.settle = () => Promise.reject(new RetriableError('ZPB_TEST', 'disk full'));
    const rig = new Rig({}, outbox);
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'hangup']);
    expect(rig.counters.get('zammad_outbox_failures_total main settle')).toBe(2);
  });
});

test('an odd reply is counted, said once, and acted on by nobody', async () => {
  const rig = new Rig();
  rig.zammad.reply = { kind: 'odd', why: 'not JSON' };
  rig.start();
  rig.tell([newCall('a'), newCall('b')]);
  await rig.untilIdle();
  expect(rig.replies).toEqual([]);
  expect(rig.counters.get('zammad_replies_total main odd')).toBe(2);
  expect(rig.lines.filter(({ msg }) => msg.includes('not JSON'))).toHaveLength(1);
});
