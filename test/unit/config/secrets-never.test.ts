import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { printConfig, redact } from '../../../src/config/print.js';
import { ConfigError } from '../../../src/config/problems.js';
import { load, sound, TOKEN_URL, type World } from './support.js';

const CANARY = 'c4n4ry-Value';

/** Everything that could be shown of what came out. */
async function shown(yaml: string, world: World): Promise<string> {
  try {
    const { config, warnings } = await load(yaml, world);
    return [
      printConfig(config),
      JSON.stringify(config),
      JSON.stringify(redact(config)),
      inspect(config, { depth: 20 }),
      ...warnings,
    ].join('\n');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [inspect(error, { depth: 20 }), error.stack, JSON.stringify(error), ...error.problems].join('\n');
  }
}

/** Places of secrets, and ways to write one there wrongly or rightly. */
const PLACES = [
  (value: string) => sound({ zammad: `zammad: [{ name: main, url: ${value} }]` }),
  (value: string) => sound({ zammad: `zammad: [{ name: main, url: "${TOKEN_URL}", apiToken: ${value} }]` }),
  (value: string) => sound({ zammad: `zammad: [{ name: main, urlFile: ${value} }]` }),
  (value: string) => sound({ pbx: `pbx: [{ name: o, adapter: fake, host: h, secret: ${value} }]` }),
  (value: string) => sound({ pbx: `pbx: [{ name: o, adapter: fake, host: 1.5, port: no, secret: ${value} }]` }),
  (value: string) => sound({ pbx: `pbx: [{ name: o, adapter: fake, host: h, secretFile: ${value} }]` }),
  (value: string) =>
    sound({ pbx: `pbx: [{ name: o, adapter: fake, host: h, secret: s, apiKey: ${value}, trunks: x }]` }),
  (value: string) =>
    sound({ pbx: `pbx: [{ name: o, adapter: fake, host: h, secret: s, apiKey: ${value}, apiKeyFile: /x }]` }),
  (value: string) => sound({ rest: `store: { url: ${value} }` }),
  (value: string) => sound({ rest: `store: { urlFile: ${value} }` }),
  (value: string) => sound({ rest: `store: { url: ${value}, path: /x, durability: 7 }` }),
];
const FORMS = [
  CANARY,
  `"${CANARY}"`,
  `"${CANARY}`,
  `*${CANARY}`,
  `!${CANARY}`,
  `&${CANARY}`,
  `@${CANARY}`,
  `%${CANARY}`,
  `"\\${CANARY}"`,
  `[${CANARY}]`,
  `[[${CANARY}], ${CANARY}]`,
  `"\${${CANARY}"`,
  `"\${${CANARY}}"`,
  `"$\${${CANARY}}"`,
  `"https://${CANARY}@zammad/api/v1/cti/x"`,
  `"https://zammad/api/v1/cti/${CANARY}"`,
  `"http://zammad.lan/api/v1/cti/${CANARY}"`,
  `"https://zammad/api/v1/integration/cti/${CANARY}"`,
  `"https://zammad/api/v1/cti/${CANARY}?${CANARY}"`,
  ...['u:%@h/d', '%@h/d', 'u:%#x@h/d', 'u:%/x@h/d', 'u:1/%@h/d', 'u:%%zz@h/d', '% @h/d', 'u:%@h', 'u:%@h,i/d'].map(
    (rest) => `"postgres://${rest.replace('%', CANARY)}"`,
  ),
  '"postgres://u:${SECRET}@h/d"',
  '"${SECRET}"',
  '"https://zammad/api/v1/cti/${SECRET}"',
  `"\${SECRET}\${${CANARY.toLowerCase().replace('-', '_')}}"`,
  '/run/secret',
];

test.each(PLACES.map((place, index) => ({ place, index })))(
  'no form of a secret at place $index is ever shown',
  async ({ place }) => {
    for (const form of FORMS) {
      for (const needSecrets of [true, false]) {
        const text = await shown(place(form), {
          env: { SECRET: CANARY },
          files: { '/run/secret': `${CANARY}\n` },
          needSecrets,
        });
        expect(text.toLowerCase()).not.toContain(CANARY.toLowerCase());
        expect(text.toLowerCase()).not.toContain(CANARY.toLowerCase().replace('-', '_'));
      }
    }
  },
);

test.each(['postgres://u:%@h/d', 'postgresql://%:x@h/d?sslmode=verify-full', 'postgres://u:%@h', '%'])(
  'the address of a database in the environment is never shown: %s',
  async (text) => {
    const env = { ZPB_STORE_URL: text.replace('%', CANARY) };
    for (const rest of ['', 'store: { path: /x }', 'store: { url: "postgres://a@b/c" }']) {
      for (const needSecrets of [true, false]) {
        expect(await shown(sound({ rest }), { env, needSecrets })).not.toContain(CANARY);
      }
    }
  },
);

test('the address of a database that stands where the path belongs is not shown', async () => {
  for (const text of [`postgres://u:${CANARY}@h/d`, ` postgresql://${CANARY}@h/d `, `mysql://${CANARY}`]) {
    expect(await shown(sound({ rest: `store: { path: "${text}" }` }), {})).not.toContain(CANARY);
    expect(await shown(sound(), { env: { ZPB_STORE_PATH: text } })).not.toContain(CANARY);
  }
});

test('a secret that is accepted is really there', async () => {
  const { config } = await load(PLACES[3]!(CANARY));
  expect((config.pbx[0]?.settings as { secret: { reveal(): string } }).secret.reveal()).toBe(CANARY);
});

test('a text under a key that sounds like a secret is masked, a path is not', () => {
  expect(
    redact({ password: 'x', apiToken: 'x', secretFile: '/x', nested: [{ passwd: 7, host: 'h' }], token: '' }),
  ).toEqual({
    password: '[secret]',
    apiToken: '[secret]',
    secretFile: '/x',
    nested: [{ passwd: '[secret]', host: 'h' }],
    token: '',
  });
});

test('whatever the file says, only a ConfigError is thrown', async () => {
  const pieces = fc.constantFrom(
    'zammad',
    'pbx',
    'agents',
    'dids',
    'calls',
    'http',
    'filter',
    'name',
    'adapter',
    'fake',
    'url',
    'secret',
    'File',
    'extension',
    'phones',
    ': ',
    '- ',
    '\n',
    '  ',
    '\t',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '"',
    "'",
    '#',
    '|',
    '>',
    '&a ',
    '*a',
    '!',
    '%',
    '---',
    '...',
    '${',
    '}',
    '$$',
    '~',
    '0',
    '1e9',
    '.inf',
    '-',
    '+49',
    '__proto__',
    'constructor',
    'prototype',
    TOKEN_URL,
    '\u0000',
    '\u2028',
    '💥',
    '<<',
  );
  const yaml = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join('')),
  );
  await fc.assert(
    fc.asyncProperty(yaml, fc.boolean(), async (text, needSecrets) => {
      await load(text, { needSecrets }).catch((error: unknown) => {
        if (!(error instanceof ConfigError)) throw error;
        expect(error.problems.length).toBeGreaterThan(0);
        for (const problem of error.problems) expect(problem).not.toMatch(/\n/);
      });
    }),
    { numRuns: 2000 },
  );
});

test('whatever stands where an entry is expected, only a ConfigError is thrown', async () => {
  const key = fc.constantFrom(
    'name',
    'adapter',
    'filter',
    'calls',
    'host',
    'port',
    'secret',
    'secretFile',
    'trunks',
    'url',
    'urlFile',
    'encoding',
    'extension',
    'number',
    'devices',
    'phones',
    'agents',
    'queue',
    'maxSilence',
    '__proto__',
    'constructor',
    'toString',
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(
        null,
        true,
        0,
        1.5,
        -1,
        '',
        'fake',
        'a',
        '100',
        '+491711111111',
        '${X}',
        '${',
        TOKEN_URL,
        '*',
        '4h',
        'in',
      ),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }));
  const root = fc.record(
    { zammad: tree, pbx: tree, agents: tree, dids: tree, calls: tree, http: tree, numbers: tree },
    { requiredKeys: [] },
  );
  await fc.assert(
    // JSON is YAML.
    fc.asyncProperty(root, fc.boolean(), async (value, needSecrets) => {
      await load(JSON.stringify(value), { needSecrets }).catch((error: unknown) => {
        if (!(error instanceof ConfigError)) throw error;
      });
    }),
    { numRuns: 2000 },
  );
});
