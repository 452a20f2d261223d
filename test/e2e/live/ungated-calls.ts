/** A site whose dialplan does not ask: Zammad's word comes while the phone rings. */
import { hearsBusy, gatedOutbound, mustShow, BLOCKED, ROUTES, SHOWN } from './gate-calls.js';
import { CUSTOMER, customerCalls, inbound, OUTSIDE, type Scenario } from './scenario.js';
import type { Stage } from './stage.js';

/** Agent 100 calls out; the outside answers, both talk. */
async function callsOut(stage: Stage): Promise<void> {
  const alice = await stage.lab.phones.place('100', OUTSIDE);
  const outside = await stage.lab.carrier.callTo(OUTSIDE);
  await outside.answer();
  await Promise.all([alice.hears(), outside.hears()]);
  // As the dialplan says it: whoever is dialled already cannot be shown another number.
  mustShow('+49305550100', outside);
  await alice.hangUp();
  await outside.reaches('ended');
}

/** @param line What the dialplan needs, as the log says it. */
export const ungatedCalls = (line: string): readonly Scenario[] => [
  {
    name: 'a blocked caller hears busy while the phone rings',
    calls: [inbound(100, { named: ['100'], cause: 'busy' })],
    async play(stage) {
      stage.zammad.change({ blockList: [BLOCKED] });
      const customer = await customerCalls(stage, 100);
      const alice = await stage.lab.phones.callTo('100');
      await hearsBusy(customer);
      await alice.reaches('ended');
    },
  },
  {
    name: 'a blocked caller of a ring group hears busy, and every phone is silent again',
    calls: [inbound(200, { named: ['100', '101'], cause: 'busy' })],
    async play(stage) {
      stage.zammad.change({ blockList: [BLOCKED] });
      const customer = await customerCalls(stage, 200);
      const phones = await Promise.all(['100', '101'].map((user) => stage.lab.phones.callTo(user)));
      await hearsBusy(customer);
      await Promise.all(phones.map((phone) => phone.reaches('ended')));
    },
  },
  {
    name: 'a blocked caller to whom an agent talks already is not cut off',
    calls: [inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing' })],
    async play(stage) {
      stage.zammad.change({ blockList: [BLOCKED] });
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 700, times: 1 });
      const customer = await customerCalls(stage, 100);
      const alice = await stage.lab.phones.callTo('100');
      await alice.answer();
      await Promise.all([customer.hears(), alice.hears()]);
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
      await alice.reaches('ended');
    },
  },
  {
    name: 'the number that Zammad names comes too late: counted, and said once with what mends it',
    calls: [gatedOutbound(SHOWN), gatedOutbound(SHOWN)],
    async play(stage) {
      stage.zammad.change({ routingTable: ROUTES });
      await callsOut(stage);
      await stage.lab.silence();
      await callsOut(stage);
      await stage.bridge.logs('names the caller id of a call', line);
      const said = stage.bridge.log.split('\n').filter((one) => one.includes('names the caller id of a call'));
      const metrics = (await stage.bridge.get('/metrics'))?.body ?? '';
      if (said.length !== 1 || !metrics.includes('gate_missing_total{pbx="office"} 2'))
        throw new Error(`said ${said.length} times; ${/gate_missing_total.*$/m.exec(metrics)?.[0] ?? 'not counted'}`);
    },
  },
];
