import { describe, expect, test } from '@jest/globals';
import type { StoreConfig } from '../../../src/config/model.js';
import { load, sound, type World } from './support.js';

const storeOf = async (rest: string, world: World = {}): Promise<StoreConfig> =>
  (await load(sound({ rest }), world)).config.store;
const warningsOf = async (rest: string, world: World = {}): Promise<readonly string[]> =>
  (await load(sound({ rest }), world)).warnings;
const addressOf = (store: StoreConfig): string => (store.kind === 'postgres' ? store.url.reveal() : store.kind);

const COMMON = { durability: 'full', keep: 604_800_000 };
const DEFAULT = '/var/lib/zammad-pbx-bridge/bridge.sqlite';

describe('a file', () => {
  test.each([
    ['the default', '', {}, DEFAULT, false],
    ['of the configuration', 'store: { path: /data/b.sqlite }', {}, '/data/b.sqlite', true],
    ['the default, written out', `store: { path: ${DEFAULT} }`, {}, DEFAULT, true],
    ['relative to the configuration', 'store: { path: data/b.sqlite }', {}, '/etc/bridge/data/b.sqlite', true],
    ['with a variable', 'store: { path: "${DATA}/b.sqlite" }', { DATA: '/data' }, '/data/b.sqlite', true],
    ['of the environment', 'store: { path: /x }', { ZPB_STORE_PATH: '/data/e' }, '/data/e', true],
    ['of the environment, relative', '', { ZPB_STORE_PATH: 'e' }, '/etc/bridge/e', true],
    ['an empty variable is none', '', { ZPB_STORE_PATH: '' }, DEFAULT, false],
    ['an empty key is none', 'store: { path: }', {}, DEFAULT, false],
    ['a file that is called memory', 'store: { path: ./memory }', {}, '/etc/bridge/memory', true],
    ["in systemd's folder", '', { STATE_DIRECTORY: '/var/lib/bridge' }, '/var/lib/bridge/bridge.sqlite', false],
    ["in the first of systemd's folders", '', { STATE_DIRECTORY: '/a:/b' }, '/a/bridge.sqlite', false],
    [
      "a path that is named counts before systemd's folder",
      'store: { path: /x }',
      { STATE_DIRECTORY: '/a' },
      '/x',
      true,
    ],
    ['so does one of the environment', '', { STATE_DIRECTORY: '/a', ZPB_STORE_PATH: '/x' }, '/x', true],
  ] as const)('%s', async (_what, rest, env, path, chosen) => {
    expect(await storeOf(rest, { env })).toEqual({ kind: 'sqlite', path, chosen, ...COMMON });
  });

  test('its durability and how long it keeps, from the file and before that from the environment', async () => {
    const rest = 'store: { durability: normal, keep: 1h }';
    expect(await storeOf(rest)).toMatchObject({ durability: 'normal', keep: 3_600_000 });
    const env = { ZPB_STORE_DURABILITY: 'full', ZPB_STORE_KEEP: '2d' };
    expect(await storeOf(rest, { env })).toMatchObject({ durability: 'full', keep: 172_800_000 });
  });
});

test('memory, from the file or the environment, also under systemd', async () => {
  expect(await storeOf('store: { path: memory }', { env: { STATE_DIRECTORY: '/a' } })).toEqual({ kind: 'memory' });
  expect(await storeOf('', { env: { ZPB_STORE_PATH: 'memory' } })).toEqual({ kind: 'memory' });
});

describe('a database', () => {
  const ADDRESS = 'postgres://bridge:p%40ss@localhost/bridge';
  test.each([
    ['in the configuration', `store: { url: "${ADDRESS}" }`, {}],
    ['as a variable', 'store: { url: "postgres://bridge:${PW}@localhost/bridge" }', { env: { PW: 'p%40ss' } }],
    [
      'in a file, with what editors add',
      'store: { urlFile: pg }',
      { files: { '/etc/bridge/pg': `\uFEFF${ADDRESS} \n` } },
    ],
    ['in the environment', '', { env: { ZPB_STORE_URL: ADDRESS } }],
    ['in the environment before the file', 'store: { url: "postgres://x@y/z" }', { env: { ZPB_STORE_URL: ADDRESS } }],
    ['beside a folder of systemd', `store: { url: "${ADDRESS}" }`, { env: { STATE_DIRECTORY: '/a' } }],
  ] as const)('%s', async (_what, rest, world) => {
    const store = await storeOf(rest, world);
    expect(store).toMatchObject({ kind: 'postgres', ...COMMON });
    expect(addressOf(store)).toBe(ADDRESS);
  });

  test.each([
    'postgresql://h/d',
    'POSTGRES://u@127.0.0.1:5433/d',
    'postgres://u:p@[::1]/d',
    'postgres://u@/d?host=/run/postgresql',
    'postgres:///d?host=/run/postgresql',
    'postgres://u:p@w@localhost/d',
    'postgres://u@%2Frun%2Fpostgresql/d',
  ])('of the form %s', async (address) => {
    expect(addressOf(await storeOf(`store: { url: "${address}" }`))).toBe(address);
  });

  test('on another machine without TLS: a warning', async () => {
    const warning =
      'store.url: leads to another machine without TLS: numbers and names go over the network in clear; add ?sslmode=verify-full';
    for (const address of ['u@db/d', 'u@10.0.0.5/d?sslmode=disable', 'u@localhost/d?host=db', 'u@db/d?ssl=0'])
      expect(await warningsOf(`store: { url: "postgres://${address}" }`)).toEqual([warning]);
    for (const address of [
      'u@db/d?sslmode=verify-full',
      'u@db/d?ssl=true',
      'u@db/d?sslnegotiation=direct',
      'u@localhost/d',
      'u@127.0.0.1/d',
      'u@[::1]/d',
      'u@/d',
      'u@db/d?host=/run/postgresql',
      'u@%2Frun%2Fpostgresql/d',
    ])
      expect(await warningsOf(`store: { url: "postgres://${address}" }`)).toEqual([]);
  });

  test('in a configuration that everybody may read: a warning', async () => {
    const modes = { '/etc/bridge/config.yaml': 0o644 };
    const world = { modes, env: { T: 'https://z/api/v1/cti/t', S: 's' } };
    const rest = `store: { url: "${ADDRESS}" }`;
    const { warnings } = await load(
      sound({
        zammad: 'zammad: [{ name: main, url: "${T}" }]',
        pbx: 'pbx: [{ name: o, adapter: fake, host: h, secret: "${S}" }]',
        rest,
      }),
      world,
    );
    expect(warnings).toEqual([expect.stringMatching(/^store\.url: stands in .* which everybody/)]);
  });

  test('is not read when no secrets are needed', async () => {
    const reads: string[] = [];
    const { config } = await load(sound({ rest: 'store: { urlFile: /pg }' }), { needSecrets: false }, reads);
    expect(reads).toEqual(['/etc/bridge/config.yaml']);
    expect(addressOf(config.store)).toBe('');
    const variable = await storeOf('store: { url: "${NOT_SET}" }', { needSecrets: false });
    expect([variable.kind, addressOf(variable)]).toEqual(['postgres', '']);
    const env = { ZPB_STORE_URL: 'nonsense' };
    expect(await storeOf('', { needSecrets: false, env })).toMatchObject({ kind: 'sqlite' });
  });
});
