/** Nothing is sent for a PBX that another bridge may speak for. */
import { describe, expect, test } from '@jest/globals';
import { asPbxName } from '../../../src/call/vocabulary.js';
import type { Post } from '../../../src/call/vocabulary.js';
import { FakeOutbox } from '../../support/fake-outbox.js';
import { settle } from '../../support/manual-clock.js';
import type { Fault } from './support/model-zammad.js';
import { MAIN, OFFICE, Rig, TestLead, answer, hangup, newCall } from './support/rig.js';

const SHOP = asPbxName('shop');
const once = (event: Post['event'], fault: Fault): ((post: Post) => Fault) => {
  let left = 1;
  return (post) => (post.event === event && left-- > 0 ? fault : 'none');
};
const states = (rig: Rig): readonly string[] => [...rig.outbox.items.values()].map(({ state }) => state);

describe('the fence', () => {
  test('a lead that lasts for less than a second more: nothing is written or sent until it has grown', async () => {
    const rig = new Rig();
    rig.lead.until = 1000;
    rig.start();
    rig.tell([newCall('a')]);
    await rig.clock.advance(20_000);
    expect(rig.zammad.sent).toEqual([]);
    expect(states(rig)).toEqual(['waiting']);
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'ok', depth: 1 });
    rig.lead.until = rig.clock.monotonic() + 6000;
    await rig.clock.advance(250);
    expect(rig.zammad.events()).toEqual(['newCall']);
    await rig.untilIdle();
    expect(rig.clock.pending).toBe(0);
  });

  test('a notify looks at the lead at once', async () => {
    const rig = new Rig();
    rig.lead.until = 500;
    rig.start();
    rig.tell([newCall('a')]);
    await settle();
    rig.lead.until = 6000;
    rig.tell([newCall('b')]);
    await settle();
    expect(rig.zammad.events()).toEqual(['newCall', 'newCall']);
  });

  test('a request under way is cut when the lead runs out; its outcome is unknown; it goes on when the lead has grown', async () => {
    const rig = new Rig();
    rig.zammad.fault = once('newCall', 'answerLost');
    rig.lead.until = 3000;
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.clock.advance(2999);
    expect(rig.zammad.sent[0]?.options.signal?.aborted).toBe(false);
    await rig.clock.advance(1);
    expect(rig.zammad.sent[0]?.options.signal?.aborted).toBe(true);
    await rig.clock.advance(30_000);
    expect(rig.zammad.sent).toHaveLength(1);
    expect(states(rig)).toEqual(['sending', 'waiting']);
    // That says nothing about Zammad.
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'ok', known: false });
    rig.lead.until = Infinity;
    await rig.untilIdle();
    expect(rig.zammad.events()).toEqual(['newCall', 'newCall', 'hangup']);
    expect(states(rig)).toEqual(['delivered', 'delivered']);
  });

  test('a request under way is not cut when the lead has grown meanwhile', async () => {
    const rig = new Rig({ timeout: 8000 });
    rig.zammad.fault = once('newCall', 'answerLost');
    rig.lead.until = 3000;
    rig.start();
    rig.tell([newCall('a')]);
    await rig.clock.advance(2000);
    rig.lead.until = 5000;
    await rig.clock.advance(2900);
    rig.lead.until = Infinity;
    await rig.clock.advance(3000);
    expect(rig.zammad.sent[0]?.options.signal?.aborted).toBe(false);
  });

  test('the attempt takes so long to write that the lead has run out by then: it is not made', async () => {
    const outbox = new FakeOutbox();
    const rig = new Rig({}, outbox);
    const attempt = outbox.attempt.bind(outbox);
    outbox.attempt = (seq) => new Promise((resolve) => rig.clock.after(5000, () => void attempt(seq).then(resolve)));
    rig.lead.until = 6000;
    rig.start();
    rig.tell([hangup('a')]);
    await rig.clock.advance(5500);
    expect(rig.zammad.sent).toEqual([]);
    // Surely not sent: a successor need not take it for one of unknown outcome.
    expect(states(rig)).toEqual(['waiting']);
    expect(rig.counters.size).toBe(0);
  });

  test('the client asks again right before the first byte', async () => {
    const rig = new Rig();
    rig.lead.until = 6000;
    rig.start();
    rig.tell([newCall('a')]);
    await settle();
    const mayBegin = rig.zammad.sent[0]?.options.mayBegin;
    expect(mayBegin?.()).toBe(true);
    rig.lead.until = 1000;
    expect(mayBegin?.()).toBe(false);
  });

  test('a look into the caller log waits for the lead too', async () => {
    const rig = new Rig({ timeout: 1000 });
    rig.zammad.canReadBack = true;
    rig.zammad.fault = once('hangup', 'answerLost');
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.clock.advance(500);
    rig.lead.until = 1500;
    await rig.clock.advance(60_000);
    expect(rig.zammad.callLogReads).toEqual([]);
    rig.lead.until = Infinity;
    await rig.untilIdle();
    expect(rig.zammad.callLogReads).toHaveLength(1);
    expect(states(rig)).toEqual(['delivered', 'delivered']);
  });

  test('a gate whose lead is about to run out gets no reply, at once', async () => {
    const rig = new Rig();
    rig.lead.until = 900;
    rig.start();
    const [item] = rig.append([newCall('gated')]);
    await expect(rig.dispatcher.urgent(item!)).resolves.toMatchObject({ kind: 'noReply' });
    expect(rig.dispatcher.state(MAIN).depth).toBe(1);
  });
});

describe('several PBXs', () => {
  test('posts of one whose lead has ended do not block those of another', async () => {
    const rig = new Rig({ parallel: 1 });
    rig.start();
    rig.take(new TestLead(SHOP));
    const old = { happenedAt: rig.clock.wall() - 300_000 };
    rig.lead.end();
    rig.tell(
      Array.from({ length: 50 }, (_, i) => newCall(`s${i}`)),
      { pbx: SHOP },
    );
    rig.tell([newCall('a'), hangup('a')], old);
    await rig.clock.advance(2000);
    expect(rig.zammad.events()).toEqual(['newCall', 'hangup']);
    expect(rig.dispatcher.state(MAIN).depth).toBe(50);
  });

  test('calls with the same id of two PBXs are not mixed', async () => {
    const rig = new Rig();
    rig.start();
    rig.take(new TestLead(SHOP));
    rig.lead.until = 0;
    rig.tell([newCall('same')], { pbx: SHOP });
    rig.tell([newCall('other')], { pbx: SHOP });
    rig.tell([hangup('same')]);
    await rig.clock.advance(1000);
    expect(rig.zammad.sent.map(({ post }) => post.event)).toEqual(['hangup', 'newCall', 'hangup']);
  });
});

describe('taking and dropping', () => {
  test('what is notified before the PBX was taken waits for that, in its order', async () => {
    const rig = new Rig();
    rig.dispatcher.start();
    const [first] = rig.append([newCall('a')]);
    rig.tell([hangup('a')]);
    await rig.clock.advance(5000);
    expect(rig.zammad.sent).toEqual([]);
    rig.dispatcher.take(rig.lead, [first!], []);
    await rig.untilIdle();
    expect(rig.zammad.events()).toEqual(['newCall', 'hangup']);
  });

  test('drop cuts what is under way, writes nothing about it, and forgets the rest', async () => {
    const rig = new Rig();
    rig.zammad.fault = () => 'swallowed';
    rig.start();
    rig.tell([newCall('a'), hangup('a'), newCall('b')]);
    await rig.clock.advance(100);
    const before = states(rig);
    let dropped = false;
    const drop = rig.dispatcher.drop(OFFICE).then(() => {
      dropped = true;
    });
    expect(rig.zammad.sent.map(({ options }) => options.signal?.aborted)).toEqual([true, true]);
    await settle();
    expect(dropped).toBe(true);
    await drop;
    await rig.untilIdle();
    await rig.clock.advance(60_000);
    expect(states(rig)).toEqual(before);
    expect(rig.zammad.sent).toHaveLength(2);
    expect(rig.dispatcher.state(MAIN)).toMatchObject({ state: 'ok', depth: 0 });
    expect(rig.clock.pending).toBe(0);
  });

  test('what was committed under a dropped lead and comes late is not sent; what comes under the next one is', async () => {
    const rig = new Rig();
    rig.start();
    const late = rig.append([newCall('late')]);
    await rig.dispatcher.drop(OFFICE);
    rig.dispatcher.notify(late);
    await rig.untilIdle();
    rig.outbox.epoch = 7;
    rig.tell([newCall('a')]);
    expect(rig.dispatcher.state(MAIN).depth).toBe(1);
    rig.dispatcher.take(new TestLead(OFFICE, 7), [], []);
    rig.dispatcher.notify(late);
    await rig.untilIdle();
    expect(rig.zammad.sent.map(({ post }) => post.callId)).toEqual(['a']);
  });

  test('a gate that waits is told when its PBX is dropped', async () => {
    const rig = new Rig();
    rig.zammad.fault = () => 'swallowed';
    rig.start();
    const [item] = rig.append([newCall('gated')]);
    const reply = rig.dispatcher.urgent(item!);
    await rig.clock.advance(100);
    await rig.dispatcher.drop(OFFICE);
    await expect(reply).resolves.toMatchObject({ kind: 'noReply' });
  });

  test('the store says that another bridge leads: the post is left alone', async () => {
    const rig = new Rig();
    rig.start();
    rig.outbox.notLeading = true;
    rig.tell([newCall('a')]);
    await rig.clock.advance(60_000);
    expect(rig.zammad.sent).toEqual([]);
    expect(rig.lines.filter(({ level }) => level >= 40)).toEqual([]);
    expect(rig.counters.size).toBe(0);
  });

  test('a store that never answers holds up neither drop nor stop', async () => {
    const rig = new Rig();
    rig.start();
    rig.outbox.settle = () => new Promise(() => undefined);
    rig.tell([newCall('a')]);
    await rig.clock.advance(100);
    await rig.dispatcher.drop(OFFICE);
    rig.dispatcher.take(new TestLead(OFFICE, 1), [], []);
    rig.tell([newCall('b')]);
    await rig.clock.advance(100);
    expect(rig.zammad.rows.size).toBe(2);
    const stopped = rig.dispatcher.stop(50);
    await rig.clock.advance(51);
    await stopped;
  });

  test('a newCall that was refused in an earlier run dooms its hangup, and one that was not is told again whole', async () => {
    const rig = new Rig();
    const [refused] = rig.append([newCall('bad')]);
    await rig.outbox.settle(refused!.seq, 'dead', 'status 400');
    const [told] = rig.append([newCall('good')]);
    await rig.outbox.settle(told!.seq, 'delivered');
    rig.append([hangup('bad'), hangup('good')]);
    rig.start();
    await rig.untilIdle();
    expect(rig.zammad.sent.map(({ post }) => post)).toEqual([hangup('good'), newCall('good'), hangup('good')]);
    expect(rig.outbox.troubled()[0]?.reason).toContain('status 400');
  });
});

describe('what is interrupted', () => {
  test('a post that may have been taken stays so in the outbox, whatever fails later', async () => {
    const rig = new Rig();
    const faults: Fault[] = ['answerLost', 'refusedConnection', 'refusedConnection'];
    rig.zammad.fault = (post) => (post.event === 'answer' ? (faults.shift() ?? 'none') : 'none');
    rig.start();
    rig.tell([newCall('a'), answer('a')]);
    await rig.clock.until(() => rig.zammad.events('a').length === 4);
    // A run after this one must not believe that the answer was never taken.
    expect(states(rig)).toEqual(['delivered', 'sending']);
    await rig.untilIdle();
    expect(states(rig)).toEqual(['delivered', 'delivered']);
  });

  test('the bridge ends between newCall and the hangup it was told anew for: the hangup goes out', async () => {
    const rig = new Rig();
    rig.start();
    rig.tell([hangup('a')]);
    await rig.clock.until(() => rig.zammad.rows.size === 1);
    await rig.clock.advance(10);
    const stopped = rig.dispatcher.stop(0);
    await rig.clock.advance(1);
    await stopped;
    // As if killed before the hangup's second attempt was written.
    const [item] = rig.outbox.items.values();
    rig.outbox.items.set(item!.seq, { ...item!, state: 'waiting' });
    rig.newDispatcher();
    rig.zammad.rows.get(newCall('a').callId)!.state = 'newCall';
    rig.start();
    await rig.untilIdle();
    expect(states(rig)).toEqual(['delivered']);
  });

  test('a hangup that Zammad is still working on after the first look is not sent again', async () => {
    const rig = new Rig({ timeout: 2000 });
    rig.zammad.canReadBack = true;
    rig.zammad.fault = once('hangup', 'late');
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.untilIdle();
    expect(rig.zammad.callLogReads.length).toBeGreaterThan(1);
    expect(rig.zammad.rows.get(newCall('a').callId)).toMatchObject({ history: ['newCall', 'hangup'], done: false });
  });

  test("another bridge's interrupted hangup: the caller log is not read before a whole time-out after the take-over", async () => {
    const rig = new Rig({ timeout: 4000 });
    rig.zammad.canReadBack = true;
    const [item] = rig.append([hangup('a')]);
    await rig.outbox.attempt(item!.seq);
    rig.zammad.rows.set(item!.callId, { state: 'newCall', done: false, history: ['newCall'] });
    await rig.clock.advance(9000);
    rig.start();
    await rig.clock.advance(3999);
    expect(rig.zammad.callLogReads).toEqual([]);
    rig.zammad.rows.get(item!.callId)!.state = 'hangup';
    await rig.untilIdle();
    expect(rig.zammad.callLogReads).toHaveLength(1);
    expect(rig.zammad.sent).toEqual([]);
    expect(states(rig)).toEqual(['delivered']);
  });
});

describe('handed in by a person', () => {
  const old = (rig: Rig) => ({ happenedAt: rig.clock.wall() - 48 * 3_600_000 });

  test('is sent whatever its age, a newCall alone too', async () => {
    const rig = new Rig();
    rig.start();
    rig.dispatcher.handedIn(rig.append([newCall('a')], old(rig)));
    await rig.untilIdle();
    expect(rig.zammad.events()).toEqual(['newCall']);
  });

  test('also after a restart before the first try', async () => {
    const rig = new Rig();
    rig.start();
    rig.zammad.fault = () => 'tokenWrong';
    rig.tell([newCall('b')]);
    await rig.clock.advance(100);
    rig.dispatcher.handedIn(rig.append([newCall('a'), hangup('a')], old(rig)));
    await rig.clock.advance(100);
    expect(rig.zammad.events('a')).toEqual([]);
    const stopped = rig.dispatcher.stop(0);
    await rig.clock.advance(1);
    await stopped;
    rig.zammad.fault = () => 'none';
    rig.newDispatcher();
    rig.start();
    await rig.untilIdle();
    expect(rig.zammad.events('a')).toEqual(['newCall', 'hangup']);
  });

  test('is tried although its newCall was refused', async () => {
    const rig = new Rig();
    rig.zammad.fault = (post) => (post.event === 'newCall' && rig.zammad.sent.length === 1 ? 'refused' : 'none');
    rig.start();
    rig.tell([newCall('a'), hangup('a')]);
    await rig.untilIdle();
    const dead = rig.outbox.troubled().filter(({ post }) => post.event === 'hangup');
    await rig.outbox.settle(dead[0]!.seq, 'waiting');
    rig.dispatcher.handedIn(dead.map((item) => ({ ...item, state: 'waiting' })));
    await rig.untilIdle();
    // Told anew first, as Zammad does not know the call.
    expect(rig.zammad.events()).toEqual(['newCall', 'hangup', 'newCall', 'hangup']);
    expect(states(rig)).toEqual(['dead', 'delivered']);
  });

  test('does not go before live calls', async () => {
    const rig = new Rig({ parallel: 1 });
    rig.start();
    rig.dispatcher.handedIn(rig.append([newCall('a'), newCall('b'), newCall('c')], old(rig)));
    rig.tell([newCall('live')]);
    await rig.untilIdle();
    expect(rig.zammad.sent.map(({ post }) => post.callId)).toEqual(['a', 'live', 'b', 'c']);
  });

  test('for a PBX that is not led here, or a Zammad that is gone', async () => {
    const rig = new Rig();
    rig.start();
    rig.dispatcher.handedIn(rig.append([newCall('a')], { pbx: SHOP }));
    rig.dispatcher.handedIn(rig.append([newCall('b')], { zammad: 'gone' as typeof MAIN }));
    await rig.untilIdle();
    expect(rig.zammad.sent).toEqual([]);
    expect(states(rig)).toEqual(['waiting', 'dead']);
  });
});
