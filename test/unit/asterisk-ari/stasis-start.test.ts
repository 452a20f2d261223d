import { describe, expect, test } from '@jest/globals';
import { readStasisEnd, readStasisStart, waitingIn } from '../../../adapters/asterisk-ari/stasis-start.js';
import { eventOf, stasisStart } from '../../support/stasis-bench.js';

const argsOf = (args: unknown): unknown =>
  Object.fromEntries(readStasisStart(stasisStart({ args }), 'zammad')?.args ?? []);

describe('the arguments of Stasis()', () => {
  test.each([
    ['cut at its commas by Asterisk', ['users=100', '101', 'queue=sales'], { users: '100,101', queue: 'sales' }],
    ['in one piece, out of a Gosub', ['users=100&101&queue=sales'], { users: '100,101', queue: 'sales' }],
    ['a number', ['number=+4930123#'], { number: '+4930123#' }],
    ['with blanks', [' users=100', ' 101'], { users: '100, 101' }],
    ['a name twice: the first counts', ['users=100', 'users=101', '102', 'queue=a'], { users: '100', queue: 'a' }],
    ['what has no name and follows none', ['inbound', 'users=100'], { users: '100' }],
    ['none', [], {}],
    ['no list', 'users=100', {}],
    ['no texts', [1, null, { users: '100' }, 'queue=a'], { queue: 'a' }],
    ['names of JavaScript’s own', ['__proto__=1', 'constructor=2'], { constructor: '2' }],
  ])('%s', (_, args, expected) => {
    expect(argsOf(args)).toEqual(expected);
  });
  test('are bounded', () => {
    const args = argsOf([`users=${'9'.repeat(1_000_000)}`]) as { users: string };
    expect(args.users.length).toBeLessThan(20_000);
    const many = argsOf(Array.from({ length: 100_000 }, (_, n) => `a${n}=1`)) as object;
    expect(Object.keys(many).length).toBeLessThan(300);
  });
});

describe('a StasisStart', () => {
  test('of a customer', () => {
    expect(readStasisStart(stasisStart(), 'zammad')).toMatchObject({
      id: '1700000000.1',
      channel: 'PJSIP/trunk-000000c2',
      from: '+491711234567',
      extension: '49305550713',
    });
  });
  test('out of a Gosub says nothing of where the call goes', () => {
    const event = stasisStart({ channel: { dialplan: { exten: 's' }, caller: { number: '' } } });
    expect(readStasisStart(event, 'zammad')).toMatchObject({ extension: undefined, from: undefined });
  });
  test.each(['sub-2', 'gate1', 'h2', '', 't'])(
    'in a place of the dialplan called %j says nothing of it either',
    (exten) => {
      const event = stasisStart({ channel: { dialplan: { exten } } });
      expect(readStasisStart(event, 'zammad')?.extension).toBeUndefined();
    },
  );
  test.each(['112', '+49301', '*72#', '030-123', '0301234567890'])('of %j says so', (exten) => {
    expect(readStasisStart(stasisStart({ channel: { dialplan: { exten } } }), 'zammad')?.extension).toBe(exten);
  });
  test.each([
    ['of another application', stasisStart({ application: 'other' })],
    ['without a channel', stasisStart({ channel: undefined })],
    ['whose channel has no id', stasisStart({ channel: { id: '' } })],
    ['whose id is no text', stasisStart({ channel: { id: {} } })],
    ['with an id that no Asterisk gives', stasisStart({ channel: { id: '1'.repeat(5_000) } })],
    ['that is another event', stasisStart({ type: 'ChannelVarset' })],
    ['whose channel is a list', eventOf({ type: 'StasisStart', application: 'zammad', channel: [] })],
  ])('%s is none', (_, event) => {
    expect(readStasisStart(event, 'zammad')).toBeUndefined();
  });
});

test('a StasisEnd names its channel', () => {
  const end = eventOf({ type: 'StasisEnd', application: 'zammad', channel: { id: '7.1' } });
  expect(readStasisEnd(end, 'zammad')).toBe('7.1');
  expect(readStasisEnd(end, 'other')).toBeUndefined();
});

test('of the channels that wait, only those of this application', () => {
  const channel = (id: string, app_name: string, app_data: string) => ({ id, dialplan: { app_name, app_data } });
  const channels = [
    channel('1', 'Stasis', 'zammad,users=100'),
    channel('2', 'Stasis', 'zammad'),
    channel('3', 'Stasis', 'zammad2,users=100'),
    channel('4', 'Dial', 'zammad,30'),
    channel('6', 'Stasis', 'zammad,click'),
    {},
    { id: '5' },
  ];
  expect(waitingIn(channels, 'zammad')).toEqual([
    { id: '1', clicked: false },
    { id: '2', clicked: false },
    { id: '6', clicked: true },
  ]);
});
