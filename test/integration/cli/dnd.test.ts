/** `dnd` on a real SQLite file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { command } from '../../../src/cli/dnd.js';
import { openStore } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/store.js';
import { OFFICE } from '../../support/delivery-bench.js';
import { seenContext } from '../../support/store-rows.js';

let directory: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zpb-dnd-'));
  const path = join(directory, 'bridge.sqlite');
  const settings = { kind: 'sqlite', path, durability: 'normal', keep: 86_400_000 } as const;
  store = await openStore(settings, seenContext().context);
  const yaml = `
zammad: [{ name: main, url: "https://zammad.example/api/v1/cti/stand-in-token" }]
pbx: [{ name: office, adapter: asterisk-ami, host: 127.0.0.1, username: bridge, secret: pw, trunks: [trunk] }]
agents: [{ extension: "100", name: Alice Agent }]
store: { path: "bridge.sqlite" }
`;
  await writeFile(join(directory, 'config.yaml'), yaml, { mode: 0o600 });
});
afterEach(async () => {
  await store.close(1000);
  await rm(directory, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<string> {
  const out: string[] = [];
  await command.run({
    args,
    options: { config: join(directory, 'config.yaml') },
    stdout: { write: (text) => out.push(text) },
    stderr: { write: () => true },
    env: {},
    signal: new AbortController().signal,
  });
  return out.join('');
}

test('sets and shows', async () => {
  expect(await run('100', 'on')).toContain('Alice Agent (100) does not wish to be disturbed from now on');
  expect(await run('100')).toContain('set by cli');
});

test('one who was taken out of the configuration while undisturbed can be set free, and no more', async () => {
  await store.agentStates.put([
    { extension: '105', state: 'do-not-disturb', since: 1, by: 'api' },
    { extension: '106', pbx: OFFICE, state: 'available', since: 1, by: 'pbx' },
  ]);
  expect(await run('105')).toContain('105 (not configured) does not wish to be disturbed');
  await expect(run('105', 'on')).rejects.toThrow('no agent has the extension "105"');
  expect(await run('105', 'off')).toContain('may be disturbed from now on');
  expect(await store.agentStates.all()).toContainEqual(
    expect.objectContaining({ extension: '105', state: 'available', by: 'cli' }),
  );
  await expect(run('107', 'off')).rejects.toThrow('no agent has the extension "107"');
});
