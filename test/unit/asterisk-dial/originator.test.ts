import { expect, test } from '@jest/globals';
import pino from 'pino';
import type { AmiMessage } from '../../../adapters/asterisk-ami/message.js';
import { Originator } from '../../../adapters/asterisk-ami/originate/originator.js';
import type { AmiSession } from '../../../adapters/asterisk-ami/session.js';
import type { OriginateOrder } from '../../../src/pbx/adapter.js';
import { ManualClock } from '../../support/manual-clock.js';

const ORDER: OriginateOrder = { agent: { extension: '100', devices: [] }, number: '030', shown: '', ringFor: 20_000 };

test('a session that lives for months keeps nothing of the orders that went over it', async () => {
  const closed = new Promise<never>(() => undefined);
  let kept = 0;
  const then = closed.then.bind(closed);
  closed.then = ((...hooks: Parameters<typeof then>) => {
    kept += 1;
    return then(...hooks);
  }) as typeof closed.then;
  const refusal = { response: 'Error', get: () => 'Permission denied' } as unknown as AmiMessage;
  const session = { closed, send: () => Promise.resolve(refusal) } as unknown as AmiSession;
  const originator = new Originator({
    dial: { context: 'from-internal', callerId: 'phone' },
    name: 'office',
    clock: new ManualClock(),
    log: pino({ enabled: false }),
    markOurs: () => undefined,
    behind: (leg) => leg,
  });
  originator.connected(session);
  const before = kept;
  for (let nth = 0; nth < 3; nth += 1)
    expect(await originator.originate(ORDER)).toMatchObject({ why: 'not-allowed', said: 'Permission denied' });
  expect(kept).toBe(before);
});
