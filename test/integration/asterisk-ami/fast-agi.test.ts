/** The gate of an Asterisk before sockets that speak as Asterisk does. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { freePort } from '../../lab/free-ports.js';
import { AheadOfEvents } from '../../../adapters/asterisk-ami/fast-agi/ahead-of-events.js';
import { asLegId } from '../../../src/call/vocabulary.js';
import { canGate, canRefresh, type GateState } from '../../../src/pbx/adapter.js';
import { AgiCall, CUSTOMER_CALLS, requestText, WITHHELD } from '../../support/agi-caller.js';
import { agiBench, BUSY, closeAgiBenches, CONTINUE, empty, over } from '../../support/agi-bench.js';
import { adapterRig, closeAdapterRigs } from '../../support/adapter-rig.js';
import { encode } from '../../support/fake-ami.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waitFor, within } from '../../support/wait-for.js';

afterEach(async () => {
  await closeAgiBenches();
  await closeAdapterRigs();
});

describe('what the dialplan finds', () => {
  test('reject: the reason, then the action, and nothing else', async () => {
    const { call } = await agiBench({ kind: 'reject', reason: 'notFound' });
    const waiting = await call();
    await over(waiting);
    expect(waiting.said.filter((line) => line.startsWith('SET'))).toEqual([
      'SET VARIABLE "ZAMMAD_REASON" "notFound"',
      'SET VARIABLE "ZAMMAD_ACTION" "reject"',
    ]);
  });
  test('continue: says so, and leaves the caller id alone', async () => {
    const { call } = await agiBench(CONTINUE);
    const waiting = await call();
    await over(waiting);
    expect([...waiting.set]).toEqual([['ZAMMAD_ACTION', 'continue']]);
  });
  test('dial: the caller id is set before the action', async () => {
    const { call } = await agiBench({ kind: 'dial', callerId: '+49305550777' });
    const waiting = await call();
    await over(waiting);
    expect([...waiting.set]).toEqual([
      ['CALLERID(num)', '+49305550777'],
      ['ZAMMAD_ACTION', 'dial'],
    ]);
  });
  test('dial with setName: the name is the number too', async () => {
    const { call } = await agiBench({ kind: 'dial', callerId: '49305550777' }, { setName: true });
    const waiting = await call();
    await over(waiting);
    expect([...waiting.set]).toEqual([
      ['CALLERID(num)', '49305550777'],
      ['CALLERID(name)', '49305550777'],
      ['ZAMMAD_ACTION', 'dial'],
    ]);
  });
  test('a caller id with quotes and line breaks is one value of one command', async () => {
    const { call } = await agiBench({ kind: 'dial', callerId: '1"\r\nSET VARIABLE "X" "\\"2\u0000' });
    const waiting = await call();
    await over(waiting);
    expect(waiting.said.filter((line) => line.startsWith('SET'))).toHaveLength(2);
    expect(waiting.set.get('CALLERID(num)')).toBe('1SET VARIABLE X 2');
    expect(waiting.set.has('X')).toBe(false);
  });
});

describe('what is asked', () => {
  test('an inbound call: its channel, who calls whom, the agents and the queue of the address', async () => {
    const { call, asked, port } = await agiBench(CONTINUE);
    const waiting = await call({ address: `agi://127.0.0.1:${port}/gate?users=100,101,102&queue=sales` });
    await over(waiting);
    expect(asked).toEqual([
      {
        leg: '1700000000.1',
        line: { kind: 'trunk', name: 'trunk' },
        from: '+491711234567',
        dialled: '+49305550703',
        withheld: false,
        users: ['100', '101', '102'],
        queue: 'sales',
        since: 0,
      },
    ]);
    expect(waiting.said).toEqual(['GET VARIABLE "CALLINGNUMPRES_SV"', 'SET VARIABLE "ZAMMAD_ACTION" "continue"']);
  });
  test.each(['100&101', '100%26101', '100 101', '100%2C101', ',100,,101,', '100&users=101', '100&101&'])(
    'agents written as %j',
    async (users) => {
      const { call, asked } = await agiBench(CONTINUE);
      await over(await call({ address: `agi://127.0.0.1/gate?users=${users}&queue=R&D` }));
      expect(asked[0]).toMatchObject({ users: ['100', '101'], queue: 'R&D' });
    },
  );
  test('agents and queue from the channel’s variables, where the address has none', async () => {
    const { call, asked, port } = await agiBench(CONTINUE);
    const variables = { ZAMMAD_USERS: '103,104', ZAMMAD_QUEUE: 'support (night)' };
    await over(await call({ address: `agi://127.0.0.1:${port}/gate`, variables }));
    expect(asked[0]).toMatchObject({ users: ['103', '104'], queue: 'support (night)' });
  });
  test('words without a value say nothing, as where a variable of the dialplan is not set', async () => {
    const { call, asked, port } = await agiBench(CONTINUE);
    const variables = { ZAMMAD_USERS: '103' };
    await over(await call({ address: `agi://127.0.0.1:${port}/gate?users=&queue=&number=`, variables }));
    expect(asked[0]).toMatchObject({ users: ['103'], queue: undefined, dialled: '+49305550703' });
  });
  test('neither here nor there: unknown, which is not the same as nobody', async () => {
    const { call, asked, port } = await agiBench(CONTINUE);
    await over(await call({ address: `agi://127.0.0.1:${port}/gate` }));
    expect(asked[0]).toMatchObject({ users: undefined, queue: undefined });
  });
  test('an agent who calls out: the number of the address, also with a plus and a key #', async () => {
    const { call, asked, port } = await agiBench(CONTINUE);
    const fields = { channel: 'PJSIP/100-000000c3', callerid: '100', dnid: '603012345678', extension: '603012345678' };
    for (const number of ['03012345678', '+493012345678', '*31#03012345678'])
      await over(await call({ address: `agi://127.0.0.1:${port}/gate?number=${number}`, fields }));
    expect(asked.map(({ dialled }) => dialled)).toEqual(['03012345678', '+493012345678', '*31#03012345678']);
    expect(asked[0]).toMatchObject({ line: { kind: 'agent', extension: '100', device: 'PJSIP/100' }, from: '100' });
  });
  test('an agent who calls out, no number in the address: where the dialplan is', async () => {
    const { call, asked, port } = await agiBench(CONTINUE);
    const fields = { channel: 'PJSIP/100-000000c3', callerid: '100', dnid: 'unknown', extension: '03012345678' };
    await over(await call({ address: `agi://127.0.0.1:${port}/gate`, fields }));
    expect(asked[0]?.dialled).toBe('03012345678');
  });
  test.each([
    ['number=', { extension: '112' }, '112'],
    ['number=s', { extension: 's', dnid: '112' }, '112'],
    ['', { extension: 's', dnid: '112' }, '112'],
    ['', { extension: 'sub-2', dnid: '112' }, '112'],
  ])(
    'an agent who calls out through a subroutine is not taken for one who calls its name: %s %j',
    async (query, at, is) => {
      const { call, asked, port } = await agiBench(CONTINUE);
      const fields = { channel: 'PJSIP/100-000000c3', callerid: '100', dnid: 'unknown', ...at };
      await over(await call({ address: `agi://127.0.0.1:${port}/gate?${query}`, fields }));
      expect(asked[0]?.dialled).toBe(is);
    },
  );
  test('an agent of whom nobody knows what he dials goes on unasked: it may be an emergency', async () => {
    const { call, asked, port } = await agiBench(BUSY);
    const fields = { channel: 'PJSIP/100-000000c3', callerid: '100', dnid: 'unknown', extension: 's' };
    const waiting = await call({ address: `agi://127.0.0.1:${port}/gate?number=`, fields });
    await over(waiting);
    expect(asked).toEqual([]);
    expect(waiting.set.get('ZAMMAD_ACTION')).toBe('continue');
  });
  test('no number called, as a Goto leaves it: where the dialplan is', async () => {
    const { call, asked } = await agiBench(CONTINUE);
    await over(await call({ fields: { dnid: 'unknown' } }));
    expect(asked[0]?.dialled).toBe('49305550703');
  });
  // ast_party_id_presentation: allowed 0x00-0x03, prohibited 0x20-0x23, unavailable 0x43.
  test.each([
    ['0', false],
    ['3', false],
    ['32', true],
    ['35', true],
    ['67', false],
    ['nonsense', false],
  ])('agi_callingpres %s: withheld is %s', async (callingpres, withheld) => {
    const { call, asked } = await agiBench(CONTINUE);
    await over(await call({ fields: { callingpres } }));
    expect(asked[0]?.withheld).toBe(withheld);
  });
  test('a number that FreePBX has allowed since, and that was withheld', async () => {
    const { call, asked } = await agiBench(CONTINUE);
    for (const CALLINGNUMPRES_SV of ['prohib_passed_screen', 'allowed_not_screened'])
      await over(await call({ variables: { CALLINGNUMPRES_SV } }));
    expect(asked.map(({ withheld }) => withheld)).toEqual([true, false]);
  });
  test('a caller without a number', async () => {
    const { call, asked } = await agiBench(CONTINUE);
    await over(await call({ fields: { callerid: 'unknown' } }));
    expect(asked[0]?.from).toBeUndefined();
  });
  test('a Local channel is no customer and no agent: it goes on unasked', async () => {
    const { call, asked } = await agiBench(BUSY);
    const waiting = await call({ fields: { channel: 'Local/100@from-internal-0000001a;2' } });
    await over(waiting);
    expect(asked).toEqual([]);
    expect(waiting.set.get('ZAMMAD_ACTION')).toBe('continue');
  });
});

describe('time', () => {
  test('the call waits as long as the gate decides, and no longer', async () => {
    const { call, asked, answer } = await agiBench();
    const waiting = await call({ fields: WITHHELD });
    await waitFor('the question', () => asked.length === 1);
    expect(waiting.said).toEqual([]);
    expect(waiting.socket.destroyed).toBe(false);
    answer(BUSY);
    await over(waiting);
    expect(waiting.set.get('ZAMMAD_ACTION')).toBe('reject');
  });
  test('a caller who goes while it waits: nothing is left, and the gate serves the next one', async () => {
    const it = await agiBench();
    const gone = await it.call();
    await waitFor('the question', () => it.asked.length === 1);
    gone.goAway();
    await empty(it);
    it.answer(BUSY);
    const next = await it.call();
    await waitFor('the question', () => it.asked.length === 2);
    it.answer(CONTINUE);
    await over(next);
    expect(next.set.get('ZAMMAD_ACTION')).toBe('continue');
    await empty(it);
    expect(it.clock.pending).toBe(0);
    // Perhaps it was only the connection that went.
    expect(it.hungUp).toEqual(['1700000000.1']);
  });
  test('HANGUP while it waits, and between command and reply', async () => {
    const { call, asked, answer } = await agiBench();
    const waiting = await call({ hangUpAt: 1 });
    await waitFor('the question', () => asked.length === 1);
    waiting.socket.write('HANGUP\n');
    answer(BUSY);
    await over(waiting);
    expect([...waiting.set]).toEqual([
      ['ZAMMAD_REASON', 'busy'],
      ['ZAMMAD_ACTION', 'reject'],
    ]);
  });
  test('50 at once, each its own answer', async () => {
    const { call, counted } = await agiBench(undefined, {
      gate: {
        ask: ({ from }) =>
          Promise.resolve(Number(from) % 2 === 0 ? CONTINUE : { kind: 'reject', reason: 'congestion' }),
      },
    });
    const calls = await Promise.all(
      Array.from({ length: 50 }, (_, index) => call({ fields: { callerid: String(index), uniqueid: `1.${index}` } })),
    );
    await Promise.all(calls.map(over));
    expect(calls.map(({ set }) => set.get('ZAMMAD_ACTION'))).toEqual(
      calls.map((_, index) => (index % 2 === 0 ? 'continue' : 'reject')),
    );
    expect(counted.get('gate_requests')).toBe(50);
  });
  test('a PBX that does not answer a command is given up after a second', async () => {
    const it = await agiBench(BUSY);
    const deaf = await it.call({ deaf: true, fields: WITHHELD });
    await waitFor('the deadline', () => it.asked.length === 1 && it.clock.pending === 1);
    it.clock.turn(999);
    expect(it.gate.connections).toBe(1);
    it.clock.turn(1);
    // It does not read that the connection is closed either: then it is cut.
    await waitFor('the farewell', () => it.clock.pending === 1);
    it.clock.turn(1_000);
    await empty(it);
    expect(it.clock.pending).toBe(0);
    expect(deaf.said).toEqual([]);
    expect(it.hungUp).toEqual(['1700000000.1']);
  });
  test('the time that the request itself takes counts', async () => {
    const { gate, raw, asked, clock, port } = await agiBench();
    const socket = await raw();
    await waitFor('the connection', () => gate.connections === 1);
    clock.turn(300);
    socket.write(requestText(`agi://127.0.0.1:${port}/gate?users=100&queue=sales`, WITHHELD));
    await waitFor('the question', () => asked.length === 1);
    expect(asked[0]?.since).toBe(0);
  });
  test.each(['200 result=-1', '511 Command Not Permitted on a dead channel or intercept routine'])(
    'a decision that is answered with %j was not taken',
    async (setReply) => {
      const it = await agiBench(BUSY);
      await over(await it.call({ setReply }));
      expect(it.hungUp).toEqual(['1700000000.1']);
    },
  );
  test('close() lets calls that wait go on, and frees the port', async () => {
    const { gate, port, call, asked, answer, clock } = await agiBench();
    const calls = await Promise.all([1, 2, 3].map(() => call({ fields: WITHHELD })));
    await waitFor('the questions', () => asked.length === 3);
    await within(5_000, 'the gate to close', gate.close());
    await Promise.all(calls.map(over));
    expect(calls.map(({ said }) => said)).toEqual([[], [], []]);
    answer(BUSY);
    expect(gate.port).toBeUndefined();
    expect(clock.pending).toBe(0);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await gate.close();
  });
});

describe('a reject that the dialplan could not be told', () => {
  test('is carried out over the manager interface', async () => {
    const port = await freePort();
    const { asterisk, events, start } = await adapterRig(
      { hangup: () => [['Response', 'Success']] },
      { trunks: ['trunk'], gate: { port } },
      new ManualClock(),
      { ask: () => Promise.resolve(BUSY) },
    );
    await start();
    const { channel = '', uniqueid = '' } = CUSTOMER_CALLS;
    asterisk.broadcast(
      encode([
        ['Event', 'Newchannel'],
        ['Channel', channel],
        ['ChannelState', '4'],
        ['Uniqueid', uniqueid],
        ['Linkedid', uniqueid],
      ]),
    );
    await waitFor('the channel', () => events.some((event) => event.type === 'appeared' && event.leg === uniqueid));
    const call = await AgiCall.open({ port, mute: true, fields: WITHHELD });
    await waitFor('the decision', () => call.said.length > 0);
    call.goAway();
    const order = await waitFor('the order', () => asterisk.actions.find(({ name }) => name === 'hangup'));
    expect(order.get('Channel')).toBe(channel);
    expect(order.get('Cause')).toBe('17');
  });
});

describe('a call that asks before its first event has come', () => {
  test('is not over because a list of channels that was asked for before does not hold it', async () => {
    const port = await freePort();
    const clock = new ManualClock();
    const { adapter, asterisk, events, start } = await adapterRig({}, { trunks: ['trunk'], gate: { port } }, clock);
    await start();
    if (!canRefresh(adapter)) throw new Error('it cannot');
    const { channel = '', uniqueid = '' } = CUSTOMER_CALLS;
    const listed = async (): Promise<boolean> => {
      await adapter.refresh();
      const last = events.findLast((event) => event.type === 'snapshot');
      return last?.type === 'snapshot' && last.legs.some((leg) => leg === uniqueid);
    };
    expect(await listed()).toBe(false);
    await over(await AgiCall.open({ port }));
    expect(await listed()).toBe(true);
    // From its first event on the list alone counts.
    asterisk.broadcast(
      encode([
        ['Event', 'Newchannel'],
        ['Channel', channel],
        ['ChannelState', '4'],
        ['Uniqueid', uniqueid],
        ['Linkedid', uniqueid],
      ]),
    );
    await waitFor('the channel', () => events.some((event) => event.type === 'appeared' && event.leg === uniqueid));
    expect(await listed()).toBe(false);
  });
  test('is none of this PBX when no event comes at all, and they are not kept without end', () => {
    const clock = new ManualClock();
    const ahead = new AheadOfEvents(clock);
    for (let index = 0; index < 1_500; index += 1) ahead.asks(asLegId(`1.${index}`));
    expect(ahead.size).toBe(1_000);
    clock.turn(15_001);
    expect(ahead.complete([{ type: 'snapshot', legs: [] }])).toEqual([{ type: 'snapshot', legs: [] }]);
    expect(ahead.size).toBe(0);
  });
});

describe('a port that is in use', () => {
  test('is said with what mends it', async () => {
    const { port } = await agiBench(CONTINUE);
    const { gate } = await agiBench(CONTINUE, { port });
    const reason = new RegExp(`127\\.0\\.0\\.1:${port} .*EADDRINUSE.*gate\\.port`);
    expect(gate.state).toMatchObject({ kind: 'closed', reason: expect.stringMatching(reason) });
    expect(await gate.open()).toMatchObject({ code: 'ZPB_GATE_LISTEN', retriable: true });
  });
  test('the adapter hears its PBX all the same and says what is missing; it listens as soon as the port is free', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const clock = new ManualClock();
    const { adapter, start, asterisk } = await adapterRig({}, { trunks: ['trunk'], gate: { port } }, clock);
    const state = (): GateState | undefined => (canGate(adapter) ? adapter.gateState() : undefined);
    expect(state()).toMatchObject({ kind: 'closed' });
    const hearing = await start();
    expect(hearing.missing).toEqual([expect.stringMatching(/not asked about before phones ring.*EADDRINUSE/)]);
    expect(state()).toMatchObject({ kind: 'closed', reason: expect.stringContaining('EADDRINUSE') });
    expect(asterisk.actions.some(({ name }) => name === 'status')).toBe(true);
    taken.close();
    await once(taken, 'close');
    clock.turn(1_000);
    await waitFor('the gate to listen', () => state()?.kind === 'open');
    expect(hearing.missing).toEqual([]);
    const call = await AgiCall.open({ port });
    await over(call);
    expect(call.set.get('ZAMMAD_ACTION')).toBe('continue');
    await adapter.stop();
    expect(state()).toMatchObject({ kind: 'closed' });
    await expect(AgiCall.open({ port })).rejects.toThrow(/ECONNREFUSED/);
  });
  test('no gate is configured: the setting and the line that make one', async () => {
    const { adapter } = await adapterRig({}, { trunks: ['trunk'] }, new ManualClock());
    if (!canGate(adapter)) throw new Error('it cannot');
    expect(adapter.gateState()).toMatchObject({ kind: 'off', mend: expect.stringContaining('AGI(agi://') });
  });
});
