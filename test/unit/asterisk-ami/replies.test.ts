import { describe, expect, test } from '@jest/globals';
import { amiMessage } from '../../../adapters/asterisk-ami/message.js';
import { Replies } from '../../../adapters/asterisk-ami/replies.js';
import { RetriableError } from '../../../src/errors.js';
import { ManualClock } from '../../support/manual-clock.js';

const item = (n: number) => amiMessage({ Event: 'Status', ActionID: 'a', Channel: `PJSIP/${n}` });
const start = amiMessage({ Response: 'Success', ActionID: 'a', EventList: 'start' });
const complete = (fields: Record<string, string>) =>
  amiMessage({ Event: 'StatusComplete', ActionID: 'a', EventList: 'Complete', ...fields });

describe('one answer', () => {
  test('settles with the response of its ActionID, an error included', async () => {
    const replies = new Replies(new ManualClock());
    const a = replies.one('a', 'Hangup', 1000);
    const b = replies.one('b', 'Hangup', 1000);
    expect(replies.deliver(amiMessage({ Response: 'Error', ActionID: 'b' }))).toBe(true);
    expect(replies.deliver(amiMessage({ Response: 'Success', ActionID: 'a' }))).toBe(true);
    expect([(await a).response, (await b).response]).toEqual(['Success', 'Error']);
    expect(replies.size).toBe(0);
  });

  test('an event that bears the same ActionID is an event', () => {
    const replies = new Replies(new ManualClock());
    void replies.one('a', 'Originate', 1000);
    expect(replies.deliver(amiMessage({ Event: 'OriginateResponse', ActionID: 'a' }))).toBe(false);
    expect(replies.size).toBe(1);
  });

  test('no answer: a retriable error after the time, and a late answer finds nobody', async () => {
    const clock = new ManualClock();
    const replies = new Replies(clock);
    const reply = replies.one('a', 'Hangup', 1000);
    clock.turn(1000);
    await expect(reply).rejects.toMatchObject({ code: 'ZPB_AMI_TIMEOUT', retriable: true });
    expect(replies.deliver(amiMessage({ Response: 'Success', ActionID: 'a' }))).toBe(false);
  });

  test('no ActionID, nobody answered', () => {
    const replies = new Replies(new ManualClock());
    void replies.one('a', 'Command', 1000);
    expect(replies.deliver(amiMessage({ Response: 'Follows' }))).toBe(false);
    expect(replies.size).toBe(1);
  });

  test('the end of the connection fails all, and leaves no timer', async () => {
    const clock = new ManualClock();
    const replies = new Replies(clock);
    const all = [replies.one('a', 'Ping', 1000), replies.list('b', 'Status', 'StatusComplete', 1000)];
    const reason = new RetriableError('ZPB_AMI_CLOSED', 'gone');
    replies.failAll(reason);
    for (const reply of all) await expect(reply).rejects.toBe(reason);
    expect([clock.pending, replies.size]).toEqual([0, 0]);
  });
});

describe('a list', () => {
  const ask = () => {
    const clock = new ManualClock();
    const replies = new Replies(clock);
    const list = replies.list('a', 'Status', 'StatusComplete', 1000);
    return { clock, replies, list };
  };

  test('its items, once the end has come and the number is right', async () => {
    const { clock, replies, list } = ask();
    for (const message of [start, item(1), item(2), complete({ ListItems: '2' })]) replies.deliver(message);
    expect((await list).map((one) => one.get('Channel'))).toEqual(['PJSIP/1', 'PJSIP/2']);
    expect(clock.pending).toBe(0);
  });

  test('an empty one', async () => {
    const { replies, list } = ask();
    for (const message of [start, complete({ ListItems: '0' })]) replies.deliver(message);
    expect(await list).toEqual([]);
  });

  test.each([
    ['items are missing', [start, item(1), complete({ ListItems: '2' })]],
    ['Asterisk cancelled it', [start, item(1), complete({ EventList: 'cancelled', ListItems: '1' })]],
  ])('is no list when %s', async (_why, messages) => {
    const { replies, list } = ask();
    for (const message of messages) replies.deliver(message);
    await expect(list).rejects.toMatchObject({ code: 'ZPB_AMI_LIST', retriable: true });
  });

  test('refused: says what Asterisk said', async () => {
    const { replies, list } = ask();
    replies.deliver(amiMessage({ Response: 'Error', ActionID: 'a', Message: 'Permission denied' }));
    await expect(list).rejects.toMatchObject({
      code: 'ZPB_AMI_REFUSED',
      reason: 'Permission denied',
      retriable: false,
    });
    expect(replies.size).toBe(0);
  });

  test('never ends: the time is for all of it', async () => {
    const { clock, replies, list } = ask();
    replies.deliver(start);
    clock.turn(900);
    replies.deliver(item(1));
    clock.turn(100);
    await expect(list).rejects.toMatchObject({ code: 'ZPB_AMI_TIMEOUT' });
  });
});
