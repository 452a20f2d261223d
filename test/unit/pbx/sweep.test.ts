import { expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/call/outcome.js';
import { createDirectory } from '../../../src/call/directory.js';
import { asPbxName, asZammadName, type LegId } from '../../../src/call/vocabulary.js';
import { RetriableError, type BridgeError } from '../../../src/errors.js';
import type { Adapter, AdapterContext, Hearing, Refreshes } from '../../../src/pbx/adapter.js';
import { PbxLine } from '../../../src/pbx/pbx-line.js';
import { AGENTS, CALLS, customerIn, snapshot } from '../../support/brain-bench.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { silent } from '../../support/whole-bridge.js';
import { OPEN_GATE } from '../../support/open-gate.js';

const FIVE_MINUTES = 5 * 60_000;

/** A PBX that is heard until the test says otherwise, and says of its calls what the test says when it is asked. */
class AskedAdapter implements Adapter, Refreshes {
  asked = 0;
  lose: (error: BridgeError) => void = () => undefined;
  onRefresh: () => void = () => undefined;
  constructor(readonly context: AdapterContext) {}
  start(): Promise<Hearing> {
    return Promise.resolve({
      missing: [],
      lost: new Promise((resolve) => {
        this.lose = resolve;
      }),
    });
  }
  stop(): Promise<void> {
    return Promise.resolve();
  }
  snapshot(): readonly LegId[] {
    return [];
  }
  refresh(): Promise<void> {
    this.asked += 1;
    return new Promise((resolve) => {
      this.onRefresh();
      resolve();
    });
  }
}

async function rig(): Promise<{ clock: ManualClock; adapter: AskedAdapter; line: PbxLine; events: string[] }> {
  const clock = new ManualClock();
  const events: string[] = [];
  let adapter: AskedAdapter | undefined;
  const line = new PbxLine({
    brain: {
      pbx: asPbxName('office'),
      calls: CALLS,
      filter: {},
      destinations: [{ name: asZammadName('main'), filter: {} }],
      directory: createDirectory(AGENTS, [], 'DE'),
    },
    createAdapter: (context) => (adapter = new AskedAdapter(context)),
    random: () => 0,
    gate: OPEN_GATE,
    clock,
    log: silent,
    metrics: { count: () => undefined },
    onOutcomes: (outcomes: readonly Outcome[]) => {
      for (const one of outcomes) if (one.kind === 'post') events.push(one.post.event);
    },
  });
  line.start();
  await settle();
  if (adapter === undefined) throw new Error('the line has made no adapter');
  return { clock, adapter, line, events };
}

test('a call whose end was never heard is closed when the PBX, asked every five minutes, has it no more', async () => {
  const { clock, adapter, line, events } = await rig();
  adapter.context.emit([customerIn('c')]);
  adapter.onRefresh = () => {
    adapter.context.emit([customerIn('c'), snapshot('c')]);
  };
  await clock.advance(FIVE_MINUTES + 1_000);
  expect([adapter.asked, events]).toEqual([1, ['newCall']]);
  adapter.onRefresh = () => {
    adapter.context.emit([snapshot()]);
  };
  await clock.advance(FIVE_MINUTES);
  expect([adapter.asked, events]).toEqual([2, ['newCall', 'hangup']]);
  await clock.advance(10 * FIVE_MINUTES);
  expect(adapter.asked).toBe(2);
  await line.stop();
  expect(clock.pending).toBe(0);
});

test('a PBX that does not answer closes nothing, and is asked again', async () => {
  const { clock, adapter, line, events } = await rig();
  adapter.context.emit([customerIn('c')]);
  adapter.onRefresh = () => {
    throw new RetriableError('ZPB_TEST', 'no answer');
  };
  await clock.advance(2 * FIVE_MINUTES + 1_000);
  expect([adapter.asked, events]).toEqual([2, ['newCall']]);
  await line.stop();
});

test('a PBX that is not heard is not asked: its next connect tells all', async () => {
  const { clock, adapter, line } = await rig();
  adapter.context.emit([customerIn('c')]);
  adapter.lose(new RetriableError('ZPB_TEST', 'gone'));
  await settle();
  adapter.start = () => Promise.reject(new RetriableError('ZPB_TEST', 'gone'));
  await clock.advance(3 * FIVE_MINUTES);
  expect(adapter.asked).toBe(0);
  await line.stop();
});
