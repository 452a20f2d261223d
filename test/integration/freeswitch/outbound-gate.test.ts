/** The gate of a FreeSWITCH before calls that wait as real ones were recorded. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { RejectReason } from '../../../src/call/gate.js';
import { asLegId } from '../../../src/call/vocabulary.js';
import { blockWith, type OutboundCall, recordedGate } from '../../support/fake-outbound-socket.js';
import { BUSY, closeOutboundBenches, CONTINUE, empty, endOf, outboundBench } from '../../support/outbound-bench.js';
import { trunkTest } from '../../../adapters/freeswitch/trunks.js';
import { waitFor, within } from '../../support/wait-for.js';

afterEach(closeOutboundBenches);

const LEG = '3fe9a7c5-8551-4f72-8265-220a44a93edf';
const AGENT_LEG = 'e431b371-c6ca-4234-abd8-1ad9d0780a99';
const CALLER_ID = '+493023125777';
const DIAL = { kind: 'dial', callerId: CALLER_ID } as const;
const agentCalls = recordedGate('gate-out-callerid-setvar').block;
const zammad = ({ variables }: OutboundCall): unknown =>
  Object.fromEntries([...variables].filter(([name]) => name.startsWith('ZAMMAD_')));

describe('what FreeSWITCH is told', () => {
  test('continue: says so, and lets go; nothing that keeps a leg or asks for events', async () => {
    const { call } = await outboundBench(CONTINUE);
    const waiting = call();
    expect(await endOf(waiting)).toEqual({ kind: 'goes on' });
    expect(waiting.told).toEqual(['connect', `api uuid_setvar ${LEG} ZAMMAD_ACTION continue`, 'resume', 'exit']);
  });
  test.each<[RejectReason, string]>([
    ['busy', 'USER_BUSY'],
    ['noAnswer', 'NO_ANSWER'],
    ['congestion', 'NORMAL_CIRCUIT_CONGESTION'],
    ['notFound', 'UNALLOCATED_NUMBER'],
  ])('reject, %s: hung up with %s, without a phone', async (reason, cause) => {
    const it = await outboundBench({ kind: 'reject', reason });
    const waiting = it.call();
    expect(await endOf(waiting)).toEqual({ kind: 'hung up', cause });
    expect(zammad(waiting)).toEqual({ ZAMMAD_ACTION: 'reject', ZAMMAD_REASON: reason });
    await empty(it);
    await waitFor('the last timer', () => it.clock.pending === 0);
    expect([it.hungUp, it.warnings]).toEqual([[], []]);
  });
  test('dial: the caller id in the variables that dialplans use, the action last', async () => {
    const { call } = await outboundBench(DIAL);
    const waiting = call({}, { block: agentCalls });
    expect(await endOf(waiting)).toEqual({ kind: 'goes on' });
    expect(waiting.told).toEqual([
      'connect',
      `api uuid_setvar ${AGENT_LEG} ZAMMAD_CALLER_ID ${CALLER_ID}`,
      `api uuid_setvar ${AGENT_LEG} outbound_caller_id_number ${CALLER_ID}`,
      `api uuid_setvar ${AGENT_LEG} effective_caller_id_number ${CALLER_ID}`,
      `api uuid_setvar ${AGENT_LEG} ZAMMAD_ACTION dial`,
      'resume',
      'exit',
    ]);
  });
  test.each([
    { ...DIAL, callerId: '' },
    { ...DIAL, callerId: '1\nX: y' },
    { ...DIAL, callerId: '${system(x)}' },
    { ...DIAL, callerId: '49 30' },
  ])('a caller id that is no number ($callerId) is not set: said, and the call goes on', async (decision) => {
    const { call, warnings } = await outboundBench(decision);
    const waiting = call({}, { block: agentCalls });
    await endOf(waiting);
    expect(zammad(waiting)).toEqual({ ZAMMAD_ACTION: 'continue' });
    await waitFor('the warning', () => warnings.length === 1);
  });
});

describe('other kinds of sockets', () => {
  test('of one leg only: what it may say is enough to reject', async () => {
    const { call } = await outboundBench(BUSY);
    const waiting = call({ Control: 'single-channel' });
    expect(await endOf(waiting)).toEqual({ kind: 'hung up', cause: 'USER_BUSY' });
    expect(zammad(waiting)).toEqual({ ZAMMAD_ACTION: 'reject', ZAMMAD_REASON: 'busy' });
  });
  test('of one leg only: and to set the caller id', async () => {
    const { call, warnings } = await outboundBench(DIAL);
    const waiting = call({}, { block: blockWith(agentCalls, { Control: 'single-channel' }) });
    expect(await endOf(waiting)).toEqual({ kind: 'goes on' });
    expect(waiting.variables.get('effective_caller_id_number')).toBe(CALLER_ID);
    expect(zammad(waiting)).toEqual({ ZAMMAD_ACTION: 'dial', ZAMMAD_CALLER_ID: CALLER_ID });
    expect(warnings).toEqual([]);
  });
  test.each(['full', 'single-channel'])(
    'without async, %s: the call goes on though it is to resume; said once',
    async (Control) => {
      const { call, warnings } = await outboundBench(CONTINUE);
      const { block } = recordedGate('gate-sync-continue');
      for (let count = 0; count < 2; count += 1) {
        const waiting = call({}, { block: blockWith(block, { Control }) });
        expect(waiting.variables.get('socket_resume')).toBe('true');
        expect(await endOf(waiting)).toEqual({ kind: 'goes on' });
        expect(zammad(waiting)).toEqual({ ZAMMAD_ACTION: 'continue' });
      }
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain('async full');
    },
  );
  test('without async: rejected', async () => {
    const { call } = await outboundBench(BUSY);
    const waiting = call({}, recordedGate('gate-sync-reject'));
    expect(await endOf(waiting)).toEqual({ kind: 'hung up', cause: 'USER_BUSY' });
  });
});

describe('what is asked', () => {
  test('an inbound call: its leg, who calls whom; agents and queue unknown', async () => {
    const { call, asked } = await outboundBench(CONTINUE);
    await endOf(call());
    expect(asked).toEqual([
      {
        leg: LEG,
        line: { kind: 'trunk', name: 'external-gated' },
        from: '+4917139200011',
        dialled: '+493023125100',
        withheld: false,
        users: undefined,
        queue: undefined,
        since: 0,
      },
    ]);
  });
  test('an agent who calls out', async () => {
    const { call, asked } = await outboundBench(CONTINUE);
    await endOf(call({}, { block: agentCalls }));
    expect(asked[0]).toMatchObject({
      leg: AGENT_LEG,
      line: { kind: 'agent', extension: '1004', device: '1004@pbx.example.test' },
      from: '1004',
      dialled: '+493023125811',
    });
  });
  test.each([
    ['variables', { variable_ZAMMAD_USERS: '1000,1001', variable_ZAMMAD_QUEUE: 'sales (night)' }, 'sales (night)'],
    ['variables in small letters', { variable_zammad_users: '1000 1001', variable_zammad_queue: 'sales' }, 'sales'],
    [
      'words of the line',
      { variable_current_application_data: '127.0.0.1:8084 async full users=1000&1001 queue=sales' },
      'sales',
    ],
    [
      'words, which come before variables',
      {
        variable_current_application_data: '127.0.0.1:8084 async full USERS=1000,1001',
        variable_ZAMMAD_USERS: '1',
        variable_ZAMMAD_QUEUE: 'q',
      },
      'q',
    ],
  ])('agents and queue from %s', async (_, headers, queue) => {
    const { call, asked } = await outboundBench(CONTINUE);
    await endOf(call(headers));
    expect(asked[0]).toMatchObject({ users: ['1000', '1001'], queue });
  });
  test('the number that the dialplan is about to dial, where it says so', async () => {
    const { call, asked } = await outboundBench(CONTINUE);
    const headers = { variable_ZAMMAD_NUMBER: '+493023125811', 'Caller-Destination-Number': '9003023125811' };
    await endOf(call({}, { block: blockWith(agentCalls, headers) }));
    expect(asked[0]?.dialled).toBe('+493023125811');
  });
  test.each([
    ['an empty number', { variable_ZAMMAD_NUMBER: ' ', 'Caller-Destination-Number': '112' }],
    ['a number that is none', { variable_ZAMMAD_NUMBER: '${emergency}', 'Caller-Destination-Number': '112' }],
    [
      'a transfer to a place of the dialplan',
      { 'Caller-Profile-Index': '2', 'Caller-Destination-Number': 'gate', variable_sip_req_user: '112' },
    ],
  ])('an emergency call is known for one behind %s', async (_, headers) => {
    const { call, asked } = await outboundBench(CONTINUE);
    await endOf(call({}, { block: blockWith(agentCalls, headers) }));
    expect(asked[0]?.dialled).toBe('112');
  });
  test('an agent of whom nobody says what he dials is not asked about', async () => {
    const { call, asked, warnings } = await outboundBench(BUSY);
    const headers = { 'Caller-Destination-Number': 'gate', variable_sip_req_user: 'gate' };
    expect(await endOf(call({}, { block: blockWith(agentCalls, headers) }))).toEqual({ kind: 'goes on' });
    expect(asked).toEqual([]);
    expect(warnings.join()).toContain('ZAMMAD_NUMBER');
  });
  test('a call that its dialplan has sent on: the numbers with which it came in', async () => {
    const { call, asked } = await outboundBench(CONTINUE);
    await endOf(
      call({ 'Caller-Profile-Index': '3', 'Caller-Destination-Number': 'did100', 'Caller-Caller-ID-Number': '1' }),
    );
    expect(asked[0]).toMatchObject({ from: '+4917139200011', dialled: '+493023125100' });
  });
  test('and those that were heard when it began, where they were', async () => {
    const { call, asked } = await outboundBench(CONTINUE, {
      begunWith: (leg) => (leg === asLegId(LEG) ? { from: '+49171', dialled: '+4930' } : undefined),
    });
    await endOf(call());
    expect(asked[0]).toMatchObject({ from: '+49171', dialled: '+4930' });
  });
  test('withheld, though the number is there', async () => {
    const { call, asked } = await outboundBench(CONTINUE);
    await endOf(call({ 'Caller-Privacy-Hide-Number': 'true' }));
    expect(asked[0]?.withheld).toBe(true);
  });
  test('`trunks` decides what is one', async () => {
    const { call, asked } = await outboundBench(CONTINUE, { isTrunk: trunkTest(['1004']) });
    await endOf(call({}, { block: agentCalls }));
    expect(asked[0]?.line).toEqual({ kind: 'trunk', name: '1004@pbx.example.test' });
  });
  test('a loopback leg is no customer and no agent: it goes on unasked', async () => {
    const { call, asked } = await outboundBench(BUSY);
    const waiting = call({ 'Channel-Name': 'loopback/1000-b' });
    expect(await endOf(waiting)).toEqual({ kind: 'goes on' });
    expect([asked, zammad(waiting)]).toEqual([[], { ZAMMAD_ACTION: 'continue' }]);
  });
  test('a name that is no UTF-8, and a % that is none', async () => {
    const { call, asked } = await outboundBench(CONTINUE);
    const block = recordedGate('gate-continue').block.replace(
      'variable_direction: inbound',
      'variable_direction: inbound\nvariable_ZAMMAD_QUEUE: J%FCrgen%20100%',
    );
    await endOf(call({}, { block }));
    expect(asked[0]?.queue).toBe('J\uFFFDrgen 100%');
  });
});

describe('time', () => {
  test('the call waits as long as the gate decides, and no longer', async () => {
    const { call, asked, answer } = await outboundBench();
    const waiting = call();
    await waitFor('the question', () => asked.length === 1);
    expect([waiting.told, waiting.socket.destroyed]).toEqual([['connect'], false]);
    answer(BUSY);
    expect(await endOf(waiting)).toEqual({ kind: 'hung up', cause: 'USER_BUSY' });
  });
  test('"connect" is said at once, whoever is there', async () => {
    const { raw, clock } = await outboundBench(CONTINUE);
    const socket = await raw();
    const [said] = (await once(socket, 'data')) as [Buffer];
    expect([said.toString(), clock.monotonic()]).toEqual(['connect\n\n', 0]);
  });
  test('a gate that never decides holds nobody for good', async () => {
    const it = await outboundBench();
    const waiting = it.call();
    await waitFor('the question', () => it.asked.length === 1);
    it.clock.turn(19_999);
    expect(it.gate.connections).toBe(1);
    it.clock.turn(1);
    expect(await endOf(waiting)).toEqual({ kind: 'goes on' });
    await empty(it);
  });
  test('a caller who goes while it waits: nothing is left, and the gate serves the next one', async () => {
    const it = await outboundBench();
    const gone = it.call();
    await waitFor('the question', () => it.asked.length === 1);
    gone.hangUp();
    expect(await endOf(gone)).toEqual({ kind: 'hung up', cause: 'ORIGINATOR_CANCEL' });
    it.answer(BUSY);
    await empty(it);
    // Perhaps it was only the connection that went.
    await waitFor('the other way', () => it.hungUp.length === 1);
    expect(it.hungUp).toEqual([[LEG, 17]]);
    const next = it.call();
    await waitFor('the question', () => it.asked.length === 2);
    it.answer(CONTINUE);
    expect(await endOf(next)).toEqual({ kind: 'goes on' });
    await empty(it);
    await waitFor('the last timer', () => it.clock.pending === 0);
  });
  test('the connection is cut while it waits', async () => {
    const it = await outboundBench();
    const cut = it.call();
    await waitFor('the question', () => it.asked.length === 1);
    cut.cut();
    await empty(it);
    it.answer(CONTINUE);
    expect(await endOf(cut)).toEqual({ kind: 'goes on' });
    await waitFor('the last timer', () => it.clock.pending === 0);
    expect(it.hungUp).toEqual([]);
  });
  test('50 at once, each its own answer', async () => {
    const { call, counted } = await outboundBench(undefined, {
      gate: { ask: ({ from }) => Promise.resolve(Number(from) % 2 === 0 ? CONTINUE : BUSY) },
    });
    const calls = Array.from({ length: 50 }, (_, index) =>
      call({ 'Caller-Caller-ID-Number': String(index), 'Unique-ID': `leg-${index}` }),
    );
    const ends = await Promise.all(calls.map(endOf));
    expect(ends.map(({ kind }) => kind)).toEqual(ends.map((_, index) => (index % 2 === 0 ? 'goes on' : 'hung up')));
    expect(counted.get('gate_requests')).toBe(50);
  });
  test.each([{ mute: true }, { deaf: true }])(
    'a FreeSWITCH that does not answer (%j) is given up; the reject is done another way',
    async (how) => {
      const it = await outboundBench();
      const waiting = it.call({}, { mute: true });
      await waitFor('the question', () => it.asked.length === 1);
      if ('deaf' in how) waiting.socket.pause();
      it.answer(BUSY);
      // The whole wait, the replies'.
      await waitFor('the deadline', () => it.clock.pending === 2);
      it.clock.turn(999);
      expect(it.hungUp).toEqual([]);
      it.clock.turn(1);
      await waitFor('the other way', () => it.hungUp.length === 1);
      // It does not close its side either: then it is cut.
      it.clock.turn(1_000);
      await empty(it);
      await waitFor('the last timer', () => it.clock.pending === 0);
      expect(it.hungUp).toEqual([[LEG, 17]]);
    },
  );
  test('FreeSWITCH takes the order to hang up and does not: done another way', async () => {
    const it = await outboundBench(BUSY);
    const socket = await it.raw();
    await once(socket, 'data');
    socket.write(recordedGate('gate-continue').block);
    await once(socket, 'data');
    socket.write('Content-Type: command/reply\nReply-Text: +OK\n\n'.repeat(3));
    await waitFor('the farewell', () => it.clock.pending === 2);
    it.clock.turn(1_000);
    await waitFor('the other way', () => it.hungUp.length === 1);
  });
  test('close() lets calls that wait go on, and frees the port', async () => {
    const { gate, port, call, asked, answer, clock } = await outboundBench();
    const calls = [call(), call(), call()];
    await waitFor('the questions', () => asked.length === 3);
    await within(5_000, 'the gate to close', gate.close());
    expect(await Promise.all(calls.map(endOf))).toEqual(calls.map(() => ({ kind: 'goes on' })));
    answer(CONTINUE);
    await waitFor('the last timer', () => clock.pending === 0);
    expect(gate.port).toBeUndefined();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await gate.close();
  });
});
