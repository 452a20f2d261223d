/** A PostgreSQL that goes and comes back, and bridges that take each other's place over it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Secret } from '../../../src/secret.js';
import { openDesk, openStore } from '../../../src/store/open-store.js';
import type { StoreContext, StoreTuning } from '../../../src/store/settings.js';
import type { Lead, Store } from '../../../src/store/store.js';
import { noPostgres, PostgresCluster } from '../../support/postgres-cluster.js';
import { spawnedWorkers } from '../../support/spawn-worker.js';
import { bundleProgram, StoreProcess, type Program } from '../../support/store-process.js';
import { isLead, leadOf, OFFICE, openCall, seenContext, somePost, type SeenStore } from '../../support/store-rows.js';
import { pause, waitFor } from '../../support/wait-for.js';

jest.setTimeout(60_000);

const STEPS = ['waiting', 'sending', 'delivered'];

const reason = noPostgres();
const describeHere = reason === undefined ? describe : describe.skip;

describeHere(`PostgreSQL comes and goes${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: PostgresCluster;
  let program: Program;
  let url: string;
  let seen: SeenStore;
  const opened: Store[] = [];
  const processes: StoreProcess[] = [];

  const settings = (address = url) =>
    ({ kind: 'postgres', url: new Secret(address), durability: 'full', keep: 7 * 86_400_000 }) as const;
  const open = async (
    tuning: Partial<StoreTuning> = {},
    more: Partial<StoreContext> = {},
    address = url,
  ): Promise<Store> => {
    seen = seenContext(tuning, more);
    const store = await openStore(settings(address), seen.context);
    opened.push(store);
    return store;
  };
  const writer = async (holder = 'first'): Promise<StoreProcess> => {
    const child = new StoreProcess(program, ['postgres', url, holder]);
    processes.push(child);
    await waitFor('a first post', () => child.lines.some((line) => line.endsWith('delivered')));
    return child;
  };
  const settled = (store: Store): Promise<unknown> =>
    waitFor('the store to be well', () => store.state.state === 'ok' && store.unwritten === 0, { within: 20_000 });
  const one = (lead: Lead, name: string) => lead.commit({ calls: [openCall(name)], posts: [somePost(name)] });
  const callsOf = async (lead: Lead): Promise<readonly string[]> =>
    (await lead.load()).posts.map(({ callId }) => callId);
  /** Tries until it leads, as a waiting bridge does. */
  const takes = (store: Store): Promise<Lead> =>
    waitFor(
      'the lead',
      async () => {
        const lead = await store.lead(OFFICE);
        return isLead(lead) && lead;
      },
      { every: 100, within: 15_000 },
    );

  beforeAll(async () => {
    [cluster, program] = await Promise.all([PostgresCluster.start(), bundleProgram('store-writer')]);
  });
  afterAll(async () => {
    program.remove();
    await cluster.close();
  });
  beforeEach(() => {
    url = cluster.createDatabase();
  });
  afterEach(async () => {
    for (const child of processes.splice(0)) await child.kill();
    for (const store of opened.splice(0)) await store.close(1_000);
  });

  test.each(['fast', 'kill'] as const)(
    'stopped (%s) and started in the middle of writing: every row is there, once',
    async (how) => {
      const store = await open();
      const lead = await leadOf(store);
      const committed: Promise<unknown>[] = [];
      const names: string[] = [];
      const write = (name: string): void => {
        names.push(name);
        committed.push(one(lead, name));
      };
      for (let n = 0; n < 20; n += 1) {
        write(`a${n}`);
        await pause(3);
      }
      const stopping = cluster.stop(how);
      for (let n = 0; n < 20; n += 1) {
        write(`b${n}`);
        await pause(10);
      }
      await stopping;
      await waitFor('the store to notice', () => store.state.state === 'gone');
      let over = false;
      const late = one(lead, 'late').then(() => (over = true));
      await pause(300);
      // Nothing counts as safe that is not in the database.
      expect(over).toBe(false);
      await cluster.launch();
      await settled(store);
      await Promise.all([...committed, late]);
      expect(await callsOf(lead)).toEqual([...names, 'late']);
      expect(seen.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg)).toEqual([
        expect.stringContaining('PostgreSQL cannot be used'),
      ]);
    },
  );

  test('it stands still: the lead runs out, and goes on when it answers again and nobody else led', async () => {
    const store = await open({ ttl: 1_500, renewEvery: 200, answer: 500 });
    const lead = await leadOf(store);
    await waitFor('a renewal', () => lead.until > performance.now() + 1_200);
    cluster.freeze('SIGSTOP');
    try {
      await waitFor('the lead to run out', () => lead.until < performance.now());
      expect(lead.ended.aborted).toBe(false);
      // A statement is given up after 4 s, a connection after 5 s, one after the other at worst.
      await waitFor('the store to notice', () => store.state.state === 'gone', { within: 20_000 });
    } finally {
      cluster.freeze('SIGCONT');
    }
    await waitFor('a renewal', () => lead.until > performance.now(), { within: 20_000 });
    await one(lead, 'a');
    expect(await callsOf(lead)).toEqual(['a']);
    await settled(store);
  });

  test('not there at start: it is waited for', async () => {
    await cluster.stop();
    let store: Store;
    try {
      store = await open();
      expect(store.state).toMatchObject({ state: 'gone', reason: expect.stringContaining('ECONNREFUSED') as unknown });
      await expect(store.lead(OFFICE)).rejects.toMatchObject({ code: 'ZPB_STORE_GONE', retriable: true });
      await expect(openDesk(settings(), seenContext().context)).rejects.toMatchObject({ code: 'ZPB_STORE_GONE' });
    } finally {
      await cluster.launch();
    }
    await settled(store);
    await one(await leadOf(store), 'a');
  });

  test('wrong password, or no such database: the reason says so, and nothing tells the password', async () => {
    const wrong = await open({}, {}, cluster.urlOf('postgres', 'canary-wrong'));
    expect(wrong.state).toMatchObject({
      state: 'gone',
      reason: expect.stringContaining('refuses the password') as unknown,
    });
    const said = JSON.stringify([seen.lines, wrong.state]);
    expect(said).not.toContain('canary');
    const missing = await open({}, {}, cluster.urlOf('nowhere'));
    expect(missing.state).toMatchObject({ state: 'gone', reason: expect.stringContaining('no database') as unknown });
    expect(JSON.stringify([seen.lines, missing.state])).not.toContain('canary');
    await expect(lead(missing)).rejects.toMatchObject({ code: 'ZPB_STORE_REFUSED' });
    cluster.sql('create database nowhere');
    await settled(missing);
    await one(await leadOf(missing), 'a');
    expect(cluster.sql('select * from zpb_leases', 'nowhere')).not.toContain('canary');
  });

  test('of a newer version', async () => {
    await open();
    cluster.sql(`insert into zpb_migrations values ('999-future', 'x')`, url.split('/').at(-1));
    await expect(open()).rejects.toMatchObject({ code: 'ZPB_STORE_NEWER' });
  });

  test('several that start at once on an empty database', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
    await Promise.all(stores.map(settled));
    const leads = await Promise.all(stores.map((store) => store.lead(OFFICE)));
    expect(leads.filter(isLead)).toHaveLength(1);
  });

  test('another machine takes over when the lead has run out, and not before', async () => {
    const child = await writer();
    const second = await open({}, { holder: 'second', address: 'http://second:8080' });
    expect(await second.lead(OFFICE)).toMatchObject({ holder: `first pid ${child.pid}` });
    await child.kill();
    const began = performance.now();
    const next = await takes(second);
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(3_500);
    expect(took).toBeLessThan(10_000);
    const { posts, newCalls } = await next.load();
    // A step that was committed may not have been told any more: what is there may be ahead of what was told, never behind.
    const there = new Map(
      cluster
        .sql('select seq, state from zpb_posts', url.split('/').at(-1))
        .split('\n')
        .map((row): [number, string] => [Number(row.split('|')[0]), row.split('|')[1]!]),
    );
    const behind = child.lines.filter((line) => {
      const [seq, state] = line.split(' ') as [string, string];
      return STEPS.includes(state) && STEPS.indexOf(there.get(Number(seq)) ?? '') < STEPS.indexOf(state);
    });
    expect(behind).toEqual([]);
    const undelivered = [...there].filter(([, state]) => state !== 'delivered').map(([seq]) => seq);
    expect(posts.map((post) => post.seq).sort()).toEqual(undelivered.sort());
    expect(newCalls.length).toBeGreaterThan(0);
  });

  test('the same machine takes over from a process that surely is gone at once', async () => {
    const child = await writer('same');
    const second = await open({}, { holder: 'same' });
    expect(isLead(await second.lead(OFFICE))).toBe(false);
    await child.kill();
    expect(isLead(await second.lead(OFFICE))).toBe(true);
  });

  test('a process that stood still while another took over writes nothing any more', async () => {
    const child = await writer();
    child.signal('SIGSTOP');
    const second = await open({}, { holder: 'second' });
    const next = await takes(second);
    const epoch = Number(child.lines[0]!.split(' ')[1]);
    expect(next.epoch).toBeGreaterThan(epoch);
    const count = `select count(*), max(changed_at) from zpb_posts`;
    const database = url.split('/').at(-1)!;
    const before = cluster.sql(count, database);
    child.signal('SIGCONT');
    await pause(1_500);
    expect(cluster.sql(count, database)).toBe(before);
    expect(next.ended.aborted).toBe(false);
    await one(next, 'after');
  });

  test('who has lost the lead is told, and what he still wanted to write is discarded and counted', async () => {
    const first = await open({ renewEvery: 60_000, ttl: 300 }, { holder: 'first' });
    const firstSeen = seen;
    const lead = await leadOf(first);
    const [item] = await one(lead, 'a');
    const second = await open({}, { holder: 'second' });
    const next = await takes(second);
    const refusal = { code: 'ZPB_STORE_NOT_LEADING' };
    await expect(first.outbox.attempt(item!.seq)).rejects.toMatchObject(refusal);
    expect(lead.ended.aborted).toBe(true);
    await expect(one(lead, 'b')).rejects.toMatchObject(refusal);
    await expect(first.outbox.settle(item!.seq, 'delivered')).rejects.toMatchObject(refusal);
    expect(firstSeen.counts.get('store_discarded_rows_total office')).toBe(1);
    expect((await next.load()).posts).toMatchObject([{ callId: 'a', state: 'waiting', attempts: 0 }]);
    expect(isLead(await first.lead(OFFICE))).toBe(false);
  });

  test('a renewal tells that the lead is lost', async () => {
    const first = await open({ renewEvery: 1_000, ttl: 200 }, { holder: 'first' });
    const lead = await leadOf(first);
    await takes(await open({}, { holder: 'second' }));
    await waitFor('the end of the first lead', () => lead.ended.aborted);
    expect(lead.until).toBe(-Infinity);
  });

  test('who waits is seen, and a release lets him lead at once', async () => {
    const first = await open({ renewEvery: 100 }, { holder: 'first', address: 'http://first:8080' });
    const lead = await leadOf(first);
    expect(lead.wanted).toBe(false);
    const second = await open({}, { holder: 'second' });
    expect(await second.lead(OFFICE)).toEqual({
      holder: `first pid ${process.pid}`,
      address: 'http://first:8080',
    });
    await waitFor('the wish to be seen', () => lead.wanted);
    await one(lead, 'a');
    await lead.release();
    expect(lead.wanted).toBe(false);
    expect(await callsOf(await leadOf(second))).toEqual(['a']);
  });

  test('a worker thread that is ended is replaced, and nothing is lost', async () => {
    const store = await open();
    const worker = spawnedWorkers.at(-1)!;
    const lead = await leadOf(store);
    const committed: Promise<unknown>[] = [];
    const names = Array.from({ length: 60 }, (_, n) => `c${n}`);
    for (const [n, name] of names.entries()) {
      committed.push(one(lead, name));
      if (n === 30) void worker.terminate();
      await pause(2);
    }
    await Promise.all(committed);
    expect(await callsOf(lead)).toEqual(names);
  });

  test('memory is bounded while it is gone', async () => {
    const store = await open({ rows: 10 });
    const lead = await leadOf(store);
    const waiting: Promise<unknown>[] = [];
    await cluster.stop();
    try {
      waiting.push(...Array.from({ length: 5 }, (_, n) => one(lead, `w${n}`)));
      await expect(one(lead, 'x')).rejects.toMatchObject({ code: 'ZPB_OUTBOX_FULL', retriable: true });
      expect(store.unwritten).toBe(10);
    } finally {
      await cluster.launch();
    }
    await Promise.all(waiting);
    expect(await callsOf(lead)).toHaveLength(5);
  });

  test('a stop while it is gone ends within its time, and says what is lost', async () => {
    const store = await open();
    const lead = await leadOf(store);
    await cluster.stop();
    try {
      const waiting = one(lead, 'a');
      const lost = expect(waiting).rejects.toMatchObject({ code: 'ZPB_OUTBOX_CLOSED' });
      const began = performance.now();
      await store.close(500);
      expect(performance.now() - began).toBeLessThan(4_000);
      await lost;
      expect(seen.lines.map(({ msg }) => msg)).toContainEqual(expect.stringContaining('2 rows could not be written'));
    } finally {
      await cluster.launch();
    }
  });

  const lead = (store: Store) => store.lead(OFFICE);
});
