import { expect, test } from '@jest/globals';
import { AsteriskLegs } from '../../../adapters/asterisk/legs.js';
import { amiMessage } from '../../../adapters/asterisk-ami/message.js';
import { trunkMatcher } from '../../../adapters/asterisk/channel-name.js';

const hangup = (uniqueid: string, channel: string, cause = '16') =>
  amiMessage({ Event: 'Hangup', Uniqueid: uniqueid, Channel: channel, Cause: cause });

test('the end of a channel from before this run is told: the bridge may know it from its journal', () => {
  const legs = new AsteriskLegs(trunkMatcher(['trunk']));
  expect(legs.push(amiMessage({ Event: 'HangupRequest', Uniqueid: '1.1', Channel: 'PJSIP/trunk-00000001' }))).toEqual(
    [],
  );
  expect(legs.push(hangup('1.1', 'PJSIP/trunk-00000001'))).toEqual([
    { type: 'ended', leg: '1.1', q850: 16, by: 'far' },
  ]);
  expect(legs.push(hangup('1.2', 'PJSIP/100-00000002', '17'))).toEqual([
    { type: 'ended', leg: '1.2', q850: 17, by: 'pbx' },
  ]);
  expect(legs.push(hangup('1.3', 'Local/100@from-queue-00000003;1'))).toEqual([]);
});
