/** Calls that ring at more than one phone, or that the PBX answers before an agent does. */
import { CUSTOMER, customerCalls, inbound, type Scenario } from './scenario.js';

export const sharedCalls: readonly Scenario[] = [
  {
    name: 'a queue, answered by its third member',
    calls: [inbound(300, { named: ['100', '101', '102'], answers: ['102'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, 300);
      const carol = await stage.lab.phones.callTo('102');
      await stage.shows(CUSTOMER, 'newCall');
      await carol.answer();
      await carol.hears();
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
      await carol.reaches('ended');
    },
  },
  {
    name: 'a queue of Local channels, as FreePBX makes them',
    calls: [inbound(301, { named: ['103', '104'], answers: ['104'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, 301);
      const erin = await stage.lab.phones.callTo('104');
      await stage.shows(CUSTOMER, 'newCall');
      await erin.answer();
      await erin.hears();
      await stage.shows(CUSTOMER, 'answer');
      await erin.hangUp();
      await customer.reaches('ended');
    },
  },
  {
    name: 'the customer gives up in the queue',
    calls: [inbound(300, { named: ['100', '101', '102'], cause: 'cancel' })],
    async play(stage) {
      const customer = await customerCalls(stage, 300);
      await stage.lab.phones.callTo('102');
      await customer.reaches('up');
      await stage.shows(CUSTOMER, 'newCall');
      await customer.hangUp();
    },
  },
  {
    name: 'a ring group: both are named, one answers',
    calls: [inbound(200, { named: ['100', '101'], answers: ['101'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, 200);
      const [alice, bob] = await Promise.all([stage.lab.phones.callTo('100'), stage.lab.phones.callTo('101')]);
      await bob.answer();
      await alice.reaches('ended');
      await customer.hears();
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
    },
  },
  {
    name: 'a ring group of Local channels',
    calls: [inbound(201, { named: ['102', '103'], answers: ['103'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, 201);
      const [, dave] = await Promise.all([stage.lab.phones.callTo('102'), stage.lab.phones.callTo('103')]);
      await dave.answer();
      await customer.hears();
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
    },
  },
  {
    name: 'a gated ring group whose gate nobody keeps: the call goes on',
    calls: [inbound(704, { named: ['100', '101'], answers: ['100'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, 704);
      const [alice] = await Promise.all([stage.lab.phones.callTo('100'), stage.lab.phones.callTo('101')]);
      await alice.answer();
      await customer.hears();
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
    },
  },
  {
    name: 'an IVR, then an agent',
    calls: [inbound(400, { named: ['100'], answers: ['100'], cause: 'normalClearing' })],
    async play(stage) {
      const customer = await customerCalls(stage, 400);
      await customer.reaches('up');
      await customer.hears();
      await customer.press('1');
      const alice = await stage.lab.phones.callTo('100');
      await alice.answer();
      await alice.hears();
      await stage.shows(CUSTOMER, 'answer');
      await alice.hangUp();
      await customer.reaches('ended');
    },
  },
  {
    name: 'voicemail: the call stays among the missed',
    calls: [inbound(501, { named: ['100'], answers: ['voicemail'], cause: 'cancel', missed: true })],
    async play(stage) {
      const customer = await customerCalls(stage, 501);
      await customer.reaches('up');
      await stage.shows(CUSTOMER, 'answer');
      await customer.hangUp();
    },
  },
];
