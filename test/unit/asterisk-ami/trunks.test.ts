import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { parseChannelName } from '../../../adapters/asterisk/channel-name.js';
import { Trunks } from '../../../adapters/asterisk-ami/trunks.js';
import { ManualClock } from '../../support/manual-clock.js';

function trunksOf(configured: readonly string[]): { trunks: Trunks; said: string[] } {
  const said: string[] = [];
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) },
  );
  return { trunks: new Trunks({ configured, name: 'office', clock: new ManualClock(), log }), said };
}
const see = (trunks: Trunks, ...channels: string[]): void => {
  for (const channel of channels) trunks.matches(parseChannelName(channel));
};

test('a name that no channel bears is said once, with the names that were seen', () => {
  const { trunks, said } = trunksOf(['provider']);
  for (let call = 0; call < 10; call += 1)
    see(trunks, `PJSIP/trunk-0000000${String(call)}`, `PJSIP/100-0000001${String(call)}`);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain('trunks: provider; seen: PJSIP/trunk, PJSIP/100');
});

test('where a trunk was seen, channels that are none are no news', () => {
  const { trunks, said } = trunksOf(['trunk']);
  see(trunks, 'PJSIP/100-00000001', 'PJSIP/trunk-00000002');
  for (let call = 0; call < 10; call += 1) see(trunks, `PJSIP/100-0000001${String(call)}`);
  expect(said).toEqual([]);
});
