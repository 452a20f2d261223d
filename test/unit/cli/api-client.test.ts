import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { apiTarget, askApi } from '../../../src/cli/api-client.js';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';

let server: Server;
afterEach(() => {
  server.close();
});

async function askOver(scheme: 'http' | 'https', listening: Server): Promise<unknown> {
  server = listening.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const target = apiTarget({ options: { url }, env: { ZPB_TOKEN: 'zpb_x' } });
  return askApi(target, { method: 'GET', path: '/session', deadline: 5_000, signal: new AbortController().signal });
}

test('https to a bridge without TLS: the way out is said, not OpenSSL’s words', async () => {
  const plain = createServer((socket) => {
    socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  await expect(askOver('https', plain)).rejects.toMatchObject({
    code: 'ZPB_API_UNREACHABLE',
    message: expect.stringMatching(/does not speak TLS there.*http:\/\/$/),
  });
});

test('a certificate of an authority of one’s own: the option is named', async () => {
  const tls = createTls({ cert: TEST_CERTIFICATE, key: TEST_KEY }, (socket) =>
    socket.on('error', () => undefined).end(),
  );
  tls.on('tlsClientError', () => undefined);
  await expect(askOver('https', tls)).rejects.toMatchObject({ message: expect.stringContaining('--ca FILE') });
});
