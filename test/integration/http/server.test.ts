import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import { PermanentError } from '../../../src/errors.js';
import type { HealthReport } from '../../../src/http/health.js';
import type { RouteModule } from '../../../src/http/routes.js';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../../src/http/server.js';

const well: HealthReport = {
  pbx: [{ name: 'office', state: 'hearing', since: 0 }],
  zammad: [{ name: 'main', state: 'ok', waiting: 0, oldestMs: 0 }],
  problems: [],
};

const open: HttpServer[] = [];
const lines: string[] = [];
const log: Logger = pino(
  { level: 'trace' },
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  }),
);

function serve(options: Partial<HttpServerOptions> = {}): HttpServer {
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 'any',
    health: () => well,
    log,
    version: '1.2.3',
    ...options,
  });
  open.push(server);
  return server;
}
async function base(options: Partial<HttpServerOptions> = {}): Promise<string> {
  return (await serve(options).listen())!;
}
/** Everything the server says on a bare socket until it closes it. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
const dial = (url: string): Socket => connect(Number(new URL(url).port), '127.0.0.1');

afterEach(async () => {
  lines.length = 0;
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('health', () => {
  test('/healthz says that the process lives, which version and for how long', async () => {
    let now = 5_000;
    const clock = { monotonic: () => now, wall: () => 0, after: () => () => undefined };
    const url = await base({ clock });
    now += 61_500;
    const response = await fetch(`${url}/healthz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok', version: '1.2.3', uptime: 61 });
  });

  test('/readyz follows the report: 200, 503 with the reason, 200 again', async () => {
    let report = well;
    const url = await base({ health: () => report });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    report = { ...well, pbx: [{ name: 'office', state: 'deaf', reason: 'wrong password', since: 0 }] };
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      status: 'not ready',
      because: ['PBX office is deaf: wrong password'],
    });
    report = well;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test('both answer HEAD with the same status and no body', async () => {
    const url = await base({ health: () => ({ ...well, zammad: [{ ...well.zammad[0]!, state: 'down' }] }) });
    const alive = await fetch(`${url}/healthz`, { method: 'HEAD' });
    const ready = await fetch(`${url}/readyz`, { method: 'HEAD' });
    expect([alive.status, await alive.text(), ready.status, await ready.text()]).toEqual([200, '', 503, '']);
  });

  test('every reply carries the security headers', async () => {
    const url = await base();
    for (const path of ['/healthz', '/readyz', '/nothing', '/%zz']) {
      const { headers } = await fetch(url + path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });
});

describe('errors have one shape', () => {
  test('nothing there: 404, and the query is not repeated', async () => {
    const response = await fetch(`${await base()}/nothing?token=hunter2`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: { code: 'ZPB_HTTP_NOT_FOUND', message: 'There is nothing at GET /nothing.' },
    });
  });

  test('a health source that throws: 500 without its words, which go to the log', async () => {
    const url = await base({
      health: () => {
        throw new Error('inner workings');
      },
    });
    const response = await fetch(`${url}/readyz`);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'ZPB_HTTP_INTERNAL' } });
    expect(text).not.toContain('inner workings');
    expect(lines.join('')).toContain('could not be answered');
    // The process goes on.
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  test('a path that cannot be decoded: 400', async () => {
    const response = await fetch(`${await base()}/%zz`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: 'ZPB_HTTP_BAD_REQUEST' } });
  });

  test('a body over the limit: 413', async () => {
    const url = await base({
      limits: { body: 100 },
      routes: [{ name: 'echo', register: (app) => void app.post('/echo', (request) => request.body) }],
    });
    const post = (body: string): Promise<Response> =>
      fetch(`${url}/echo`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect((await post('{"a":1}')).status).toBe(200);
    const refused = await post(JSON.stringify({ a: 'x'.repeat(200) }));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ error: { code: 'ZPB_HTTP_TOO_LARGE' } });
    const broken = await post('{"a":');
    expect([broken.status, await broken.json()]).toMatchObject([400, { error: { code: 'ZPB_HTTP_BAD_REQUEST' } }]);
  });

  test('bytes that are no HTTP: 400, and the socket is closed', async () => {
    const socket = dial(await base());
    socket.write('Action: Login\r\nUsername: bridge\r\n\r\n');
    const reply = await readAll(socket);
    expect(reply).toMatch(/^HTTP\/1\.1 400 /);
    expect(reply).toContain('"code":"ZPB_HTTP_BAD_REQUEST"');
  });

  test('headers over the limit: 431', async () => {
    const socket = dial(await base({ limits: { headers: 1024 } }));
    socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(4096)}\r\n\r\n`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('bounds', () => {
  test('a request that never ends is refused after its limit', async () => {
    const socket = dial(await base({ limits: { request: 200, check: 50 } }));
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n');
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 408 .*ZPB_HTTP_TOO_SLOW/s);
  });

  test('connections over the limit are closed at once', async () => {
    const url = await base({ limits: { connections: 2 } });
    const held = [dial(url), dial(url)];
    for (const socket of held) {
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
    }
    const third = dial(url);
    third.on('error', () => undefined); // A reset is as good as an end.
    await once(third, 'close');
    for (const socket of held) socket.destroy();
  });
});

describe('start and stop', () => {
  test('port 0 means: no server', async () => {
    const server = serve({ port: 0 });
    expect(await server.listen()).toBeUndefined();
    await server.close();
  });

  test('an address in use is a permanent error that names it and the setting', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    other.unref();
    const { port } = other.address() as AddressInfo;
    const failure = await serve({ port })
      .listen()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PermanentError);
    expect(failure).toMatchObject({ code: 'ZPB_HTTP_ADDRESS' });
    expect(String(failure)).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}: another program has this port.*http\\.port`));
    other.close();
  });

  test('an address that this machine does not have is one too', async () => {
    const failure = await serve({ host: '192.0.2.1' })
      .listen()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ZPB_HTTP_ADDRESS', retriable: false });
    expect(String(failure)).toContain('http.host');
  });

  test('so is whatever else the system says of an address', async () => {
    // A link-local address without its interface.
    const failure = await serve({ host: 'fe80::1' })
      .listen()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ZPB_HTTP_ADDRESS', retriable: false });
    expect(String(failure)).toContain('http.host');
  });

  test('close frees the port, ends idle sockets and may be called twice', async () => {
    const server = serve();
    const url = (await server.listen())!;
    const idle = dial(url);
    idle.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle, 'data');
    const ended = once(idle, 'close');
    await Promise.all([server.close(), server.close()]);
    await ended;
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  /** A route that answers when it is told to. */
  function slowRoute(): { route: RouteModule; asked: Promise<void>; answer: (text: string) => void } {
    let asked = (): void => undefined;
    let answer: (text: string) => void = () => undefined;
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const text = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const register: RouteModule['register'] = (app) => {
      app.get('/slow', () => {
        asked();
        return text;
      });
    };
    return { route: { name: 'slow', register }, asked: wasAsked, answer };
  }

  test('close lets a request under way come to its end', async () => {
    const { route, asked, answer } = slowRoute();
    const server = serve({ routes: [route] });
    const url = (await server.listen())!;
    const response = fetch(`${url}/slow`);
    await asked;
    const closed = server.close();
    answer('late but whole');
    expect(await (await response).text()).toBe('late but whole');
    await closed;
  });

  test('close cuts a request that does not end in time', async () => {
    const { route, asked } = slowRoute();
    const server = serve({ routes: [route], limits: { drain: 50 } });
    const url = (await server.listen())!;
    const response = fetch(`${url}/slow`).then(
      () => 'answered',
      () => 'cut',
    );
    await asked;
    await server.close();
    expect(await response).toBe('cut');
  });
});

describe('routes', () => {
  test('a module has its prefix and a scope of its own, and may set its own policy', async () => {
    const url = await base({
      routes: [
        {
          name: 'pages',
          prefix: '/pages',
          register: (app) => {
            app.addHook('onRequest', async (_request, reply) => {
              reply.header('content-security-policy', "default-src 'self'");
              await Promise.resolve();
            });
            app.get('/', () => 'hello');
          },
        },
      ],
    });
    const page = await fetch(`${url}/pages/`);
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, "default-src 'self'"]);
    const health = await fetch(`${url}/healthz`);
    expect(health.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  test('a module that fails makes listen fail, and leaves nothing open', async () => {
    const server = serve({
      routes: [
        {
          name: 'broken',
          register: () => {
            throw new Error('no such page');
          },
        },
      ],
    });
    await expect(server.listen()).rejects.toThrow('no such page');
  });
});
