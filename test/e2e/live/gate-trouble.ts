/** The gate when Zammad or the bridge does not answer: telephones work on. */
import { waitFor } from '../../support/wait-for.js';
import type { SipCall } from '../../lab/sip-call.js';
import { BLOCKED, hearsBusy, mustShow, SHOWN } from './gate-calls.js';
import { CUSTOMER, customerCalls, inbound, outbound, type Scenario } from './scenario.js';
import type { Stage } from './stage.js';

/** `gate.budget` as it is unless configured, ms. */
const BUDGET = 500;
/** What SIP, Asterisk and a busy test machine may add to it, ms. */
const SLACK = 300;

const answered = inbound(703, { named: ['100'], answers: ['100'], cause: 'normalClearing' });

interface Put {
  readonly customer: SipCall;
  readonly alice: SipCall;
  /** From the caller's INVITE to that of the phone, ms. */
  readonly took: number;
}

async function putThrough(stage: Stage): Promise<Put> {
  const began = performance.now();
  const customer = await customerCalls(stage, 703);
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

export const gateTrouble: readonly Scenario[] = [
  {
    name: 'Zammad answers late: the call goes on when the budget is used up',
    calls: [answered],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const put = await putThrough(stage);
      mustHaveWaited(put);
      await talkAndEnd(stage, put);
    },
  },
  {
    name: 'Zammad hangs and never answers: the call goes on when the budget is used up',
    calls: [answered],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'silent', event: 'newCall', times: 1 });
      const put = await putThrough(stage);
      mustHaveWaited(put);
      await talkAndEnd(stage, put);
    },
  },
  {
    name: 'Zammad is down: the call goes on at once, and is told when it is back',
    calls: [answered],
    async play(stage) {
      await stage.zammad.goDown();
      const put = await putThrough(stage);
      mustBeQuick(put);
      await stage.zammad.comeUp();
      await talkAndEnd(stage, put);
    },
  },
  {
    name: 'Zammad rejects too late: the phone rings, then the caller hears busy after all',
    calls: [inbound(703, { named: ['100'], cause: 'busy' })],
    async play(stage) {
      stage.zammad.change({ blockList: [BLOCKED] });
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const put = await putThrough(stage);
      mustHaveWaited(put);
      await hearsBusy(put.customer);
      await put.alice.reaches('ended');
    },
  },
  {
    name: 'an emergency number, behind the 6 and an outside line, is not asked about',
    // Zammad is told of it like of any other call, and writes down the number that it would have had it show.
    calls: [{ ...outbound('100', { answered: true, cause: 'normalClearing' }), from: SHOWN, to: '0112' }],
    async play(stage) {
      stage.zammad.change({ routingTable: [{ dest: '*', callerId: SHOWN }] });
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const began = performance.now();
      const alice = await stage.lab.phones.place('100', '60112');
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
    calls: [inbound(703, { named: ['100'], cause: 'cancel' })],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'slow', event: 'newCall', ms: 1_500, times: 1 });
      const customer = await customerCalls(stage, 703);
      await waitFor('the question', () => stage.posts().some(({ event }) => event === 'newCall'), { every: 3 });
      await customer.hangUp();
    },
  },
  {
    name: 'no bridge runs: the call goes on at once, and is taken up when there is one',
    calls: [answered],
    async play(stage) {
      await stage.bridge.kill();
      const put = await putThrough(stage);
      mustBeQuick(put);
      await stage.bridge.launch();
      await stage.bridge.ready();
      await talkAndEnd(stage, put);
    },
  },
  {
    name: 'the bridge crashes (kill -9) while a call waits at the gate: it goes on',
    calls: [answered],
    async play(stage) {
      stage.zammad.faults.add({ kind: 'silent', event: 'newCall', times: 1 });
      const customer = await customerCalls(stage, 703);
      await waitFor('the question', () => stage.posts().some(({ event }) => event === 'newCall'), { every: 3 });
      await stage.bridge.kill();
      const alice = await stage.lab.phones.callTo('100');
      await stage.bridge.launch();
      await stage.bridge.ready();
      await talkAndEnd(stage, { customer, alice, took: 0 });
    },
  },
];
