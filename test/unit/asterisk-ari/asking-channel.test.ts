import { expect, test } from '@jest/globals';
import { askOnChannel, endLate, endStranded } from '../../../adapters/asterisk-ari/asking-channel.js';
import type { AriReply, AriRequest, AriRest } from '../../../adapters/asterisk-ari/rest-contract.js';
import { RetriableError } from '../../../src/errors.js';

function rig(create: AriReply | Error) {
  const asked: AriRequest[] = [];
  const request = (one: AriRequest): Promise<AriReply> => {
    asked.push(one);
    if (one.path[1] !== 'create') return Promise.resolve({ status: 404, body: { message: 'Channel not found' } });
    return create instanceof Error ? Promise.reject(create) : Promise.resolve(create);
  };
  const rest: AriRest = { request, close: () => undefined };
  const ask = askOnChannel({ rest, app: 'zammad', timeout: 1_000 }, (read) => read('DB_KEYS(x)'));
  return {
    rest,
    ask,
    id: String(asked[0]?.query?.['channelId']),
    ended: () => asked.filter(({ method }) => method === 'DELETE').length,
  };
}
const LATE = new RetriableError('ZPB_ARI_TIMEOUT', 'late');
const start = (id: string) => ({ type: 'StasisStart', fields: { channel: { id } } });

test('a channel that comes to be after it was given up is ended, once', async () => {
  const { rest, ask, id, ended } = rig(LATE);
  await expect(ask).rejects.toBe(LATE);
  const before = ended();
  await endLate(rest, start('another'));
  expect(ended()).toBe(before);
  await endLate(rest, start(id));
  await endLate(rest, start(id));
  expect(ended()).toBe(before + 1);
});

test('one that is found on the next connect, too', async () => {
  const { rest, ask, id, ended } = rig(LATE);
  await expect(ask).rejects.toBe(LATE);
  const before = ended();
  const dialplan = { app_name: 'Stasis', app_data: 'zammad' };
  await endStranded(rest, 'zammad', [{ id, dialplan }]);
  expect(ended()).toBe(before + 1);
});

test('one that is being asked on is left alone', async () => {
  const { rest, ask, id, ended } = rig({ status: 200, body: {} });
  await endLate(rest, start(id));
  await ask;
  expect(ended()).toBe(1);
});
