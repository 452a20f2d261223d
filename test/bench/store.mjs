/**
 * How fast the store is. A turn is what a post costs: a commit (a call's state and a post), the note of the attempt, the note of its
 * outcome; each is waited for before the next. One call at a time shows the time that a post waits, many at once what a busy
 * bridge gets through. The yardsticks of the same run do the same three writes with nothing in between:
 *   append         a file, fdatasync after each write: what the disk can do
 *   better-sqlite3 one table, each write a commit of its own, no worker thread
 *
 *   node test/bench/store.mjs [--smoke] [--turns N] [--rounds N]
 *
 * The ways take turns; the median of the rounds counts. PostgreSQL runs as a cluster of its own where its programs are installed.
 * Needs `npm run build`.
 */
import { build } from 'esbuild';
import Sqlite from 'better-sqlite3';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../../dist/src/clock.js';
import { createLog } from '../../dist/src/log.js';
import { Secret } from '../../dist/src/secret.js';
import { openStore } from '../../dist/src/store/open-store.js';

const { values: options } = parseArgs({
  options: { smoke: { type: 'boolean', default: false }, turns: { type: 'string' }, rounds: { type: 'string' } },
});
const ROUNDS = Number(options.rounds ?? (options.smoke ? 1 : 5));
const TURNS = Number(options.turns ?? (options.smoke ? 100 : 3_000));
const AT_ONCE = [1, 32];
const KEEP = 7 * 86_400_000;

const folder = mkdtempSync(join(tmpdir(), 'zpb-bench-'));
const { logger: log } = createLog({ level: 'error', pretty: true });
const metrics = { count: () => undefined, gauge: () => undefined };
const cluster = await startCluster();
let files = 0;
const newFile = () => join(folder, `file-${(files += 1)}`);

const sqlite = (durability) => () => durable({ kind: 'sqlite', path: newFile(), durability, keep: KEEP });
const postgres = (durability) => () =>
  durable({ kind: 'postgres', url: new Secret(cluster.createDatabase()), durability, keep: KEEP });
const ways = {
  append: { open: append, atOnce: [1] },
  'better-sqlite3 full': { open: () => bare('full'), atOnce: [1] },
  'better-sqlite3 normal': { open: () => bare('normal'), atOnce: [1] },
  'store, SQLite full': { open: sqlite('full'), atOnce: AT_ONCE },
  'store, SQLite normal': { open: sqlite('normal'), atOnce: AT_ONCE },
  ...(cluster !== undefined && {
    'store, PostgreSQL full': { open: postgres('full'), atOnce: AT_ONCE },
    'store, PostgreSQL normal': { open: postgres('normal'), atOnce: AT_ONCE },
  }),
};

const post = (n) => ({
  pbx: 'office',
  zammad: 'main',
  callId: `office-1795410917.${n}`,
  post: {
    event: 'newCall',
    callId: `office-1795410917.${n}`,
    direction: 'in',
    from: '491711234567',
    to: '4930555200',
    user: ['Alice Agent'],
  },
  repeatable: false,
  happenedAt: 1_800_000_000_000 + n,
});
/** About as large as that of a call with three phones. */
const change = (n) => ({
  callId: `office-1795410917.${n}`,
  root: `1795410917.${n}`,
  ordinal: 1,
  record: recordOf(`office-1795410917.${n}`),
});

/** As large as that of a call of two agents. */
const recordOf = (id) => ({
  ...{ version: 1, id, direction: 'in', root: id, ordinal: 1, from: '491711234567', to: '4930555200' },
  ...{ answered: false, unannounced: false, closing: false, queues: ['sales'], forwards: [], legs: [] },
  customers: [id],
  agents: [{ extension: '100', name: 'Alice Agent'.padEnd(1_000, ' x') }],
  phones: [],
  tellings: [{ zammad: 'main', decision: 'send' }],
});

/** The yardsticks block; so that the meter of stalls can run, each turn ends with a turn of the event loop. */
const turnOfLoop = () => new Promise((resolve) => setImmediate(resolve));

const results = new Map();
try {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, { open, atOnce }] of Object.entries(ways)) {
      for (const parallel of atOnce) {
        const key = `${name.padEnd(24)} ${String(parallel).padStart(3)}`;
        results.set(key, [...(results.get(key) ?? []), await measure(open, parallel)]);
      }
    }
  }
} finally {
  await cluster?.close();
  rmSync(folder, { recursive: true, force: true });
}

console.log(
  `${TURNS} turns, ${ROUNDS} round(s), Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}`,
);
if (cluster === undefined) console.log('no PostgreSQL here');
console.log(
  'way                  at once   turns/s   [min .. max]      p50 ms   p99 ms   longest stall of the event loop, ms',
);
for (const [key, rounds] of results) {
  const median = (what) => rounds.map((round) => round[what]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)];
  const rates = rounds.map(({ rate }) => rate).sort((a, b) => a - b);
  const range = `[${rates[0].toFixed(0)} .. ${rates.at(-1).toFixed(0)}]`;
  const cells = [median('p50').toFixed(2).padStart(8), median('p99').toFixed(2).padStart(8)];
  const stall = Math.max(...rounds.map((round) => round.stall)).toFixed(1);
  console.log(`${key} ${median('rate').toFixed(0).padStart(9)}   ${range.padEnd(16)} ${cells.join(' ')}   ${stall}`);
}

/** Runs TURNS turns, `parallel` at once; resolves with what they took. */
async function measure(open, parallel) {
  const way = await open();
  const times = [];
  let next = 0;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  const lane = async () => {
    for (;;) {
      const n = next;
      next += 1;
      if (n >= TURNS) return;
      const from = performance.now();
      await way.turn(n);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  const took = performance.now() - began;
  delay.disable();
  const written = await way.close();
  if (written !== undefined && written !== TURNS) throw new Error(`${written} of ${TURNS} posts are there`);
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { rate: (TURNS / took) * 1000, p50: at(0.5), p99: at(0.99), stall: delay.max / 1e6 };
}

async function durable(settings) {
  const store = await openStore(settings, { clock: systemClock, random: Math.random, log, metrics });
  const lead = await store.lead('office');
  if (!('epoch' in lead)) throw new Error(`led by ${lead.holder}`);
  return {
    turn: async (n) => {
      const [item] = await lead.commit({ calls: [change(n)], posts: [post(n)] });
      await store.outbox.attempt(item.seq);
      await store.outbox.settle(item.seq, 'waiting', 'so that they can be counted');
    },
    close: async () => {
      if (store.state.state !== 'ok') throw new Error(`the store is not well: ${JSON.stringify(store.state)}`);
      const { posts } = await lead.load();
      await store.close(5_000);
      return posts.filter(({ attempts }) => attempts === 1).length;
    },
  };
}

function append() {
  const file = openSync(newFile(), 'w');
  const write = (value) => {
    writeSync(file, JSON.stringify(value));
    fdatasyncSync(file);
  };
  return {
    turn: (n) => {
      write([change(n), post(n)]);
      write([n, 'sending']);
      write([n, 'waiting']);
      return turnOfLoop();
    },
    close: () => closeSync(file),
  };
}

function bare(durability) {
  const db = new Sqlite(newFile());
  db.pragma('journal_mode = wal');
  db.pragma(`synchronous = ${durability}`);
  db.exec('create table posts (seq integer primary key, body text, state text, attempts integer)');
  const insert = db.prepare('insert into posts values (?, ?, ?, 0)');
  const update = db.prepare('update posts set state = ?, attempts = 1 where seq = ?');
  return {
    turn: (n) => {
      insert.run(n, JSON.stringify([change(n), post(n)]), 'waiting');
      update.run('sending', n);
      update.run('waiting', n);
      return turnOfLoop();
    },
    close: () => {
      const { count } = db.prepare('select count(*) as count from posts where attempts = 1').get();
      db.close();
      return count;
    },
  };
}

/** The tests' own cluster, which is TypeScript. Undefined where there is no PostgreSQL. */
async function startCluster() {
  const outfile = join(folder, 'postgres-cluster.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../support/postgres-cluster.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
  });
  const { noPostgres, PostgresCluster } = await import(pathToFileURL(outfile).href);
  return noPostgres() === undefined ? PostgresCluster.start() : undefined;
}
