import { expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/call/outcome.js';
import { asCallId, asLegId, asZammadName } from '../../../src/call/vocabulary.js';
import { RetriableError } from '../../../src/errors.js';
import { Pipeline } from '../../../src/pipeline.js';
import type { OutboxItem } from '../../../src/store/outbox.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { ScriptedLead } from '../../support/scripted-store.js';
import { silent } from '../../support/whole-bridge.js';

const ZAMMAD = asZammadName('main');
const callId = asCallId('office-1');
const hangup = (id = callId): Outcome => ({
  kind: 'post',
  zammads: [ZAMMAD],
  repeatable: false,
  post: { event: 'hangup', callId: id, direction: 'in', from: '49301', to: '49302', cause: 'cancel' },
});
const over = (id = callId): Outcome => ({ kind: 'call', callId: id, root: asLegId('1'), ordinal: 1 });

function rig(): { lead: ScriptedLead; pipeline: Pipeline; sent: OutboxItem[]; lost: number[] } {
  const lead = new ScriptedLead();
  const sent: OutboxItem[] = [];
  const lost: number[] = [];
  const pipeline = new Pipeline({
    lead,
    clock: new ManualClock(),
    log: silent,
    notify: (items) => void sent.push(...items),
    count: (_name, _labels, by = 1) => void lost.push(by),
  });
  return { lead, pipeline, sent, lost };
}

test('what one turn says is one commit: the change of the calls and the posts that it has caused', async () => {
  const { lead, pipeline, sent } = rig();
  pipeline.take([hangup()]);
  pipeline.take([over(), hangup(asCallId('office-2')), over(asCallId('office-2'))]);
  expect(lead.turns).toEqual([]);
  await settle();
  expect(lead.turns).toHaveLength(1);
  expect(lead.turns[0]?.calls.map((call) => call.callId)).toEqual(['office-1', 'office-2']);
  expect(lead.turns[0]?.posts.map(({ pbx, callId: id }) => [pbx, id])).toEqual([
    ['office', 'office-1'],
    ['office', 'office-2'],
  ]);
  await pipeline.settled();
  expect(sent.map(({ seq }) => seq)).toEqual([1, 2]);
});

test('nothing may be sent before it is committed', async () => {
  const { lead, pipeline, sent } = rig();
  const commit = lead.onCommit;
  let safe: () => void = () => undefined;
  lead.onCommit = async (turn) => {
    await new Promise<void>((resolve) => (safe = resolve));
    return commit(turn);
  };
  pipeline.take([hangup()]);
  await settle();
  expect([lead.turns.length, sent]).toEqual([1, []]);
  safe();
  await pipeline.settled();
  expect(sent).toHaveLength(1);
});

test('several changes of a call in one turn are written once, as the last one is', async () => {
  const { lead, pipeline } = rig();
  pipeline.take([{ kind: 'call', callId, root: asLegId('1'), ordinal: 1, record: { version: 1 } as never }, over()]);
  await pipeline.settled();
  expect(lead.turns.map(({ calls }) => calls)).toEqual([
    [{ callId, root: '1', ordinal: 1, record: undefined, aftermath: undefined }],
  ]);
});

test('notes alone are not committed', async () => {
  const { lead, pipeline } = rig();
  pipeline.take([{ kind: 'note', callId, text: 'something' }]);
  await pipeline.settled();
  expect(lead.turns).toEqual([]);
});

test('posts that the store refuses are counted as lost, and the next ones go on', async () => {
  const { lead, pipeline, sent, lost } = rig();
  const commit = lead.onCommit;
  lead.onCommit = () => Promise.reject(new RetriableError('ZPB_OUTBOX_FULL', 'full'));
  pipeline.take([hangup(), hangup()]);
  await pipeline.settled();
  expect([lost, sent]).toEqual([[2], []]);
  lead.onCommit = commit;
  pipeline.take([hangup()]);
  await pipeline.settled();
  expect(sent).toHaveLength(1);
});

test('after the lead is lost nothing is sent and nothing counts as lost: the successor finds out by himself', async () => {
  const { lead, pipeline, sent, lost } = rig();
  const commit = lead.onCommit;
  lead.onCommit = async (turn) => {
    lead.lose();
    return commit(turn);
  };
  pipeline.take([hangup()]);
  await pipeline.settled();
  lead.onCommit = () => Promise.reject(new RetriableError('ZPB_STORE_NOT_LEADING', 'another one leads'));
  pipeline.take([hangup()]);
  await pipeline.settled();
  expect([sent, lost]).toEqual([[], []]);
});
