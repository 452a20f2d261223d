import { expect, test } from '@jest/globals';
import { createDirectory } from '../../../src/call/directory.js';
import { asPbxName, asZammadName, type PbxName } from '../../../src/call/vocabulary.js';
import { RetriableError } from '../../../src/errors.js';
import type { OutboxItem } from '../../../src/store/outbox.js';
import type { StoreKind } from '../../../src/store/store.js';
import { Strangers } from '../../../src/strangers.js';
import { AsteriskBench } from '../../support/asterisk-bench.js';
import { asteriskCases } from '../../support/asterisk-cases.js';
import { CALLS } from '../../support/brain-bench.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { ScriptedLead, ScriptedStore } from '../../support/scripted-store.js';
import { silent } from '../../support/whole-bridge.js';

const ZAMMAD = asZammadName('main');
const LAB = asPbxName('lab');

/** What an answered call had left, in its middle. */
function heritage(): ScriptedLead['heritage'] {
  const one = asteriskCases.find(({ name }) => name === 'asterisk-22/01-inbound-answered-caller-hangs-up')!;
  const bench = new AsteriskBench(one);
  for (const { at, message } of one.messages()) {
    if (message.event === 'HangupRequest') break;
    bench.hear(message, at);
  }
  return { calls: bench.records(), roots: [], aftermath: [], posts: [], newCalls: [] };
}

function rig(kind: StoreKind, names: readonly PbxName[], held: boolean) {
  const clock = new ManualClock();
  const lead = new ScriptedLead(asPbxName('lab'));
  lead.heritage = heritage();
  const store = new ScriptedStore(kind, () => (held ? { holder: 'another' } : lead), names);
  const sent: OutboxItem[] = [];
  const taken: string[] = [];
  const dropped: string[] = [];
  const undelivered = { now: true };
  const strangers = new Strangers({
    store,
    known: [asPbxName('office')],
    settings: {
      calls: CALLS,
      filter: {},
      destinations: [{ name: ZAMMAD, filter: {} }],
      directory: createDirectory([], [], 'DE'),
    },
    dispatcher: {
      take: ({ pbx }) => void taken.push(pbx),
      notify: (items) => void sent.push(...items),
      holds: () => undelivered.now,
      drop: (pbx) => {
        dropped.push(pbx);
        return Promise.resolve();
      },
    },
    clock,
    random: () => 1,
    log: silent,
    count: () => undefined,
  });
  return { clock, lead, store, strangers, sent, taken, dropped, undelivered };
}

test('the calls of a PBX that is gone from the configuration are closed, and the lead is given back when that is delivered', async () => {
  const { clock, lead, strangers, sent, taken, dropped, undelivered } = rig(
    'sqlite',
    [asPbxName('office'), LAB],
    false,
  );
  strangers.start();
  await clock.advance(5_000);
  expect(taken).toEqual(['lab']);
  expect(sent.map(({ post }) => post)).toMatchObject([{ event: 'hangup', cause: 'normalClearing', direction: 'in' }]);
  expect(lead.turns.at(-1)?.calls).toMatchObject([{ record: undefined }]);
  expect([lead.released, dropped]).toEqual([false, []]);
  undelivered.now = false;
  await clock.advance(1_000);
  expect([lead.released, dropped, clock.pending]).toEqual([true, ['lab'], 0]);
  await strangers.stop();
});

test('whoever has that PBX in his configuration gets its lead as soon as he wants it', async () => {
  const { clock, lead, strangers, dropped } = rig('postgres', [LAB], false);
  strangers.start();
  await clock.advance(11 * 60_000);
  expect(lead.released).toBe(false);
  lead.wanted = true;
  await clock.advance(1_000);
  expect([lead.released, dropped]).toEqual([true, ['lab']]);
});

test('a stop is held up by nothing, and leaves the lead until what is under way has ended', async () => {
  const { clock, lead, strangers, dropped } = rig('sqlite', [LAB], false);
  lead.onCommit = () => new Promise(() => undefined);
  strangers.start();
  await clock.advance(2_000);
  await strangers.stop();
  expect([lead.released, dropped, clock.pending]).toEqual([false, [], 0]);
  await strangers.release();
  expect(lead.released).toBe(true);
});

test('a store that cannot be asked at that moment is asked again', async () => {
  const { clock, store, strangers, sent } = rig('sqlite', [LAB], false);
  let failures = 2;
  store.pbxs = () => {
    failures -= 1;
    return failures < 0 ? Promise.resolve([LAB]) : Promise.reject(new RetriableError('ZPB_TEST', 'restarting'));
  };
  strangers.start();
  await clock.advance(10_000);
  expect(sent).toHaveLength(1);
  await strangers.stop();
});

test('in a database that others share, whoever has it configured gets ten minutes to come back', async () => {
  const { clock, store, strangers, sent } = rig('postgres', [LAB], false);
  strangers.start();
  await clock.advance(9 * 60_000);
  expect(store.asked).toBe(0);
  await clock.advance(2 * 60_000);
  await settle();
  expect(sent).toHaveLength(1);
  await strangers.stop();
});

test('a PBX that another bridge leads is none of ours', async () => {
  const { clock, strangers, sent, taken } = rig('sqlite', [asPbxName('lab')], true);
  strangers.start();
  await clock.advance(1);
  await settle();
  expect([sent, taken]).toEqual([[], []]);
  await strangers.stop();
});
