import { describe, expect, test } from '@jest/globals';
import { cookieHeader, readCookie } from '../../../src/http/agents/cookie.js';
import { foreignOrigin } from '../../../src/http/agents/same-origin.js';
import { createTransportJudge, type RequestFacts } from '../../../src/http/agents/transport.js';

const LOCAL: RequestFacts = {
  encrypted: false,
  peer: '127.0.0.1',
  host: '127.0.0.1:9470',
  forwardedProto: undefined,
  forwardedHost: undefined,
  forwarded: false,
};
const PROXIED: RequestFacts = { ...LOCAL, host: 'phone.example.com', forwardedProto: 'https', forwarded: true };

describe('the way of a request', () => {
  const judge = createTransportJudge([]);
  const trusting = createTransportJudge(['127.0.0.1', '10.1.0.0/16', '2001:db8::/32']);

  test.each([
    ['127.0.0.1', '127.0.0.1:9470', 'http://127.0.0.1:9470'],
    ['::ffff:127.0.0.1', 'LocalHost', 'http://localhost'],
    ['::1', '[::1]:9470', 'http://[::1]:9470'],
    ['127.3.2.1', 'localhost:80', 'http://localhost'],
  ])('from this machine to itself: %s for %s', (peer, host, origin) => {
    expect(judge({ ...LOCAL, peer, host })).toEqual({ kind: 'fit', origin, secure: false });
  });

  test.each(['evil.example.com', 'evil.example.com:9470', '127.0.0.1.evil.example', 'localhost.evil.example'])(
    'a name that was pointed at this machine (%s) is refused',
    (host) => {
      expect(judge({ ...LOCAL, host })).toMatchObject({ kind: 'unfit', status: 403, code: 'ZPB_HTTP_OTHER_NAME' });
    },
  );

  test.each([
    undefined,
    '',
    'a b',
    'host\r\nX: y',
    'x'.repeat(300),
    'host:port',
    'host/path',
    '[::1',
    '999.1.1.1:99999',
  ])('a Host that is none: %j', (host) => {
    expect(judge({ ...LOCAL, encrypted: true, host })).toMatchObject({ kind: 'unfit', status: 400 });
  });

  test('over our own TLS, from anywhere; without TLS, from nowhere', () => {
    const far = { ...LOCAL, peer: '192.0.2.7', host: 'phone.example.com:443' };
    expect(judge({ ...far, encrypted: true })).toEqual({
      kind: 'fit',
      origin: 'https://phone.example.com',
      secure: true,
    });
    expect(judge(far)).toMatchObject({ status: 403, code: 'ZPB_HTTPS_NEEDED' });
    // What a stranger says of himself is not believed.
    expect(judge({ ...PROXIED, peer: '192.0.2.7' })).toMatchObject({ code: 'ZPB_HTTPS_NEEDED' });
  });

  test('over a proxy that is trusted, and only if that was reached with TLS', () => {
    const fit = { kind: 'fit', origin: 'https://phone.example.com', secure: true };
    expect(trusting(PROXIED)).toEqual(fit);
    expect(trusting({ ...PROXIED, peer: '::ffff:10.1.2.3' })).toEqual(fit);
    expect(trusting({ ...PROXIED, peer: '2001:db8::5' })).toEqual(fit);
    expect(trusting({ ...PROXIED, host: 'backend:9470', forwardedHost: 'phone.example.com' })).toEqual(fit);
    expect(trusting({ ...PROXIED, peer: '10.2.0.1' })).toMatchObject({ code: 'ZPB_HTTPS_NEEDED' });
    for (const forwardedProto of ['http', 'https, http', 'HTTPS', ''])
      expect(trusting({ ...PROXIED, forwardedProto })).toMatchObject({ code: 'ZPB_HTTPS_NEEDED' });
    expect(judge(PROXIED)).toMatchObject({ code: 'ZPB_HTTPS_NEEDED' });
    // Its own machine may still ask without it.
    expect(trusting(LOCAL)).toMatchObject({ kind: 'fit', secure: false });
    // A proxy that does not say how it was reached.
    expect(trusting({ ...PROXIED, forwardedProto: undefined })).toMatchObject({ code: 'ZPB_HTTPS_NEEDED' });
  });
});

describe('whose page it is', () => {
  const own = 'https://phone.example.com';
  const facts = { method: 'POST', origin: own, fetchSite: 'same-origin', byCookie: true };
  test('ours', () => {
    expect(foreignOrigin(facts, own)).toBeUndefined();
    expect(foreignOrigin({ ...facts, fetchSite: undefined }, own)).toBeUndefined();
    expect(foreignOrigin({ ...facts, method: 'GET', origin: undefined, fetchSite: 'none' }, own)).toBeUndefined();
    // A program with a token.
    expect(
      foreignOrigin({ method: 'POST', origin: undefined, fetchSite: undefined, byCookie: false }, own),
    ).toBeUndefined();
  });
  test.each([
    { origin: 'https://evil.example.com' },
    { origin: 'null' },
    { origin: 'http://phone.example.com' },
    { origin: 'https://phone.example.com:8443' },
    { origin: 'https://phone.example.com.evil.example' },
    { fetchSite: 'cross-site' },
    { fetchSite: 'same-site' },
    { origin: undefined, fetchSite: undefined },
    { origin: undefined, fetchSite: 'cross-site', byCookie: false },
    { origin: undefined, fetchSite: 'cross-site', method: 'GET' },
  ])('not ours: %j', (other) => {
    expect(foreignOrigin({ ...facts, ...other }, own)).toBeDefined();
  });
});

test('the cookie: not for scripts, not for other sites, and with TLS only over TLS', () => {
  const secure = cookieHeader('zps_x', 60_000, true);
  expect(secure).toBe('__Host-zpb=zps_x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure');
  expect(cookieHeader('', 0, false)).toBe('zpb-local=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict');
  expect(readCookie('a=b; __Host-zpb=zps_x; c=d', true)).toBe('zps_x');
  expect(readCookie('x__Host-zpb=evil; zpb-local=local', true)).toBeUndefined();
  expect(readCookie(undefined, true)).toBeUndefined();
});
