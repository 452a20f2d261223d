import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { renderDefaultYaml, renderSettings } from '../../../src/config/reference.js';
import { SECTIONS, settingsOf } from '../../../src/config/scalars.js';
import { fakeAdapter, load } from './support.js';

const uncommented = (yaml: string): string =>
  yaml.replace(/^# ((?:zammad|pbx|agents|dids):)$/gm, '$1').replace(/^# {3}( |-)/gm, '  $1');

test('default.yaml holds every scalar setting with its default', () => {
  const tree = parse(renderDefaultYaml([])) as Record<string, unknown>;
  const defaults = Object.fromEntries(
    SECTIONS.map((section) => [
      section,
      Object.fromEntries(
        Object.entries(settingsOf(section)).flatMap(([key, setting]) =>
          setting.chosen === true ? [] : [[key, setting.default]],
        ),
      ),
    ]),
  );
  expect(tree).toEqual(defaults);
});

test('default.yaml shows where the store could be, and chooses none', () => {
  const page = renderDefaultYaml([]);
  expect(page).toContain('\n  # path: /var/lib/zammad-pbx-bridge/bridge.sqlite\n');
  expect(page).toContain('\n  # urlFile: /etc/zammad-pbx-bridge/store.url\n');
});

test('default.yaml with its lists uncommented is a configuration, and changes nothing but them', async () => {
  const yaml = uncommented(renderDefaultYaml([])).replace('adapter: asterisk-ami', 'adapter: fake');
  const files = {
    '/etc/zammad-pbx-bridge/cti.url': 'https://z/api/v1/cti/t',
    '/etc/zammad-pbx-bridge/ami.secret': 's',
  };
  const { config, warnings } = await load(yaml.replace('    username: bridge\n', ''), { files });
  expect(warnings).toEqual([]);
  expect(config.agents).toHaveLength(1);
  const least = await load(
    'zammad: [{ name: main, url: "https://z/api/v1/cti/t" }]\npbx: [{ name: o, adapter: fake, host: h, secret: s }]',
  );
  for (const part of ['calls', 'delivery', 'store', 'http', 'log'] as const)
    expect(config[part]).toEqual(least.config[part]);
});

test('settings.md names every setting, its default and its variable, and the keys of each adapter', () => {
  const page = renderSettings([fakeAdapter]);
  for (const section of SECTIONS) {
    for (const [key, setting] of Object.entries(settingsOf(section))) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${section}.${key}\` |`));
      expect(row).toContain(`\`${setting.env}\``);
      expect(row).toContain(
        setting.kind === 'secret' ? '| secret |  |' : setting.default === '' ? '|  |' : `| \`${setting.default}\` |`,
      );
    }
  }
  expect(page).toContain('| `url` | secret | required |');
  expect(page).toContain('| `encoding` | `form`, `json` | `"form"` |');
  expect(page).toContain('| `zammad.login` | text | required |');
  expect(page).toContain('### pbx, with `adapter: fake`');
  expect(page).toContain('| `host` | text | required | address of the PBX |');
  expect(page).toContain('| `apiKey` | secret |  | its key |');
  expect(page).toContain('| `port` | whole number | `5038` |');
});
