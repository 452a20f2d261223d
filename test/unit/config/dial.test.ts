import { describe, expect, test } from '@jest/globals';
import { TEST_CERTIFICATE, TEST_KEY } from '../../support/test-certificate.js';
import { load, problemsOf, sound } from './support.js';

const FILES = { '/etc/bridge/cert.pem': TEST_CERTIFICATE, '/etc/bridge/key.pem': TEST_KEY.toString() };

describe('click-to-call', () => {
  test('has defaults, and takes what is written', async () => {
    expect((await load(sound())).config.dial).toEqual({
      allow: [],
      deny: [],
      rate: 10,
      ringFor: 20_000,
      written: 'national',
      outsidePrefix: '',
    });
    const { config } = await load(
      sound({
        rest: `
dial: { allow: "+49* 1*", deny: "+49900*", rate: 3, ringFor: 30s, written: e164, outsidePrefix: 0 }
agents: [{ extension: 100, name: Alice, pbx: office, autoAnswer: { name: Call-Info, value: ";answer-after=0" } }]`,
      }),
    );
    expect(config.dial).toEqual({
      allow: ['+49*', '1*'],
      deny: ['+49900*'],
      rate: 3,
      ringFor: 30_000,
      written: 'e164',
      outsidePrefix: '0',
    });
    expect(config.agents[0]).toMatchObject({
      pbx: 'office',
      autoAnswer: { name: 'Call-Info', value: ';answer-after=0' },
    });
  });

  test.each([
    ['dial: { deny: "0900*" }', /^dial\.deny: must be numbers .*\+49900\*/],
    ['dial: { allow: "49900123*" }', /^dial\.allow: must be numbers/],
    ['dial: { deny: [a] }', /^dial\.deny: must be text/],
    ['dial: { outsidePrefix: "0,1" }', /^dial\.outsidePrefix: must be what is dialled/],
    ['dial: { ringFor: 5m }', /^dial\.ringFor: must be at most 45s/],
    ['dial: { ringFor: 1s }', /^dial\.ringFor: must be at least 3s/],
    ['dial: { written: us }', /^dial\.written: must be one of national, international, e164/],
    ['agents: [{ extension: 100, name: A, pbx: ofice }]', /^agents\[0\]\.pbx: there is no PBX "ofice".*office/],
    [
      'agents: [{ extension: 100, name: A, autoAnswer: { name: "X: y", value: z } }]',
      /must be the name of a SIP header/,
    ],
    ['agents: [{ extension: 100, name: A, autoAnswer: { name: X, value: "a\\r\\nVia: b" } }]', /must be one line/],
  ])('%s', async (rest, text) => {
    expect(await problemsOf(sound({ rest }))).toEqual([expect.stringMatching(text)]);
  });
});

describe('TLS and proxies', () => {
  test('files beside the configuration, and addresses', async () => {
    const { config } = await load(
      sound({
        rest: 'http: { publicUrl: "https://Phone.example.com:443/", certFile: cert.pem, keyFile: key.pem, trustProxy: "127.0.0.1 10.0.0.0/8 ::1" }',
      }),
      { files: FILES },
    );
    expect(config.http).toEqual({
      host: '127.0.0.1',
      port: 9470,
      publicUrl: 'https://phone.example.com',
      tls: { certFile: '/etc/bridge/cert.pem', keyFile: '/etc/bridge/key.pem' },
      trustProxy: ['127.0.0.1', '10.0.0.0/8', '::1'],
    });
  });

  test.each([
    ['http: { certFile: cert.pem }', /^http\.keyFile: is missing beside/],
    ['http: { keyFile: key.pem }', /^http\.certFile: is missing beside/],
    ['http: { certFile: none.pem, keyFile: key.pem }', /^http\.certFile: the file cannot be read/],
    ['http: { certFile: key.pem, keyFile: key.pem }', /^http\.certFile: the file holds no certificate/],
    ['http: { certFile: cert.pem, keyFile: cert.pem }', /^http\.keyFile: the file holds no private key/],
    ['http: { certFile: cert.pem, keyFile: other.pem }', /^http\.keyFile: is not the key of http\.certFile/],
    ['http: { publicUrl: "phone.example.com" }', /^http\.publicUrl: must be scheme and host/],
    ['http: { publicUrl: "https://phone.example.com/bridge" }', /^http\.publicUrl: must be/],
    ['http: { publicUrl: "https://me:word@phone.example.com" }', /^http\.publicUrl: must be/],
    ['http: { publicUrl: "javascript:alert(1)" }', /^http\.publicUrl: must be/],
    ['http: { trustProxy: "proxy.example.com" }', /^http\.trustProxy: must be IP addresses/],
    ['http: { trustProxy: "10.0.0.0/33" }', /^http\.trustProxy: must be IP addresses/],
  ])('%s', async (rest, text) => {
    const files = {
      ...FILES,
      '/etc/bridge/other.pem': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    };
    const problems = await problemsOf(sound({ rest }), { files });
    expect(problems).toEqual([expect.stringMatching(text)]);
    expect(problems.join('')).not.toContain('AAAA');
  });
});
