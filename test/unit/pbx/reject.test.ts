import { expect, test } from '@jest/globals';
import { createDirectory } from '../../../src/call/directory.js';
import type { Outcome } from '../../../src/call/outcome.js';
import { asCallId, asPbxName, asZammadName, type LegEvent } from '../../../src/call/vocabulary.js';
import { asError, RetriableError } from '../../../src/errors.js';
import type { Adapter, AdapterContext, HangsUp, OrderOutcome } from '../../../src/pbx/adapter.js';
import { PbxLine } from '../../../src/pbx/pbx-line.js';
import { AGENTS, called, CALLS, customerIn, ended, phone } from '../../support/brain-bench.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { OPEN_GATE } from '../../support/open-gate.js';
import { silent } from '../../support/whole-bridge.js';

/** A call that Zammad rejects, at a PBX that does so with the order, and then tells its end. Returns the hangup's cause. */
async function endAfterReject(order: OrderOutcome | Error | 'cannot', end: LegEvent): Promise<unknown> {
  let context: AdapterContext | undefined;
  const causes: unknown[] = [];
  const hangUp = (): Promise<OrderOutcome> =>
    order instanceof Error || order === 'cannot' ? Promise.reject(asError(order)) : Promise.resolve(order);
  const adapter: Adapter & Partial<HangsUp> = {
    start: () => Promise.resolve({ missing: [], lost: new Promise(() => undefined) }),
    stop: () => Promise.resolve(),
    snapshot: () => [],
    ...(order === 'cannot' ? {} : { hangUp }),
  };
  const clock = new ManualClock();
  const line = new PbxLine({
    brain: {
      pbx: asPbxName('pbx'),
      calls: CALLS,
      filter: {},
      destinations: [{ name: asZammadName('main'), filter: {} }],
      directory: createDirectory(AGENTS, [], 'DE'),
    },
    createAdapter: (given) => {
      context = given;
      return adapter;
    },
    random: () => 0,
    gate: OPEN_GATE,
    clock,
    log: silent,
    metrics: { count: () => undefined },
    onOutcomes: (outcomes: readonly Outcome[]) => {
      for (const one of outcomes) if (one.kind === 'post' && one.post.event === 'hangup') causes.push(one.post.cause);
    },
  });
  line.start();
  await settle();
  context?.emit([customerIn('c'), phone('a', '100'), called('a', 'c')]);
  await line.reject(asCallId('pbx-c'), 'forwarded');
  context?.emit([end]);
  await line.stop();
  return causes.at(-1);
}

const LATE = new RetriableError('ZPB_TEST', 'no answer in time');
test.each<[string, OrderOutcome | Error | 'cannot', LegEvent, string]>([
  ['done', { kind: 'done' }, ended('c', 16), 'forwarded'],
  ['refused, and the caller gives up', { kind: 'refused', reason: 'no' }, ended('c', 0, 'far'), 'cancel'],
  ['impossible, and the caller gives up', 'cannot', ended('c', 0, 'far'), 'cancel'],
  ['not answered, and done', LATE, ended('c', 17), 'forwarded'],
  ['not answered, and the caller gives up', LATE, ended('c', 0, 'far'), 'cancel'],
  ['too late: the caller had given up', { kind: 'gone' }, ended('c', 0, 'far'), 'cancel'],
  ['too late: it was hung up already', { kind: 'gone' }, ended('c', 17), 'forwarded'],
])('a reject that is %s', async (_, order, end, cause) => {
  expect(await endAfterReject(order, end)).toBe(cause);
});
