/** The dialplan and the options of Asterisk's guides are those of the lab, whose live tests prove them with real calls. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Extension {
  readonly context: string;
  readonly pattern: string;
  /** `label: Application(arguments)`. */
  readonly steps: readonly string[];
}

/** What of a dialplan is one admin's and not another's does not count: which machine and port, trunk, digits to be cut off, agents. */
const nameless = (step: string): string =>
  step
    .replace(/agi:\/\/[^/]+\//, 'agi://BRIDGE/')
    .replace(/(\?users=)[\d,&]+(?=[)&])/, '$1AGENTS')
    .replace('${EXTEN:1}', '${EXTEN}');

function extensionsOf(dialplan: string): readonly Extension[] {
  const found: { context: string; pattern: string; steps: string[] }[] = [];
  let context = '';
  for (const line of dialplan.split('\n').map((raw) => raw.replace(/(?:^|\s);.*$/, '').trim())) {
    const [, section] = /^\[([\w-]+)\]/.exec(line) ?? [];
    if (section !== undefined) context = section;
    const [, pattern, label, step] = /^(?:exten => ([^,]+),1|same => n(?:\(([\w-]+)\))?),(.+)$/.exec(line) ?? [];
    if (step === undefined) continue;
    if (pattern !== undefined) found.push({ context, pattern, steps: [] });
    found.at(-1)?.steps.push(nameless(label === undefined ? step : `${label}: ${step}`));
  }
  return found;
}

const lab = extensionsOf(textOf('test/lab/pbx/extensions.conf'));
const snippets = ['docs/guide-asterisk.md', 'docs/guide-do-not-disturb.md'].flatMap((path) =>
  [...textOf(path).matchAll(/```ini\n([\s\S]*?)```/g)].map(([, ini = '']) => ({ path, ini })),
);
const guide = snippets
  .filter(({ ini }) => ini.includes('exten =>'))
  .flatMap(({ ini }) => extensionsOf(ini))
  // Which phones ring in it, and for how long, is not what it is there to show.
  .filter(({ context }) => context !== 'ring-agents');

describe('each extension of the guides', () => {
  test('there are all: the gate by FastAGI, with two bridges, over ARI; do not disturb; the header for auto-answer', () => {
    expect(guide.map(({ context, pattern }) => `${context} ${pattern}`)).toEqual([
      'from-trunk +4930555200',
      'outbound _0X.',
      ' +4930555200',
      'zammad-gate s',
      'zammad-gate T',
      'from-trunk +4930555200',
      'outbound _0X.',
      'answer-header s',
      ' _1XX',
    ]);
  });

  test.each(guide)('$context $pattern: the lab does these very steps', ({ context, steps }) => {
    // The lab has a route of its own behind the gate.
    const isOutbound = context === 'outbound';
    const wanted = isOutbound ? steps.slice(0, -1) : steps;
    if (isOutbound) expect(steps.at(-1)).toMatch(/^Dial\(/);
    expect(wanted.length).toBeGreaterThan(0);
    expect(lab.map((one) => one.steps.slice(0, wanted.length))).toContainEqual(wanted);
  });

  test('what is a context of its own is one in the lab', () => {
    for (const name of ['zammad-gate', 'answer-header']) {
      const inContext = (all: readonly Extension[]): readonly Extension[] =>
        all.filter(({ context }) => context === name);
      expect(inContext(guide)).toEqual(inContext(lab));
    }
  });
});

describe('each option of Asterisk that the guides name', () => {
  const optionsOf = (ini: string): readonly string[] => [...ini.matchAll(/^ *([a-z_]+) = /gm)].map(([, name]) => name!);
  const known = ['manager', 'ari', 'http'].flatMap((name) => optionsOf(textOf(`test/lab/pbx/${name}.conf`)));
  const files = [
    ...snippets,
    ...['README.md', 'docs/guide-freepbx.md', 'docs/guide-two-machines.md'].flatMap((path) =>
      [...textOf(path).matchAll(/```ini\n([\s\S]*?)```/g)].map(([, ini = '']) => ({ path, ini })),
    ),
  ].filter(({ ini }) => !ini.includes('exten =>'));

  test('there are some', () => {
    expect(files.flatMap(({ ini }) => optionsOf(ini)).length).toBeGreaterThan(30);
  });

  test.each(files)('$path: the lab sets it too', ({ ini }) => {
    expect(optionsOf(ini).filter((name) => !known.includes(name))).toEqual([]);
  });
});
