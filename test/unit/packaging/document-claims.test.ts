/** Holds single claims of the documents to the code that they speak of: numbers, lists of names, paths, rights. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LEG_EVENTS } from '../../../adapters/asterisk/legs.js';
import { FAILOVER_WINDOW, IDENTITY_LIMIT, RING_GROUP_WINDOW, UNRUNG_LIMIT } from '../../../src/call/windows.js';
import { CAUSES } from '../../../src/call/vocabulary.js';
import { parseDuration } from '../../../src/config/duration.js';
import { SCALARS } from '../../../src/config/scalars.js';

const root = join(import.meta.dirname, '../../..');
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
/** Line breaks of the source do not count in prose. */
const proseOf = (path: string): string => textOf(path).replaceAll(/\s+/g, ' ');
const filesUnder = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(ending));
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...filesUnder('docs', '.md'),
  ...filesUnder('deploy', '.md'),
  'adapters/asterisk-ami/README.md',
  'adapters/_template/README.md',
];
const sources = ['src', 'adapters', 'test', 'scripts'].flatMap((folder) => [
  ...filesUnder(folder, '.ts'),
  ...filesUnder(folder, '.mjs'),
]);
const sectionOf = (path: string, title: string): string =>
  new RegExp(`^#+ ${title}\\n([\\s\\S]*?)(?=^#+ |(?![\\s\\S]))`, 'm').exec(textOf(path))?.[1] ?? '';

describe('what the sources say of the documents', () => {
  test('each document and section that a comment names is there', () => {
    const missing = sources.flatMap((source) =>
      [...textOf(source).matchAll(/\b((?:docs|deploy)\/[\w/-]+\.md)\b(?:, "([^"]+)")?/g)].flatMap(
        ([, path = '', title]) => {
          if (!existsSync(join(root, path))) return [`${source}: ${path}`];
          return title === undefined || sectionOf(path, title) !== '' ? [] : [`${source}: ${path}, "${title}"`];
        },
      ),
    );
    expect(missing).toEqual([]);
  });
});

describe('what the documents say of the sources', () => {
  test('each path in them is there', () => {
    const missing = documents.flatMap((document) =>
      [...textOf(document).matchAll(/`((?:src|adapters|test|scripts|config|deploy|docs)\/[\w./*-]+)`/g)]
        .map(([, path = '']) => path.replace(/\/?\*?$/, ''))
        .filter((path) => !existsSync(join(root, path)))
        .map((path) => `${document}: ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test('each variable of the environment in them is read somewhere', () => {
    const code = [...sources, ...filesUnder('test/lab', '.sh')].map(textOf).join('\n');
    const settings = Object.values<Readonly<Record<string, { readonly env: string }>>>(SCALARS).flatMap((group) =>
      Object.values(group).map(({ env }) => env),
    );
    const unread = documents
      .flatMap((document) => [...textOf(document).matchAll(/\$?(ZPB_[A-Z_]+)=?/g)].map(([, name = '']) => name))
      .filter((name) => !code.includes(name) && !settings.includes(name));
    expect(unread).toEqual([]);
  });

  test('the times of a newCall are those of the brain', () => {
    const told = sectionOf('docs/architecture.md', 'When a call is told').replaceAll(/\s+/g, ' ');
    expect(told).toContain(`plus ${String(RING_GROUP_WINDOW)} ms`);
    expect(told).toContain(`${String(UNRUNG_LIMIT / 1000)} s after its arrival`);
    expect(told).toContain(`up to ${String(IDENTITY_LIMIT)} ms while the adapter finds out`);
    expect(told).toContain(`within ${String(FAILOVER_WINDOW)} ms`);
    expect(proseOf('README.md')).toContain(`${String(UNRUNG_LIMIT / 1000)} s after the arrival`);
    for (const path of ['docs/adapter-contract.md', 'docs/guide-asterisk.md'])
      expect(proseOf(path)).toContain(`${String(IDENTITY_LIMIT)} ms`);
  });

  test('defaults that README.md names are the defaults', () => {
    const readme = proseOf('README.md');
    const { http, delivery } = SCALARS;
    expect(readme).toContain(`http://${http.host.default}:${String(http.port.default)}/healthz`);
    expect(readme).toContain(`it delivers for up to ${String(parseDuration(delivery.drain.default)! / 1000)} s more`);
  });

  test('README.md explains every cause, and no other', () => {
    const named = [...sectionOf('README.md', 'What Zammad is told').matchAll(/^\| `(\w+)` \|/gm)].map(
      ([, cause]) => cause,
    );
    expect(named.sort()).toEqual([...CAUSES].sort());
  });

  test('the contract explains every leg event', () => {
    const union = /export type LegEvent =([\s\S]*?)\n\n/.exec(textOf('src/call/vocabulary.ts'))?.[1] ?? '';
    const types = [...union.matchAll(/readonly type: '(\w+)'/g)].map(([, type]) => type!);
    expect(types.length).toBeGreaterThan(8);
    const table = sectionOf('docs/adapter-contract.md', '3. Events');
    expect(types.filter((type) => !new RegExp(`^\\|[^|]*\`${type}\``, 'm').test(table))).toEqual([]);
  });

  test('the guide names exactly the events that the adapter listens to', () => {
    const said =
      sectionOf('docs/guide-asterisk.md', 'What the bridge listens to').split('\nIn the recordings')[0] ?? '';
    const named = [...said.matchAll(/`([A-Z]\w+)`/g)].map(([, name]) => name);
    expect(named.sort()).toEqual([...LEG_EVENTS].sort());
  });
});

describe('every manager.conf in the documents', () => {
  // A section of ari.conf has a type.
  const logins = documents
    .flatMap((document) =>
      [...textOf(document).matchAll(/```ini\n([\s\S]*?)```/g)].flatMap(([, text = '']) =>
        text.split(/^ *\[bridge\]/m)[1] === undefined ? [] : [{ document, login: text.split(/^ *\[bridge\]/m)[1]! }],
      ),
    )
    .filter(({ login }) => !/^type = user$/m.test(login));
  test('there are some', () => {
    expect(logins.length).toBeGreaterThan(3);
  });
  test.each(logins)('$document: deny before permit, the least rights, no event cut off that is needed', ({ login }) => {
    expect(login.indexOf('deny =')).toBeGreaterThan(-1);
    expect(login.indexOf('deny =')).toBeLessThan(login.indexOf('permit ='));
    expect(login).toMatch(/^ *read = call(?:,agent)?$/m);
    expect(login).toMatch(/^ *write = call$/m);
    const filter = /eventfilter = !(.*)$/m.exec(login)?.[1];
    if (filter === undefined) return;
    const hidden = [...LEG_EVENTS].filter((name) => new RegExp(filter).test(`Event: ${name}\r\nPrivilege: call,all`));
    expect(hidden).toEqual([]);
  });
});

test('the pictures of README.md are pictures, and not too large', () => {
  const pictures = [...textOf('README.md').matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path]) => join(root, path!));
  expect(pictures.length).toBeGreaterThan(1);
  for (const picture of pictures) expect(statSync(picture).size).toBeLessThan(250_000);
  const screenshot = readFileSync(join(root, 'docs/images/demo.png'));
  expect([screenshot.readUInt32BE(16), screenshot.readUInt32BE(20)]).toEqual([1280, 800]);
});
