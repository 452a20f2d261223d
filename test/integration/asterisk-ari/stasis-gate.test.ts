/** The gate of an Asterisk over ARI before an HTTP server on loopback. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { GateDecision } from '../../../src/call/gate.js';
import { settle } from '../../support/manual-clock.js';
import {
  agentCalls,
  closeStasisBenches,
  doneTo,
  eventOf,
  stasisBench,
  stasisStart,
} from '../../support/stasis-bench.js';
import { waitFor } from '../../support/wait-for.js';

afterEach(closeStasisBenches);

const CONTINUE: GateDecision = { kind: 'continue' };
const REJECT: GateDecision = { kind: 'reject', reason: 'busy' };
const GONE = [404, { message: 'Channel not found' }] as const;

describe('what becomes of a call', () => {
  test.each([
    [CONTINUE, ['continue']],
    [REJECT, ['hang up reason=busy']],
    [{ kind: 'reject', reason: 'noAnswer' }, ['hang up reason=no_answer']],
    [{ kind: 'reject', reason: 'congestion' }, ['hang up reason=congestion']],
    [{ kind: 'reject', reason: 'notFound' }, ['hang up reason=unallocated']],
    [
      { kind: 'dial', callerId: '+49305550777' },
      ['set CALLERID(num)=+49305550777', 'set ZAMMAD_ACTION=dial', 'continue'],
    ],
  ] as const)('%j', async (decision, done) => {
    const { gate, requests } = await stasisBench(decision);
    gate.take(stasisStart());
    await waitFor('the call to go', () => gate.waiting === 0 && doneTo(requests).length >= done.length, { every: 3 });
    expect(doneTo(requests)).toEqual(done);
  });
  test('dial with setName: the name is the number too', async () => {
    const { gate, requests, sees } = await stasisBench({ kind: 'dial', callerId: '49305' }, undefined, {
      setName: true,
    });
    gate.take(stasisStart());
    await sees('/continue');
    expect(doneTo(requests)[0]).toBe('set CALLERID(name)=49305');
  });
  test.each(['1\r\nX-Evil: 1', '"100"', '', '+', '1'.repeat(41), '100;tag=1'])(
    'a caller id that is no number is not handed on: %j',
    async (callerId) => {
      const { gate, requests, logged, sees } = await stasisBench({ kind: 'dial', callerId });
      gate.take(stasisStart());
      await sees('/continue');
      expect(doneTo(requests)).toEqual(['continue']);
      expect(logged.join()).toContain('could not be set');
    },
  );
  test('its end is known to be ours before it is ended', async () => {
    const { gate, ours, sees } = await stasisBench(REJECT);
    gate.take(stasisStart());
    await sees('DELETE');
    expect([...ours]).toEqual(['1700000000.1']);
  });
});

describe('what is asked', () => {
  test('a customer: who calls whom, the agents and the queue of the line', async () => {
    const { gate, asked, variables, counted, sees } = await stasisBench(CONTINUE);
    variables.set('CALLERID(dnid)', '+49305550713');
    gate.take(stasisStart({ args: ['users=100', '101', 'queue=sales'], channel: { dialplan: { exten: 's' } } }));
    await sees('/continue');
    expect(asked).toEqual([
      {
        leg: '1700000000.1',
        line: { kind: 'trunk', name: 'trunk' },
        from: '+491711234567',
        dialled: '+49305550713',
        withheld: false,
        users: ['100', '101'],
        queue: 'sales',
        since: 0,
      },
    ]);
    expect(Object.fromEntries(counted)).toEqual({ gate_requests: 1 });
  });
  test('the channel’s variables, where the line names nobody', async () => {
    const { gate, asked, variables, sees } = await stasisBench(CONTINUE);
    variables.set('ZAMMAD_USERS', '100&101').set('ZAMMAD_QUEUE', 'sales\u0007');
    gate.take(stasisStart({ args: [] }));
    await sees('/continue');
    expect(asked[0]).toMatchObject({ users: ['100', '101'], queue: 'sales', dialled: '49305550713' });
  });
  test.each(['prohib_not_screened', 'prohib', 'unavailable'])(
    'a number with presentation %s is withheld',
    async (pres) => {
      const { gate, asked, variables, sees } = await stasisBench(CONTINUE);
      variables.set('CALLERID(pres)', pres);
      gate.take(stasisStart());
      await sees('/continue');
      expect(asked[0]?.withheld).toBe(true);
    },
  );
  test('a dialplan of FreePBX allows every number, and keeps what it was', async () => {
    const { gate, asked, variables, sees } = await stasisBench(CONTINUE);
    variables.set('CALLINGNUMPRES_SV', 'prohib_passed_screen');
    gate.take(stasisStart());
    await sees('/continue');
    expect(asked[0]?.withheld).toBe(true);
  });
  test('the number that the events told is not asked for again', async () => {
    const { gate, asked, requests, sees } = await stasisBench(CONTINUE, undefined, { dialledOf: () => '49305' });
    gate.take(stasisStart());
    await sees('/continue');
    expect(asked[0]?.dialled).toBe('49305');
    expect(requests.filter((one) => one.startsWith('GET')).map(decodeURIComponent)).toEqual([
      'GET /ari/channels/1700000000.1/variable?variable=CALLERID(pres)',
      'GET /ari/channels/1700000000.1/variable?variable=CALLINGNUMPRES_SV',
    ]);
  });
  test('an agent: the number that the line names', async () => {
    const { gate, asked, sees } = await stasisBench(CONTINUE);
    gate.take(agentCalls(['number=03012345678']));
    await sees('/continue');
    expect(asked[0]).toMatchObject({
      line: { kind: 'agent', extension: '100', device: 'PJSIP/100' },
      dialled: '03012345678',
      from: '100',
    });
  });
  test.each([
    ['names none', []],
    ['names an empty one: a variable that is not set', ['number=']],
    ['names its own place: ${EXTEN} in a subroutine', ['number=s']],
  ])(
    'an agent of whom nobody knows what he dials is not asked about, it may be an emergency: the line %s',
    async (_, args) => {
      const { gate, asked, requests, counted, logged, sees } = await stasisBench(REJECT);
      gate.take(agentCalls(args));
      await sees('/continue');
      expect(asked).toEqual([]);
      expect(doneTo(requests)).toEqual(['continue']);
      expect(counted.get('gate_refused')).toBe(1);
      expect(logged.join()).toContain('number=${EXTEN}');
    },
  );
  test.each(['number=', 'number=s'])(
    'an agent whose line says %s: what the channel has dialled counts',
    async (arg) => {
      const { gate, asked, variables, sees } = await stasisBench(CONTINUE);
      variables.set('CALLERID(dnid)', '0112');
      gate.take(agentCalls([arg]));
      await sees('/continue');
      expect(asked[0]?.dialled).toBe('0112');
    },
  );
  test('half of a Local channel is no call', async () => {
    const { gate, asked, sees } = await stasisBench(REJECT);
    gate.take(stasisStart({ channel: { name: 'Local/100@from-internal-00000001;2' } }));
    await sees('/continue');
    expect(asked).toEqual([]);
  });
  test('a channel is asked about once while it waits', async () => {
    const { gate, asked, answer, sees } = await stasisBench();
    gate.take(stasisStart());
    gate.take(stasisStart());
    await waitFor('the question', () => asked.length > 0, { every: 3 });
    answer(CONTINUE);
    await sees('/continue');
    expect(asked).toHaveLength(1);
  });
  test('nobody has configured a gate: who waits all the same goes on, and it is said', async () => {
    const { gate, requests, logged, sees } = await stasisBench(undefined, undefined, { gate: undefined });
    gate.take(stasisStart());
    await sees('/continue');
    expect(doneTo(requests)).toEqual(['continue']);
    expect(logged.join()).toContain('the setting gate is missing');
  });
  test('before it is known which channels are trunks nobody is asked about', async () => {
    const { gate, asked, sees } = await stasisBench(REJECT, undefined, { isReady: () => false });
    gate.take(stasisStart());
    await sees('/continue');
    expect(asked).toEqual([]);
  });
  test('more than may wait go on unasked', async () => {
    const { gate, asked, requests, counted, logged, sees } = await stasisBench(undefined, undefined, {
      mostWaiting: 1,
    });
    gate.take(stasisStart());
    for (const id of ['2.1', '3.1']) gate.take(stasisStart({ channel: { id } }));
    await sees('/continue', 2);
    expect(requests.filter((one) => one.includes('continue'))).toEqual(
      expect.arrayContaining(['POST /ari/channels/2.1/continue', 'POST /ari/channels/3.1/continue']),
    );
    expect(counted.get('gate_refused')).toBe(2);
    expect(logged.filter((line) => line.includes('wait already'))).toHaveLength(1);
    await waitFor('the question', () => asked.length === 1, { every: 3 });
  });
});

describe('the PBX does not do what it is told', () => {
  test('a presentation that is not told in time: the number counts as shown', async () => {
    const { gate, asked, clock, sees, presentations } = await stasisBench(CONTINUE, (request) =>
      request.includes('pres)') || request.includes('PRES') ? 'never' : undefined,
    );
    gate.take(stasisStart());
    await sees('PRES');
    await settle();
    await clock.advance(250);
    await sees('/continue');
    expect(asked[0]?.withheld).toBe(false);
    expect(presentations).toEqual([]);
  });
  test.each([
    ['status 500', 500],
    ['status 503', 503],
  ])('%s for a continue: again, a few times, until it goes', async (_, status) => {
    const { gate, clock, logged, sees } = await stasisBench(CONTINUE, (request, nth) =>
      request.includes('/continue') && nth < 3 ? [status, { message: 'no' }] : undefined,
    );
    gate.take(stasisStart());
    await sees('/continue');
    for (const ms of [100, 250]) {
      await waitFor('the pause before the next try', () => clock.pending > 0, { every: 3 });
      await clock.advance(ms);
    }
    await sees('/continue', 3);
    await waitFor('the call to go', () => gate.waiting === 0, { every: 3 });
    expect(logged).toEqual([]);
  });
  test('what never goes is said, with what to do', async () => {
    const { gate, clock, requests, logged } = await stasisBench(CONTINUE, (request) =>
      request.includes('/continue') ? [500] : undefined,
    );
    gate.take(stasisStart());
    await waitFor('the last try', async () => (await clock.advance(50), gate.waiting === 0), { every: 3 });
    expect(requests.filter((one) => one.includes('/continue'))).toHaveLength(6);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('TIMEOUT(absolute)');
  });
  test('a login that may not is told once, and at once', async () => {
    const { gate, requests, logged } = await stasisBench(CONTINUE, (request) =>
      request.startsWith('POST') ? [403, { message: 'Write access denied' }] : undefined,
    );
    gate.take(stasisStart());
    await waitFor('the call to be given up', () => logged.length > 0, { every: 3 });
    expect(requests.filter((one) => one.includes('/continue'))).toHaveLength(1);
    expect(logged[0]).toContain('read_only = no');
  });
  test('the caller is gone already', async () => {
    const { gate, logged } = await stasisBench(CONTINUE, (request) => (request.startsWith('POST') ? GONE : undefined));
    gate.take(stasisStart());
    await waitFor('the call to go', () => gate.waiting === 0, { every: 3 });
    expect(logged).toEqual([]);
  });
  test('a reject that is not done: the dialplan finds it, and gets the call back', async () => {
    const { gate, requests, sees, logged, ours } = await stasisBench(REJECT, (request) =>
      request.startsWith('DELETE') ? [500] : undefined,
    );
    gate.take(stasisStart());
    await sees('/continue');
    expect(doneTo(requests)).toEqual([
      'hang up reason=busy',
      'set ZAMMAD_REASON=busy',
      'set ZAMMAD_ACTION=reject',
      'continue',
    ]);
    expect(logged.join()).toContain('the dialplan is to do it');
    expect([...ours]).toEqual([]);
  });
  test('half a decision is none: the action is not set when the caller id could not be', async () => {
    const { gate, requests, sees } = await stasisBench({ kind: 'dial', callerId: '49305' }, (request) =>
      request.includes('CALLERID(num)') ? [500] : undefined,
    );
    gate.take(stasisStart());
    await sees('/continue');
    expect(doneTo(requests)).toEqual(['set CALLERID(num)=49305', 'continue']);
  });
  test('nothing is answered at all: each order has its time, and the call is given up', async () => {
    const { gate, clock, logged } = await stasisBench(CONTINUE, () => 'never');
    gate.take(stasisStart());
    await waitFor('it to be given up', async () => (await clock.advance(100), gate.waiting === 0), { every: 3 });
    expect(logged.join()).toContain('no answer');
    expect(clock.monotonic()).toBeLessThan(10_000);
    expect(clock.pending).toBe(0);
  });
});

describe('a call that waits no longer', () => {
  const END = eventOf({ type: 'StasisEnd', application: 'zammad', channel: { id: '1700000000.1' } });

  test('is not told what was decided', async () => {
    const { gate, asked, requests, answer } = await stasisBench();
    gate.take(stasisStart());
    await waitFor('the question', () => asked.length > 0, { every: 3 });
    gate.take(END);
    answer({ kind: 'dial', callerId: '49305' });
    await waitFor('the call to go', () => gate.waiting === 0, { every: 3 });
    expect(doneTo(requests)).toEqual([]);
  });
  test('but is hung up all the same, for Zammad was told so', async () => {
    const { gate, asked, requests, answer, sees } = await stasisBench();
    gate.take(stasisStart());
    await waitFor('the question', () => asked.length > 0, { every: 3 });
    gate.take(END);
    answer(REJECT);
    await sees('DELETE');
    await waitFor('the call to go', () => gate.waiting === 0, { every: 3 });
    expect(doneTo(requests)).toEqual(['hang up reason=busy']);
  });
});

test('a call that comes to a second line while the first is being decided is asked about there too', async () => {
  const { gate, asked, requests, answer, sees } = await stasisBench();
  gate.take(stasisStart());
  await waitFor('the question', () => asked.length === 1, { every: 3 });
  gate.take(eventOf({ type: 'StasisEnd', application: 'zammad', channel: { id: '1700000000.1' } }));
  gate.take(stasisStart({ args: ['users=101'] }));
  await waitFor('the second question', () => asked.length === 2, { every: 3 });
  answer(CONTINUE);
  await sees('/continue');
  await waitFor('the call to go', () => gate.waiting === 0, { every: 3 });
  expect(doneTo(requests)).toEqual(['continue']);
});

describe('connections come and go', () => {
  const dialplan = { app_name: 'Stasis', app_data: 'zammad,users=100' };
  const stranded = { id: '7.1', dialplan };

  test('who waited for a bridge of before goes on at once; who waits for this one does not', async () => {
    const { gate, asked, requests } = await stasisBench();
    gate.take(stasisStart());
    await waitFor('the question', () => asked.length > 0, { every: 3 });
    await gate.release([
      { id: '1700000000.1', dialplan },
      stranded,
      { id: '8.1', dialplan: { ...dialplan, app_data: 'another,users=100' } },
      { id: '9.1', dialplan: { app_name: 'Dial', app_data: 'PJSIP/100' } },
    ]);
    expect(requests.filter((one) => one.startsWith('POST'))).toEqual(['POST /ari/channels/7.1/continue']);
  });
  test('a phone that a bridge of before has rung for a click is hung up: nobody knows any more what it was to dial', async () => {
    const { gate, requests } = await stasisBench();
    await gate.release([{ id: '7.2', dialplan: { ...dialplan, app_data: 'zammad,click' } }]);
    expect(requests).toEqual([expect.stringMatching(/^DELETE \/ari\/channels\/7\.2/)]);
  });
  test('a phone that was rung for a click is no call at the gate, until it dials and the dialplan has it wait', async () => {
    const clicked: string[] = [];
    const { gate, asked, requests } = await stasisBench(undefined, undefined, {
      onClicked: (id) => void clicked.push(id),
    });
    gate.take(stasisStart({ args: ['click'], channel: { id: 'zpb-1' } }));
    await settle();
    expect([clicked, gate.waiting, asked, requests]).toEqual([['zpb-1'], 0, [], []]);
    gate.take(stasisStart({ args: ['number=030'], channel: { id: 'zpb-1' } }));
    expect([clicked, gate.waiting]).toEqual([['zpb-1'], 1]);
  });
  test('a later list lets nobody go: it may be ahead of the events', async () => {
    const { gate, requests } = await stasisBench();
    await gate.release([]);
    await gate.release([stranded]);
    expect(requests).toEqual([]);
  });
  test('after a new connection what waited on the old one is let go, and no decision of before comes through', async () => {
    const { gate, rest, asked, requests, answer } = await stasisBench();
    gate.take(stasisStart());
    await waitFor('the question', () => asked.length > 0, { every: 3 });
    await gate.release([]);
    gate.open(rest);
    await gate.release([{ ...stranded, id: '1700000000.1' }]);
    answer(CONTINUE);
    await settle();
    expect(doneTo(requests)).toEqual(['continue']);
  });
  test('at the end all that wait are let go; nobody is asked about after', async () => {
    const { gate, asked, requests, answer } = await stasisBench();
    gate.take(stasisStart());
    gate.take(stasisStart({ channel: { id: '2.1' } }));
    await waitFor('both questions', () => asked.length === 2, { every: 3 });
    await gate.close();
    expect(requests.filter((one) => one.includes('continue')).sort()).toEqual([
      'POST /ari/channels/1700000000.1/continue',
      'POST /ari/channels/2.1/continue',
    ]);
    gate.take(stasisStart({ channel: { id: '3.1' } }));
    answer({ kind: 'dial', callerId: '49305' });
    await waitFor('the one who came late to be let go', () => doneTo(requests).length === 3, { every: 3 });
    await gate.close();
    expect(gate.waiting).toBe(0);
    expect(asked).toHaveLength(2);
    expect(requests.at(-1)).toBe('POST /ari/channels/3.1/continue');
    expect(doneTo(requests)).toEqual(['continue', 'continue', 'continue']);
  });
  test('who comes while others are let go is let go too before the end', async () => {
    const { gate, asked, requests } = await stasisBench();
    gate.take(stasisStart());
    await waitFor('the question', () => asked.length === 1, { every: 3 });
    const closed = gate.close();
    gate.take(stasisStart({ channel: { id: '3.1' } }));
    await closed;
    expect(requests.filter((one) => one.includes('continue'))).toHaveLength(2);
  });
  test('a second end waits for what the first one has begun', async () => {
    const { gate, asked, clock } = await stasisBench(undefined, (request) =>
      request.includes('continue') ? 'never' : undefined,
    );
    gate.take(stasisStart());
    await waitFor('the question', () => asked.length > 0, { every: 3 });
    void gate.close();
    let over = false;
    const second = gate.close().then(() => {
      over = true;
    });
    await settle();
    expect(over).toBe(false);
    await clock.advance(250);
    await second;
  });
  test('an end before a PBX that says nothing takes no longer than one order', async () => {
    const { gate, asked, clock } = await stasisBench(undefined, (request) =>
      request.includes('continue') ? 'never' : undefined,
    );
    gate.take(stasisStart());
    await waitFor('the question', () => asked.length > 0, { every: 3 });
    const closed = gate.close();
    await clock.advance(250);
    await closed;
  });
});

test('events of any shape do nothing', async () => {
  const { gate, requests, counted } = await stasisBench(REJECT);
  const odd = [
    { type: 'StasisStart' },
    { type: 'StasisStart', application: {} },
    { type: 'StasisEnd', application: 'zammad' },
    { type: 'toString' },
  ];
  for (const event of odd) gate.take(eventOf(event));
  gate.take(stasisStart({ application: 'other' }));
  await settle();
  expect(requests).toEqual([]);
  expect(counted.size).toBe(0);
});
