/** Calls that change hands: transferred, forwarded, picked up, parked. */
import { CUSTOMER, customerCalls, inbound, OUTSIDE, talk, type Scenario } from './scenario.js';

export const movedCalls: readonly Scenario[] = [
  {
    name: 'blind transfer to another agent',
    calls: [inbound(100, { named: ['100'], answers: ['100', '101'], cause: 'normalClearing' })],
    async play(stage) {
      const { customer, agent } = await talk(stage);
      await agent.transfer('101');
      const bob = await stage.lab.phones.callTo('101');
      await bob.answer();
      await Promise.all([customer.hears(), bob.hears()]);
      await stage.shows(CUSTOMER, 'answer', '101');
      await customer.hangUp();
      await bob.reaches('ended');
    },
  },
  {
    name: 'attended transfer: the consultation is no call of its own',
    calls: [inbound(100, { named: ['100'], answers: ['100', '101'], cause: 'normalClearing' })],
    async play(stage) {
      const { customer, agent } = await talk(stage);
      await agent.hold();
      const consultation = await stage.lab.phones.place('100', '101');
      const bob = await stage.lab.phones.callTo('101');
      await bob.answer();
      await Promise.all([consultation.hears(), bob.hears()]);
      await agent.transfer('101', consultation);
      await consultation.reaches('ended');
      await Promise.all([customer.hears(), bob.hears()]);
      await stage.shows(CUSTOMER, 'answer', '101');
      await bob.hangUp();
      await customer.reaches('ended');
    },
  },
  {
    name: 'attended transfer with the feature code *2',
    calls: [inbound(100, { named: ['100'], answers: ['100', '101'], cause: 'normalClearing' })],
    async play(stage) {
      const { customer, agent } = await talk(stage);
      await agent.press('*2101');
      const bob = await stage.lab.phones.callTo('101');
      await bob.answer();
      await bob.hears();
      await agent.hangUp();
      await stage.sees('AttendedTransfer');
      await stage.shows(CUSTOMER, 'answer', '101');
      await customer.hangUp();
      await bob.reaches('ended');
    },
  },
  {
    name: 'transfer to an outside number',
    calls: [inbound(100, { named: ['100'], answers: ['100'], cause: 'forwarded' })],
    async play(stage) {
      const { customer, agent } = await talk(stage);
      await agent.transfer(OUTSIDE);
      const outside = await stage.lab.carrier.callTo(OUTSIDE);
      await outside.answer();
      await Promise.all([customer.hears(), outside.hears()]);
      await customer.hangUp();
      await outside.reaches('ended');
    },
  },
  {
    name: 'a phone forwards the call itself (302)',
    calls: [inbound(100, { named: ['100', '101'], answers: ['101'], cause: 'normalClearing' })],
    async play(stage) {
      stage.lab.phones.behave('100', (call) => {
        call.redirect('101');
      });
      const customer = await customerCalls(stage, 100);
      const bob = await stage.lab.phones.callTo('101');
      await stage.shows(CUSTOMER, 'newCall');
      await bob.answer();
      await customer.hears();
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
    },
  },
  {
    name: 'a Local channel that Asterisk takes away in mid-call',
    calls: [inbound(602, { named: ['101'], answers: ['101'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, 602);
      const bob = await stage.lab.phones.callTo('101');
      await bob.answer();
      await stage.sees('LocalOptimizationEnd');
      await customer.hears();
      await stage.shows(CUSTOMER, 'answer');
      await bob.hangUp();
      await customer.reaches('ended');
    },
  },
  {
    name: 'group pick-up: who picked up has answered',
    calls: [inbound(100, { named: ['100'], answers: ['102'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, 100);
      await customer.reaches('ringing');
      await stage.shows(CUSTOMER, 'newCall');
      const carol = await stage.lab.phones.place('102', '*8');
      await carol.reaches('up');
      await Promise.all([customer.hears(), carol.hears()]);
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
      await carol.reaches('ended');
    },
  },
  {
    name: 'parked by one agent, fetched by another',
    calls: [inbound(100, { named: ['100'], answers: ['100', '102'], cause: 'normalClearing' })],
    async play(stage) {
      const { customer, agent } = await talk(stage);
      await agent.press('*5');
      const parked = await stage.sees('ParkedCall');
      const carol = await stage.lab.phones.place('102', parked['ParkingSpace'] ?? '');
      await carol.reaches('up');
      await carol.hears();
      await stage.shows(CUSTOMER, 'answer', '102');
      await carol.hangUp();
      await customer.reaches('ended');
    },
  },
];
