/** The adapter's gate over the wire: an ARI on loopback, its events and its requests. */
import { afterEach, expect, test } from '@jest/globals';
import { adapter as definition } from '../../../adapters/asterisk-ari/index.js';
import { asPbxName } from '../../../src/call/vocabulary.js';
import { systemClock } from '../../../src/clock.js';
import { type Adapter, canGate, type GateDecision, type GateState } from '../../../src/pbx/adapter.js';
import { FakeAri } from '../../support/fake-ari.js';
import { stasisStart } from '../../support/stasis-bench.js';
import { waitFor } from '../../support/wait-for.js';
import { silent } from '../../support/whole-bridge.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function rig(settings: object, decide: () => Promise<GateDecision>) {
  const ari = await FakeAri.start({
    secret: 'right',
    answer: ({ method, path }) => {
      if (method === 'POST' || method === 'DELETE') return { status: 204 };
      return path === '/bridges' || path === '/channels' ? { body: [] } : undefined;
    },
  });
  closers.push(() => ari.close());
  const adapter = definition.create(
    {
      name: asPbxName('office'),
      log: silent,
      metrics: { count: () => undefined },
      clock: systemClock,
      gate: { ask: decide },
      emit: () => undefined,
    },
    definition.configSchema.parse({
      host: '127.0.0.1',
      port: ari.port,
      username: 'bridge',
      secret: 'right',
      trunks: ['trunk'],
      ...settings,
    }),
  );
  closers.push(() => adapter.stop());
  const orders = (): string[] =>
    ari.questions.filter(({ method }) => method === 'POST' || method === 'DELETE').map(({ path }) => path);
  return { ari, adapter, orders };
}
const stateOf = (adapter: Adapter): GateState | undefined => (canGate(adapter) ? adapter.gateState() : undefined);
const NEVER = new Promise<GateDecision>(() => undefined);

test('a planned stop lets go who waits, before the application is gone', async () => {
  let asked = 0;
  const { ari, adapter, orders } = await rig({ gate: {} }, () => {
    asked += 1;
    return NEVER;
  });
  const abort = new AbortController();
  await adapter.start(abort.signal);
  ari.say(stasisStart().fields);
  await waitFor('the question', () => asked === 1, { every: 3 });
  // As the bridge does it: the signal of the start first.
  abort.abort();
  await adapter.stop();
  expect(orders()).toEqual(['/channels/1700000000.1/continue']);
  await waitFor('the connection to be closed', () => ari.connections().now === 0, { every: 3 });
});

test.each([
  [
    'the events break',
    (ari: FakeAri) => {
      ari.closeEvents(1011);
    },
  ],
  [
    'another program takes the events',
    (ari: FakeAri) => {
      ari.say({ type: 'ApplicationReplaced' });
    },
  ],
])('%s while a call waits: it goes on at once, for requests still get through', async (_, happen) => {
  let asked = 0;
  const { ari, adapter, orders } = await rig({ gate: {} }, () => {
    asked += 1;
    return NEVER;
  });
  const hearing = await adapter.start(new AbortController().signal);
  ari.say(stasisStart().fields);
  await waitFor('the question', () => asked === 1, { every: 3 });
  happen(ari);
  await hearing.lost;
  await adapter.stop();
  expect(orders()).toEqual(['/channels/1700000000.1/continue']);
});

test('a call that waited for a bridge of before goes on before anything else is asked', async () => {
  const { ari, adapter, orders } = await rig({ gate: {}, trunks: undefined }, () => NEVER);
  const usual = ari.answer;
  const dialplan = { app_name: 'Stasis', app_data: 'zammad,users=100' };
  ari.answer = (question) => {
    if (question.path === '/endpoints' || question.path === '/bridges') return 'never';
    return question.path === '/channels' ? { body: [{ id: '7.1', dialplan }] } : usual(question);
  };
  const abort = new AbortController();
  const started = adapter.start(abort.signal).catch(() => undefined);
  await waitFor('it to be let go', () => orders().includes('/channels/7.1/continue'), { every: 3 });
  abort.abort();
  await adapter.stop();
  await started;
});

test('nobody is asked about while no trunk is known: every customer would be taken for an agent who calls', async () => {
  let asked = 0;
  const { ari, adapter, orders } = await rig({ gate: {}, trunks: undefined }, () => {
    asked += 1;
    return NEVER;
  });
  const usual = ari.answer;
  ari.answer = (question) => (question.path === '/endpoints' ? { body: [] } : usual(question));
  await adapter.start(new AbortController().signal);
  ari.say(stasisStart().fields);
  await waitFor('the call to go on', () => orders().length > 0, { every: 3 });
  expect(asked).toBe(0);
});

test('says how its gate is', async () => {
  const { adapter } = await rig({ gate: {} }, () => NEVER);
  expect(stateOf(adapter)).toEqual({ kind: 'closed', reason: 'the PBX is not connected' });
  await adapter.start(new AbortController().signal);
  expect(stateOf(adapter)).toEqual({ kind: 'open' });
  const off = await rig({ app: 'other' }, () => NEVER);
  expect(stateOf(off.adapter)).toMatchObject({
    kind: 'off',
    mend: expect.stringContaining('Stasis(other,number=${EXTEN})'),
  });
});

test('a reject is over by the time its caller hears of it', async () => {
  const { ari, adapter, orders } = await rig({ gate: {} }, () => Promise.resolve({ kind: 'reject', reason: 'busy' }));
  await adapter.start(new AbortController().signal);
  ari.say(stasisStart().fields);
  await waitFor('the order', () => orders().length > 0, { every: 3 });
  expect(ari.questions.at(-1)?.query.get('reason')).toBe('busy');
  expect(orders()).toEqual(['/channels/1700000000.1']);
});
