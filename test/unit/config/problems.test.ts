import { describe, expect, test } from '@jest/globals';
import { ConfigError } from '../../../src/config/problems.js';
import { load, pbxWith, problemsOf, sound, TOKEN_URL, type World } from './support.js';

const zammadWith = (more: string): string => `zammad:\n  - { name: main, url: "${TOKEN_URL}", ${more} }`;
const PASTE = 'paste the whole address from Zammad: Admin → System → Integrations → CTI (generic)';
const url = (text: string): string => sound({ zammad: `zammad: [{ name: main, url: "${text}" }]` });

/** [what is wrong, the file, the one line that says so, the world]. */
const CASES: readonly (readonly [string, string, string, World?])[] = [
  // the CTI address
  ['no URL', url('zammad'), `zammad[0].url: is not a URL; ${PASTE} (line 1)`],
  [
    'other scheme',
    url('ftp://z/api/v1/cti/t'),
    `zammad[0].url: must begin with https:// (or http://); ${PASTE} (line 1)`,
  ],
  ['no token', url('https://z/api/v1/cti/'), `zammad[0].url: has no token at its end; ${PASTE} (line 1)`],
  [
    'the path of the old documentation',
    url('https://z/api/v1/integration/cti/t'),
    'zammad[0].url: has /integration/ in it, which Zammad answers with 404; the address is /api/v1/cti/TOKEN, paste it from Zammad: Admin → System → Integrations → CTI (generic) (line 1)',
  ],
  [
    'other path',
    url('https://z/cti/t'),
    `zammad[0].url: is not the CTI address, whose path is /api/v1/cti/TOKEN; ${PASTE} (line 1)`,
  ],
  [
    'password in it',
    url('https://a:b@z/api/v1/cti/t'),
    'zammad[0].url: must not hold a user name or password; the token at its end is all that Zammad asks for (line 1)',
  ],
  [
    'query',
    url('https://z/api/v1/cti/t?x=1'),
    'zammad[0].url: has something behind the token ("?" or "#"); paste the address as it is from Zammad: Admin → System → Integrations → CTI (generic) (line 1)',
  ],
  // durations
  [
    'a deadline that no request can meet',
    sound({ rest: 'delivery: { timeout: 0s }' }),
    'delivery.timeout: must be at least 100ms (line 4)',
  ],
  [
    'everything too old',
    sound({ rest: 'delivery: { maxAge: 0m, drain: 0s }' }),
    'delivery.maxAge: must be at least 1m (line 4)',
  ],
  [
    'calls closed at once, for one PBX',
    sound({ pbx: pbxWith('calls: { maxSilence: 1s }') }),
    'pbx[0].calls.maxSilence: must be at least 1m (line 3)',
  ],
  // files
  [
    'no such authorities',
    sound({ zammad: zammadWith('caFile: /nope.pem') }),
    'zammad[0].caFile: the file cannot be read: there is no such file (line 2)',
  ],
  [
    'authorities that are none',
    sound({ zammad: zammadWith('caFile: /key.pem') }),
    'zammad[0].caFile: the file holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----") (line 2)',
    { files: { '/key.pem': '-----BEGIN PRIVATE KEY-----' } },
  ],
  // groups
  [
    'text where a group belongs',
    sound({ rest: 'agents: [{ extension: "100", name: A, zammad: alice }]' }),
    'agents[0].zammad: must be a group of settings: login (line 4)',
  ],
  // secrets
  [
    'a token with a line end in it',
    sound({ zammad: zammadWith('apiToken: "two\\nlines"') }),
    'zammad[0].apiToken: has blanks or other characters that no token has; paste it anew from Zammad (line 2)',
  ],
  [
    'no url',
    sound({ zammad: 'zammad: [{ name: main }]' }),
    'zammad[0].url: is missing; write it here, as ${VARIABLE}, or the path of a file that holds it as urlFile (line 1)',
  ],
  ['empty', sound({ zammad: 'zammad: [{ name: main, url: "" }]' }), `zammad[0].url: is not a URL; ${PASTE} (line 1)`],
  [
    'variable not set',
    sound({ zammad: zammadWith('apiToken: "${NOPE}"') }),
    'zammad[0].apiToken: the environment variable NOPE is not set; set it, or write $$ for a plain dollar sign (line 2)',
  ],
  [
    'bad variable',
    sound({ pbx: 'pbx: [{ name: o, adapter: fake, host: "${", secret: s }]' }),
    'pbx[0].host: has a "${" that is not followed by the name of an environment variable and "}"; write $${ for these characters (line 2)',
  ],
  [
    'no such secret file',
    sound({ pbx: 'pbx: [{ name: o, adapter: fake, host: h, secretFile: nope }]' }),
    'pbx[0].secretFile: the file cannot be read: there is no such file (line 2)',
  ],
  [
    'empty secret file',
    sound({ pbx: 'pbx: [{ name: o, adapter: fake, host: h, secretFile: /e }]' }),
    'pbx[0].secretFile: the file is empty; put the secret into it (line 2)',
    { files: { '/e': '\n' } },
  ],
  [
    'both forms of a secret',
    sound({ pbx: pbxWith('secretFile: /e') }),
    'pbx[0].secretFile: stands beside secret; keep one of the two (line 3)',
  ],
  [
    'secret that is a list',
    sound({ pbx: 'pbx: [{ name: o, adapter: fake, host: h, secret: [a] }]' }),
    'pbx[0].secret: is not of the form that is asked for (line 2)',
  ],
  // unknown keys
  ['top level', sound({ rest: 'agent: []' }), 'agent: is not a setting; did you mean "agents"? (line 4)'],
  [
    'section',
    sound({ rest: 'calls: { new_call: arrival }' }),
    'calls.new_call: is not a setting; did you mean "newCall"? (line 4)',
  ],
  [
    'far off',
    sound({ rest: 'log: { colour: 1 }' }),
    'log.colour: is not a setting; known here: level, pretty (line 4)',
  ],
  [
    'common key of a PBX',
    sound({ pbx: pbxWith('filtre: {}') }),
    'pbx[0].filtre: is not a setting; did you mean "filter"? (line 3)',
  ],
  [
    "an adapter's key",
    sound({ pbx: pbxWith('prot: 1') }),
    'pbx[0].prot: is not a setting; did you mean "port"? (line 3)',
  ],
  [
    'file form of a secret',
    sound({ pbx: pbxWith('apikeyfile: /x') }),
    'pbx[0].apikeyfile: is not a setting; did you mean "apiKeyFile"? (line 3)',
  ],
  [
    "a PBX's calls",
    sound({ pbx: pbxWith('calls: { answeragain: true }') }),
    'pbx[0].calls.answeragain: is not a setting; did you mean "answerAgain"? (line 3)',
  ],
  // wrong types
  [
    'not a list',
    sound({ rest: 'agents: { a: 1 }' }),
    'agents: must be a list; begin each entry with "- ", e.g. "- { extension: … }" (line 4)',
  ],
  [
    'not a group',
    sound({ rest: 'http: 80' }),
    'http: must be a group of settings: host, port, publicUrl, certFile, keyFile, trustProxy (line 4)',
  ],
  [
    'PBX no group',
    sound({ pbx: 'pbx: [fake]' }),
    'pbx[0]: must be a group of settings: { name: …, adapter: … } (line 2)',
  ],
  [
    'Zammad no group',
    sound({ zammad: 'zammad: [x]' }),
    'zammad[0]: must be a group of settings: { name: …, url: … } (line 1)',
  ],
  ['number wanted', sound({ pbx: pbxWith('port: many') }), 'pbx[0].port: must be a number (line 3)'],
  ['number too big', sound({ pbx: pbxWith('port: 70000') }), 'pbx[0].port: must be at most 65535 (line 3)'],
  ['number too small', sound({ pbx: pbxWith('port: 0') }), 'pbx[0].port: must be at least 1 (line 3)'],
  ['yes is text', sound({ pbx: pbxWith('tls: yes') }), 'pbx[0].tls: must be true or false (line 3)'],
  ['list wanted', sound({ pbx: pbxWith('trunks: a') }), 'pbx[0].trunks: must be a list: [a, b] (line 3)'],
  [
    'text wanted',
    sound({ pbx: pbxWith('trunks: [true]') }),
    'pbx[0].trunks[0]: must be text; put it in quotes (line 3)',
  ],
  [
    'missing',
    sound({ pbx: 'pbx: [{ name: o, adapter: fake, secret: s }]' }),
    'pbx[0].host: is missing: address of the PBX (line 2)',
  ],
  [
    'empty text',
    sound({ pbx: 'pbx: [{ name: o, adapter: fake, host: "", secret: s }]' }),
    'pbx[0].host: is empty: address of the PBX (line 2)',
  ],
  ['choice', sound({ zammad: zammadWith('encoding: xml') }), 'zammad[0].encoding: must be one of form, json (line 2)'],
  ['boolean', sound({ rest: 'log: { pretty: yes }' }), 'log.pretty: must be true or false (line 4)'],
  ['one of', sound({ rest: 'calls: { newCall: late }' }), 'calls.newCall: must be one of ringing, arrival (line 4)'],
  [
    'port',
    sound({ rest: 'http: { port: 70000 }' }),
    'http.port: must be a port: a whole number from 0 to 65535 (line 4)',
  ],
  [
    'count',
    sound({ rest: 'delivery: { parallel: 1.5 }' }),
    'delivery.parallel: must be a whole number from 1 to 1000 (line 4)',
  ],
  ['blank text', sound({ rest: 'http: { host: " " }' }), 'http.host: must be text that is not empty (line 4)'],
  [
    'duration without a unit',
    sound({ rest: 'delivery: { timeout: 10 }' }),
    'delivery.timeout: must be a whole number with a unit (ms, s, m, h or d), at most 24d, e.g. 500ms, 30s or 4h (line 4)',
  ],
  [
    'country',
    sound().replace('DE', 'Germany'),
    'numbers.country: is not a country code; write two capitals as in ISO 3166, e.g. DE, AT, CH, FR, US (line 3)',
  ],
  [
    'environment',
    sound(),
    'http.port: must be a port: a whole number from 0 to 65535 (it comes from the environment variable ZPB_HTTP_PORT)',
    { env: { ZPB_HTTP_PORT: '12abc' } },
  ],
  // the store
  [
    'a database and a file',
    sound({ rest: 'store: { url: "postgres://u:p@localhost/d", path: /x }' }),
    'store.url: stands beside store.path; keep path for a file on this machine, or url for PostgreSQL (line 4)',
  ],
  [
    'a database, and a file from the environment',
    sound({ rest: 'store: { url: "postgres://u:p@localhost/d" }' }),
    'store.url: stands beside store.path; keep path for a file on this machine, or url for PostgreSQL (from the environment: ZPB_STORE_PATH) (line 4)',
    { env: { ZPB_STORE_PATH: 'memory' } },
  ],
  [
    'a database from the environment, and a file',
    sound({ rest: 'store: { path: /x }' }),
    'store.url: stands beside store.path; keep path for a file on this machine, or url for PostgreSQL (from the environment: ZPB_STORE_URL) (line 4)',
    { env: { ZPB_STORE_URL: 'postgres://u:p@localhost/d' } },
  ],
  [
    'url and urlFile',
    sound({ rest: 'store: { url: "postgres://u:p@localhost/d", urlFile: /x }' }),
    'store.urlFile: stands beside url; keep one of the two (line 4)',
  ],
  ...[
    ['another database', 'mysql://u:p@h/d', 'must begin with postgres:// or postgresql://; %FORM'],
    ['an empty address', '', 'is empty; %FORM'],
    ['no database', 'postgres://u:p@h', 'names no database at its end; %FORM'],
    ['no database but a slash', 'postgres://u:p@h/?sslmode=disable', 'names no database at its end; %FORM'],
    ['a # in the password', 'postgres://u:p#w@h/d', 'cannot be read; %FORM; %ESCAPES'],
    ['a blank in it', 'postgres://u:p w@h/d', 'cannot be read; %FORM; %ESCAPES'],
    ['a / in the password', 'postgres://u:p/w@h/d', 'cannot be read; %FORM; %ESCAPES'],
    ['a / in a password of digits', 'postgres://u:12/w@h/d', 'has a "/" too many; %FORM; %ESCAPES'],
    ['a % in the password', 'postgres://u:p%zz@h/d', 'cannot be read; %FORM; %ESCAPES'],
    ['no number as port', 'postgres://u:p@h:x/d', 'cannot be read; %FORM; %ESCAPES'],
    [
      'several hosts',
      'postgres://u:p@h,i/d',
      'names several hosts; write one, such as an address that always leads to the primary server',
    ],
  ].map(([what, address, text]): readonly [string, string, string] => [
    `the address of a database: ${what ?? ''}`,
    sound({ rest: `store: { url: "${address ?? ''}" }` }),
    `store.url: ${(text ?? '')
      .replace('%FORM', 'write postgres://USER:PASSWORD@HOST/DATABASE')
      .replace(
        '%ESCAPES',
        'in user and password, # / ? @ : % and blanks are written as %23 %2F %3F %40 %3A %25 %20',
      )} (line 4)`,
  ]),
  [
    'an address from the environment',
    sound(),
    'store.url: must begin with postgres:// or postgresql://; write postgres://USER:PASSWORD@HOST/DATABASE (it comes from the environment variable ZPB_STORE_URL)',
    { env: { ZPB_STORE_URL: 'localhost' } },
  ],
  [
    'an address that is a list',
    sound({ rest: 'store: { url: [a] }' }),
    'store.url: is not of the form that is asked for (line 4)',
  ],
  [
    'an address as path',
    sound({ rest: 'store: { path: "postgres://u:p@h/d" }' }),
    'store.path: must be the path of a file; the address of a PostgreSQL database is written as url, or as urlFile (line 4)',
  ],
  [
    "SQLite's own word for memory",
    sound({ rest: 'store: { path: ":memory:" }' }),
    'store.path: write memory, as it stands here, to keep everything in memory only (line 4)',
  ],
  [
    'a folder',
    sound({ rest: 'store: { path: data/ }' }),
    'store.path: must be a file, not a folder, e.g. /var/lib/zammad-pbx-bridge/bridge.sqlite (line 4)',
  ],
  [
    'a folder from the environment',
    sound(),
    'store.path: must be a file, not a folder, e.g. /var/lib/zammad-pbx-bridge/bridge.sqlite (it comes from the environment variable ZPB_STORE_PATH)',
    { env: { ZPB_STORE_PATH: '..' } },
  ],
  ['a path of two lines', sound({ rest: 'store: { path: "a\\nb" }' }), 'store.path: must be one line of text (line 4)'],
  [
    'durability',
    sound({ rest: 'store: { durability: none }' }),
    'store.durability: must be one of full, normal (line 4)',
  ],
  ['kept too short', sound({ rest: 'store: { keep: 59m }' }), 'store.keep: must be at least 1h (line 4)'],
  [
    'file form of the address',
    sound({ rest: 'store: { urlfile: /x }' }),
    'store.urlfile: is not a setting; did you mean "urlFile"? (line 4)',
  ],
  [
    'a key of the store',
    sound({ rest: 'store: { colour: 1 }' }),
    'store.colour: is not a setting; known here: path, url, urlFile, durability, keep, machine (line 4)',
  ],
  [
    'a store that is no group',
    sound({ rest: 'store: memory' }),
    'store: must be a group of settings: path, url, durability, keep, machine (line 4)',
  ],
  // names and references
  [
    'bad name',
    sound({ pbx: 'pbx: [{ name: Main Office, adapter: fake, host: h, secret: s }]' }),
    'pbx[0].name: must be of small letters, digits, "-" and "_", and begin with a letter or digit (line 2)',
  ],
  [
    'two Zammads of one name',
    sound({ zammad: `zammad:\n  - { name: a, url: "${TOKEN_URL}" }\n  - { name: a, url: "${TOKEN_URL}" }` }),
    'zammad[1].name: is the same as in zammad[0]; each Zammad needs a name of its own (line 3)',
  ],
  [
    'two PBXs of one name',
    sound({
      pbx: 'pbx:\n  - { name: a, adapter: fake, host: h, secret: s }\n  - { name: a, adapter: fake, host: i, secret: s }',
    }),
    'pbx[1].name: is the same as in pbx[0]; each PBX needs a name of its own (line 4)',
  ],
  [
    'one PBX twice',
    sound({
      pbx: 'pbx:\n  - { name: a, adapter: fake, host: h, secret: s }\n  - { name: b, adapter: fake, host: h, secret: s }',
    }),
    'pbx[1]: is the same as in pbx[0]; one PBX is listened to by one entry, or each of its calls would be told twice; remove one (line 4)',
  ],
  [
    'one PBX over two interfaces',
    sound({
      pbx: 'pbx:\n  - { name: a, adapter: fake-one, host: h, secret: s, port: 1 }\n  - { name: b, adapter: fake-two, host: h, secret: s, port: 2 }',
    }),
    'pbx[1]: is the same as in pbx[0] (ONE and TWO of one machine); one PBX is listened to by one entry, or each of its calls would be told twice; remove one (line 4)',
  ],
  [
    'extension twice',
    sound({ rest: 'agents: [{ extension: "1", name: A }, { extension: 1, name: B }]' }),
    'agents[1].extension: is the same as in agents[0]; an extension belongs to one agent (line 4)',
  ],
  [
    'device twice',
    sound({
      rest: 'agents: [{ extension: "1", name: A, devices: [PJSIP/a] }, { extension: "2", name: B, devices: [pjsip/A] }]',
    }),
    'agents[1].devices[0]: is the same as in agents[0]; a device belongs to one agent (line 4)',
  ],
  [
    'phone twice',
    sound({
      rest: 'agents: [{ extension: "1", name: A, phones: [+491711111111] }, { extension: "2", name: B, phones: ["+49 171 1111111"] }]',
    }),
    'agents[1].phones[0]: is the same as in agents[0]; a phone belongs to one agent (line 4)',
  ],
  [
    'phone in national form',
    sound({ rest: 'agents: [{ extension: "1", name: A, phones: ["01711111111"] }]' }),
    'agents[0].phones[0]: is not a phone number in international form, e.g. +491711111111 (line 4)',
  ],
  [
    'number twice in two forms',
    sound({ rest: 'dids: [{ number: +4930555200 }, { number: 030/555200 }]' }),
    'dids[1].number: is the same as in dids[0]; a number is listed once (line 4)',
  ],
  [
    'number that is none',
    sound({ rest: 'dids: [{ number: sales }]' }),
    'dids[0].number: must be a number that customers dial, e.g. +4930555200 (line 4)',
  ],
  [
    'unknown agent',
    sound({ rest: 'agents: [{ extension: alice, name: A }]\ndids: [{ number: 1, agents: [alise] }]' }),
    'dids[0].agents[0]: there is no agent with the extension "alise"; did you mean "alice"? (line 5)',
  ],
  [
    'unknown PBX in a filter',
    sound({ zammad: zammadWith('filter: { pbx: [ofice] }') }),
    'zammad[0].filter.pbx[0]: there is no PBX "ofice"; did you mean "office"? (line 2)',
  ],
  [
    'unknown agent in a filter',
    sound({ pbx: pbxWith('filter: { agents: ["100"] }') }),
    'pbx[0].filter.agents[0]: there is no agent with the extension "100" (line 3)',
  ],
  [
    'filter of a PBX by PBX',
    sound({ pbx: pbxWith('filter: { pbx: [a] }') }),
    'pbx[0].filter.pbx: is not a setting; known here: dids, queues, agents, direction (line 3)',
  ],
  [
    'unknown adapter',
    sound({ pbx: 'pbx: [{ name: o, adapter: fakee }]' }),
    'pbx[0].adapter: there is no adapter "fakee"; known are fake, fake-one, fake-two, or a package name, or a path (./x.js); did you mean "fake"? (line 2)',
  ],
  [
    'no adapter',
    sound({ pbx: 'pbx: [{ name: o }]' }),
    'pbx[0].adapter: is missing: What speaks to it: a type of this program, the name of an npm package, or the path of a module (`./my-adapter.js`). (line 2)',
  ],
  // the file
  ['a tab', 'zammad:\n\t- a', 'line 2, column 1: a tab stands where YAML wants blanks; indent with blanks'],
  ['a key twice', 'pbx: 1\npbx: 2', 'line 2, column 1: this key stands twice in the same group; remove one'],
  [
    'no YAML',
    'zammad: "x',
    'line 1, column 11: a character is missing: a closing quote, a bracket, a comma, or the blank behind a colon',
  ],
  [
    'unknown alias',
    'pbx: *x',
    'line 1, column 6: a value that begins with * is an alias, and there is none of that name; put the value in quotes',
  ],
  [
    'a tag',
    'pbx: !x y',
    'line 1, column 6: a value that begins with ! is a tag, and none is known here; put the value in quotes',
  ],
  ['two documents', 'pbx: 1\n---\npbx: 2', 'line 2, column 1: there is a second document (---); only one can be read'],
  ['only text', 'hello', 'must be groups of settings ("zammad:", "pbx:", "agents:" …); see config/default.yaml'],
];

describe('one clear line for', () => {
  for (const [what, yaml, line, world = {}] of CASES) {
    test(what, async () => {
      const problems = await problemsOf(yaml, world);
      expect(problems.filter((problem) => !/^(zammad|pbx): is missing/.test(problem))).toEqual([line]);
    });
  }
});

test('an empty file names what is needed', async () => {
  expect(await problemsOf('')).toEqual([
    'zammad: is missing; at least one is needed: "zammad:" and below it "  - { name: … }"',
    'pbx: is missing; at least one is needed: "pbx:" and below it "  - { name: … }"',
  ]);
});

test('all problems come at once, in the order of the file, in an error with code and file', async () => {
  const failure = load(
    'http: { port: x }\nzammad: [{ name: main, url: x }]\npbx: [{ name: A, adapter: fake, secret: s }]\nlog: { level: x }',
  );
  await expect(failure).rejects.toBeInstanceOf(ConfigError);
  await expect(failure).rejects.toMatchObject({
    code: 'ZPB_CONFIG',
    retriable: false,
    file: '/etc/bridge/config.yaml',
  });
  const paths = (await failure.catch((error: unknown) => (error as ConfigError).problems)) as readonly string[];
  expect(paths.map((line) => line.split(':')[0])).toEqual([
    'http.port',
    'zammad[0].url',
    'pbx[0].name',
    'pbx[0].host',
    'log.level',
  ]);
});

test('a file that is not there', async () => {
  const { loadConfig } = await import('../../../src/config/load.js');
  const { registry, sourcesOf } = await import('./support.js');
  await expect(
    loadConfig('/no/such.yaml', { sources: sourcesOf('', {}), needSecrets: true, adapters: registry() }),
  ).rejects.toThrow(
    '/no/such.yaml: the configuration cannot be read: there is no such file; say which file with --config FILE or ZPB_CONFIG',
  );
});

test('aliases work, but not to grow without bounds', async () => {
  const { config } = await load(sound({ rest: 'agents:\n  - &a { extension: "1", name: A }' }).replace('- &a', '- &a'));
  expect(config.agents).toHaveLength(1);
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefg'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`),
  ];
  expect(await problemsOf(bomb.join('\n'))).toContain('it is nested too deeply, or too large');
  expect(await problemsOf('pbx: &a [*a]')).toContain('it is nested too deeply, or too large');
});
