import { describe, expect, test } from '@jest/globals';
import {
  AgentStates,
  agentsWhoAre,
  lineOfAgent,
  readAgents,
  statusFor,
} from '../../../adapters/freeswitch/callcenter.js';
import { eslEvent } from '../../support/freeswitch-scene.js';

const HEAD = 'name|instance_id|uuid|type|contact|status|state|max_no_answer|wrap_up_time';
const row = (name: string, contact: string, status: string): string =>
  `${name}|single_box||callback|${contact}|${status}|Waiting|3|10`;

describe('the list of agents', () => {
  test('is read by the names of its columns', () => {
    const reply = `${HEAD}\n${row('1000@default', 'user/1000@pbx.test', 'On Break')}\n+OK\n`;
    expect(readAgents(reply)).toEqual([{ name: '1000@default', contact: 'user/1000@pbx.test', status: 'On Break' }]);
    // An older version has a column "system" where a newer one has "instance_id", and others after it.
    expect(readAgents('name|status|contact\n1000|On Break|x\n+OK\n')).toBeUndefined();
  });
  test('with a contact that tries one phone after the other', () => {
    const contact = '[leg_timeout=5]user/1000@pbx.test|sofia/gateway/pstn/0171';
    const [agent] = readAgents(`${HEAD}\n${row('a', contact, 'Available')}\n+OK\n`) ?? [];
    expect(agent).toEqual({ name: 'a', contact, status: 'Available' });
  });
  test('without agents, and what is no list', () => {
    expect(readAgents('+OK\n')).toEqual([]);
    for (const reply of ['', '-ERR callcenter_config Command not found!\n', `${HEAD}\n`])
      expect(readAgents(reply)).toBeUndefined();
    expect(readAgents(`${HEAD}\ncut|off\n+OK\n`)).toEqual([]);
  });
});

describe('whose phone it is', () => {
  test.each([
    ['1000@default', 'user/1000@pbx.test', '1000', '1000@pbx.test'],
    ['1000@default', '[leg_timeout=10,x=y]user/1001@pbx.test', '1001', '1001@pbx.test'],
    ['3f0a8c52-7c1d-4b4e-9b60-5a3f3f8d1c11', '{call_timeout=20}user/1002@pbx.test', '1002', '1002@pbx.test'],
    ['1003', 'user/1003', '1003', '1003'],
    ['1004@default', 'loopback/1004/default', '1004', '1004@default'],
    ['1005@default', 'sofia/gateway/pstn/01711234567', '1005', '1005@default'],
  ])('%s, called by %s', (name, contact, extension, device) => {
    expect(lineOfAgent({ name, contact })).toEqual({ kind: 'agent', extension, device });
  });
  test('a long id says nothing', () => {
    const contact = 'sofia/gateway/pstn/0171';
    expect(lineOfAgent({ name: '3f0a8c52-7c1d-4b4e-9b60-5a3f3f8d1c11', contact })).toBeUndefined();
  });

  test('an agent of the bridge is found by extension, and by device where domains have the same names', () => {
    const north = { name: 'n', contact: 'user/1000@north.test', status: 'Available' };
    const south = { name: 's', contact: 'user/1000@south.test', status: 'Available' };
    const list = [north, south];
    expect(agentsWhoAre(list, { extension: '1000', devices: [] })).toEqual(list);
    expect(agentsWhoAre(list, { extension: '2000', devices: ['1000@south.test'] })).toEqual([south]);
    expect(agentsWhoAre(list, { extension: '2000', devices: ['1000'] })).toEqual(list);
    expect(agentsWhoAre(list, { extension: '1001', devices: [] })).toEqual([]);
  });
});

test('nobody is logged in, or called back from a break he took before, by an order', () => {
  expect(statusFor(true, 'Available', undefined)).toBe('On Break');
  expect(statusFor(true, 'Available (On Demand)', undefined)).toBe('On Break');
  for (const status of ['On Break', 'Logged Out', 'anything'])
    expect(statusFor(true, status, undefined)).toBeUndefined();
  expect(statusFor(false, 'On Break', undefined)).toBe('Available');
  expect(statusFor(false, 'On Break', 'Available (On Demand)')).toBe('Available (On Demand)');
  for (const status of ['Available', 'Logged Out']) expect(statusFor(false, status, 'Available')).toBeUndefined();
});

describe('what their status means', () => {
  const agent = (status: string): { name: string; contact: string; status: string } => ({
    name: '1000@default',
    contact: 'user/1000@pbx.test',
    status,
  });
  const change = (status: string, more: object = {}): ReturnType<typeof eslEvent> =>
    eslEvent('CUSTOM', {
      'Event-Subclass': 'callcenter::info',
      'CC-Agent': '1000@default',
      'CC-Action': 'agent-status-change',
      'CC-Agent-Status': status,
      ...more,
    });
  const LINE = { kind: 'agent', extension: '1000', device: '1000@pbx.test' };
  const saying = (doNotDisturb: boolean, initial = false): object => ({
    type: 'availability',
    place: 'queues',
    line: LINE,
    doNotDisturb,
    initial,
  });
  const all = (...lines: object[]): object => ({ type: 'availabilities', lines });

  test('a break, its end, going home, and coming back', () => {
    const states = new AgentStates();
    expect(states.take([agent('Available')])).toEqual([saying(false, true), all(LINE)]);
    expect(states.push(change('On Break'))).toEqual([saying(true)]);
    expect(states.push(change('Available'))).toEqual([saying(false)]);
    expect(states.push(change('On Break'))).toEqual([saying(true)]);
    expect(states.push(change('Logged Out'))).toEqual([all()]);
    expect(states.push(change('Logged Out'))).toEqual([]);
    expect(states.push(change('Available (On Demand)'))).toEqual([saying(false, true)]);
  });
  test('after another connect all is said again, and who is gone is left out', () => {
    const states = new AgentStates();
    expect(states.take([agent('On Break')])).toEqual([saying(true), all(LINE)]);
    expect(states.take([agent('On Break')])).toEqual([saying(true), all(LINE)]);
    expect(states.take([])).toEqual([all()]);
    expect(states.push(change('On Break'))).toBe('unknown');
  });
  test('who is logged out says nothing; who is not known is to be asked for', () => {
    const states = new AgentStates();
    expect(states.take([agent('Logged Out')])).toEqual([all()]);
    expect(states.push(change('On Break', { 'CC-Agent': '1001@default' }))).toBe('unknown');
    expect(states.push(change('On Break', { 'CC-Action': 'agent-status-get' }))).toEqual([]);
    // Of whom it is not known whose phone he has, nothing can be said, and nothing more is asked.
    expect(states.take([{ ...agent('On Break'), name: '3f0a8c52-7c1d-4b4e-9b60-5a3f3f8d1c11', contact: '' }])).toEqual([
      all(),
    ]);
    expect(states.push(change('On Break', { 'CC-Agent': '3f0a8c52-7c1d-4b4e-9b60-5a3f3f8d1c11' }))).toEqual([]);
  });
});
