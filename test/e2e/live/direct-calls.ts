/** One customer, one agent: answered, missed in every way, and two at once. */
import { refuses } from '../../lab/sip-host.js';
import { CUSTOMER, customerCalls, inbound, OTHER_CUSTOMER, talk, type Scenario } from './scenario.js';

const hidden = { name: 'Anonymous', domain: 'anonymous.invalid', from: 'anonymous' };

export const directCalls: readonly Scenario[] = [
  {
    name: 'an agent answers, the customer hangs up',
    calls: [inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing' })],
    async play(stage) {
      const { customer, agent } = await talk(stage);
      await customer.hangUp();
      await agent.reaches('ended');
    },
  },
  {
    name: 'an agent answers, the agent hangs up',
    calls: [inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing' })],
    async play(stage) {
      const { customer, agent } = await talk(stage);
      await agent.hangUp();
      await customer.reaches('ended');
    },
  },
  {
    name: 'the customer gives up while the phone rings',
    calls: [inbound(100, { named: ['100'], cause: 'cancel' })],
    async play(stage) {
      const customer = await customerCalls(stage, 100);
      await customer.reaches('ringing');
      await stage.shows(CUSTOMER, 'newCall');
      await customer.hangUp();
    },
  },
  {
    name: 'the phone is busy',
    calls: [inbound(100, { named: ['100'], cause: 'busy' })],
    async play(stage) {
      stage.lab.phones.behave('100', refuses(486));
      const customer = await customerCalls(stage, 100);
      await customer.reaches('ended');
    },
  },
  {
    name: 'the agent declines',
    calls: [inbound(100, { named: ['100'], cause: 'noAnswer' })],
    async play(stage) {
      const customer = await customerCalls(stage, 100);
      const agent = await stage.lab.phones.callTo('100');
      await customer.reaches('ringing');
      agent.refuse(603);
      await customer.reaches('ended');
    },
  },
  {
    name: 'nobody answers until the PBX gives up',
    calls: [inbound(800, { named: ['100'], cause: 'noAnswer' })],
    async play(stage) {
      const customer = await customerCalls(stage, 800);
      await customer.reaches('ended');
    },
  },
  {
    name: 'the number is unknown to the PBX',
    calls: [inbound(999, { cause: 'notFound' })],
    async play(stage) {
      const customer = await customerCalls(stage, 999);
      await customer.reaches('ended');
    },
  },
  {
    name: 'the phone is not registered',
    calls: [inbound(106, { cause: 'notFound' })],
    async play(stage) {
      const customer = await customerCalls(stage, 106);
      await customer.reaches('ended');
    },
  },
  {
    name: 'two customers at once',
    calls: [
      inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing' }),
      inbound(101, { named: ['101'], answers: ['101'], cause: 'normalClearing', from: OTHER_CUSTOMER }),
    ],
    async play(stage) {
      const [first, second] = await Promise.all([talk(stage, 100), talk(stage, 101, OTHER_CUSTOMER)]);
      await first.customer.hangUp();
      await stage.shows(CUSTOMER, 'hangup');
      await second.agent.hangUp();
      await second.customer.reaches('ended');
    },
  },
  {
    name: 'a caller who hides',
    calls: [inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing', from: 'anonymous' })],
    async play(stage) {
      const customer = await customerCalls(stage, 100, { ...hidden, headers: ['Privacy: id'] });
      const alice = await stage.lab.phones.callTo('100');
      await alice.answer();
      await customer.hears();
      await stage.shows('anonymous', 'answer');
      await customer.hangUp();
    },
  },
  {
    name: 'a caller who hides from us but not from the network (P-Asserted-Identity)',
    calls: [inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing', from: 'anonymous' })],
    secretNumber: '1711234567',
    async play(stage) {
      const identity = `P-Asserted-Identity: <sip:${CUSTOMER}@carrier.example.com>`;
      const customer = await customerCalls(stage, 100, { ...hidden, headers: ['Privacy: id', identity] });
      const alice = await stage.lab.phones.callTo('100');
      await alice.answer();
      await customer.hears();
      await stage.shows('anonymous', 'answer');
      await customer.hangUp();
    },
  },
  {
    name: 'the same, and the phone picks up by itself at once',
    calls: [inbound(100, { named: ['100'], answers: ['100'], cause: 'normalClearing', from: 'anonymous' })],
    secretNumber: '1711234567',
    async play(stage) {
      stage.lab.phones.behave('100', (call) => call.answer());
      const identity = `P-Asserted-Identity: <sip:${CUSTOMER}@carrier.example.com>`;
      const customer = await customerCalls(stage, 100, { ...hidden, headers: ['Privacy: id', identity] });
      await customer.hears();
      await customer.hangUp();
    },
  },
];
