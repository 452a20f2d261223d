import { describe, expect, test } from '@jest/globals';
import { Secret } from '../../../src/secret.js';
import { TEST_CERTIFICATE } from '../../support/test-certificate.js';
import { load, pbxWith, sound, TOKEN_URL } from './support.js';

const EXAMPLE = `
zammad:
  - name: main
    url: https://zammad.example.com/api/v1/cti/TOKEN
    apiToken: \${ZAMMAD_API_TOKEN}
numbers: { country: DE }
pbx:
  - name: office
    adapter: fake
    host: 127.0.0.1
    port: 5038
    secretFile: /etc/bridge/ami.secret
    trunks: [trunk]
agents:
  - { extension: "100", name: Alice Agent, devices: [PJSIP/alice], phones: [+491711111111], zammad: { login: alice@example.com } }
  - { extension: 101, name: Bob Agent }
dids:
  - { number: +4930555200, agents: ["100", "101"], queue: sales }
`;
const WORLD = { env: { ZAMMAD_API_TOKEN: 'api' }, files: { '/etc/bridge/ami.secret': 'pw\n' } };

describe('a sound configuration', () => {
  test('is read whole', async () => {
    const { config, warnings } = await load(EXAMPLE, WORLD);
    expect(warnings).toEqual([]);
    const [zammad] = config.zammad;
    expect(zammad).toMatchObject({ name: 'main', origin: 'https://zammad.example.com', encoding: 'form', filter: {} });
    expect(zammad?.url.reveal()).toBe('https://zammad.example.com/api/v1/cti/TOKEN');
    expect(zammad?.apiToken?.reveal()).toBe('api');
    const settings = config.pbx[0]?.settings as { port: number; secret: Secret; trunks: string[] };
    expect(settings.secret.reveal()).toBe('pw');
    expect(settings).toMatchObject({ host: '127.0.0.1', port: 5038, tls: false, trunks: ['trunk'] });
    expect(config.agents).toEqual([
      {
        extension: '100',
        name: 'Alice Agent',
        devices: ['PJSIP/alice'],
        phones: ['+491711111111'],
        zammad: { login: 'alice@example.com' },
      },
      { extension: '101', name: 'Bob Agent', devices: [], phones: [] },
    ]);
    expect(config.dids).toEqual([{ number: '+4930555200', agents: ['100', '101'], queue: 'sales' }]);
  });

  test('takes the URL and secrets without what pasting and editors add', async () => {
    const { config } = await load(sound({ zammad: 'zammad: [{ name: main, urlFile: /url, apiTokenFile: /token }]' }), {
      files: { '/url': ' HTTPS://Zammad.example.com/api/v1/cti/TOKEN \r\n\n', '/token': '\uFEFFapi-token\r\n\r\n' },
    });
    const [zammad] = config.zammad;
    expect(zammad?.url.reveal()).toBe('https://zammad.example.com/api/v1/cti/TOKEN');
    expect(zammad?.origin).toBe('https://zammad.example.com');
    expect(zammad?.apiToken?.reveal()).toBe('api-token');
  });

  test('has the documented defaults', async () => {
    const { config } = await load(sound());
    const calls = {
      country: 'DE',
      newCall: 'ringing',
      answerAgain: true,
      sendQueue: false,
      reportConsultations: true,
      maxSilence: 4 * 3_600_000,
    };
    expect(config.calls).toEqual(calls);
    expect(config.pbx[0]?.calls).toEqual(calls);
    expect(config.delivery).toEqual({ timeout: 10_000, parallel: 4, maxAge: 86_400_000, drain: 8000 });
    expect(config.store).toEqual({
      kind: 'sqlite',
      path: '/var/lib/zammad-pbx-bridge/bridge.sqlite',
      chosen: false,
      durability: 'full',
      keep: 7 * 86_400_000,
    });
    expect(config.http).toEqual({ host: '127.0.0.1', port: 9470, trustProxy: [] });
    expect(config.log).toEqual({ level: 'info', pretty: false });
  });

  test("lays a PBX's own calls over those of all", async () => {
    const yaml = sound({
      pbx: pbxWith('calls: { newCall: arrival, maxSilence: 30m, answerAgain: "${NO}" }'),
      rest: 'calls: { sendQueue: true }',
    });
    const { config } = await load(yaml, { env: { NO: 'false' } });
    expect(config.calls).toMatchObject({ newCall: 'ringing', sendQueue: true, answerAgain: true });
    expect(config.pbx[0]?.calls).toEqual({
      ...config.calls,
      newCall: 'arrival',
      maxSilence: 1_800_000,
      answerAgain: false,
    });
  });

  test('takes scalar settings from the environment before the file, and expanded text for numbers', async () => {
    const yaml = sound({
      pbx: pbxWith('port: "${PORT}", tls: "${TLS}"'),
      rest: 'http: { port: "${HTTP}", host: "h-${X}-$${X}" }\nlog: { level: warn }',
    });
    const { config } = await load(yaml, {
      env: { PORT: '5039', TLS: 'true', HTTP: '8000', X: '$$', ZPB_LOG_LEVEL: 'debug', ZPB_DELIVERY_PARALLEL: '9' },
    });
    expect(config.pbx[0]?.settings).toMatchObject({ port: 5039, tls: true });
    expect(config.http).toEqual({ host: 'h-$$-${X}', port: 8000, trustProxy: [] });
    expect(config.log.level).toBe('debug');
    expect(config.delivery.parallel).toBe(9);
  });

  test('brings numbers in filters into the form that calls have', async () => {
    const yaml = sound({
      zammad: `zammad: [{ name: main, url: "${TOKEN_URL}", filter: { dids: [030 555200, +4930555*], pbx: [office] } }]`,
      pbx: pbxWith('filter: { dids: [+49 (30) 555-201], direction: in }'),
    });
    const { config } = await load(yaml);
    expect(config.zammad[0]?.filter).toEqual({ dids: ['4930555200', '+4930555*'], pbx: ['office'] });
    expect(config.pbx[0]?.filter).toEqual({ dids: ['4930555201'], direction: 'in' });
  });

  test('keeps the plus and the zero of numbers without quotes, and takes empty keys as absent', async () => {
    const { config } = await load(
      sound({
        rest: 'agents: [{ extension: 007, name: Bond }]\ndids: [{ number: 030555200, queue: }]\ncalls:\nhttp: { port: }',
      }),
    );
    expect(config.agents[0]?.extension).toBe('007');
    expect(config.dids[0]).toEqual({ number: '030555200', agents: [] });
    expect(config.http.port).toBe(9470);
  });

  test('resolves relative paths from the directory of the file', async () => {
    const reads: string[] = [];
    const yaml = sound({ zammad: 'zammad: [{ name: main, urlFile: cti.url, caFile: ca.pem }]' });
    const files = { '/etc/bridge/cti.url': `${TOKEN_URL}\r\n`, '/etc/bridge/ca.pem': TEST_CERTIFICATE };
    const { config } = await load(yaml, { files }, reads);
    expect(reads).toContain('/etc/bridge/cti.url');
    expect(config.zammad[0]?.url.reveal()).toBe(TOKEN_URL);
    expect(config.zammad[0]?.caFile).toBe('/etc/bridge/ca.pem');
  });
});

describe('warnings', () => {
  test('a secret that is spelled like a variable, without its braces', async () => {
    const yaml = sound({ zammad: `zammad: [{ name: main, url: "${TOKEN_URL}", apiToken: $API_TOKEN }]` });
    const { warnings } = await load(yaml, { env: { API_TOKEN: 'x' } });
    expect(warnings).toEqual([
      'zammad[0].apiToken: begins with "$" and is taken as it stands; if a variable is meant, write ${NAME}',
    ]);
  });

  test('http: to another machine, not to this one', async () => {
    const zammad = (host: string): string => `zammad: [{ name: main, url: "http://${host}/api/v1/cti/t" }]`;
    for (const host of ['127.0.0.1:3000', 'localhost', '[::1]:80']) {
      expect((await load(sound({ zammad: zammad(host) }))).warnings).toEqual([]);
    }
    expect((await load(sound({ zammad: zammad('zammad.lan') }))).warnings).toEqual([
      'zammad[0].url: is http: token and calls go over the network in clear; use https',
    ]);
  });

  test('an inline secret in a file that everybody may read', async () => {
    const modes = { '/etc/bridge/config.yaml': 0o644 };
    expect((await load(sound(), { modes })).warnings).toEqual([
      'zammad[0].url: stands in /etc/bridge/config.yaml, which everybody on this machine may read; chmod 600 it, or write secrets as …File or ${VARIABLE}',
    ]);
    const outside = sound({
      zammad: 'zammad: [{ name: main, url: "https://z/api/v1/cti/${T}" }]',
      pbx: 'pbx: [{ name: o, adapter: fake, host: h, secret: "${S}" }]',
    });
    expect((await load(outside, { modes, env: { T: 't', S: 's' } })).warnings).toEqual([]);
  });

  test('a secret file that everybody may read', async () => {
    const file = '/run/cti.url';
    const yaml = sound({ zammad: `zammad: [{ name: main, urlFile: ${file} }]` });
    const { warnings } = await load(yaml, { files: { [file]: TOKEN_URL }, modes: { [file]: 0o604 } });
    expect(warnings).toEqual(['zammad[0].urlFile: everybody on this machine may read the file; chmod 600 it']);
  });

  test('no country', async () => {
    const { warnings } = await load(sound().replace(/numbers.*\n/, ''));
    expect(warnings).toEqual(['numbers.country: is not set; national numbers are read as German (DE), as Zammad does']);
  });
});

describe('without secrets', () => {
  const YAML = sound({
    zammad: 'zammad: [{ name: main, urlFile: /nowhere, apiToken: "${NOT_SET}" }]',
    pbx: 'pbx: [{ name: office, adapter: fake, host: "${HOST}" }]',
  });

  test('reads no file and no variable for them', async () => {
    const reads: string[] = [];
    const asked: string[] = [];
    const values: Readonly<Record<string, string>> = { HOST: 'h' };
    const env = new Proxy(values, {
      get: (target, key) => {
        asked.push(String(key));
        return target[String(key)];
      },
    });
    const { config } = await load(YAML, { needSecrets: false, env }, reads);
    expect(reads).toEqual(['/etc/bridge/config.yaml']);
    expect(asked).toContain('HOST');
    expect(asked).not.toContain('NOT_SET');
    expect(config.zammad[0]).toMatchObject({ origin: '' });
    expect(config.zammad[0]?.url).toBeInstanceOf(Secret);
    const settings = config.pbx[0]?.settings as { secret: Secret; apiKey?: Secret };
    expect(settings.secret.reveal()).toBe('');
    expect(settings.apiKey).toBeUndefined();
  });

  test('still refuses everything else', async () => {
    await expect(load(YAML, { needSecrets: false })).rejects.toThrow(
      'pbx[0].host: the environment variable HOST is not set',
    );
  });
});
