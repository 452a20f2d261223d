/** A request whose right to be sent ends while its connection is being made, or right before it is written, is not written. */
import { once } from 'node:events';
import { createServer as createTlsServer, type Server } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { asCallId, asZammadName } from '../../../src/call/vocabulary.js';
import type { HangupPost } from '../../../src/call/vocabulary.js';
import { systemClock } from '../../../src/clock.js';
import { Secret } from '../../../src/secret.js';
import { createZammadClient } from '../../../src/zammad/client.js';
import type { ZammadClient } from '../../../src/zammad/client.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { waitFor } from '../../support/wait-for.js';
import { ScriptedServer, respond } from './scripted-server.js';

const hangup: HangupPost = {
  event: 'hangup',
  callId: asCallId('office-1'),
  direction: 'in',
  from: '491711234567',
  to: '4930555200',
  cause: 'cancel',
};
const server = new ScriptedServer();
const clients: ZammadClient[] = [];
function clientTo(origin: string, ca?: readonly string[]): ZammadClient {
  const url = new Secret(`${origin}/api/v1/cti/token`);
  const common = { name: asZammadName('main'), encoding: 'form', version: '1.2.3', clock: systemClock } as const;
  const made = createZammadClient({ ...common, url, origin, ca });
  clients.push(made);
  return made;
}

beforeEach(() => server.listen());
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

test('a new connection: it is made, and nothing is written', async () => {
  const texts: string[] = [];
  server.behaviour = (_socket, { text }) => texts.push(text);
  const client = clientTo(`http://127.0.0.1:${server.port}`);
  let asked = 0;
  const outcome = await client.post(hangup, {
    timeout: 5000,
    freshSocket: true,
    mayBegin: () => {
      asked += 1;
      return false;
    },
  });
  expect(outcome).toMatchObject({ kind: 'notSent' });
  expect(asked).toBe(1);
  await waitFor('the connection to be closed', () => server.open === 0);
  expect(texts).toEqual(['']);
});

test('a connection that has carried a request: nothing more is written on it', async () => {
  server.behaviour = (socket, { text }) => {
    if (text !== '') respond(socket, '200 OK', '{}');
  };
  const client = clientTo(`http://127.0.0.1:${server.port}`);
  let may = true;
  const post = () => client.post(hangup, { timeout: 5000, mayBegin: () => may });
  expect(await post()).toMatchObject({ kind: 'delivered' });
  may = false;
  expect(await post()).toMatchObject({ kind: 'notSent' });
  may = true;
  expect(await post()).toMatchObject({ kind: 'delivered' });
  expect(server.requests).toBe(2);
});

test('TLS: the handshake is finished, and nothing is written', async () => {
  const bytes: number[] = [];
  const tls: Server = createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (socket) => {
    const connection = bytes.push(0) - 1;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      bytes[connection]! += chunk.length;
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    });
  });
  tls.on('tlsClientError', () => undefined);
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');
  try {
    const client = clientTo(`https://127.0.0.1:${(tls.address() as AddressInfo).port}`, [TEST_CERTIFICATE]);
    const refused = await client.post(hangup, { timeout: 5000, freshSocket: true, mayBegin: () => false });
    expect(refused).toMatchObject({ kind: 'notSent' });
    // Whatever came before this one would have been counted by now.
    const sent = await client.post(hangup, { timeout: 5000, freshSocket: true, mayBegin: () => true });
    expect(sent).toMatchObject({ kind: 'delivered' });
    expect(bytes.filter((count) => count > 0)).toHaveLength(1);
  } finally {
    tls.close();
  }
});
