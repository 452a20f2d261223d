/** The REST client against real HTTP servers on loopback. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { createRest } from '../../../adapters/asterisk-ari/rest.js';
import type { AriRest, AriRestOptions } from '../../../adapters/asterisk-ari/rest-contract.js';
import { systemClock } from '../../../src/clock.js';
import { Secret } from '../../../src/secret.js';

const SECRET = 'canary-of-the-rest-client';
const opened: (() => unknown)[] = [];

afterEach(() => {
  for (const close of opened.splice(0)) close();
});

async function serve(answer: RequestListener): Promise<{ server: Server; port: number; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, port: (server.address() as AddressInfo).port, seen };
}

function rest(port: number, options: Partial<AriRestOptions> = {}): AriRest {
  const made = createRest({
    host: '127.0.0.1',
    port,
    path: '/ari',
    username: 'bridge',
    secret: new Secret(SECRET),
    clock: systemClock,
    ...options,
  });
  opened.push(() => {
    made.close();
  });
  return made;
}

const failure = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => {
      throw new Error('it was answered');
    },
    (error: unknown) => error,
  );

describe('a request', () => {
  test('escapes what stands in its path and query, and brings the login in a header alone', async () => {
    const { port, seen } = await serve((_, response) => response.end('{"value":"prohib"}'));
    const reply = await rest(port).request({
      method: 'GET',
      path: ['channels', 'a/b?c#d', 'variable'],
      query: { variable: 'CALLERID(pres)&x=1', absent: undefined },
    });
    expect(reply).toEqual({ status: 200, body: { value: 'prohib' } });
    expect(seen[0]?.url).toBe('/ari/channels/a%2Fb%3Fc%23d/variable?variable=CALLERID(pres)%26x%3D1');
    const proof = Buffer.from(`bridge:${SECRET}`).toString('base64');
    expect(seen[0]?.headers.authorization).toBe(`Basic ${proof}`);
  });
  test.each(['', '.', '..'])('with the path part %j is not sent', async (part) => {
    const { port, seen } = await serve((_, response) => response.end());
    expect(await failure(rest(port).request({ method: 'DELETE', path: ['channels', part] }))).toMatchObject({
      code: 'ZPB_ARI_REQUEST',
      retriable: false,
    });
    expect(seen).toEqual([]);
  });
  test('sends a body as JSON', async () => {
    let body = '';
    const { port, seen } = await serve((request, response) => {
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.writeHead(204).end());
    });
    const reply = await rest(port).request({ method: 'POST', path: ['channels'], body: { variables: { A: 'ä' } } });
    expect(reply).toEqual({ status: 204, body: undefined });
    expect([seen[0]?.headers['content-type'], body]).toEqual(['application/json', '{"variables":{"A":"ä"}}']);
  });
  test('gives a status of refusal back, with its JSON where there is some', async () => {
    const { port } = await serve((request, response) => {
      const html = request.url === '/ari/html';
      response.writeHead(html ? 404 : 409).end(html ? '<html>' : '{"message":"Channel not in Stasis"}');
    });
    expect(await rest(port).request({ method: 'GET', path: ['html'] })).toEqual({ status: 404, body: undefined });
    expect(await rest(port).request({ method: 'GET', path: ['json'] })).toMatchObject({ status: 409 });
  });
  test('is not redirected', async () => {
    const elsewhere = await serve((_, response) => response.end('{}'));
    const { port } = await serve((_, response) =>
      response.writeHead(302, { Location: `http://127.0.0.1:${elsewhere.port}/` }).end(),
    );
    expect(await rest(port).request({ method: 'GET', path: ['channels'] })).toMatchObject({ status: 302 });
    expect(elsewhere.seen).toEqual([]);
  });
});

describe('many requests', () => {
  test('share few connections, which stay open between them', async () => {
    const { server, port } = await serve((_, response) => setImmediate(() => response.end('[]')));
    let sockets = 0;
    server.on('connection', () => (sockets += 1));
    const made = rest(port);
    const ask = (): Promise<unknown> => made.request({ method: 'GET', path: ['channels'] });
    await Promise.all(Array.from({ length: 60 }, ask));
    await ask();
    expect(sockets).toBeLessThanOrEqual(16);
  });
  test('are refused beyond a bound, and the others go on', async () => {
    const waiting: (() => void)[] = [];
    const { port } = await serve((_, response) => waiting.push(() => response.end('[]')));
    const made = rest(port);
    const asked = Array.from({ length: 1_001 }, () =>
      made.request({ method: 'GET', path: ['channels'] }).catch((error: unknown) => error),
    );
    expect(await asked[1_000]).toMatchObject({ code: 'ZPB_ARI_BUSY' });
    made.close();
    expect(await asked[0]).toMatchObject({ code: 'ZPB_ARI_STOPPED' });
  });
  test('meet a server that has just closed the idle connection: asked again on a new one, if nothing can happen twice', async () => {
    const { server, port, seen } = await serve((_, response) => response.end('[]'));
    const made = rest(port);
    await made.request({ method: 'GET', path: ['first'] });
    // Closed without the word to the client that it is: the next request on it is cut.
    let cut = 0;
    server.prependListener('request', (request: IncomingMessage) => {
      if (cut === 0) request.socket.resetAndDestroy();
      cut += 1;
    });
    expect(await made.request({ method: 'GET', path: ['second'] })).toMatchObject({ status: 200 });
    expect(seen.map(({ url }) => url)).toEqual(['/ari/first', '/ari/second', '/ari/second']);
    cut = 0;
    expect(await failure(made.request({ method: 'POST', path: ['channels'] }))).toMatchObject({
      code: 'ZPB_ARI_CONNECT',
    });
    expect(cut).toBe(1);
  });
});

describe('trouble', () => {
  test.each([
    ['nothing comes', 'ZPB_ARI_TIMEOUT', () => undefined],
    ['no JSON', 'ZPB_ARI_REPLY', (_: unknown, response: { end: (text: string) => unknown }) => response.end('<html>')],
    [
      'a body without end',
      'ZPB_ARI_REPLY',
      (
        _: unknown,
        response: {
          writableEnded: boolean;
          destroyed: boolean;
          write: (data: Buffer) => boolean;
          once: (name: string, then: () => void) => unknown;
        },
      ) => {
        const more = (): void => {
          if (!response.destroyed && response.write(Buffer.alloc(1024 * 1024, 97))) setImmediate(more);
          else response.once('drain', more);
        };
        more();
      },
    ],
    ['cut in the middle', 'ZPB_ARI_CONNECT', (_: unknown, response: { destroy: () => unknown }) => response.destroy()],
  ] as const)('%s: %s, and no secret in it', async (_, code, answer) => {
    const { port } = await serve(answer);
    // Long enough for the long body; what never answers is waited for as long.
    const timeout = code === 'ZPB_ARI_TIMEOUT' ? 50 : 10_000;
    const error = await failure(rest(port).request({ method: 'GET', path: ['channels'], timeout }));
    expect(error).toMatchObject({ code, retriable: true });
    const shown = inspect(error, { depth: 10 });
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain(Buffer.from(`bridge:${SECRET}`).toString('base64'));
    expect((error as Error).cause).toBeUndefined();
  });
  test('nothing listens: says what to check', async () => {
    const { server, port } = await serve(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const error = await failure(rest(port).request({ method: 'GET', path: ['channels'] }));
    expect(error).toMatchObject({ code: 'ZPB_ARI_CONNECT', retriable: true });
    expect((error as Error).message).toContain('bindport');
  });
  test('a port that speaks no TLS is for a person to mend', async () => {
    const { port } = await serve((_, response) => response.end());
    expect(await failure(rest(port, { tls: {} }).request({ method: 'GET', path: ['channels'] }))).toMatchObject({
      code: 'ZPB_ARI_TLS',
      retriable: false,
    });
  });
  test('an aborted signal ends the wait at once', async () => {
    const { port } = await serve(() => undefined);
    const abort = new AbortController();
    const asked = failure(rest(port).request({ method: 'GET', path: ['channels'], signal: abort.signal }));
    abort.abort();
    expect(await asked).toMatchObject({ code: 'ZPB_ARI_STOPPED' });
  });
});
