/** Who does not wish to be disturbed, as the adapter hears it over ARI, asks for it, and sets it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { adapter as definition } from '../../../adapters/asterisk-ari/index.js';
import { asPbxName, type LegEvent } from '../../../src/call/vocabulary.js';
import { type Clock, systemClock } from '../../../src/clock.js';
import { canPause, type AgentPhones, type Hearing, type OrderOutcome } from '../../../src/pbx/adapter.js';
import { type AriAnswer, type AriQuestion, FakeAri } from '../../support/fake-ari.js';
import { FakeFunctions } from '../../support/fake-functions.js';
import { ManualClock } from '../../support/manual-clock.js';
import { OPEN_GATE } from '../../support/open-gate.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Rig {
  readonly ari: FakeAri;
  readonly functions: FakeFunctions;
  readonly events: LegEvent[];
  /** `100 true`, `complete 100,103`: what was said, in order. */
  readonly said: () => string[];
  readonly start: () => Promise<Hearing>;
  readonly stop: () => Promise<void>;
  readonly pause: (paused: boolean, agent?: AgentPhones) => Promise<OrderOutcome>;
  /** Answers before all others. */
  answer: (question: AriQuestion) => AriAnswer | undefined | 'never';
}

const inWords = (event: LegEvent): string[] => {
  if (event.type === 'availability') return [`${event.line.extension} ${String(event.doNotDisturb)}`];
  return event.type === 'availabilities' ? [`complete ${event.lines.map(({ extension }) => extension).join()}`] : [];
};
const ALICE: AgentPhones = { extension: '100', devices: ['PJSIP/alice'] };
const DEVICE_STATE = { deviceState: 'Custom:DND{extension}' };

async function rig(doNotDisturb: object = DEVICE_STATE, clock: Clock = systemClock): Promise<Rig> {
  const ari = await FakeAri.start({ secret: 'right' });
  const functions = new FakeFunctions(() => ari);
  const events: LegEvent[] = [];
  const settings = { port: ari.port, username: 'bridge', secret: 'right', trunks: ['trunk'], doNotDisturb };
  const adapter = definition.create(
    {
      name: asPbxName('office'),
      log: silent,
      metrics: { count: () => undefined },
      clock,
      gate: OPEN_GATE,
      emit: (batch) => void events.push(...batch),
    },
    definition.configSchema.parse(settings),
  );
  closers.push(() => adapter.stop().then(() => ari.close()));
  const made: Rig = {
    ari,
    functions,
    events,
    said: () => events.flatMap(inWords),
    start: () => adapter.start(new AbortController().signal),
    stop: () => adapter.stop(),
    pause: (paused, agent = ALICE) => {
      if (!canPause(adapter)) throw new Error('the adapter cannot pause');
      return adapter.pause(agent, paused);
    },
    answer: () => undefined,
  };
  ari.answer = (question) => {
    const own = made.answer(question) ?? functions.answer(question);
    if (own !== undefined) return own;
    if (['/channels', '/bridges', '/endpoints'].includes(question.path)) return { body: [] };
    return question.path.endsWith('/eventFilter') ? { body: {} } : undefined;
  };
  return made;
}

const filter = ({ ari }: Rig): string =>
  JSON.stringify(ari.questions.find(({ path }) => path.endsWith('/eventFilter'))?.body);

describe('what is heard', () => {
  test('after a connect: all device states of the pattern, then that this is all; and no channel is left of the question', async () => {
    const made = await rig();
    made.functions.states.set('Custom:DND103', 'BUSY').set('Custom:DND104', 'NOT_INUSE').set('Custom:night', 'INUSE');
    expect((await made.start()).missing).toEqual([]);
    expect(made.said()).toEqual(['103 true', '104 false', 'complete 103,104']);
    expect(made.events.findIndex(({ type }) => type === 'availabilities')).toBeLessThan(
      made.events.findIndex(({ type }) => type === 'snapshot'),
    );
    await waitFor('the channel to go', () => made.functions.asking.size === 0);
    expect(made.functions.asked).toBe(1);
    expect(made.events.filter(({ type }) => type === 'appeared' || type === 'ended')).toEqual([]);
  });

  test('a state that is changed at the phone or in the dialplan; others are nobody’s', async () => {
    const made = await rig();
    await made.start();
    made.functions.set('Custom:night', 'BUSY');
    made.functions.set('PJSIP/100', 'INUSE');
    made.functions.set('Custom:DND100', 'BUSY');
    made.functions.set('Custom:DND100', 'NOT_INUSE');
    await waitFor('both', () => made.said().length === 3);
    expect(made.said()).toEqual(['complete ', '100 true', '100 false']);
    expect(filter(made)).toContain('DeviceStateChanged');
  });

  test('what was changed while nobody listened, after the next connect', async () => {
    const made = await rig();
    made.functions.states.set('Custom:DND100', 'BUSY');
    await made.start();
    await made.stop();
    made.functions.states.set('Custom:DND100', 'NOT_INUSE');
    await made.start();
    expect(made.said()).toEqual(['100 true', 'complete 100', '100 false', 'complete 100']);
  });

  test('what is heard while it is asked is no older than the answer', async () => {
    const made = await rig();
    made.functions.states.set('Custom:DND100', 'BUSY').set('Custom:DND101', 'BUSY');
    made.answer = ({ query }) => {
      if (query.get('variable') !== 'DEVICE_STATE(Custom:DND100)') return undefined;
      made.functions.set('Custom:DND100', 'NOT_INUSE');
      return { body: { value: 'BUSY' } };
    };
    // The answer must not overtake the event, or there would be nothing to see.
    const heard = waitFor('the event', () => made.said().includes('100 false'));
    await made.start();
    await heard;
    expect(made.said().at(-1)).not.toBe('100 true');
  });

  test('where nothing is configured nothing is asked, and no more is sent than before', async () => {
    const made = await rig({});
    await made.start();
    expect(made.said()).toEqual(['complete ']);
    expect(made.functions.asked).toBe(0);
    expect(filter(made)).not.toContain('DeviceStateChanged');
    expect(await made.pause(true)).toEqual({ kind: 'gone' });
  });

  test.each([
    ['DB_KEYS', 'func_db.so'],
    ['DEVICE_STATE', 'func_devstate.so'],
  ] as const)('without %s: which module is missing; and it is asked again', async (name, module) => {
    const clock = new ManualClock();
    const made = await rig(DEVICE_STATE, clock);
    made.functions.states.set('Custom:DND100', 'BUSY');
    made.functions.unloaded.add(name);
    const hearing = await made.start();
    expect(hearing.missing.join()).toContain(module);
    expect(made.said()).toEqual([]);
    made.functions.unloaded.clear();
    clock.turn(1_000);
    await waitFor('the states', () => made.said().length === 2);
    expect(made.said()).toEqual(['100 true', 'complete 100']);
    expect(hearing.missing).toEqual([]);
  });

  test('a login that may only read is told so, and concludes nothing', async () => {
    const made = await rig();
    made.functions.states.set('Custom:DND100', 'BUSY');
    made.functions.readOnly = true;
    expect((await made.start()).missing.join()).toMatch(/device states.*not known.*read_only = no/);
    expect(made.said()).toEqual([]);
    expect(await made.pause(true)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('read_only = no'),
    });
  });

  test('a list that is not answered costs five seconds, and is asked for again', async () => {
    const clock = new ManualClock();
    const made = await rig(DEVICE_STATE, clock);
    made.functions.states.set('Custom:DND100', 'BUSY');
    made.answer = ({ query }) => (query.get('variable') === 'DB_KEYS(CustomDevstate)' ? 'never' : undefined);
    const starting = made.start();
    await waitFor('the question', () =>
      made.ari.questions.some(({ query }) => query.get('variable')?.startsWith('DB')),
    );
    clock.turn(2_000);
    const hearing = await starting;
    expect(hearing.missing.join()).toContain('not known yet');
    made.answer = () => undefined;
    clock.turn(1_000);
    await waitFor('the states', () => made.said().length === 2);
  });

  test('channels that a crashed bridge has left behind are ended, and do not wait at the gate', async () => {
    const made = await rig({});
    const stranded = 'zpb-ask-0123456789abcdef-1';
    made.functions.asking.add(stranded);
    const dialplan = { exten: 'ask', app_name: 'Stasis', app_data: 'zammad' };
    made.answer = ({ path }) =>
      path === '/channels' ? { body: [{ id: stranded, name: 'Local/ask@x-1;1', state: 'Down', dialplan }] } : undefined;
    await made.start();
    await waitFor('its end', () => made.functions.asking.size === 0);
    expect(made.ari.questions.filter(({ path }) => path.endsWith('/continue'))).toEqual([]);
    expect(made.events.map(({ type }) => type)).toEqual(['availabilities', 'snapshot']);
  });
});

describe('an order', () => {
  test('sets the device state, and is done when it was heard: it passes for nobody else’s word afterwards', async () => {
    const made = await rig();
    await made.start();
    expect(await made.pause(true)).toEqual({ kind: 'done' });
    expect(made.functions.states.get('Custom:DND100')).toBe('BUSY');
    expect(made.said()).toEqual(['complete ', '100 true']);
    expect(await made.pause(true)).toEqual({ kind: 'done' });
    expect(await made.pause(false)).toEqual({ kind: 'done' });
    expect(made.said()).toEqual(['complete ', '100 true', '100 false']);
    expect(made.functions.states.get('Custom:DND100')).toBe('NOT_INUSE');
  });

  test('that is not heard is looked at', async () => {
    const clock = new ManualClock();
    const made = await rig(DEVICE_STATE, clock);
    made.functions.tells = false;
    await made.start();
    const order = made.pause(true);
    await waitFor('the order', () => made.functions.states.has('Custom:DND100'));
    await waitFor('the patience', () => {
      clock.turn(1_000);
      return made.functions.asked === 2;
    });
    expect(await order).toEqual({ kind: 'done' });
    expect(made.said().at(-1)).toBe('100 true');
  });

  test('that Asterisk takes and does not carry out is refused, with the module', async () => {
    const clock = new ManualClock();
    const made = await rig(DEVICE_STATE, clock);
    await made.start();
    made.functions.unloaded.add('DEVICE_STATE');
    const order = made.pause(true);
    await waitFor('the patience', () => {
      clock.turn(1_000);
      return made.functions.asked === 2;
    });
    expect(await order).toMatchObject({ kind: 'refused', reason: expect.stringContaining('func_devstate.so') });
  });

  test('for an extension that is none does not reach Asterisk', async () => {
    const made = await rig();
    await made.start();
    expect(await made.pause(true, { extension: '1)&SHELL(id', devices: [] })).toMatchObject({ kind: 'refused' });
    expect(made.functions.states.size).toBe(0);
  });

  test('to a PBX that is not connected, or goes away meanwhile, is refused', async () => {
    const made = await rig();
    expect(await made.pause(true)).toMatchObject({ kind: 'refused' });
    await made.start();
    made.functions.tells = false;
    const order = made.pause(true);
    await waitFor('the order', () => made.functions.states.has('Custom:DND100'));
    await made.stop();
    expect(await order).toMatchObject({ kind: 'refused' });
  });
});

test('queues, which ARI knows nothing of, cannot be asked for: the configuration says so', () => {
  const parsed = definition.configSchema.safeParse({ username: 'b', secret: 's', doNotDisturb: { queues: true } });
  expect(parsed.error?.issues[0]?.message).toContain('adapter: asterisk-ami');
});
