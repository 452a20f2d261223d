/** The whole delivery side in trouble of every kind: the tokens must not be in any log line, state or outbox item. */
import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { asCallId, asPbxName, asZammadName } from '../../../src/call/vocabulary.js';
import type { Post } from '../../../src/call/vocabulary.js';
import { systemClock } from '../../../src/clock.js';
import { Secret } from '../../../src/secret.js';
import { FakeOutbox } from '../../support/fake-outbox.js';
import { createZammadClient } from '../../../src/zammad/client.js';
import { createDispatcher } from '../../../src/zammad/dispatcher.js';
import { waitFor } from '../../support/wait-for.js';
import { ScriptedServer, respond } from './scripted-server.js';

const CANARY = 'Canary-Token_0123456789abcd';
const API_CANARY = 'api-canary-98765';
const MAIN = asZammadName('main');

test('no token and no URL in logs, states, metrics or outbox, whatever goes wrong', async () => {
  const server = new ScriptedServer();
  await server.listen();
  const location = `Location: http://127.0.0.1:1/api/v1/cti/${CANARY}\r\n`;
  const troubles: ((socket: Parameters<typeof respond>[0]) => unknown)[] = [
    (socket) => socket.resetAndDestroy(),
    () => undefined,
    (socket) => {
      respond(socket, '301 Moved Permanently', '', location);
    },
    (socket) => {
      respond(socket, '401 Unauthorized', `{"error":"Invalid token ${CANARY}"}`);
    },
    (socket) => {
      respond(socket, '500 Internal Server Error', `{"error":"Error ID at /api/v1/cti/${CANARY}"}`);
    },
    (socket) => {
      respond(socket, '400 Bad Request', `<html>${CANARY}`);
    },
    (socket) => {
      respond(socket, '200 OK', `{"action":"${CANARY}"}`);
    },
    (socket) => {
      respond(socket, '503 Service Unavailable', CANARY);
    },
    (socket) => socket.end(`HTTP/9.9 nonsense ${CANARY}\r\n\r\n`),
  ];
  let n = 0;
  server.behaviour = (socket, { text, requests }) => {
    if (text === '' || requests <= n) return;
    n = requests;
    const trouble = troubles[(requests - 1) % troubles.length];
    trouble?.(socket);
  };

  const seen: string[] = [];
  const keep = (value: unknown): void => {
    seen.push(JSON.stringify(value), inspect(value, { depth: 20, showHidden: true }));
  };
  const log = pino({ level: 'trace' }, { write: (line: string) => seen.push(line) });
  const origin = `http://127.0.0.1:${server.port}`;
  const client = createZammadClient({
    name: MAIN,
    url: new Secret(`${origin}/api/v1/cti/${CANARY}`),
    origin,
    apiToken: new Secret(API_CANARY),
    encoding: 'form',
    version: '0.0.0',
    clock: systemClock,
  });
  const outbox = new FakeOutbox();
  const backoff = { first: 2, max: 4 };
  const dispatcher = createDispatcher({
    outbox,
    zammads: [{ name: MAIN, client }],
    clock: systemClock,
    random: Math.random,
    log,
    metrics: {
      count: (...all) => {
        keep(all);
      },
      gauge: (...all) => {
        keep(all);
      },
    },
    settings: { timeout: 60, backoff, heldBackoff: backoff },
    onReply: keep,
  });
  dispatcher.start();
  dispatcher.take({ pbx: asPbxName('office'), epoch: 1, until: Infinity, ended: new AbortController().signal }, [], []);
  const post = (i: number, event: 'newCall' | 'hangup'): Post => {
    const common = { callId: asCallId(`c${i}`), direction: 'in', from: '49171', to: '4930' } as const;
    return event === 'newCall' ? { ...common, event, user: [] } : { ...common, event, cause: 'cancel' };
  };
  const posts = Array.from({ length: 24 }, (_, i) => [post(i, 'newCall'), post(i, 'hangup')]).flat();
  const items = posts.map((one) => ({
    pbx: asPbxName('office'),
    zammad: MAIN,
    callId: one.callId,
    post: one,
    repeatable: false,
    happenedAt: Date.now(),
  }));
  dispatcher.notify(outbox.append(items));
  await waitFor('every trouble to have come several times', () => {
    keep(dispatcher.state(MAIN));
    return n >= troubles.length * 6;
  });
  await dispatcher.stop(0);
  keep([...outbox.items.values()]);
  keep(client);
  keep(dispatcher);
  client.close();
  await server.close();

  expect(server.texts.some((text) => text.includes(CANARY))).toBe(true);
  expect(seen.join('\n')).toContain('status 400');
  for (const text of seen) {
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(API_CANARY);
    expect(text).not.toContain('/api/v1/cti');
  }
});
