import { expect, test } from '@jest/globals';
import { Trunks } from '../../../adapters/asterisk-ari/trunks.js';
import type { AriReply, AriRequest } from '../../../adapters/asterisk-ari/rest-contract.js';
import { parseChannelName } from '../../../adapters/asterisk/channel-name.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { silent } from '../../support/whole-bridge.js';

const attributes = (given: object): AriReply => ({
  status: 200,
  body: Object.entries(given).map(([attribute, value]) => ({ attribute, value: String(value) })),
});

/** A PBX with these endpoints; those whose name begins with `trunk` log in somewhere. */
async function rig(endpoints: string[], configured?: readonly string[]) {
  const asked: string[] = [];
  const clock = new ManualClock();
  const trunks = new Trunks({ configured, name: 'office', clock, log: silent });
  const request = ({ path }: AriRequest): Promise<AriReply> => {
    asked.push(path.at(-1) ?? '');
    const name = path.at(-1) ?? '';
    if (name === 'endpoints')
      return Promise.resolve({
        status: 200,
        body: endpoints.map((resource) => ({ technology: 'PJSIP', resource, state: 'online' })),
      });
    return Promise.resolve(attributes({ outbound_auth: name.startsWith('trunk') ? name : '', auth: name }));
  };
  await trunks.learn({
    rest: { request, close: () => undefined },
    at: { host: 'pbx', port: 8088 },
    username: 'bridge',
  });
  asked.length = 0;
  const isTrunk = (name: string): boolean => trunks.matches(parseChannelName(`PJSIP/${name}-00000001`));
  return { trunks, asked, clock, isTrunk };
}

test('a trunk that is added while the PBX is heard is known once its first channel was seen; only what is new is looked at', async () => {
  const endpoints = ['100', 'trunk'];
  const { asked, isTrunk } = await rig(endpoints);
  endpoints.push('trunk2', '101');
  expect(isTrunk('trunk2')).toBe(false);
  await settle();
  expect([isTrunk('trunk2'), isTrunk('trunk'), isTrunk('101'), isTrunk('100')]).toEqual([true, true, false, false]);
  await settle();
  expect(asked).toEqual(['endpoints', 'trunk2', '101']);
});

test('a look is taken once a minute at most, however many unknown names there are', async () => {
  const endpoints = ['100', 'trunk'];
  const { asked, isTrunk, clock } = await rig(endpoints);
  for (let n = 0; n < 20; n += 1) isTrunk(`stranger${n}`);
  await clock.advance(59_999);
  isTrunk('stranger');
  await settle();
  expect(asked).toEqual(['endpoints']);
  await clock.advance(1);
  isTrunk('stranger');
  await settle();
  expect(asked).toEqual(['endpoints', 'endpoints']);
});

test('nothing is asked of known phones, of configured trunks, or of a PBX that is not heard', async () => {
  const one = await rig(['100', 'trunk']);
  one.isTrunk('100');
  one.trunks.end();
  one.isTrunk('stranger');
  const other = await rig(['100', 'trunk'], ['trunk']);
  other.isTrunk('stranger');
  await settle();
  expect([...one.asked, ...other.asked]).toEqual([]);
});
