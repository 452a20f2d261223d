/** A site with two Zammads, calls told on arrival, rejected calls off the list of missed ones, and a memory of rejects. */
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { waitFor } from '../../support/wait-for.js';
import { BLOCKED, callOut, gatedOutbound, hearsBusy, mustShow, nothingRang, ROUTES, SHOWN } from './gate-calls.js';
import type { GateWay } from './gate-way.js';
import { customerCalls, inbound, OTHER_CUSTOMER, type Scenario } from './scenario.js';
import type { Stage } from './stage.js';

export const OTHER_SITE = {
  branch: true,
  settings: { calls: { newCall: 'arrival' }, gate: { rejectedCause: 'forwarded', remember: '1m' } },
} as const;

/** Of whom nothing is remembered. */
const STRANGER = '+491520000002';

/** Whoever calls the PBX hears busy, and no phone rings. */
async function isTurnedAway(stage: Stage, to: number, from?: string): Promise<void> {
  await hearsBusy(await customerCalls(stage, to, from === undefined ? {} : { from }));
  await stage.lab.silence();
  nothingRang({ lab: stage.lab, events: () => stage.events() });
}

const told = ({ requests }: StandIn, callId: string, event: string): number =>
  requests().filter((post) => post.callId === callId && post.event === event && post.status === 200).length;

/** Both Zammads know each call of this scenario, were told of its end once, and why. */
async function bothAgree(stage: Stage): Promise<void> {
  const rows = await waitFor(
    'Zammad to show the calls as over',
    () => stage.rows().length > 0 && stage.rows().every(({ state }) => state === 'hangup') && stage.rows(),
  );
  for (const { callId, comment } of rows) {
    const there = await waitFor(`the second Zammad to show ${callId} as over`, () =>
      stage.branch.log().find((row) => row.callId === callId && row.state === 'hangup'),
    );
    const counts = [stage.zammad, stage.branch].map((one) => [
      told(one, callId, 'newCall'),
      told(one, callId, 'hangup'),
    ]);
    if (there.comment !== comment || counts.flat().some((count) => count !== 1))
      throw new Error(
        `${callId}: ${comment ?? '?'} here and ${there.comment ?? '?'} there, told ${JSON.stringify(counts)}`,
      );
  }
}

export const otherSiteCalls = (way: GateWay): readonly Scenario[] => [
  {
    name: 'one of two Zammads rejects: the caller hears busy, no phone rings, and both are told that it is over',
    calls: [inbound(way.group, { named: ['100', '101'], cause: 'forwarded' })],
    async play(stage) {
      stage.branch.change({ blockList: [BLOCKED] });
      await isTurnedAway(stage, way.group);
      await bothAgree(stage);
    },
  },
  {
    name: 'one of two Zammads hangs, the other rejects: at once',
    calls: [inbound(way.one, { named: ['100'], cause: 'forwarded' })],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      stage.branch.change({ blockList: [BLOCKED] });
      await isTurnedAway(stage, way.one);
      if (stage.rows().length > 0) throw new Error('it was waited for the Zammad that hangs');
      await bothAgree(stage);
    },
  },
  {
    name: 'both Zammads name a number: that of the first one is shown, though it comes later',
    calls: [gatedOutbound(SHOWN)],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'late-reply', event: 'newCall', ms: 150, times: 1 });
      stage.zammad.change({ routingTable: ROUTES });
      stage.branch.change({ routingTable: [{ dest: '*', callerId: '49305550888' }] });
      mustShow(SHOWN, await callOut(stage, way));
    },
  },
  {
    name: 'a reject that comes too late ends the call as one that is wanted closed',
    calls: [inbound(way.one, { named: ['100'], cause: 'forwarded', from: STRANGER })],
    async play(stage) {
      stage.branch.change({ blockList: [STRANGER.slice(1)] });
      stage.branch.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const customer = await customerCalls(stage, way.one, { from: STRANGER });
      const alice = await stage.lab.phones.callTo('100');
      await hearsBusy(customer);
      await alice.reaches('ended');
      await bothAgree(stage);
    },
  },
  {
    name: 'no gate, but the dialplan waits a moment: the caller hears busy, and no phone rings',
    calls: [inbound(706, { cause: 'forwarded' })],
    async play(stage) {
      stage.zammad.change({ blockList: [BLOCKED] });
      await isTurnedAway(stage, 706);
      await bothAgree(stage);
    },
  },
  {
    name: 'both Zammads are down: whom one of them rejected before is rejected, another caller is put through',
    calls: [
      ...[1, 2].map(() => inbound(way.one, { named: ['100'], cause: 'forwarded', from: OTHER_CUSTOMER })),
      inbound(way.one, { named: ['100'], cause: 'cancel', from: '+491520000001' }),
    ],
    async play(stage) {
      stage.branch.change({ blockList: [OTHER_CUSTOMER.slice(1)] });
      await isTurnedAway(stage, way.one, OTHER_CUSTOMER);
      await bothAgree(stage);
      await Promise.all([stage.zammad.goDown(), stage.branch.goDown()]);
      await isTurnedAway(stage, way.one, OTHER_CUSTOMER);
      const another = await customerCalls(stage, way.one, { from: '+491520000001' });
      await stage.lab.phones.callTo('100');
      await another.hangUp();
      await Promise.all([stage.zammad.comeUp(), stage.branch.comeUp()]);
      await waitFor('Zammad to have heard of it all', () => stage.rows().length === 3);
      await bothAgree(stage);
    },
  },
];
