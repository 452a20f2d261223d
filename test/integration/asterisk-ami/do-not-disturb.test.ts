/** Who does not wish to be disturbed, as the adapter hears it of Asterisk, asks for it, and orders it. */
import type { Headers } from '../../support/fake-ami.js';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { LegEvent } from '../../../src/call/vocabulary.js';
import { type Clock, systemClock } from '../../../src/clock.js';
import { canPause, type AgentPhones, type Hearing, type OrderOutcome } from '../../../src/pbx/adapter.js';
import { type AdapterRig, adapterRig, closeAdapterRigs } from '../../support/adapter-rig.js';
import { type FakeMember, FakeQueues, headersOf, member } from '../../support/fake-queues.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waitFor } from '../../support/wait-for.js';

afterEach(closeAdapterRigs);

interface Connected {
  readonly rig: AdapterRig;
  readonly hearing: Hearing;
  /** `alice true`, `103 false initial`, `complete alice,103`: what was said, in order. */
  readonly said: () => string[];
  readonly pause: (agent: AgentPhones, paused: boolean) => Promise<OrderOutcome>;
}

const inWords = (event: LegEvent): string[] => {
  if (event.type === 'availability')
    return [
      `${event.line.extension} ${String(event.doNotDisturb)}${event.initial === true ? ' initial' : event.initial === 'partly' ? ' partly' : ''}`,
    ];
  return event.type === 'availabilities' ? [`complete ${event.lines.map(({ extension }) => extension).join()}`] : [];
};

async function connect(queues: FakeQueues, doNotDisturb: object = {}, clock: Clock = systemClock): Promise<Connected> {
  const rig = await adapterRig(queues.answers, { trunks: ['trunk'], doNotDisturb }, clock);
  queues.asterisk = rig.asterisk;
  const hearing = await rig.start();
  const { adapter } = rig;
  if (!canPause(adapter)) throw new Error('the adapter cannot pause');
  return {
    rig,
    hearing,
    said: () => rig.events.flatMap(inWords),
    pause: (agent, paused) => adapter.pause(agent, paused),
  };
}

const refusedWith = (message: string): Headers => [
  ['Response', 'Error'],
  ['Message', message],
];
const ALICE: AgentPhones = { extension: '100', devices: ['PJSIP/alice'] };
const DAVE: AgentPhones = { extension: '103', devices: [] };

describe('what is heard', () => {
  test('after a connect: everybody who is in a queue, then that this is all', async () => {
    const queues = new FakeQueues([
      member('support', 'PJSIP/alice'),
      member('sales', 'PJSIP/alice'),
      member('sales', 'Local/103@from-queue/n', 'hint:103@ext-local'),
    ]);
    queues.pause(queues.members[2]!, true);
    const { said, hearing, rig } = await connect(queues);
    expect(said()).toEqual(['alice false initial', '103 true', 'complete alice,103']);
    expect(hearing.missing).toEqual([]);
    expect(rig.events.find(({ type }) => type === 'availability')).toMatchObject({
      place: 'queues',
      line: { kind: 'agent', extension: 'alice', device: 'PJSIP/alice' },
    });
  });

  test('one who is paused in all his queues, and no earlier; and when that is over', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice'), member('sales', 'PJSIP/alice')]);
    const { said } = await connect(queues);
    const [support, sales] = queues.members as [FakeMember, FakeMember];
    queues.pause(support, true);
    queues.pause(sales, true);
    await waitFor('the pause', () => said().includes('alice true'));
    queues.pause(support, false);
    await waitFor('its end', () => said().length >= 5);
    expect(said().slice(2)).toEqual(['alice false partly', 'alice true', 'alice false']);
  });

  test('a paused agent who comes into another queue, unpaused: nobody has said that he may be disturbed', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
    const { said } = await connect(queues);
    queues.pause(queues.members[0]!, true);
    queues.tell('QueueMemberAdded', member('sales', 'PJSIP/alice'));
    await waitFor('the new queue', () => said().length >= 4);
    expect(said().slice(2)).toEqual(['alice true', 'alice false partly']);
  });

  test('the end of a pause is somebody’s word, also where Asterisk does not know since when it lasted', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
    const [alice] = queues.members as [FakeMember];
    alice.paused = true;
    const { said } = await connect(queues);
    queues.pause(alice, false);
    await waitFor('its end', () => said().length >= 3);
    expect(said()).toEqual(['alice true', 'complete alice', 'alice false']);
  });

  test('one who leaves his last queue', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice'), member('support', 'PJSIP/bob')]);
    const { said } = await connect(queues);
    queues.tell('QueueMemberRemoved', queues.members[0]!);
    await waitFor('it', () => said().includes('complete bob'));
  });

  test('by a login without the class agent: from device states, and by asking', async () => {
    const queues = new FakeQueues([member('support_pause_x', 'PJSIP/alice')]);
    queues.deaf = true;
    const { said } = await connect(queues);
    queues.pause(queues.members[0]!, true);
    await waitFor('the pause', () => said().includes('alice true'));
  });

  test("a device state that is configured, also one from before; others are nobody's", async () => {
    const queues = new FakeQueues([]);
    queues.states.set('Custom:DND103', 'BUSY').set('Custom:DND104', 'UNKNOWN').set('Custom:night', 'INUSE');
    const { said } = await connect(queues, { deviceState: 'Custom:DND{extension}' });
    expect(said()).toEqual(['103 true', 'complete 103']);
    queues.setState('Custom:night', 'BUSY');
    queues.setState('Custom:DND', 'BUSY');
    queues.setState('Custom:DND103', 'NOT_INUSE');
    await waitFor('its end', () => said().length >= 3);
    expect(said()[2]).toBe('103 false');
  });

  test('queues do not count where they are not to', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
    const { said, rig } = await connect(queues, { queues: false });
    queues.pause(queues.members[0]!, true);
    queues.setState('Custom:x', 'BUSY');
    expect(said()).toEqual(['complete ']);
    expect(rig.asterisk.actions.map(({ name }) => name)).not.toContain('queuestatus');
  });

  test('an Asterisk without queues is no trouble', async () => {
    const queues = new FakeQueues([]);
    queues.answers['queuestatus'] = () => [
      ['Response', 'Error'],
      ['Message', 'Invalid/unknown command: QueueStatus. Use Action: ListCommands to show available commands.'],
    ];
    const clock = new ManualClock();
    const { said, hearing, pause, rig } = await connect(queues, {}, clock);
    // It may not have loaded them yet.
    expect(said()).toEqual([]);
    expect(hearing.missing).toEqual([]);
    expect(await pause(ALICE, true)).toEqual({ kind: 'gone' });
    await waitFor('the end of the questions', () => {
      clock.turn(500);
      return said().length > 0;
    });
    expect(said()).toEqual(['complete ']);
    const asked = (): number => rig.asterisk.actions.filter(({ name }) => name === 'queuestatus').length;
    const before = asked();
    clock.turn(600_000);
    expect(asked()).toBe(before);
  });

  test('an Asterisk that lets logins in before it has loaded its queues is asked again a second later', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
    const { queuestatus } = queues.answers;
    queues.answers['queuestatus'] = () => [
      ['Response', 'Error'],
      ['Message', 'Invalid/unknown command: QueueStatus. Use Action: ListCommands to show available commands.'],
    ];
    const clock = new ManualClock();
    const { said } = await connect(queues, {}, clock);
    queues.answers['queuestatus'] = queuestatus!;
    clock.turn(1_000);
    await waitFor('the members', () => said().length === 2);
    expect(said()).toEqual(['alice false initial', 'complete alice']);
  });

  test('a list that was cut off concludes nothing', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
    queues.answers['queuestatus'] = () => ({
      items: [headersOf(member('support', 'PJSIP/alice'), 'QueueMember')],
      complete: 'QueueStatusComplete',
      listItems: 7,
    });
    const { said } = await connect(queues);
    expect(said()).toEqual([]);
  });
});

describe('an order', () => {
  test('pauses an agent in all his queues, whatever his members are called, and comes back as heard', async () => {
    const queues = new FakeQueues([
      member('support', 'PJSIP/alice'),
      member('sales', 'Local/100@from-queue/n', 'hint:100@ext-local'),
      member('sales', 'PJSIP/bob'),
    ]);
    const { pause, said, rig } = await connect(queues);
    expect(await pause(ALICE, true)).toEqual({ kind: 'done' });
    expect(queues.members.map(({ paused }) => paused)).toEqual([true, true, false]);
    await waitFor('the echo', () => said().includes('alice true') && said().includes('100 true'));
    const orders = () => rig.asterisk.actions.filter(({ name }) => name === 'queuepause');
    expect(orders().map((one) => one.get('reason'))).toEqual(['do not disturb', 'do not disturb']);
    // Who is paused already keeps the reason for which he is.
    expect(await pause(ALICE, true)).toEqual({ kind: 'done' });
    expect(orders()).toHaveLength(2);
    expect(await pause(ALICE, false)).toEqual({ kind: 'done' });
    expect(queues.members.map(({ paused }) => paused)).toEqual([false, false, false]);
  });

  test('finds a member that came without a word', async () => {
    const queues = new FakeQueues([]);
    const { pause } = await connect(queues);
    queues.members.push(member('sales', 'Local/103@from-queue/n', 'PJSIP/dave'));
    expect(await pause(DAVE, true)).toEqual({ kind: 'done' });
    expect(queues.members[0]?.paused).toBe(true);
  });

  test('for one who is in no queue: gone', async () => {
    const { pause } = await connect(new FakeQueues([member('support', 'PJSIP/bob')]));
    expect(await pause(ALICE, true)).toEqual({ kind: 'gone' });
  });

  test('that the login may not give says which right it lacks', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
    queues.mayPause = false;
    const { pause } = await connect(queues);
    expect(await pause(ALICE, true)).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(/write=agent.*restart the bridge/),
    });
  });

  describe('that comes while Asterisk still loads its modules', () => {
    const loading = async () => {
      const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
      const { queuestatus, setvar } = queues.answers;
      queues.answers['queuestatus'] = () => refusedWith('Invalid/unknown command: QueueStatus.');
      queues.answers['setvar'] = () => refusedWith('Variable not set');
      const clock = new ManualClock();
      const { pause, rig } = await connect(queues, { deviceState: 'Custom:DND{extension}' }, clock);
      const asked = (): number => rig.asterisk.actions.filter(({ name }) => name === 'setvar').length;
      return { queues, clock, pause, rig, asked, loaded: { queuestatus: queuestatus!, setvar: setvar! } };
    };

    test('is given again: device state and pause', async () => {
      const { queues, clock, pause, asked, loaded } = await loading();
      const outcome = pause(ALICE, true);
      await waitFor('the first attempt', () => asked() === 1 && clock.pending > 1);
      Object.assign(queues.answers, loaded);
      clock.turn(500);
      expect(await outcome).toEqual({ kind: 'done' });
      expect([queues.members[0]?.paused, queues.states.get('Custom:DND100')]).toEqual([true, 'BUSY']);
    });

    test('is refused at last, and says which module is missing', async () => {
      const { clock, pause, asked } = await loading();
      let outcome: OrderOutcome | undefined;
      const over = pause(ALICE, true).then((settled) => {
        outcome = settled;
      });
      await waitFor('the end', () => {
        clock.turn(100);
        return outcome;
      });
      await over;
      expect(outcome).toMatchObject({ kind: 'refused', reason: expect.stringContaining('func_devstate.so') });
      expect(asked()).toBe(4);
    });

    test('is not given again once the connection is gone', async () => {
      const { clock, pause, rig, asked } = await loading();
      const outcome = pause(ALICE, true);
      await waitFor('the first attempt', () => asked() === 1 && clock.pending > 1);
      await rig.adapter.stop();
      expect(await outcome).toMatchObject({ kind: 'refused' });
      expect([asked(), clock.pending]).toEqual([1, 0]);
    });
  });

  test('that fails for one of his phones is given for the others all the same', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice'), member('sales', 'Local/100@from-queue/n')]);
    const { queuepause } = queues.answers;
    queues.answers['queuepause'] = (action) =>
      action.get('interface') === 'PJSIP/alice'
        ? [
            ['Response', 'Error'],
            ['Message', 'out of order'],
          ]
        : queuepause!(action);
    const { pause } = await connect(queues);
    expect(await pause(ALICE, true)).toMatchObject({ kind: 'refused' });
    expect(queues.members.map(({ paused }) => paused)).toEqual([false, true]);
  });

  test('looks at a list that was begun after it, and not at one that is under way', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
    const clock = new ManualClock();
    const { pause, rig } = await connect(queues, {}, clock);
    const { queuestatus } = queues.answers;
    const asked = (): number => rig.asterisk.actions.filter(({ name }) => name === 'queuestatus').length;
    queues.answers['queuestatus'] = () => 'ignore';
    const daves = pause(DAVE, true);
    await waitFor('the first list', () => asked() === 2);
    const alices = pause(ALICE, true);
    queues.answers['queuestatus'] = queuestatus!;
    clock.turn(10_000);
    expect(await daves).toMatchObject({ kind: 'refused' });
    expect(await alices).toEqual({ kind: 'done' });
    expect([asked(), queues.members[0]?.paused]).toEqual([3, true]);
  });

  test('sets the device state besides', async () => {
    const queues = new FakeQueues([]);
    const { pause, said } = await connect(queues, { deviceState: 'Custom:DND{extension}' });
    expect(await pause(ALICE, true)).toEqual({ kind: 'done' });
    expect(queues.states.get('Custom:DND100')).toBe('BUSY');
    await pause(ALICE, false);
    expect(queues.states.get('Custom:DND100')).toBe('NOT_INUSE');
    await waitFor('the echo', () => said().includes('100 false'));
  });

  test('to a PBX that is not connected is refused', async () => {
    const { pause, rig } = await connect(new FakeQueues([member('support', 'PJSIP/alice')]));
    await rig.adapter.stop();
    expect(await pause(ALICE, true)).toMatchObject({ kind: 'refused' });
  });

  test('that a PBX does not answer ends when the connection does', async () => {
    const queues = new FakeQueues([member('support', 'PJSIP/alice')]);
    const { pause, rig } = await connect(queues);
    queues.answers['queuepause'] = () => 'ignore';
    const order = pause(ALICE, true);
    await waitFor('the order', () => rig.asterisk.actions.some(({ name }) => name === 'queuepause'));
    await rig.adapter.stop();
    expect(await order).toMatchObject({ kind: 'refused' });
  });
});
