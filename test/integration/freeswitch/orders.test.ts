import { afterEach, describe, expect, test } from '@jest/globals';
import { adapter as definition } from '../../../adapters/freeswitch/index.js';
import { asPbxName, type LegEvent } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';
import { systemClock } from '../../../src/clock.js';
import {
  type Adapter,
  canOriginate,
  canPause,
  type OrderOutcome,
  type OriginateOrder,
  type OriginateOutcome,
} from '../../../src/pbx/adapter.js';
import { type ApiAnswer, FakeFreeSwitch } from '../../support/fake-freeswitch.js';
import { FreeSwitchDesk, type Phone } from '../../support/freeswitch-desk.js';
import { OPEN_GATE } from '../../support/open-gate.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

interface Rig {
  readonly esl: FakeFreeSwitch;
  readonly adapter: Adapter;
  readonly desk: FreeSwitchDesk;
  readonly events: LegEvent[];
}

/** Heard already, unless `start` is false. */
async function rig(
  settings: object,
  answer: { readonly phones?: Readonly<Record<string, Phone>>; api?: (command: string) => ApiAnswer | undefined } = {},
  { start = true, clock = systemClock }: { start?: boolean; clock?: Clock } = {},
): Promise<Rig> {
  const desk: FreeSwitchDesk = new FreeSwitchDesk(answer.phones ?? {}, () => esl);
  const esl: FakeFreeSwitch = await FakeFreeSwitch.start({
    api: (command) => answer.api?.(command) ?? desk.answer(command),
  });
  const events: LegEvent[] = [];
  const adapter = definition.create(
    {
      name: asPbxName('pbx'),
      log: silent,
      metrics: { count: () => undefined },
      clock,
      gate: OPEN_GATE,
      emit: (batch) => void events.push(...batch),
    },
    definition.configSchema.parse({ port: esl.port, password: 'ClueCon', ...settings }),
  );
  cleanUp.push(async () => {
    await adapter.stop();
    await esl.close();
  });
  if (start) await adapter.start(new AbortController().signal);
  return { esl, adapter, desk, events };
}

const DIAL = { dial: { context: 'default', domain: 'pbx.example.test' } };
const PHONE = 'user/1000@pbx.example.test';
const ORDER: OriginateOrder = {
  agent: { extension: '1000', devices: [] },
  number: '01711234567',
  shown: 'Paula Private',
  ringFor: 20_000,
};
const dial = ({ adapter }: Rig, more: Partial<OriginateOrder> = {}): Promise<OriginateOutcome> =>
  canOriginate(adapter) ? adapter.originate({ ...ORDER, ...more }) : Promise.reject(new Error('it cannot'));

describe('click-to-call', () => {
  test('settles with the leg of the phone that was lifted', async () => {
    const one = await rig(DIAL, { phones: { [PHONE]: 'ring' } });
    const dialled = dial(one);
    await waitFor('the phone to ring', () => one.events.find(({ type }) => type === 'called'));
    one.desk.lift(PHONE);
    const outcome = await dialled;
    const leg = one.events.find((event) => event.type === 'appeared')?.leg;
    expect(outcome).toEqual({ kind: 'done', leg });
    expect(one.desk.originates).toMatchObject([{ number: ORDER.number, context: 'default', phones: [PHONE] }]);
  });

  test.each([
    ['not registered', { cause: 'USER_NOT_REGISTERED' }, 'not-registered'],
    ['busy', { cause: 'USER_BUSY' }, 'busy'],
    ['declined', { cause: 'CALL_REJECTED' }, 'declined'],
    ['not answered', { cause: 'NO_ANSWER' }, 'no-answer'],
  ] as const)('%s', async (_what, phone, why) => {
    const one = await rig(DIAL, { phones: { [PHONE]: phone } });
    expect(await dial(one)).toMatchObject({ kind: 'refused', why, said: phone.cause });
  });

  test('no such user; and what is no number is not sent at all', async () => {
    const one = await rig(DIAL);
    expect(await dial(one)).toMatchObject({ kind: 'refused', why: 'unknown-extension' });
    expect(await dial(one, { number: '0171 &system(reboot)' })).toMatchObject({ kind: 'refused', why: 'failed' });
    expect(one.desk.originates).toHaveLength(1);
  });

  test('several at once, each with its own outcome', async () => {
    const phones = { [PHONE]: 'ring', 'user/1001@pbx.example.test': { cause: 'USER_BUSY' } } as const;
    const one = await rig(DIAL, { phones });
    const first = dial(one);
    const second = dial(one, { agent: { extension: '1001', devices: [] } });
    expect(await second).toMatchObject({ why: 'busy' });
    one.desk.lift(PHONE);
    expect(await first).toMatchObject({ kind: 'done' });
  });

  test('two phones of one agent: one declines, the other is lifted', async () => {
    const devices = ['1000@pbx.example.test', '2000@pbx.example.test'];
    const other = 'user/2000@pbx.example.test';
    const one = await rig(DIAL, { phones: { [PHONE]: { cause: 'CALL_REJECTED' }, [other]: 'ring' } });
    const dialled = dial(one, { agent: { extension: '1000', devices } });
    await waitFor('both phones to be called', () => one.events.filter(({ type }) => type === 'called').length === 2);
    one.desk.lift(other);
    expect(await dialled).toMatchObject({ kind: 'done' });
  });

  test('the connection is lost while the phone rings', async () => {
    const one = await rig(DIAL, { phones: { [PHONE]: 'ring' } });
    const dialled = dial(one);
    await waitFor('the phone to ring', () => one.events.find(({ type }) => type === 'called'));
    one.esl.connections[0]?.destroy();
    expect(await dialled).toMatchObject({ kind: 'refused', why: 'not-heard' });
  });

  test('FreeSWITCH does not say how it came out: what rings is ended', async () => {
    const deadlines: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      after(ms, task) {
        if (ms === 5_010) deadlines.push(task);
        return systemClock.after(ms, task);
      },
    };
    const one = await rig(DIAL, { phones: { [PHONE]: 'ring' } }, { clock });
    const dialled = dial(one, { ringFor: 10 });
    await waitFor('the phone to ring', () => one.events.find(({ type }) => type === 'called'));
    for (const pass of deadlines) pass();
    expect(await dialled).toMatchObject({ kind: 'refused', why: 'failed' });
    const leg = one.events.find((event) => event.type === 'appeared')?.leg ?? '';
    expect(one.desk.killed).toEqual([`uuid_kill ${leg} ORIGINATOR_CANCEL`]);
  });

  test('not heard, or not configured', async () => {
    const deaf = await rig(DIAL, {}, { start: false });
    expect(await dial(deaf)).toMatchObject({ kind: 'refused', why: 'not-heard' });
    const without = await rig({});
    expect(await dial(without)).toMatchObject({
      kind: 'refused',
      why: 'not-allowed',
      reason: expect.stringContaining('dial.context'),
    });
  });
});

// ------------------------------------------------------------------ do not disturb

const HEAD = 'name|instance_id|uuid|type|contact|status|state|max_no_answer';
const row = (name: string, contact: string, status: string): string =>
  `${name}|single_box||callback|${contact}|${status}|Waiting|3`;

/** mod_callcenter and mod_db, as far as they are asked here. */
class Queues {
  readonly said: string[] = [];
  constructor(readonly agents: Map<string, { readonly contact: string; status: string }>) {}
  readonly api = (command: string): ApiAnswer | undefined => {
    const set = /^callcenter_config agent set status (\S+) '(.+)'$/.exec(command);
    if (command === 'callcenter_config agent list') {
      const rows = [...this.agents].map(([name, { contact, status }]) => row(name, contact, status));
      return [...(rows.length > 0 ? [HEAD, ...rows] : []), '+OK\n'].join('\n');
    }
    if (set === null && !command.startsWith('db ')) return undefined;
    this.said.push(command);
    const agent = this.agents.get(set?.[1] ?? '');
    if (agent !== undefined) agent.status = set?.[2] ?? '';
    return '+OK';
  };
}
const agents = (status: string): Map<string, { contact: string; status: string }> =>
  new Map([['1000@default', { contact: '[leg_timeout=10]user/1000@pbx.example.test', status }]]);
const ALICE = { extension: '1000', devices: [] };
const LINE = { kind: 'agent', extension: '1000', device: '1000@pbx.example.test' };
const pause = ({ adapter }: Rig, paused: boolean, agent = ALICE): Promise<OrderOutcome> =>
  canPause(adapter) ? adapter.pause(agent, paused) : Promise.reject(new Error('it cannot'));
const availabilities = ({ events }: Rig): LegEvent[] => events.filter(({ type }) => type === 'availability');

describe('do not disturb', () => {
  test('an agent of the queues is on break, and available again', async () => {
    const queues = new Queues(agents('Available (On Demand)'));
    const one = await rig({}, queues);
    expect(await pause(one, true)).toEqual({ kind: 'done' });
    expect(await pause(one, true)).toEqual({ kind: 'done' });
    expect(await pause(one, false)).toEqual({ kind: 'done' });
    expect(queues.said).toEqual([
      "callcenter_config agent set status 1000@default 'On Break'",
      "callcenter_config agent set status 1000@default 'Available (On Demand)'",
    ]);
  });

  test('who is logged out is not logged in by it', async () => {
    const queues = new Queues(agents('Logged Out'));
    const one = await rig({}, queues);
    for (const paused of [true, false]) expect(await pause(one, paused)).toEqual({ kind: 'done' });
    expect(queues.said).toEqual([]);
  });

  test('a flag for the dialplan', async () => {
    const queues = new Queues(new Map());
    const one = await rig({ doNotDisturb: { flag: 'zammad_dnd' } }, queues);
    for (const paused of [true, false]) expect(await pause(one, paused)).toEqual({ kind: 'done' });
    expect(queues.said).toEqual(['db insert/zammad_dnd/1000/1', 'db delete/zammad_dnd/1000']);
    expect(await pause(one, true, { extension: '1000/1 x', devices: [] })).toMatchObject({ kind: 'refused' });
    expect(queues.said).toHaveLength(2);
  });

  test('what one of the two does not take, or one of his agents, hinders not the others', async () => {
    const queues = new Queues(agents('Available'));
    queues.agents.set('1000 late', { contact: 'user/1000@pbx.example.test', status: 'Available' });
    queues.agents.set('1000-b', { contact: 'user/1000@pbx.example.test', status: 'Available' });
    const one = await rig({ doNotDisturb: { flag: 'zammad_dnd' } }, queues);
    expect(await pause(one, true)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('"1000 late"') });
    expect(queues.said).toEqual([
      'db insert/zammad_dnd/1000/1',
      "callcenter_config agent set status 1000@default 'On Break'",
      "callcenter_config agent set status 1000-b 'On Break'",
    ]);
  });

  test('without queues and flag nothing is kept there; a refusal is told in FreeSWITCH’s words', async () => {
    const without = await rig({});
    expect(await pause(without, true)).toEqual({ kind: 'gone' });
    const queues = new Queues(agents('Available'));
    const refusing = await rig(
      {},
      { api: (command) => (command.includes(' set ') ? '-ERR Agent not found!\n' : queues.api(command)) },
    );
    expect(await pause(refusing, true)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('Agent not found'),
    });
    const deaf = await rig({}, {}, { start: false });
    expect(await pause(deaf, true)).toMatchObject({ kind: 'refused' });
  });

  test('is told after a connect, and when a status changes', async () => {
    const queues = new Queues(agents('On Break'));
    const one = await rig({}, queues);
    expect(availabilities(one)).toMatchObject([{ place: 'queues', line: LINE, doNotDisturb: true }]);
    const changed = (name: string, status: string): void => {
      one.esl.say([
        ['Event-Name', 'CUSTOM'],
        ['Event-Subclass', 'callcenter::info'],
        ['CC-Agent', name],
        ['CC-Action', 'agent-status-change'],
        ['CC-Agent-Status', status],
      ]);
    };
    changed('1000@default', 'Available');
    await waitFor('the change', () => availabilities(one).length === 2);
    expect(availabilities(one)[1]).toMatchObject({ doNotDisturb: false, initial: false });
    // Somebody who is new is looked up.
    queues.agents.set('1001@default', { contact: 'user/1001@pbx.example.test', status: 'On Break' });
    changed('1001@default', 'On Break');
    await waitFor('the new agent', () =>
      availabilities(one).find((event) => event.type === 'availability' && event.line.extension === '1001'),
    );
  });

  test('can be left out', async () => {
    const one = await rig({ doNotDisturb: { queues: false } });
    expect(one.esl.commands.join()).not.toContain('callcenter');
    expect(await pause(one, true)).toEqual({ kind: 'gone' });
  });

  test('a list that is refused is said, and hinders nothing else', async () => {
    const one = await rig(
      {},
      { api: (command) => (command.startsWith('callcenter') ? '-ERR denied\n' : undefined) },
      { start: false },
    );
    const { missing } = await one.adapter.start(new AbortController().signal);
    expect(missing).toEqual([expect.stringContaining('who is paused in the queues is not known')]);
  });
});
