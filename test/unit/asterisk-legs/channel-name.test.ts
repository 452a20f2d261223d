import { describe, expect, test } from '@jest/globals';
import { dialledNumber, lineOf, parseChannelName, trunkMatcher } from '../../../adapters/asterisk/channel-name.js';

describe('names of channels', () => {
  test.each([
    ['PJSIP/100-0000001a', 'PJSIP/100', 'agent'],
    ['PJSIP/trunk-b-0000005c', 'PJSIP/trunk-b', 'trunk'],
    ['SIP/provider.example-0000a1b2', 'SIP/provider.example', 'trunk'],
    ['SIP/100-b7a1c8d0', 'SIP/100', 'agent'],
    ['IAX2/branch-1234', 'IAX2/branch', 'trunk'],
    ['DAHDI/1-1', 'DAHDI/1', 'agent'],
    ['DAHDI/i1/03012345678-5', 'DAHDI/i1', 'trunk'],
    ['Local/100@from-internal-00000001;1', 'Local/100@from-internal', 'virtual'],
    ['Local/FMPR-100@from-internal-0000000a;2', 'Local/FMPR-100@from-internal', 'virtual'],
    ['CBAnn/lab-00000001;1', 'CBAnn/lab', 'virtual'],
    ['Announcer/ARI-00000001', 'Announcer/ARI', 'pbx'],
    ['AsyncGoto/PJSIP/100-0000001a', 'AsyncGoto/PJSIP/100', 'pbx'],
    ['Recorder', 'Recorder/', 'pbx'],
  ])('%s', (channel, device, kind) => {
    const name = parseChannelName(channel);
    const isTrunk = trunkMatcher(['trunk*', 'SIP/provider.*', 'IAX2/branch', 'DAHDI/i*']);
    expect([name.device, lineOf(name, isTrunk).kind]).toEqual([device, kind]);
  });
});

describe('the number in a dial string', () => {
  test.each([
    ['03012345678@trunk', '03012345678'],
    ['trunk/sip:03012345678@10.0.0.1', '03012345678'],
    ['trunk/+493012345678', '+493012345678'],
    ['g1/03012345678', '03012345678'],
    ['i1/ww03012345678', '03012345678'],
    ['user:secret@peer/03012345678@context', '03012345678'],
    ['provider/03012345678/10.0.0.1', '03012345678'],
    ['100', '100'],
    ['alice', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (text, number) => {
    expect(dialledNumber(text)).toBe(number);
  });
});

test('a pattern without a technology is for all of them', () => {
  const isTrunk = trunkMatcher(['Provider']);
  expect(
    ['SIP/provider-0001', 'PJSIP/PROVIDER-0001', 'PJSIP/provider2-0001'].map((name) => isTrunk(parseChannelName(name))),
  ).toEqual([true, true, false]);
});
