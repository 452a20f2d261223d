import { describe, expect, test } from '@jest/globals';
import type { AvailabilityWord } from '../../../src/call/availability.js';
import { asPbxName, type PbxName } from '../../../src/call/vocabulary.js';
import { AgentAvailability, type AvailabilityPort } from '../../../src/availability/agent-availability.js';
import type { AgentPhones, OrderOutcome } from '../../../src/pbx/orders.js';
import type { AgentStates, KeptAgentState } from '../../../src/store/agent-states.js';
import { MemoryAgentStates } from '../../../src/store/memory-agent-states.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { silent } from '../../support/whole-bridge.js';

const OFFICE = asPbxName('office');
const BRANCH = asPbxName('branch');
const word = (doNotDisturb: boolean, more: Partial<AvailabilityWord> = {}): AvailabilityWord => ({
  doNotDisturb,
  initial: false,
  mixed: false,
  ...more,
});

/** A PBX that does what it is told and says so, as an Asterisk with queues does. */
class FakePort implements AvailabilityPort {
  heard = false;
  canPause = true;
  keepsFlag = false;
  readonly ordered: string[] = [];
  readonly said = new Map<string, AvailabilityWord>();
  readonly undisturbed = new Set<string>();
  outcome: OrderOutcome = { kind: 'done' };
  /** Orders wait until it is let go. */
  gate: Promise<void> = Promise.resolve();
  /** An order shows at once in what it says. */
  echoes = true;

  constructor(
    readonly pbx: PbxName,
    private readonly owner: () => AgentAvailability,
  ) {}
  words = (): ReadonlyMap<string, AvailabilityWord> => this.said;
  word(extension: string): AvailabilityWord | undefined {
    return this.said.get(extension);
  }
  setUndisturbed(extension: string, undisturbed: boolean): void {
    if (undisturbed) this.undisturbed.add(extension);
    else this.undisturbed.delete(extension);
  }
  async pause({ extension }: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    this.ordered.push(`${extension} ${paused ? 'pause' : 'go on'}`);
    await this.gate;
    if (this.echoes && this.outcome.kind === 'done' && this.said.has(extension)) this.say(extension, word(paused));
    return this.outcome;
  }
  /** Somebody at the PBX, or an order, has changed it. */
  say(extension: string, now: AvailabilityWord, complete = false): void {
    this.said.set(extension, now);
    this.undisturbed[now.doNotDisturb ? 'add' : 'delete'](extension);
    this.owner().news(this.pbx, { words: [{ extension, word: now }], complete });
  }
}

class Rig {
  readonly clock = new ManualClock();
  readonly counted: string[] = [];
  availability: AgentAvailability;

  constructor(readonly store: AgentStates = new MemoryAgentStates()) {
    this.availability = this.#make();
  }
  async lead(pbx: PbxName, ...said: [string, AvailabilityWord][]): Promise<FakePort> {
    const port = new FakePort(pbx, () => this.availability);
    this.availability.lead(pbx, port);
    await settle();
    for (const [extension, now] of said) port.say(extension, now);
    this.availability.news(pbx, { words: [], complete: true });
    port.heard = true;
    this.availability.heard(pbx);
    await settle();
    return port;
  }
  /** The next run, with the store as it was left. */
  async restart(): Promise<void> {
    await this.availability.stop(1_000);
    this.availability = this.#make();
  }
  state(extension = '100'): string | undefined {
    const { state, by } = this.availability.state(extension) ?? {};
    return `${String(state)} ${String(by)}`;
  }
  #make(): AgentAvailability {
    return new AgentAvailability({
      store: this.store,
      pbxs: [OFFICE, BRANCH],
      agents: [
        { extension: '100', devices: ['PJSIP/alice'] },
        { extension: '101', devices: [] },
      ],
      clock: this.clock,
      log: silent,
      count: (name, { by }) => void this.counted.push(`${name} ${String(by)}`),
      gauge: () => undefined,
    });
  }
}

const set = async (rig: Rig, state: 'available' | 'do-not-disturb', extension = '100') =>
  rig.availability.set(extension, state, 'api');

describe('set in the bridge', () => {
  test('is carried out at the PBX, kept, and left out of what is told; the echo changes nothing', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    expect(await set(rig, 'do-not-disturb')).toMatchObject({
      state: 'do-not-disturb',
      by: 'api',
      kept: true,
      pbxs: [
        { pbx: OFFICE, outcome: 'done' },
        { pbx: BRANCH, outcome: 'later' },
      ],
    });
    expect(port.ordered).toEqual(['100 pause']);
    expect([...port.undisturbed]).toEqual(['100']);
    expect(rig.counted).toEqual(['agent_state_changes_total api']);
    await set(rig, 'available');
    expect(port.ordered).toEqual(['100 pause', '100 go on']);
    expect(rig.state()).toBe('available api');
  });

  test('an agent that nobody has configured is not known', async () => {
    const rig = new Rig();
    expect(rig.availability.state('999')).toBeUndefined();
    expect(await set(rig, 'do-not-disturb', '999')).toBeUndefined();
  });

  test('a PBX that keeps no such state leaves it to the bridge', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE);
    port.canPause = false;
    expect(await set(rig, 'do-not-disturb')).toMatchObject({ pbxs: [{ outcome: 'none' }, {}] });
    expect(port.ordered).toEqual([]);
    expect([...port.undisturbed]).toEqual(['100']);
  });

  test('what the PBX refuses is said, and tried again with the next connect', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    port.outcome = { kind: 'refused', reason: 'Permission denied' };
    expect(await set(rig, 'do-not-disturb')).toMatchObject({
      pbxs: [{ outcome: 'refused', reason: 'Permission denied' }, {}],
    });
    expect([...port.undisturbed]).toEqual(['100']);
    port.outcome = { kind: 'done' };
    rig.availability.heard(OFFICE);
    await settle();
    expect(port.ordered).toEqual(['100 pause', '100 pause']);
    expect(rig.state()).toBe('do-not-disturb api');
  });

  test('one who comes into another queue while an order is under way, which has not seen it, is paused there too', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    port.echoes = false;
    let release = (): void => undefined;
    port.gate = new Promise((resolve) => {
      release = resolve;
    });
    const order = set(rig, 'do-not-disturb');
    await settle();
    port.say('100', word(false, { initial: 'partly' }));
    expect(port.ordered).toEqual(['100 pause']);
    release();
    await order;
    await settle();
    expect(port.ordered).toEqual(['100 pause', '100 pause']);
    expect(rig.state()).toBe('do-not-disturb api');
  });

  test('of two that follow each other at once the last one counts, one order at a time', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    let release = (): void => undefined;
    port.gate = new Promise((resolve) => {
      release = resolve;
    });
    const both = [set(rig, 'do-not-disturb'), set(rig, 'available')];
    await settle();
    expect(port.ordered).toEqual(['100 pause']);
    release();
    await Promise.all(both);
    expect(port.ordered).toEqual(['100 pause', '100 go on']);
    expect(port.word('100')).toMatchObject({ doNotDisturb: false });
    expect(rig.state()).toBe('available api');
  });
});

describe('set at the PBX', () => {
  test('is the state from then on, and no order follows', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    port.say('100', word(true));
    await settle();
    expect(rig.state()).toBe('do-not-disturb pbx');
    expect(port.ordered).toEqual([]);
    port.say('100', word(false));
    expect(rig.state()).toBe('available pbx');
  });

  test('in one place only, is carried to the other', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    port.say('100', word(true, { mixed: true }));
    await settle();
    expect(port.ordered).toEqual(['100 pause']);
    expect(rig.state()).toBe('do-not-disturb pbx');
  });

  test('is carried to the other PBXs', async () => {
    const rig = new Rig();
    const office = await rig.lead(OFFICE, ['100', word(false)]);
    const branch = await rig.lead(BRANCH, ['100', word(false)]);
    office.say('100', word(true));
    await settle();
    expect([office.ordered, branch.ordered]).toEqual([[], ['100 pause']]);
    branch.say('100', word(false));
    await settle();
    expect([office.ordered, branch.ordered]).toEqual([['100 go on'], ['100 pause']]);
    expect(rig.state()).toBe('available pbx');
  });
});

describe('over a break', () => {
  test('what was set in the bridge while the PBX was away is carried out', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    port.heard = false;
    expect(await set(rig, 'do-not-disturb')).toMatchObject({ pbxs: [{ outcome: 'later' }, {}] });
    port.heard = true;
    rig.availability.heard(OFFICE);
    await settle();
    expect(port.ordered).toEqual(['100 pause']);
  });

  test('what was set at the PBX while the bridge was away wins', async () => {
    const rig = new Rig();
    await rig.lead(OFFICE, ['100', word(false)]);
    await set(rig, 'do-not-disturb');
    await rig.restart();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    expect(port.ordered).toEqual([]);
    expect([...port.undisturbed]).toEqual([]);
    expect(rig.state()).toBe('available pbx');
  });

  test.each([
    ['do-not-disturb', 'available pbx', '100 go on'],
    ['available', 'do-not-disturb pbx', '100 pause'],
  ] as const)('a PBX that says two things, and had said %s: %s', async (before, after, order) => {
    const rig = new Rig();
    await rig.lead(OFFICE, ['100', word(false)]);
    await set(rig, before);
    await rig.restart();
    const port = await rig.lead(OFFICE, ['100', word(true, { mixed: 'unclear' })]);
    expect(rig.state()).toBe(after);
    expect(port.ordered).toEqual([order]);
    expect(port.undisturbed.has('100')).toBe(after === 'do-not-disturb pbx');
  });

  test('a restart of the bridge changes nothing', async () => {
    const rig = new Rig();
    await rig.lead(OFFICE, ['100', word(false)]);
    await set(rig, 'do-not-disturb');
    await rig.restart();
    const port = await rig.lead(OFFICE, ['100', word(true)]);
    expect(port.ordered).toEqual([]);
    expect([...port.undisturbed]).toEqual(['100']);
    expect(rig.state()).toBe('do-not-disturb api');
  });

  test('a PBX that has forgotten what the bridge had set is told again', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    await set(rig, 'do-not-disturb');
    port.say('100', word(false, { initial: true }));
    await settle();
    expect(port.ordered).toEqual(['100 pause', '100 pause']);
    expect([...port.undisturbed]).toEqual(['100']);
    expect(rig.state()).toBe('do-not-disturb api');
  });

  test('one who was paused at the PBX, and is in no queue any more after a restart of both, may be disturbed', async () => {
    const rig = new Rig();
    (await rig.lead(OFFICE, ['100', word(false)])).say('100', word(true));
    await rig.restart();
    const port = await rig.lead(OFFICE);
    expect(port.ordered).toEqual([]);
    expect(rig.state()).toBe('available pbx');
  });

  test('one of whom the PBX says nothing is told to it once', async () => {
    const rig = new Rig();
    await set(rig, 'do-not-disturb');
    const port = await rig.lead(OFFICE);
    expect(port.ordered).toEqual(['100 pause']);
    rig.availability.heard(OFFICE);
    await settle();
    expect(port.ordered).toEqual(['100 pause']);
  });
});

describe('two PBXs', () => {
  test('one that has forgotten what another one still says is told again', async () => {
    const rig = new Rig();
    const office = await rig.lead(OFFICE, ['100', word(false)]);
    const branch = await rig.lead(BRANCH, ['100', word(false)]);
    office.say('100', word(true));
    await settle();
    branch.say('100', word(false, { initial: true }));
    await settle();
    expect(branch.ordered).toEqual(['100 pause', '100 pause']);
    expect(office.ordered).toEqual([]);
    expect(rig.state()).toBe('do-not-disturb pbx');
  });

  test('one whose queues he has left says nothing against another one that pauses him', async () => {
    const rig = new Rig();
    const office = await rig.lead(OFFICE, ['100', word(false)]);
    const branch = await rig.lead(BRANCH, ['100', word(false)]);
    office.say('100', word(true));
    await settle();
    branch.said.delete('100');
    rig.availability.news(BRANCH, { words: [{ extension: '100', word: undefined }], complete: true });
    await settle();
    expect(rig.state()).toBe('do-not-disturb pbx');
    expect(office.ordered).toEqual([]);
  });

  test('a bridge that has lost one to another does not keep what its last order brought about', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    let release = (): void => undefined;
    port.gate = new Promise((resolve) => {
      release = resolve;
    });
    port.said.delete('100');
    const under = set(rig, 'do-not-disturb');
    await settle();
    rig.availability.lose(OFFICE);
    release();
    await under;
    await settle();
    const said = (await rig.store.all()).filter(({ pbx }) => pbx === OFFICE);
    expect(said).toEqual([]);
  });
});

describe('what came to nothing', () => {
  test('who sets it waits some seconds for a PBX that does not answer; the order goes on', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    let release = (): void => undefined;
    port.gate = new Promise((resolve) => {
      release = resolve;
    });
    const asked = set(rig, 'do-not-disturb');
    await rig.clock.advance(8_000);
    expect(await asked).toMatchObject({
      kept: true,
      pbxs: [{ outcome: 'later', reason: 'it has not answered yet' }, {}],
    });
    expect(rig.clock.pending).toBe(0);
    release();
    await settle();
    expect(port.word('100')).toMatchObject({ doNotDisturb: true });
  });

  test('a PBX that had not loaded its queues is told when it has said all', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false, { initial: true })]);
    port.heard = false;
    await set(rig, 'do-not-disturb');
    port.outcome = { kind: 'gone' };
    port.heard = true;
    rig.availability.heard(OFFICE);
    await settle();
    expect(port.ordered).toEqual(['100 pause']);
    port.outcome = { kind: 'done' };
    rig.availability.news(OFFICE, { words: [], complete: true });
    await settle();
    expect(port.ordered).toEqual(['100 pause', '100 pause']);
    expect(port.word('100')).toMatchObject({ doNotDisturb: true });
  });

  test('what was refused is tried again after a minute, and not with everything that the PBX says', async () => {
    const rig = new Rig();
    rig.availability.start();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    port.outcome = { kind: 'refused', reason: 'no answer in time' };
    await set(rig, 'do-not-disturb');
    for (let times = 0; times < 5; times += 1) rig.availability.news(OFFICE, { words: [], complete: true });
    await rig.clock.advance(50_000);
    expect(port.ordered).toEqual(['100 pause']);
    port.outcome = { kind: 'done' };
    await rig.clock.advance(14_000);
    expect(port.ordered).toEqual(['100 pause', '100 pause']);
    await rig.clock.advance(200_000);
    expect(port.ordered).toHaveLength(2);
    await rig.availability.stop(1_000);
    expect(rig.clock.pending).toBe(0);
  });
});

describe('a flag of which the PBX says nothing', () => {
  const withFlag = async (rig: Rig, ...said: [string, AvailabilityWord][]): Promise<FakePort> => {
    const port = await rig.lead(OFFICE, ...said);
    port.keepsFlag = true;
    return port;
  };

  test('is set too when he is paused in the queues, and taken away with the pause', async () => {
    const rig = new Rig();
    const port = await withFlag(rig, ['100', word(false)]);
    port.say('100', word(true));
    await settle();
    expect(port.ordered).toEqual(['100 pause']);
    port.say('100', word(false));
    await settle();
    expect(port.ordered).toEqual(['100 pause', '100 go on']);
    expect(rig.state()).toBe('available pbx');
  });

  test('is not set for somebody whom the configuration does not know', async () => {
    const rig = new Rig();
    const port = await withFlag(rig);
    port.say('555', word(true));
    rig.availability.heard(OFFICE);
    await settle();
    expect(port.ordered).toEqual([]);
    expect([...port.undisturbed]).toEqual(['555']);
  });

  test('is taken away when that was wished while the PBX was away', async () => {
    const rig = new Rig();
    const port = await withFlag(rig);
    await set(rig, 'do-not-disturb');
    port.heard = false;
    await set(rig, 'available');
    expect(port.ordered).toEqual(['100 pause']);
    rig.availability.news(OFFICE, { words: [], complete: true });
    port.heard = true;
    rig.availability.heard(OFFICE);
    await settle();
    expect(port.ordered).toEqual(['100 pause', '100 go on']);
    expect(rig.state()).toBe('available api');
  });

  test('is set once more with each connect, and not whenever others leave their queues', async () => {
    const rig = new Rig();
    const port = await withFlag(rig);
    await set(rig, 'do-not-disturb');
    rig.availability.news(OFFICE, { words: [], complete: true });
    await settle();
    expect(port.ordered).toEqual(['100 pause']);
    rig.availability.heard(OFFICE);
    await settle();
    expect(port.ordered).toEqual(['100 pause', '100 pause']);
    expect(rig.state()).toBe('do-not-disturb api');
  });
});

describe('the store', () => {
  test('what another machine has set a moment ago does not outdo what is set now, whatever its clock says', async () => {
    const rig = new Rig();
    await rig.lead(OFFICE, ['100', word(false)]);
    await rig.store.put([{ extension: '100', state: 'do-not-disturb', since: rig.clock.wall() + 600_000, by: 'cli' }]);
    expect(await set(rig, 'available')).toMatchObject({ state: 'available', by: 'api', kept: true });
    expect(rig.state()).toBe('available api');
    expect((await rig.store.all()).find(({ pbx }) => pbx === undefined)).toMatchObject({ state: 'available' });
  });

  test('of two machines that write the same time the one that the store has counts', async () => {
    const rig = new Rig();
    rig.availability.start();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    await set(rig, 'do-not-disturb');
    const [own] = (await rig.store.all()).filter(({ pbx }) => pbx === undefined);
    await rig.store.put([{ ...own!, state: 'available', by: 'cli' }]);
    await rig.clock.advance(2_000);
    expect(rig.state()).toBe('available cli');
    expect(port.ordered).toEqual(['100 pause', '100 go on']);
    await rig.availability.stop(1_000);
  });

  test('what another machine or the command line has set is carried out within two seconds', async () => {
    const rig = new Rig();
    rig.availability.start();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    await rig.store.put([{ extension: '100', state: 'do-not-disturb', since: rig.clock.wall() + 1, by: 'cli' }]);
    await rig.clock.advance(2_000);
    expect(port.ordered).toEqual(['100 pause']);
    expect([...port.undisturbed]).toEqual(['100']);
    expect(rig.state()).toBe('do-not-disturb cli');
    await rig.availability.stop(1_000);
    expect(rig.clock.pending).toBe(0);
  });

  test('a store that is gone holds nothing up; what it lacks is written when it is back', async () => {
    const inner = new MemoryAgentStates();
    let gone = true;
    const whenThere = <T>(task: () => Promise<T>): Promise<T> => (gone ? Promise.reject(new Error('gone')) : task());
    const rig = new Rig({
      all: () => whenThere(() => inner.all()),
      put: (states: readonly KeptAgentState[]) => whenThere(() => inner.put(states)),
    });
    rig.availability.start();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    expect(await set(rig, 'do-not-disturb')).toMatchObject({ kept: false, pbxs: [{ outcome: 'done' }, {}] });
    expect([...port.undisturbed]).toEqual(['100']);
    gone = false;
    await rig.clock.advance(2_000);
    expect(await inner.all()).toMatchObject(
      [
        { extension: '100', state: 'do-not-disturb', by: 'pbx', pbx: OFFICE },
        { extension: '100', state: 'do-not-disturb', by: 'api' },
      ].reverse(),
    );
    await rig.availability.stop(1_000);
  });

  test('a PBX of which another bridge speaks by now is told nothing', async () => {
    const rig = new Rig();
    const port = await rig.lead(OFFICE, ['100', word(false)]);
    rig.availability.lose(OFFICE);
    await set(rig, 'do-not-disturb');
    expect(port.ordered).toEqual([]);
  });
});
