/** Calls that wait at the gate until Zammad has said what shall become of them: no phone rings before. */
import type { Settings } from '../../../src/stand-in/push-endpoint.js';
import { headerOf } from '../../lab/sip-message.js';
import type { SipCall } from '../../lab/sip-call.js';
import { CUSTOMER, customerCalls, type ExpectedCall, inbound, OUTSIDE, type Scenario } from './scenario.js';
import type { GateWay } from './gate-way.js';
import type { Stage } from './stage.js';

export const BLOCKED = CUSTOMER.replace('+', '');
/** The number that Zammad’s routing table names. */
export const SHOWN = '49305550777';
export const ROUTES = [{ dest: '4930*', callerId: SHOWN }];

/** A call of agent 100 that waits at the gate; `from`: what Zammad shows of it. */
export const gatedOutbound = (from: string, answered = true): ExpectedCall => ({
  direction: 'out',
  from,
  to: '493012345678',
  named: ['100'],
  answers: answered ? ['outside'] : [],
  cause: answered ? 'normalClearing' : 'busy',
  missed: false,
});

/** Throws when a phone has got an INVITE in this scenario, or Asterisk has dialled one. */
export function nothingRang({ lab, events }: { readonly lab: Stage['lab']; readonly events: Stage['events'] }): void {
  const rang = ['100', '101', '102', '103', '104', '105'].filter((user) => lab.phones.taken(user).length > 0);
  if (rang.length > 0) throw new Error(`phones got an INVITE: ${rang.join(', ')}`);
  const dialled = events().filter((event) => event['Event'] === 'DialBegin');
  if (dialled.length > 0) throw new Error(`Asterisk dialled ${dialled.length} times`);
}

/** Waits until the customer has heard busy. */
export async function hearsBusy(customer: SipCall): Promise<void> {
  await customer.reaches('ended');
  if (customer.status !== 486) throw new Error(`the caller got ${customer.status ?? 'no final status'}, not 486`);
}

/** A blocked caller calls that number: he hears busy, and no phone rings. */
export async function isTurnedAway(stage: Stage, to: number): Promise<void> {
  stage.zammad.change({ blockList: [BLOCKED] });
  await hearsBusy(await customerCalls(stage, to));
  await stage.lab.silence();
  nothingRang({ lab: stage.lab, events: () => stage.events() });
}

/** Agent 100 calls out through the gate; the outside answers, both talk. Returns the carrier's end. */
export async function callOut(stage: Stage, { prefix }: GateWay): Promise<SipCall> {
  const alice = await stage.lab.phones.place('100', `${prefix}${OUTSIDE}`);
  const outside = await stage.lab.carrier.callTo(OUTSIDE);
  await outside.answer();
  await Promise.all([alice.hears(), outside.hears()]);
  await stage.shows('493012345678', 'answer');
  await alice.hangUp();
  await outside.reaches('ended');
  return outside;
}

/** Throws when the INVITE that the carrier got shows another number. */
export function mustShow(number: string, { invite }: Pick<SipCall, 'invite'>): void {
  for (const name of ['from', 'p-asserted-identity']) {
    const text = invite === undefined ? undefined : headerOf(invite, name);
    if (text?.includes(`<sip:${number}@`) !== true)
      throw new Error(`${name} of the carrier's INVITE is ${text ?? 'not there'}, not ${number}`);
  }
}

const outboundAs = (way: GateWay, callerIdKey: Settings['callerIdKey']): Scenario => ({
  name: `Zammad names the number that an outbound call shows, as ${callerIdKey}`,
  calls: [gatedOutbound(SHOWN)],
  async play(stage) {
    stage.zammad.change({ routingTable: ROUTES, callerIdKey });
    mustShow(SHOWN, await callOut(stage, way));
  },
});

export const gateCalls = (way: GateWay): readonly Scenario[] => [
  {
    name: 'a blocked caller hears busy, and no phone rings',
    calls: [inbound(way.one, { named: ['100'], cause: 'busy' })],
    async play(stage) {
      await isTurnedAway(stage, way.one);
    },
  },
  {
    name: 'a blocked caller of a ring group hears busy, and no phone rings',
    calls: [inbound(way.group, { named: ['100', '101'], cause: 'busy' })],
    async play(stage) {
      await isTurnedAway(stage, way.group);
    },
  },
  {
    name: 'a caller who is not blocked is put through',
    calls: [inbound(way.one, { named: ['100'], answers: ['100'], cause: 'normalClearing' })],
    async play(stage) {
      stage.zammad.change({ blockList: ['4900000000'] });
      const customer = await customerCalls(stage, way.one);
      const alice = await stage.lab.phones.callTo('100');
      await stage.shows(CUSTOMER, 'newCall');
      await alice.answer();
      await Promise.all([customer.hears(), alice.hears()]);
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
      await alice.reaches('ended');
    },
  },
  {
    name: 'a ring group: both agents and the queue are named before a phone rings, one answers',
    calls: [inbound(way.group, { named: ['100', '101'], answers: ['101'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, way.group);
      const bob = await stage.lab.phones.callTo('101');
      const told = stage.posts().filter(({ event }) => event === 'newCall');
      const queue = told[0]?.params?.['queue'];
      if (told.length !== 1 || queue !== 'sales')
        throw new Error(`when the phone rang there were ${told.length} newCalls, with queue ${JSON.stringify(queue)}`);
      await bob.answer();
      await customer.hears();
      await stage.shows(CUSTOMER, 'answer', '101');
      await customer.hangUp();
      await bob.reaches('ended');
    },
  },
  {
    name: 'a caller who gives up while the gated phone rings',
    calls: [inbound(way.one, { named: ['100'], cause: 'cancel' })],
    async play(stage) {
      const customer = await customerCalls(stage, way.one);
      await stage.lab.phones.callTo('100');
      await customer.reaches('ringing');
      await customer.hangUp();
    },
  },
  {
    name: 'a caller at the gate who hides from us but not from the network',
    calls: [inbound(way.one, { named: ['100'], answers: ['100'], cause: 'normalClearing', from: 'anonymous' })],
    secretNumber: '1711234567',
    async play(stage) {
      const identity = `P-Asserted-Identity: <sip:${CUSTOMER}@carrier.example.com>`;
      const customer = await customerCalls(stage, way.one, {
        name: 'Anonymous',
        domain: 'anonymous.invalid',
        from: 'anonymous',
        headers: ['Privacy: id', identity],
      });
      const alice = await stage.lab.phones.callTo('100');
      await alice.answer();
      await customer.hears();
      await stage.shows('anonymous', 'answer');
      await customer.hangUp();
    },
  },
  outboundAs(way, 'caller_id'),
  outboundAs(way, 'callerId'),
  {
    name: 'an outbound call for which Zammad names no number shows what the dialplan says',
    calls: [gatedOutbound('100')],
    async play(stage) {
      mustShow('+49305550100', await callOut(stage, way));
    },
  },
];

/** Only one of two bridges leads, and listens. */
export const secondGate: Scenario = {
  name: 'two bridges: nobody listens at the first gate, so the second one is asked',
  calls: [inbound(705, { named: ['100'], cause: 'busy' })],
  async play(stage) {
    stage.zammad.change({ blockList: [BLOCKED] });
    await hearsBusy(await customerCalls(stage, 705));
    await stage.lab.silence();
    nothingRang({ lab: stage.lab, events: () => stage.events() });
  },
};
