/** The gate when Zammad or the bridge does not answer: telephones work on. */
import { waitFor } from '../../support/wait-for.js';
import type { SipCall } from '../../lab/sip-call.js';
import { BLOCKED, hearsBusy, mustShow, SHOWN } from './gate-calls.js';
import type { GateWay } from './gate-way.js';
import { CUSTOMER, customerCalls, type ExpectedCall, inbound, outbound, type Scenario } from './scenario.js';
import type { Stage } from './stage.js';

/** `gate.budget` as it is unless configured, ms. */
const BUDGET = 500;
/** What SIP, Asterisk and a busy test machine may add to it, ms. */
const SLACK = 300;

const answered = (number: number): ExpectedCall =>
  inbound(number, { named: ['100'], answers: ['100'], cause: 'normalClearing' });

interface Put {
  readonly customer: SipCall;
  readonly alice: SipCall;
  /** From the caller's INVITE to that of the phone, ms. */
  readonly took: number;
}

async function putThrough(stage: Stage, { one }: GateWay): Promise<Put> {
  const began = performance.now();
  const customer = await customerCalls(stage, one);
  const alice = await stage.lab.phones.callTo('100', { every: 3 });
  return { customer, alice, took: performance.now() - began };
}

/** Both talk, Zammad hears of it, sooner or later, and the customer hangs up. */
async function talkAndEnd(stage: Stage, { customer, alice }: Put): Promise<void> {
  await alice.answer();
  await Promise.all([customer.hears(), alice.hears()]);
  await stage.shows(CUSTOMER, 'answer');
  await customer.hangUp();
  await alice.reaches('ended');
}

function mustHaveWaited({ took }: Put): void {
  if (took < BUDGET - 50) throw new Error(`the phone rang after ${took} ms: the gate did not wait for Zammad`);
  if (took > BUDGET + SLACK) throw new Error(`the phone rang after ${took} ms only`);
}
function mustBeQuick({ took }: Pick<Put, 'took'>): void {
  if (took > SLACK) throw new Error(`the phone rang after ${took} ms only`);
}

export const gateTrouble = (way: GateWay): readonly Scenario[] => [
  {
    name: 'Zammad answers late: the call goes on when the budget is used up',
    calls: [answered(way.one)],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const put = await putThrough(stage, way);
      mustHaveWaited(put);
      await talkAndEnd(stage, put);
    },
  },
  {
    name: 'Zammad hangs and never answers: the call goes on when the budget is used up',
    calls: [answered(way.one)],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'silent', event: 'newCall', times: 1 });
      const put = await putThrough(stage, way);
      mustHaveWaited(put);
      await talkAndEnd(stage, put);
    },
  },
  {
    name: 'Zammad is down: the call goes on at once, and is told when it is back',
    calls: [answered(way.one)],
    async play(stage) {
      await stage.zammad.goDown();
      const put = await putThrough(stage, way);
      mustBeQuick(put);
      await stage.zammad.comeUp();
      await talkAndEnd(stage, put);
    },
  },
  {
    name: 'Zammad rejects too late: the phone rings, then the caller hears busy after all',
    calls: [inbound(way.one, { named: ['100'], cause: 'busy' })],
    async play(stage) {
      stage.zammad.change({ blockList: [BLOCKED] });
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const put = await putThrough(stage, way);
      mustHaveWaited(put);
      await hearsBusy(put.customer);
      await put.alice.reaches('ended');
    },
  },
  {
    name: 'an emergency number, behind the gate’s prefix and an outside line, is not asked about',
    // Zammad is told of it like of any other call, and writes down the number that it would have had it show.
    calls: [{ ...outbound('100', { answered: true, cause: 'normalClearing' }), from: SHOWN, to: '0112' }],
    async play(stage) {
      stage.zammad.change({ routingTable: [{ dest: '*', callerId: SHOWN }] });
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const began = performance.now();
      const alice = await stage.lab.phones.place('100', `${way.prefix}0112`);
      const outside = await stage.lab.carrier.callTo('0112', { every: 3 });
      mustBeQuick({ took: performance.now() - began });
      mustShow('+49305550100', outside);
      await outside.answer();
      await Promise.all([alice.hears(), outside.hears()]);
      await alice.hangUp();
      await outside.reaches('ended');
    },
  },
  {
    name: 'a caller gives up while Zammad hangs',
    calls: [inbound(way.one, { named: ['100'], cause: 'cancel' })],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const customer = await customerCalls(stage, way.one);
      await waitFor('the question', () => stage.posts().some(({ event }) => event === 'newCall'), { every: 3 });
      await customer.hangUp();
    },
  },
  {
    name: 'no bridge runs: the call goes on at once, and is taken up when there is one',
    calls: [answered(way.one)],
    async play(stage) {
      await stage.crash();
      const put = await putThrough(stage, way);
      mustBeQuick(put);
      await stage.bridge.launch();
      await stage.bridge.ready();
      await talkAndEnd(stage, put);
    },
  },
  {
    name: 'the bridge crashes (kill -9) while a call waits at the gate: it goes on',
    calls: [answered(way.one)],
    async play(stage) {
      const customer = await waitsAsTheBridgeCrashes(stage, way.one);
      const alice = await stage.lab.phones.callTo('100');
      await stage.bridge.launch();
      await stage.bridge.ready();
      await talkAndEnd(stage, { customer, alice, took: 0 });
    },
  },
];

/** Stasis() has no time limit of its own; the dialplan of this number sets none either. */
export const strandedInStasis: Scenario = {
  name: 'the bridge crashes while a call waits in Stasis: the next one lets it go as soon as it is connected',
  calls: [answered(715)],
  async play(stage) {
    const customer = await waitsAsTheBridgeCrashes(stage, 715);
    await stage.bridge.launch();
    const alice = await stage.lab.phones.callTo('100');
    await stage.bridge.ready();
    await talkAndEnd(stage, { customer, alice, took: 0 });
  },
};

async function waitsAsTheBridgeCrashes(stage: Stage, number: number): Promise<SipCall> {
  stage.zammad.faults.add({ kind: 'silent', event: 'newCall', times: 1 });
  const customer = await customerCalls(stage, number);
  await waitFor('the question', () => stage.posts().some(({ event }) => event === 'newCall'), { every: 3 });
  await stage.bridge.kill();
  return customer;
}

const CROWD = 50;
/** What is asked and told besides Zammad's word, over ARI above all, ms; and what a busy machine may add. */
const ORDERS = 2_000;

/** All of them blocked: whoever is not answered in time hears busy a moment later, by a late reject. */
export const crowd = (way: GateWay): Scenario => {
  const numbers = Array.from({ length: CROWD }, (_, nth) => String(491720000000 + nth));
  return {
    name: `${CROWD} callers at the gate at once, all blocked: none is held for longer than the budget and the orders take`,
    calls: numbers.map((from) => inbound(way.one, { named: ['100'], cause: 'busy', from })),
    async play(stage) {
      stage.zammad.change({ blockList: numbers });
      const before = held(stage, way).length;
      await Promise.all(
        numbers.map(async (from) => hearsBusy(await customerCalls(stage, way.one, { from: `+${from}` }))),
      );
      const all = await waitFor('the bridge to have written down each', () => {
        const now = held(stage, way).slice(before);
        return now.length >= CROWD && now;
      });
      const longest = Math.max(...all);
      if (longest > BUDGET + ORDERS) throw new Error(`a call was held for ${longest} ms`);
    },
  };
};

/** By the bridge's own clock: how long it held each call, ms. */
const held = ({ bridge }: Stage, way: GateWay): readonly number[] =>
  [...bridge.log.matchAll(way.held)].map(([, ms]) => Number(ms));
