/** The XML of FreeSWITCH's guide: whole, in files that vanilla reads in time, with what a waiting call needs. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CALLER_ID_VARIABLES } from '../../../adapters/freeswitch/outbound-socket/decision-commands.js';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/guide-freeswitch.md'), 'utf8');
const snippets = [...guide.matchAll(/```xml\n([\s\S]*?)```/g)].map(([, xml = '']) => xml);

/** The elements still open at the end, of what is well-formed up to there; throws for what is not. */
function openIn(xml: string): readonly string[] {
  const open: string[] = [];
  const element = /<(\/?)([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>/g;
  const bare = xml.replaceAll(/<!--[\s\S]*?-->/g, '');
  if (/[<>]/.test(bare.replaceAll(element, ''))) throw new Error(`no XML: ${bare.replaceAll(element, '')}`);
  for (const [, closes, name = '', attributes = '', empty] of bare.matchAll(element)) {
    if (/&(?!(?:amp|lt|gt|quot|apos);)/.test(attributes)) throw new Error(`a bare "&" in ${name}`);
    if (closes === '/' && open.pop() !== name) throw new Error(`${name} is closed and was not open`);
    if (closes === '' && empty === '') open.push(name);
  }
  return open;
}

test('every snippet is well-formed', () => {
  expect(snippets.length).toBeGreaterThan(5);
  for (const xml of snippets) expect(openIn(xml)).toEqual([]);
});

describe('the gate', () => {
  const gates = snippets.filter((xml) => xml.includes('application="socket"'));

  test('its files come before those that vanilla brings along: the first extension that fits ends the search', () => {
    const files = [...guide.matchAll(/dialplan\/(?:public|default)\/(\w+_zammad_gate\.xml)/g)].map(([, name]) => name!);
    expect(files).toHaveLength(2);
    for (const name of files)
      for (const vanilla of ['00_inbound_did.xml', '00_ladspa.xml', '01_example.com.xml'])
        expect([vanilla, name].sort()[0]).toBe(name);
  });

  test('a call goes on though the bridge dies before its first word, and is asked about once', () => {
    expect(gates).toHaveLength(2);
    for (const xml of gates) {
      expect(xml).toMatch(/data="socket_resume=true"\/>\s*<action application="socket" data="[\d.:]+ async full"\/>/);
      expect(xml).toContain('<condition field="${ZAMMAD_ACTION}" expression="^$"/>');
      expect(xml).toContain('continue="true"');
    }
  });

  test('the guide names the variables that are set', () => {
    for (const name of CALLER_ID_VARIABLES) expect(guide).toContain(`\`${name}\``);
  });
});
