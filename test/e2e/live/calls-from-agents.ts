/** Calls that agents make. */
import { refuses } from '../../lab/sip-host.js';
import { outbound, OUTSIDE, type Scenario } from './scenario.js';

export const callsFromAgents: readonly Scenario[] = [
  {
    name: 'an agent calls out and is answered',
    calls: [outbound('100', { answered: true, cause: 'normalClearing' })],
    async play(stage) {
      const alice = await stage.lab.phones.place('100', OUTSIDE);
      const outside = await stage.lab.carrier.callTo(OUTSIDE);
      await outside.answer();
      await Promise.all([alice.hears(), outside.hears()]);
      await stage.shows('493012345678', 'answer');
      await alice.hangUp();
      await outside.reaches('ended');
    },
  },
  {
    name: 'the outside number is busy',
    calls: [outbound('100', { answered: false, cause: 'busy' })],
    async play(stage) {
      stage.lab.carrier.behave(OUTSIDE, refuses(486));
      const alice = await stage.lab.phones.place('100', OUTSIDE);
      await alice.reaches('ended');
    },
  },
  {
    name: 'an agent calls out and gives up',
    calls: [outbound('100', { answered: false, cause: 'cancel' })],
    async play(stage) {
      const alice = await stage.lab.phones.place('100', OUTSIDE);
      await stage.lab.carrier.callTo(OUTSIDE);
      await alice.reaches('ringing');
      await stage.shows('493012345678', 'newCall');
      await alice.hangUp();
    },
  },
  {
    name: 'an agent calls an agent: none of Zammad’s business',
    calls: [],
    async play(stage) {
      const alice = await stage.lab.phones.place('100', '101');
      const bob = await stage.lab.phones.callTo('101');
      await bob.answer();
      await Promise.all([alice.hears(), bob.hears()]);
      await alice.hangUp();
      await bob.reaches('ended');
    },
  },
];
