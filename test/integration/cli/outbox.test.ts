/** `outbox` and `reconcile` on a real SQLite file, with the bridge's store open beside them, and without. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asCallId } from '../../../src/call/vocabulary.js';
import { command as outbox } from '../../../src/cli/outbox.js';
import { idOf } from '../../../src/cli/outbox-words.js';
import { command as reconcile } from '../../../src/cli/reconcile.js';
import type { Command } from '../../../src/cli/command.js';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { openStore } from '../../../src/store/open-store.js';
import type { OutboxItem } from '../../../src/store/outbox.js';
import type { StoreSettings } from '../../../src/store/settings.js';
import type { Lead, Store } from '../../../src/store/store.js';
import { MAIN, OFFICE, hangup, newCall } from '../../support/delivery-bench.js';
import { leadOf, seenContext } from '../../support/store-rows.js';
import type { Post } from '../../../src/call/vocabulary.js';

let directory: string;
let standIn: StandIn;
let store: Store;
let lead: Lead;
let settings: StoreSettings;

const yaml = (path: string, apiToken = ''): string => `
zammad: [{ name: main, url: "${standIn.url}"${apiToken} }]
numbers: { country: DE }
pbx: [{ name: office, adapter: asterisk-ami, host: 127.0.0.1, username: bridge, secret: pw, trunks: [trunk] }]
store: { path: "${path}" }
delivery: { timeout: 1s }
`;
const TOKEN = ', apiToken: api-token-of-an-agent';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zpb-outbox-'));
  standIn = await startStandIn({ apiToken: 'api-token-of-an-agent' });
  settings = { kind: 'sqlite', path: join(directory, 'bridge.sqlite'), durability: 'normal', keep: 86_400_000 };
  store = await openStore(settings, seenContext().context);
  lead = await leadOf(store, OFFICE);
  await writeFile(join(directory, 'config.yaml'), yaml('bridge.sqlite'), { mode: 0o600 });
});
afterEach(async () => {
  await store.close(1000);
  await standIn.stop();
  await rm(directory, { recursive: true, force: true });
});

async function run(command: Command, args: readonly string[], options: Record<string, string | boolean> = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const status = await command.run({
    args,
    options: { config: join(directory, 'config.yaml'), ...options },
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    signal: new AbortController().signal,
  });
  expect([...out, ...err].join('')).not.toContain('stand-in-token');
  return { status, out: out.join(''), err: err.join('') };
}

async function commit(
  post: Post,
  state: 'dead' | 'unknown' | undefined,
  reason: string,
  repeatable = false,
): Promise<OutboxItem> {
  const common = { pbx: OFFICE, zammad: MAIN, callId: post.callId, repeatable, happenedAt: Date.now() - 7_300_000 };
  const [item] = await lead.commit({ calls: [], posts: [{ ...common, post }] });
  await store.outbox.attempt(item!.seq);
  await store.outbox.settle(item!.seq, state ?? 'waiting', reason);
  return item!;
}
const states = async (...calls: readonly string[]): Promise<readonly string[]> =>
  (await lead.knowledge(calls.map(asCallId))).flatMap(({ posts }) =>
    posts.map(({ post, state }) => `${post.event} ${state}`),
  );

describe('outbox list', () => {
  test('shows who, what, why, and what to do, in words and as JSON', async () => {
    const dead = await commit(newCall('office-1'), 'dead', 'Zammad answered with status 400');
    const unknown = await commit(hangup('office-2'), 'unknown', 'no answer within 10 s');
    await commit(hangup('office-3'), undefined, 'Zammad is down');
    const { status, out } = await run(outbox, ['list']);
    expect(status).toBe(0);
    const [first = '', second = ''] = out.split(/(?<=\n)(?=\S)/);
    expect(first).toContain(
      `${idOf(unknown.seq)}  unknown  2 h old  office → main  hangup of call office-2, customer 491711234567`,
    );
    expect(first).toContain('Why: no answer within 10 s');
    expect(first).toMatch(/What to do: .*caller log.*resend \S+ --yes.*drop/u);
    expect(second).toContain(`${idOf(dead.seq)}  dead`);
    expect(second).toContain('The call is missing in Zammad');
    expect(out).not.toContain('office-3');
    const json = JSON.parse((await run(outbox, ['list'], { json: true, state: 'waiting,dead' })).out) as {
      posts: Record<string, unknown>[];
    };
    expect(json.posts).toMatchObject([
      { state: 'waiting', event: 'hangup', callId: 'office-3', cause: 'cancel', attempts: 1, reason: 'Zammad is down' },
      { state: 'dead', id: idOf(dead.seq), seq: dead.seq, customer: '491711234567', pbx: 'office', zammad: 'main' },
    ]);
  });

  test('says when there are more, and when there is nothing', async () => {
    expect(await run(outbox, ['list'])).toEqual({ status: 0, out: '', err: 'no post is dead or unknown\n' });
    for (const call of ['office-1', 'office-2']) await commit(hangup(call), 'dead', 'too old');
    const { out, err } = await run(outbox, ['list'], { limit: '1' });
    expect(out).toContain('office-2');
    expect(err).toContain('there are more than 1');
  });
});

describe('outbox resend', () => {
  test('by id, in both forms; the leading bridge gets them, each once', async () => {
    const one = await commit(hangup('office-1'), 'dead', 'refused');
    const two = await commit(hangup('office-2'), 'dead', 'refused');
    const { status, out } = await run(outbox, ['resend', idOf(one.seq), String(two.seq)]);
    expect(status).toBe(0);
    expect(out.split('\n').filter((line) => line.includes('sent again'))).toHaveLength(2);
    expect((await lead.handedIn()).map(({ seq, state }) => [seq, state])).toEqual([
      [one.seq, 'waiting'],
      [two.seq, 'waiting'],
    ]);
    expect(await lead.handedIn()).toEqual([]);
  });

  test('a newCall takes the dead posts of its call along', async () => {
    const [first] = [
      await commit(newCall('office-1'), 'dead', 'refused'),
      await commit(hangup('office-1'), 'dead', 'refused'),
    ];
    expect((await run(outbox, ['resend', idOf(first.seq)])).status).toBe(0);
    expect(await states('office-1')).toEqual(['newCall waiting', 'hangup waiting']);
  });

  test('an unknown hangup of a missed call wants --yes, others of the same command are sent', async () => {
    await commit(hangup('office-1'), 'unknown', 'no answer');
    await commit(hangup('office-2'), 'unknown', 'no answer', true);
    const { status, err } = await run(outbox, ['resend'], { 'all-unknown': true });
    expect(status).toBe(1);
    expect(err).toContain('takes the missed call off the list');
    expect(await states('office-1', 'office-2')).toEqual(['hangup unknown', 'hangup waiting']);
    expect((await run(outbox, ['resend'], { 'all-unknown': true, yes: true })).status).toBe(0);
    expect(await states('office-1')).toEqual(['hangup waiting']);
  });

  test('with an API token it does not: the bridge looks before it sends', async () => {
    await writeFile(join(directory, 'config.yaml'), yaml('bridge.sqlite', TOKEN), { mode: 0o600 });
    await commit(hangup('office-1'), 'unknown', 'no answer');
    expect((await run(outbox, ['resend'], { call: 'office-1' })).status).toBe(0);
    expect(await states('office-1')).toEqual(['hangup waiting']);
  });

  test('what is not there is said, with status 1', async () => {
    const waiting = await commit(hangup('office-1'), undefined, 'down');
    const one = await run(outbox, ['resend', idOf(waiting.seq)]);
    expect(one).toMatchObject({ status: 1, out: '' });
    expect(one.err).toContain(`no dead or unknown post ${idOf(waiting.seq)}`);
    expect((await run(outbox, ['drop'], { call: 'office-9' })).status).toBe(1);
  });

  test('works while no bridge runs; the next one takes it up', async () => {
    const { seq } = await commit(hangup('office-1'), 'dead', 'refused');
    await store.close(1000);
    expect((await run(outbox, ['resend'], { 'all-dead': true })).status).toBe(0);
    store = await openStore(settings, seenContext().context);
    lead = await leadOf(store, OFFICE);
    const { posts } = await lead.load();
    const given = [...posts, ...(await lead.handedIn())];
    expect(given).toMatchObject([{ seq, state: 'waiting' }]);
  });
});

test('outbox drop forgets them', async () => {
  const one = await commit(hangup('office-1'), 'dead', 'refused');
  await commit(hangup('office-2'), 'unknown', 'no answer');
  expect((await run(outbox, ['drop', idOf(one.seq)])).status).toBe(0);
  expect(await states('office-1', 'office-2')).toEqual(['hangup unknown']);
  expect((await run(outbox, ['drop'], { 'all-unknown': true, json: true })).status).toBe(0);
  expect(await states('office-1', 'office-2')).toEqual([]);
});

test.each([
  [['lsit'], {}, /there is no "lsit"/],
  [['list', '3.1'], {}, /takes no ids/],
  [['list'], { state: 'gone' }, /there is no state "gone"/],
  [['list'], { limit: '0' }, /whole number/],
  [['resend'], {}, /say which posts/],
  [['resend', 'x'], {}, /no id of a post/],
  [['drop', '1.1'], { 'all-dead': true }, /either IDs, or/],
])('%j %j is a wrong command line', async (args, options, words) => {
  const wrong = run(outbox, args, options);
  await expect(wrong).rejects.toThrow(words);
  await expect(wrong).rejects.toMatchObject({ code: 'ZPB_USAGE' });
});

test('a store in memory cannot be seen from outside', async () => {
  await writeFile(join(directory, 'config.yaml'), yaml('memory'), { mode: 0o600 });
  await expect(run(outbox, ['list'])).rejects.toMatchObject({ code: 'ZPB_STORE_MEMORY' });
});

describe('reconcile', () => {
  const fill = async (): Promise<void> => {
    for (const post of [
      newCall('office-1'),
      newCall('office-2'),
      newCall('office-3'),
      hangup('office-3'),
      newCall('shop-1'),
    ]) {
      await fetch(standIn.url, {
        method: 'POST',
        body: new URLSearchParams(Object.entries(post).map(([key, value]): [string, string] => [key, String(value)])),
      });
    }
    await commit(hangup('office-1', { cause: 'busy' }), 'unknown', 'no answer');
    await commit(hangup('office-2'), undefined, 'Zammad is down');
    await commit(hangup('office-3'), 'unknown', 'no answer');
  };

  test('--dry-run says what would be done, and does nothing', async () => {
    await writeFile(join(directory, 'config.yaml'), yaml('bridge.sqlite', TOKEN), { mode: 0o600 });
    await fill();
    const before = await states('office-1', 'office-2', 'office-3');
    const { status, out } = await run(reconcile, [], { 'dry-run': true });
    expect(status).toBe(0);
    expect(out.trim().split('\n').sort()).toEqual([
      'main  office-1  would be hung up with busy; it rings: its hangup is unknown here, and Zammad has not got it',
      'main  office-3  would not be listed any more: Zammad shows the call in state hangup',
    ]);
    expect(await states('office-1', 'office-2', 'office-3')).toEqual(before);
    const json = JSON.parse((await run(reconcile, [], { 'dry-run': true, json: true })).out) as unknown;
    expect(json).toMatchObject({ dryRun: true, found: [{ what: 'settled' }, { what: 'close', cause: 'busy' }] });
  });

  test('hands the bridge a hangup for what a second look still finds, and forgets what is settled', async () => {
    await writeFile(join(directory, 'config.yaml'), yaml('bridge.sqlite', TOKEN), { mode: 0o600 });
    await fill();
    const { status, out, err } = await run(reconcile, [], { wait: '0' });
    expect(status).toBe(0);
    expect(err).toContain('looking a second time in 2 s');
    expect(out).toContain('office-1  handed to the bridge to be hung up with busy');
    expect(await states('office-1', 'office-2', 'office-3')).toEqual(['hangup waiting', 'hangup waiting']);
    expect(await lead.handedIn()).toMatchObject([{ callId: 'office-1', post: { cause: 'busy' }, state: 'waiting' }]);
  });

  test('without an API token there is nothing to read', async () => {
    const { status, err } = await run(reconcile, []);
    expect(status).toBe(1);
    expect(err).toContain('apiToken');
  });
});
