/** Holds what the documents say to the code: configurations, commands, scripts, links, files. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ADAPTERS } from '../../../adapters/index.js';
import { COMMANDS } from '../../../src/cli/commands.js';
import { loadConfig } from '../../../src/config/load.js';
import { AdapterRegistry } from '../../../src/pbx/registry.js';
import { VERSION } from '../../../src/version.js';

const root = join(import.meta.dirname, '../../..');
const folder = (path: string): string[] =>
  readdirSync(join(root, path))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(path, name));
const documents = [...folder('.'), ...folder('docs'), ...folder('docs/decisions'), ...folder('deploy')].concat(
  'adapters/_template/README.md',
  'adapters/asterisk-ami/README.md',
  'adapters/freeswitch/README.md',
);
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
/** Fenced blocks of a language, indented ones too, without their indentation. */
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'))].map(
    ([, indent = '', body = '']) => body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };

const configurations = documents.flatMap((path) =>
  blocks(textOf(path), 'yaml').map((text, n) => ({ path, n: n + 1, text })),
);

describe('every configuration in the documents is good', () => {
  test('there are some', () => {
    expect(configurations.length).toBeGreaterThan(4);
  });
  test.each(configurations)('$path, number $n', async ({ text }) => {
    const sources = {
      env: { CREDENTIALS_DIRECTORY: '/run/credentials' },
      readFile: (path: string): string => {
        if (path === '/doc/config.yaml') return text;
        if (path.endsWith('/store.url')) return 'postgres://bridge:secret@127.0.0.1/bridge';
        return /url$/.test(path)
          ? 'https://zammad.example.com/api/v1/cti/0123456789abcdefghijklmnopq'
          : 'secret-of-some-length';
      },
      fileMode: () => 0o600,
    };
    const { config } = await loadConfig('/doc/config.yaml', {
      sources,
      needSecrets: true,
      adapters: new AdapterRegistry(ADAPTERS),
    });
    expect(config.pbx.length).toBeGreaterThan(0);
    expect(config.zammad.length).toBeGreaterThan(0);
  });
});

describe.each(documents)('%s', (path) => {
  const text = textOf(path);

  test('its links lead somewhere', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^https?:/.test(link));
    const dead = links.filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : relative(root, join(root, dirname(path), file));
      if (!existsSync(join(root, target))) return true;
      if (anchor === undefined) return false;
      const anchors = [...textOf(target).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replace(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
      );
      return !anchors.includes(anchor);
    });
    expect(dead).toEqual([]);
  });

  test('its commands and scripts are there', () => {
    const known = COMMANDS.map(({ name }) => name);
    const commands = [...text.matchAll(/dist\/src\/main\.js ([a-z]\w*)/g)].map(([, command]) => command!);
    expect(commands.filter((command) => !known.includes(command))).toEqual([]);
    const used = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script!);
    expect(used.filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  test('the options of its commands are there', async () => {
    const lines = [...text.matchAll(/(?:dist\/src\/main\.js|zammad-pbx-bridge) (\w+)((?: +(?:--[\w-]+|[\w./]+))+)/g)];
    for (const [line, name, rest = ''] of lines) {
      const entry = COMMANDS.find((one) => one.name === name);
      const asked = [...rest.matchAll(/--([\w-]+)/g)].map(([, option]) => option!);
      if (entry === undefined || asked.length === 0) continue;
      const { command } = await entry.load();
      expect([line, asked.filter((option) => !Object.hasOwn(command.options, option))]).toEqual([line, []]);
    }
  });
});

describe('what stands in more than one place', () => {
  test('VERSION is that of package.json', () => {
    expect(VERSION).toBe((JSON.parse(textOf('package.json')) as { version: string }).version);
  });
  test('README.md starts the demo and the tests with one command each', () => {
    const shell = blocks(textOf('README.md'), 'sh').map((block) => block.trim());
    expect(shell.slice(0, 2)).toEqual(['npm ci && npm run demo', 'npm ci && npm test']);
  });
  test('the decisions are numbered without a gap', () => {
    const numbers = folder('docs/decisions').map((path) => Number(/\/(\d{3})-/.exec(path)?.[1]));
    expect(numbers.sort((a, b) => a - b)).toEqual(numbers.map((_number, n) => n));
  });
});
