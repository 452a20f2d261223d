import { afterEach, describe, expect, test } from '@jest/globals';
import { adapter as definition } from '../../../adapters/freeswitch/index.js';
import { asLegId, asPbxName, type LegEvent } from '../../../src/call/vocabulary.js';
import { type Adapter, canHangUp, canRefresh, type Hearing } from '../../../src/pbx/adapter.js';
import { systemClock } from '../../../src/clock.js';
import { type ApiAnswer, type EventHeaders, FakeFreeSwitch } from '../../support/fake-freeswitch.js';
import { by, customer, eslEvent, phone } from '../../support/freeswitch-scene.js';
import { FreeSwitchState } from '../../support/freeswitch-state.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';
import { OPEN_GATE } from '../../support/open-gate.js';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of cleanUp.splice(0).reverse()) await task();
});

interface Rig {
  readonly esl: FakeFreeSwitch;
  readonly adapter: Adapter;
  readonly events: LegEvent[];
  readonly state: FreeSwitchState;
  /** What `api …` is answered with instead of what the state says. */
  readonly answers: Map<string, ApiAnswer>;
  start(): Promise<Hearing>;
  /** Something happens in the PBX; told to whoever listens, unless `untold`. */
  happens(name: string, headers: Readonly<Record<string, string>>, untold?: boolean): void;
}

async function rig(settings: object = {}): Promise<Rig> {
  const state = new FreeSwitchState();
  const answers = new Map<string, ApiAnswer>();
  const api = (command: string): ApiAnswer | undefined => {
    const fixed = answers.get(command);
    if (fixed !== undefined) return fixed;
    if (command === 'show channels as json') return state.showChannels();
    const [word = '', id = ''] = command.split(' ');
    return word === 'uuid_dump' ? state.describe(id) : undefined;
  };
  const esl = await FakeFreeSwitch.start({ api });
  const events: LegEvent[] = [];
  const adapter = definition.create(
    {
      name: asPbxName('pbx'),
      log: silent,
      metrics: { count: () => undefined },
      clock: systemClock,
      gate: OPEN_GATE,
      emit: (batch) => void events.push(...batch),
    },
    definition.configSchema.parse({ port: esl.port, password: 'ClueCon', ...settings }),
  );
  cleanUp.push(async () => {
    await adapter.stop();
    await esl.close();
  });
  let sequence = 0;
  return {
    esl,
    adapter,
    events,
    state,
    answers,
    start: () => adapter.start(new AbortController().signal),
    happens(name, headers, untold = false) {
      sequence += 1;
      const all = { ...headers, 'Event-Sequence': String(sequence) };
      state.push(eslEvent(name, all));
      const said: EventHeaders = [['Event-Name', name], ...Object.entries(all)];
      if (!untold) esl.say(said);
    },
  };
}
const A = customer('a');
const B = phone('b', '1000', by('a'));
const BRIDGE = { 'Answer-State': 'answered', 'Bridge-A-Unique-ID': 'a', 'Bridge-B-Unique-ID': 'b' };
const GONE = {
  'Answer-State': 'hangup',
  'Hangup-Cause': 'NORMAL_CLEARING',
  variable_sip_hangup_disposition: 'recv_bye',
};
function talking(one: Rig): void {
  one.happens('CHANNEL_CREATE', A);
  one.happens('CHANNEL_CREATE', B);
  one.happens('CHANNEL_ANSWER', B, false);
  one.happens('CHANNEL_ANSWER', { ...B, 'Answer-State': 'answered' });
  one.happens('CHANNEL_ANSWER', { ...A, 'Answer-State': 'answered' });
  one.happens('CHANNEL_BRIDGE', { ...A, ...BRIDGE });
}
const kinds = (events: readonly LegEvent[]): string[] =>
  events.map((event) => ('leg' in event ? `${event.type} ${event.leg}` : event.type));
const refresh = (adapter: Adapter): Promise<void> =>
  canRefresh(adapter) ? adapter.refresh() : Promise.reject(new Error('it cannot'));

describe('the subscription', () => {
  test('comes before the list, is JSON, and the smallest that does', async () => {
    const one = await rig();
    await one.start();
    expect(one.esl.commands.slice(1)).toEqual([
      'event json CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE ' +
        'SHUTDOWN HEARTBEAT CUSTOM conference::maintenance',
      'api show channels as json',
    ]);
  });
  test('refused: said, and tried again later', async () => {
    const one = await rig();
    one.esl.faults = { refuseEvents: '-ERR denied' };
    await expect(one.start()).rejects.toMatchObject({ code: 'ZPB_ESL_REFUSED', retriable: true });
    await waitFor('the connection to be closed', () => one.esl.open.length === 0);
  });
});

describe('calls in progress at a connect', () => {
  test('who talks with whom, with the numbers of the beginning', async () => {
    const one = await rig();
    talking(one);
    // The dialplan has sent it on.
    one.happens('CHANNEL_ANSWER', { ...A, 'Answer-State': 'answered', 'Caller-Destination-Number': '1000' }, true);
    await one.start();
    expect(one.events[0]).toMatchObject({ type: 'appeared', leg: 'a', from: '+4930123456', dialled: '+4930555200' });
    expect(kinds(one.events)).toEqual(expect.arrayContaining(['up a', 'joined a', 'up b', 'joined b']));
    expect(one.events.at(-1)).toEqual({ type: 'snapshot', legs: ['a', 'b'] });
  });

  test('what is told while the list is asked for is not lost', async () => {
    const one = await rig();
    one.happens('CHANNEL_CREATE', A);
    const list = one.state.showChannels();
    one.answers.set('show channels as json', { ignore: true });
    const starting = one.start();
    const connection = await one.esl.listening();
    await waitFor('the list to be asked for', () => one.esl.commands.includes('api show channels as json'));
    one.happens('CHANNEL_CREATE', B);
    one.happens('CHANNEL_HANGUP_COMPLETE', { ...A, ...GONE });
    connection.write(`Content-Type: api/response\nContent-Length: ${list.length}\n\n${list}`);
    await starting;
    // A had gone before it was described, B was not in the list.
    expect(one.events.at(-1)).toEqual({ type: 'snapshot', legs: ['b'] });
    expect(kinds(one.events)).not.toContain('ended b');
  });

  test.each([
    ['refused', '-ERR permission denied\n'],
    ['no JSON', '{"row_count":'],
    ['a part', '{"row_count":2,"rows":[{"uuid":"a"}]}'],
  ])('a list that is %s closes nothing and says what is missing', async (_what, reply) => {
    const one = await rig();
    await one.start();
    talking(one);
    await waitFor('the call', () => one.adapter.snapshot().length === 2);
    one.answers.set('show channels as json', reply);
    await expect(refresh(one.adapter)).rejects.toMatchObject({ code: 'ZPB_ESL_LIST' });
    expect(one.adapter.snapshot()).toEqual(['a', 'b']);
    expect(one.events.filter(({ type }) => type === 'snapshot')).toHaveLength(1);
    await one.adapter.stop();
    const { missing } = await one.start();
    expect(missing).toEqual([expect.stringContaining('calls in progress')]);
    expect(one.adapter.snapshot()).toEqual(['a', 'b']);
  });

  test('FreeSWITCH was started anew: its old calls are over', async () => {
    const one = await rig();
    talking(one);
    const { lost } = await one.start();
    for (const connection of one.esl.open) connection.destroy();
    await lost;
    for (const leg of [A, B]) one.happens('CHANNEL_HANGUP_COMPLETE', { ...leg, ...GONE }, true);
    await one.start();
    expect(one.events.at(-1)).toEqual({ type: 'snapshot', legs: [] });
    expect(one.adapter.snapshot()).toEqual([]);
  });

  test('a leg that is kept after its end (linger) is over', async () => {
    const one = await rig();
    const hungUp = { 'Answer-State': 'hangup', 'Hangup-Cause': 'USER_BUSY', 'Caller-Channel-Hangup-Time': '1000000' };
    one.happens('CHANNEL_CREATE', A, true);
    one.happens('CHANNEL_HANGUP', { ...A, ...hungUp, 'Event-Date-Timestamp': '9000000' }, true);
    await one.start();
    expect(one.events.at(-1)).toEqual({ type: 'snapshot', legs: [] });
    expect(kinds(one.events)).not.toContain('appeared a');
  });
});

describe('refresh', () => {
  test('finds that a leg is gone of whose end nobody told', async () => {
    const one = await rig();
    await one.start();
    talking(one);
    await waitFor('the call', () => one.adapter.snapshot().length === 2);
    for (const leg of [A, B]) one.happens('CHANNEL_HANGUP_COMPLETE', { ...leg, ...GONE }, true);
    await refresh(one.adapter);
    expect(one.events.at(-1)).toEqual({ type: 'snapshot', legs: [] });
  });

  test('a leg whose last event is still on its way keeps its cause', async () => {
    const one = await rig();
    await one.start();
    talking(one);
    await waitFor('the call', () => one.adapter.snapshot().length === 2);
    // The PBX is through with it, and the listener hears of it a moment later.
    one.happens('CHANNEL_HANGUP_COMPLETE', { ...B, ...GONE }, true);
    const refreshing = refresh(one.adapter);
    await waitFor('it to be asked for', () => one.esl.commands.includes('api uuid_dump b json'));
    one.esl.say([['Event-Name', 'CHANNEL_HANGUP_COMPLETE'], ...Object.entries({ ...B, ...GONE })]);
    await refreshing;
    expect(one.events.find((event) => event.type === 'ended')).toEqual({
      type: 'ended',
      leg: 'b',
      q850: 16,
      by: 'far',
    });
    expect(one.events.at(-1)).toEqual({ type: 'snapshot', legs: ['a'] });
  });

  test('a list that comes late (its rows are written behind) closes no call', async () => {
    const one = await rig();
    await one.start();
    talking(one);
    await waitFor('the call', () => one.adapter.snapshot().length === 2);
    one.answers.set('show channels as json', '{"row_count":0}');
    await refresh(one.adapter);
    expect(one.events.at(-1)).toEqual({ type: 'snapshot', legs: ['a', 'b'] });
  });

  test('rejects when the PBX is not connected', async () => {
    const one = await rig();
    await expect(refresh(one.adapter)).rejects.toMatchObject({ code: 'ZPB_ESL_CLOSED' });
  });
});

describe('hanging up', () => {
  test.each([
    ['+OK\n', { kind: 'done' }, 'us'],
    ['-ERR No such channel!\n', { kind: 'gone' }, 'far'],
    ['-ERR denied\n', { kind: 'refused', reason: '-ERR denied' }, 'far'],
  ])('%j', async (reply, outcome, who) => {
    const one = await rig();
    await one.start();
    one.happens('CHANNEL_CREATE', A);
    await waitFor('the call', () => one.adapter.snapshot().length === 1);
    one.answers.set('uuid_kill a USER_BUSY', reply);
    if (!canHangUp(one.adapter)) throw new Error('it cannot');
    expect(await one.adapter.hangUp(asLegId('a'), 17)).toEqual(outcome);
    one.happens('CHANNEL_HANGUP_COMPLETE', { ...A, ...GONE, 'Hangup-Cause': 'USER_BUSY' });
    await waitFor('its end', () => one.adapter.snapshot().length === 0);
    expect(one.events.at(-1)).toEqual({ type: 'ended', leg: 'a', q850: 17, by: who });
  });

  test('not connected', async () => {
    const one = await rig();
    await one.start();
    one.happens('CHANNEL_CREATE', A);
    await waitFor('the call', () => one.adapter.snapshot().length === 1);
    await one.adapter.stop();
    if (!canHangUp(one.adapter)) throw new Error('it cannot');
    expect(await one.adapter.hangUp(asLegId('a'), 17)).toMatchObject({ kind: 'refused' });
  });
});

test('record: every byte of every event, until it is stopped', async () => {
  const { esl } = await rig();
  const recorder = definition.createRecorder?.(
    { name: asPbxName('pbx'), log: silent, metrics: { count: () => undefined }, clock: systemClock },
    definition.configSchema.parse({ port: esl.port, password: 'ClueCon' }),
  );
  const abort = new AbortController();
  const bytes: Uint8Array[] = [];
  const recording = recorder?.record(abort.signal, (chunk) => void bytes.push(Buffer.from(chunk)));
  await esl.listening();
  esl.say([
    ['Event-Name', 'MODULE_UNLOAD'],
    ['Any', 'thing'],
  ]);
  await waitFor('the event', () => Buffer.concat(bytes).includes('"Any":"thing"'));
  abort.abort();
  await recording;
  expect(Buffer.concat(bytes).toString()).not.toContain('ClueCon');
});
