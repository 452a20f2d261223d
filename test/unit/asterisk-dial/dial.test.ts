/** What is rung for an agent, what is set on his channel, and what is made of how his phones ended. */
import { describe, expect, test } from '@jest/globals';
import { dialVariables, phonesOf } from '../../../adapters/asterisk/dial-phones.js';
import { type PhoneEnd, refusalOf } from '../../../adapters/asterisk/dial-refusal.js';
import { dialSettings } from '../../../adapters/asterisk/dial-settings.js';
import type { OriginateOrder } from '../../../src/pbx/adapter.js';

const ORDER: OriginateOrder = {
  agent: { extension: '100', devices: [] },
  number: '03012345678',
  shown: 'Max',
  ringFor: 20_000,
  autoAnswer: { name: 'Call-Info', value: ';answer-after=0' },
};
const settings = (more: object = {}) => dialSettings.parse({ context: 'from-internal', ...more });

describe('settings', () => {
  test.each([
    ['no context', {}],
    ['two contexts', { context: 'a,b' }],
    ['a phone that is every agent’s', { context: 'a', phone: 'PJSIP/100' }],
    ['two phones', { context: 'a', phone: 'PJSIP/{extension}&PJSIP/door' }],
    ['an extension in the middle of the technology', { context: 'a', phone: '{extension}/PJSIP' }],
    ['a line break', { context: 'a', phone: 'PJSIP/{extension}\r\nX: y' }],
  ])('%s is no setting', (_what, given) => {
    expect(dialSettings.safeParse(given).success).toBe(false);
  });
});

describe('phones', () => {
  const many = Array.from({ length: 9 }, (_, index) => `PJSIP/a${index}`);
  test.each([
    ['the extension', [], {}, ['PJSIP/100']],
    ['his devices, each once', ['PJSIP/a', 'PJSIP/b', 'PJSIP/a'], {}, ['PJSIP/a', 'PJSIP/b']],
    ['not more than five', many, {}, many.slice(0, 5)],
    ['what the settings say', ['PJSIP/a'], { phone: 'Local/{extension}@x/n' }, ['Local/100@x/n']],
  ])('%s', (_what, devices, more, expected) => {
    expect(phonesOf({ extension: '100', devices }, settings(more))).toEqual(expected);
  });
});

describe('variables', () => {
  test.each([
    ['PJSIP/100', {}, ['CONNECTEDLINE(num,i)', 'CONNECTEDLINE(name,i)', 'PJSIP_HEADER(add,Call-Info)']],
    ['SIP/100', {}, ['CONNECTEDLINE(num,i)', 'CONNECTEDLINE(name,i)', 'SIPADDHEADER01']],
    [
      'Local/100@x',
      {},
      ['CONNECTEDLINE(num,i)', 'CONNECTEDLINE(name,i)', 'CALLERID(num)', 'HASH(__SIPHEADERS,Call-Info)'],
    ],
    [
      'PJSIP/100',
      { callerId: 'extension' },
      ['CONNECTEDLINE(num,i)', 'CONNECTEDLINE(name,i)', 'CALLERID(num)', 'PJSIP_HEADER(add,Call-Info)'],
    ],
  ])('%s %j', (phone, more, names) => {
    expect(dialVariables(ORDER, phone, settings(more), true).map(([name]) => name)).toEqual(names);
  });
  test('a number that is shown is no name, and only the first phone takes the call by itself', () => {
    expect(dialVariables({ ...ORDER, shown: ORDER.number }, 'PJSIP/100', settings(), false)).toEqual([
      ['CONNECTEDLINE(num,i)', ORDER.number],
    ]);
  });
});

describe('several phones: the one that tells most counts', () => {
  const end = (more: Partial<PhoneEnd>): PhoneEnd => ({
    phone: 'PJSIP/100',
    called: true,
    rang: false,
    timedOut: false,
    ...more,
  });
  const declined = end({ q850: 21 });
  const busy = end({ q850: 17 });
  const unanswered = end({ timedOut: true, rang: true });
  const absent = end({ called: false, deviceState: 'UNAVAILABLE' });
  test.each([
    ['declined', [absent, declined, busy]],
    ['busy', [unanswered, busy]],
    ['no-answer', [absent, unanswered]],
    ['not-registered', [absent, absent]],
    ['failed', []],
    ['failed', [end({ called: false, timedOut: true })]],
  ] as const)('%s', (why, ends) => {
    expect(refusalOf('100', ends).why).toBe(why);
  });
});
