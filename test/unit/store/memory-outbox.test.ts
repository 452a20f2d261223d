import { expect, test } from '@jest/globals';
import { createMemoryOutbox } from '../../../src/store/memory-outbox.js';
import { describeOutbox, someItem } from '../../support/outbox-contract.js';

describeOutbox('memory', () => Promise.resolve({ outbox: createMemoryOutbox(), dispose: () => Promise.resolve() }));

test('is bounded: beyond it nothing is appended, not even in part', async () => {
  const outbox = createMemoryOutbox({ limit: 3 });
  const items = await outbox.append([someItem('a'), someItem('b')]);
  await expect(outbox.append([someItem('c'), someItem('d')])).rejects.toMatchObject({
    code: 'ZPB_OUTBOX_FULL',
    retriable: true,
  });
  expect(await outbox.open()).toHaveLength(2);
  await outbox.settle(items[0]!.seq, 'delivered');
  expect(await outbox.append([someItem('c'), someItem('d')])).toHaveLength(2);
});

test('the oldest troubled ones make room for what is still to be delivered', async () => {
  const outbox = createMemoryOutbox({ limit: 3 });
  const items = await outbox.append([someItem('a'), someItem('b'), someItem('c')]);
  await outbox.settle(items[1]!.seq, 'dead', 'x');
  await outbox.settle(items[0]!.seq, 'unknown', 'x');
  await outbox.append([someItem('d')]);
  expect((await outbox.troubled(9)).map(({ callId }) => callId)).toEqual(['a']);
  await outbox.append([someItem('e')]);
  expect(await outbox.troubled(9)).toEqual([]);
  expect((await outbox.open()).map(({ callId }) => callId)).toEqual(['c', 'd', 'e']);
});
