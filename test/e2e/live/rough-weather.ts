/** What happens when a wire, the PBX or the bridge itself fails in mid-call. */
import type { SipCall } from '../../lab/sip-call.js';
import { CUSTOMER, customerCalls, inbound, OTHER_CUSTOMER, type Scenario, talk } from './scenario.js';
import type { Stage } from './stage.js';

const answered = inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing' });
const rang = inbound(101, { named: ['101'], cause: 'congestion', from: OTHER_CUSTOMER });
const answeredLater = inbound(101, { named: ['101'], answers: ['101'], cause: 'normalClearing', from: OTHER_CUSTOMER });

interface TwoCalls {
  readonly talking: { readonly customer: SipCall; readonly agent: SipCall };
  readonly ringing: { readonly customer: SipCall; readonly agent: SipCall };
}

/** One customer talks with 100, another one waits for 101, and Zammad shows both. */
async function oneTalksOneRings(stage: Stage): Promise<TwoCalls> {
  const talking = await talk(stage);
  const customer = await customerCalls(stage, 101, { from: OTHER_CUSTOMER });
  const agent = await stage.lab.phones.callTo('101');
  await customer.reaches('ringing');
  await stage.shows(OTHER_CUSTOMER, 'newCall');
  return { talking, ringing: { customer, agent } };
}

/** Both calls go on as if nothing had been, and end. */
async function goOnAndEnd(stage: Stage, { talking, ringing }: TwoCalls): Promise<void> {
  await Promise.all([talking.customer.hears(), talking.agent.hears()]);
  await ringing.agent.answer();
  await stage.shows(OTHER_CUSTOMER, 'answer');
  await talking.customer.hangUp();
  await ringing.agent.hangUp();
  await ringing.customer.reaches('ended');
}

async function endBoth(stage: Stage, { talking, ringing }: TwoCalls): Promise<void> {
  await talking.customer.hangUp();
  await ringing.customer.hangUp();
  await stage.lab.silence();
}

async function allClosed(stage: Stage): Promise<void> {
  await stage.shows(CUSTOMER, 'hangup');
  await stage.shows(OTHER_CUSTOMER, 'hangup');
}

export const roughWeather: readonly Scenario[] = [
  {
    name: 'the wire to the PBX is cut in mid-call and mended; the calls go on',
    calls: [answered, answeredLater],
    async play(stage) {
      const calls = await oneTalksOneRings(stage);
      await stage.cutWire();
      await stage.mendWire();
      await goOnAndEnd(stage, calls);
    },
  },
  {
    name: 'the calls end while the wire is cut',
    calls: [answered, rang],
    async play(stage) {
      const calls = await oneTalksOneRings(stage);
      await stage.cutWire();
      await endBoth(stage, calls);
      await stage.mendWire();
    },
  },
  {
    name: 'a call comes and is answered while the wire is cut',
    calls: [answered],
    async play(stage) {
      await stage.cutWire();
      const customer = await customerCalls(stage, 100);
      const alice = await stage.lab.phones.callTo('100');
      await alice.answer();
      await Promise.all([customer.hears(), alice.hears()]);
      await stage.mendWire();
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
    },
  },
  {
    name: 'Asterisk is stopped in mid-call: everything is closed before it is back',
    calls: [answered, rang],
    async play(stage) {
      await oneTalksOneRings(stage);
      await stage.lab.pbx.stop();
      await allClosed(stage);
      await stage.bootPbx();
    },
  },
  {
    name: 'Asterisk is killed in mid-call and started again',
    calls: [answered, rang],
    async play(stage) {
      await oneTalksOneRings(stage);
      await stage.lab.pbx.kill();
      await stage.bridge.unready();
      await stage.bootPbx();
      await allClosed(stage);
    },
  },
  {
    name: 'the bridge is restarted (SIGTERM) in mid-call',
    calls: [answered, answeredLater],
    async play(stage) {
      const calls = await oneTalksOneRings(stage);
      const status = await stage.bridge.stop();
      if (status !== 0) throw new Error(`the bridge ended with status ${String(status)} after SIGTERM`);
      await stage.bridge.launch();
      await stage.bridge.ready();
      await goOnAndEnd(stage, calls);
    },
  },
  {
    name: 'the bridge crashes (kill -9) in mid-call and is started again',
    calls: [answered, answeredLater],
    async play(stage) {
      const calls = await oneTalksOneRings(stage);
      await stage.bridge.kill();
      await stage.bridge.launch();
      await stage.bridge.ready();
      await goOnAndEnd(stage, calls);
    },
  },
  {
    name: 'the bridge crashes in mid-call, the calls end, then it is started again',
    calls: [answered, rang],
    async play(stage) {
      const calls = await oneTalksOneRings(stage);
      await stage.bridge.kill();
      await endBoth(stage, calls);
      await stage.bridge.launch();
      await stage.bridge.ready();
    },
  },
];
