/** Click-to-call through the whole program: the commands `token` and `dial`, a store on disk, a PBX that the test plays. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { command as dial } from '../../../src/cli/dial.js';
import { command as token } from '../../../src/cli/token.js';
import type { Command } from '../../../src/cli/command.js';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { askServer } from '../../support/dial-bench.js';
import { RingingPbx } from '../../support/ringing-pbx.js';
import { waitFor } from '../../support/wait-for.js';
import { entryOf, startWholeBridge, type PbxEntry, type WholeBridge } from '../../support/whole-bridge.js';

let directory: string;
let zammad: StandIn;
let bridge: WholeBridge;
let pbx: RingingPbx;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zpb-dial-'));
  zammad = await startStandIn();
  pbx = new RingingPbx();
});
afterEach(async () => {
  await bridge.stop();
  await zammad.stop();
  rmSync(directory, { recursive: true, force: true });
});

const ringing = (name: string): PbxEntry => ({ name, port: 1, other: { adapter: pbx.definition, settings: {} } });
const AGENTS = [
  { extension: '100', name: 'Alice Agent', devices: ['PJSIP/alice'], phones: [], pbx: 'office' },
  { extension: '101', name: 'Bob Agent', devices: [], phones: [] },
];

async function start(pbxs: readonly string[] = ['office']): Promise<void> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const path = join(directory, 'bridge.sqlite');
  bridge = await startWholeBridge({
    zammad: [entryOf('main', zammad)],
    pbx: pbxs.map(ringing),
    agents: AGENTS,
    httpPort: port,
    store: { kind: 'sqlite', path, chosen: true, durability: 'normal', keep: 86_400_000 },
  });
  await waitFor('the PBX to be heard', () => bridge.app.health().pbx.every(({ state }) => state === 'hearing'));
  writeFileSync(
    join(directory, 'config.yaml'),
    `zammad: [{ name: main, url: "${zammad.url}" }]
numbers: { country: DE }
pbx: [{ name: office, adapter: asterisk-ami, host: 127.0.0.1, username: bridge, secret: pw, trunks: [trunk] }]
agents: [{ extension: "100", name: Alice Agent }, { extension: "101", name: Bob Agent }]
store: { path: "${path}" }
`,
    { mode: 0o600 },
  );
}

async function run(command: Command, args: readonly string[], options: Record<string, string | boolean>, env = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const status = await command.run({
    args,
    options,
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env,
    signal: new AbortController().signal,
  });
  return { status, out: out.join(''), err: err.join('') };
}
const config = () => ({ config: join(directory, 'config.yaml') });
const made = async (agent: string): Promise<string> => (await run(token, ['create', agent], config())).out.trim();
const dialBy = (text: string, args: readonly string[], options: Record<string, string | boolean> = {}) =>
  run(dial, args, { url: bridge.app.url!, ...options }, { ZPB_TOKEN: text });

test('a token is made, an agent dials with it, and it is revoked, while the bridge runs', async () => {
  await start();
  const { out, err } = await run(token, ['create', '100'], { ...config(), label: 'office computer' });
  const text = out.trim();
  expect(text).toMatch(/^zpb_[0-9a-f]{12}_[\w-]{43}$/);
  expect(err).toMatch(/Alice Agent \(100\); it is not shown again/);
  const listed = await run(token, ['list'], { ...config(), json: true });
  expect(JSON.parse(listed.out)).toMatchObject({ tokens: [{ agent: '100', label: 'office computer' }] });
  expect(listed.out).not.toContain(text.slice(-43));

  const answer = dialBy(text, ['100', '+49 30 123456']);
  await waitFor('the order', () => pbx.orders.length === 1);
  expect(pbx.orders[0]).toEqual({
    agent: { extension: '100', devices: ['PJSIP/alice'] },
    number: '030123456',
    shown: '+4930123456',
    autoAnswer: undefined,
    ringFor: 3_000,
  });
  pbx.take('7.1');
  expect(await answer).toEqual({ status: 0, out: 'You have taken it; +4930123456 is being dialled.\n', err: '' });

  const busy = dialBy(text, ['100', '101'], { json: true });
  await waitFor('the order', () => pbx.orders.length === 2);
  pbx.refuse('busy', '486 Busy Here');
  const { status, out: json } = await busy;
  expect([status, JSON.parse(json)]).toMatchObject([1, { status: 'refused', reason: 'busy', said: '486 Busy Here' }]);
  expect(await dialBy(text, ['101', '030123456'])).toMatchObject({ status: 77, out: '' });

  const [id] = /[0-9a-f]{12}/.exec(text)!;
  expect(await run(token, ['revoke', id], config())).toMatchObject({ status: 0 });
  expect(await run(token, ['revoke', id], config())).toMatchObject({ status: 1 });
  expect(await dialBy(text, ['100', '030123456'])).toMatchObject({ status: 77, err: expect.stringMatching(/revoked/) });
  expect(pbx.orders).toHaveLength(2);
  // Neither token nor number is anybody's business who reads the log.
  expect(bridge.lines.join('')).not.toMatch(new RegExp(`${text.slice(-43)}|123456`));
  const metrics = await askServer(bridge.app.url!, { path: '/metrics' });
  expect(metrics.text).toContain('dial_calls_total{outcome="taken"} 1');
  expect(metrics.text).toContain('api_refused_total{why="token"} 1');
});

test('with several PBXs the agent needs one of his own; the page is there', async () => {
  await start(['office', 'branch']);
  expect(await dialBy(await made('101'), ['101', '030123456'])).toMatchObject({
    status: 1,
    err: expect.stringMatching(/agents\[\]\.pbx/),
  });
  const answer = dialBy(await made('100'), ['100', '030123456']);
  await waitFor('the order', () => pbx.orders.length === 1);
  pbx.take();
  expect(await answer).toMatchObject({ status: 0 });
  expect((await askServer(bridge.app.url!, { path: '/dial' })).status).toBe(200);
});

test('dial says what is missing before it sends anything, and when nobody is there', async () => {
  await start();
  const env = { ZPB_TOKEN: 'zpb_x' };
  const args = ['100', '030123456'];
  await expect(run(dial, args, {}, {})).rejects.toMatchObject({ code: 'ZPB_USAGE' });
  await expect(run(dial, args, { 'token-file': join(directory, 'none') }, env)).rejects.toThrow(/--token-file.*ENOENT/);
  await expect(run(dial, args, { url: 'http://phone.example.com' }, env)).rejects.toThrow(/unencrypted/);
  await expect(run(dial, args, { url: 'nonsense' }, env)).rejects.toMatchObject({ code: 'ZPB_USAGE' });
  const nobody = await run(dial, args, { url: 'http://127.0.0.1:1', json: true }, env);
  expect([nobody.status, JSON.parse(nobody.out)]).toMatchObject([69, { error: { code: 'ZPB_API_UNREACHABLE' } }]);
  await expect(run(token, ['create', '999'], config())).rejects.toThrow(
    /no agent has the extension "999"; configured are 100, 101/,
  );
  await expect(run(token, ['forget'], config())).rejects.toThrow(/create, list and revoke/);
});
