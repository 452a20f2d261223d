import { afterEach, describe, expect, test } from '@jest/globals';
import { adapter as definition } from '../../../adapters/freeswitch/index.js';
import { asLegId, asPbxName, type LegEvent } from '../../../src/call/vocabulary.js';
import {
  type Adapter,
  canGate,
  canHangUp,
  canRefresh,
  canSetCallerId,
  type GatePort,
  type GateState,
  type Hearing,
} from '../../../src/pbx/adapter.js';
import { systemClock } from '../../../src/clock.js';
import { freePort } from '../../lab/free-ports.js';
import { type ApiAnswer, type EventHeaders, FakeFreeSwitch } from '../../support/fake-freeswitch.js';
import { OutboundCall, recordedGate } from '../../support/fake-outbound-socket.js';
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

async function rig(settings: object = {}, gate: GatePort = OPEN_GATE): Promise<Rig> {
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
      gate,
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
        'SHUTDOWN HEARTBEAT CUSTOM conference::maintenance callcenter::info',
      'api callcenter_config agent list',
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

describe('the caller id of the next leg', () => {
  const number = '+493023125777';
  const variables = ['ZAMMAD_CALLER_ID', 'outbound_caller_id_number', 'effective_caller_id_number'];
  test.each([
    ['+OK\n', { kind: 'done' }],
    ['-ERR No such channel!\n', { kind: 'gone' }],
    ['-ERR denied\n', { kind: 'refused', reason: '-ERR denied' }],
  ])('%j', async (reply, outcome) => {
    const one = await rig();
    await one.start();
    one.happens('CHANNEL_CREATE', A);
    await waitFor('the call', () => one.adapter.snapshot().length === 1);
    for (const name of variables) one.answers.set(`uuid_setvar a ${name} ${number}`, '+OK\n');
    one.answers.set(`uuid_setvar a effective_caller_id_number ${number}`, reply);
    if (!canSetCallerId(one.adapter)) throw new Error('it cannot');
    expect(await one.adapter.setCallerId(asLegId('a'), number)).toEqual(outcome);
    expect(one.esl.commands.filter((command) => command.startsWith('api uuid_setvar'))).toHaveLength(3);
  });
  test('what is no number, or of no leg, is not sent', async () => {
    const one = await rig();
    await one.start();
    if (!canSetCallerId(one.adapter)) throw new Error('it cannot');
    expect(await one.adapter.setCallerId(asLegId('a'), number)).toEqual({ kind: 'gone' });
    one.happens('CHANNEL_CREATE', A);
    await waitFor('the call', () => one.adapter.snapshot().length === 1);
    for (const wrong of ['', '1 2', '1\n\napi x', '${x}'])
      expect(await one.adapter.setCallerId(asLegId('a'), wrong)).toMatchObject({ kind: 'refused' });
    expect(one.esl.commands.join('\n')).not.toContain('uuid_setvar');
    await one.adapter.stop();
    expect(await one.adapter.setCallerId(asLegId('a'), number)).toMatchObject({ kind: 'refused' });
  });
});

describe('the gate', () => {
  const stateOf = ({ adapter }: Rig): GateState | undefined => (canGate(adapter) ? adapter.gateState() : undefined);
  test('is open while the PBX is heard, and only then', async () => {
    const port = await freePort();
    const one = await rig({ gate: { port } });
    expect(stateOf(one)).toEqual({ kind: 'closed', reason: 'the gate is open only while the PBX is heard' });
    expect((await one.start()).missing).toEqual([]);
    expect(stateOf(one)).toEqual({ kind: 'open' });
    const call = OutboundCall.enter({ port, ...recordedGate('gate-continue') });
    expect(await call.end).toEqual({ kind: 'goes on' });
    expect(call.variables.get('ZAMMAD_ACTION')).toBe('continue');
    await one.adapter.stop();
    expect(stateOf(one)?.kind).toBe('closed');
    const late = OutboundCall.enter({ port, ...recordedGate('gate-continue') });
    expect([await late.end, late.told]).toEqual([{ kind: 'goes on' }, []]);
  });
  test('not configured: the setting and the line of the dialplan that make one', async () => {
    const one = await rig();
    await one.start();
    expect(stateOf(one)).toMatchObject({ kind: 'off', mend: expect.stringMatching(/gate: .*application="socket"/) });
  });
  test('a port that is in use: the PBX is heard all the same, and it is said', async () => {
    const other = await rig();
    const one = await rig({ gate: { port: other.esl.port } });
    const { missing } = await one.start();
    expect(missing).toEqual([expect.stringMatching(/not asked about before phones ring.*EADDRINUSE.*gate\.port/)]);
    expect(stateOf(one)).toMatchObject({ kind: 'closed', reason: expect.stringContaining('EADDRINUSE') });
  });
  test('a reject that could not be said there is carried out over the event socket', async () => {
    const port = await freePort();
    const one = await rig({ gate: { port } }, { ask: () => Promise.resolve({ kind: 'reject', reason: 'congestion' }) });
    await one.start();
    const { block } = recordedGate('gate-continue');
    const call = OutboundCall.enter({ port, block, mute: true });
    one.happens('CHANNEL_CREATE', { ...A, 'Unique-ID': call.leg });
    await waitFor('the call', () => one.adapter.snapshot().length === 1);
    await waitFor('the decision', () => call.told.length > 1);
    call.cut();
    const order = `api uuid_kill ${call.leg} NORMAL_CIRCUIT_CONGESTION`;
    await waitFor('the order', () => one.esl.commands.includes(order));
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
