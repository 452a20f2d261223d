/**
 * How long the event loop stands still while a snapshot is taken up: Asterisk drops a listener that does not read for 100 ms. What
 * a large PBX would answer is made up, and goes through the adapter's own resync, the brain and the store (SQLite, in a worker
 * thread); the network and Zammad are left out.
 *   cold  the bridge has just started and knows no call
 *   warm  after a reconnect: one call in ten is over meanwhile, and as many are new
 *
 *   node test/bench/snapshot.mjs [--smoke] [--channels N] [--rounds N] [--only AMI|ARI|FreeSWITCH]
 *
 * The ways take turns; the median of the rounds counts. Needs `npm run build`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOver } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { AmiCodec } from '../../dist/adapters/asterisk-ami/codec.js';
import { Resync as AmiResync } from '../../dist/adapters/asterisk-ami/resync.js';
import { Resync as AriResync } from '../../dist/adapters/asterisk-ari/resync.js';
import { trunkMatcher } from '../../dist/adapters/asterisk/channel-name.js';
import { AsteriskLegs } from '../../dist/adapters/asterisk/legs.js';
import { FreeSwitchLegs } from '../../dist/adapters/freeswitch/legs.js';
import { Resync as FreeSwitchResync } from '../../dist/adapters/freeswitch/resync.js';
import { createDirectory } from '../../dist/src/call/directory.js';
import { systemClock as clock } from '../../dist/src/clock.js';
import { createLog } from '../../dist/src/log.js';
import { PbxLine } from '../../dist/src/pbx/pbx-line.js';
import { Pipeline } from '../../dist/src/pipeline.js';
import { openStore } from '../../dist/src/store/open-store.js';

const { values: options } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    channels: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
  },
});
const CHANNELS = Number(options.channels ?? (options.smoke ? 100 : 5_000));
const ROUNDS = Number(options.rounds ?? (options.smoke ? 1 : 5));
const AGENTS = Math.ceil(CHANNELS / 2);
const CHUNK = 64 * 1024;

const bridgesOf = (channels) => [...new Set(channels.map(({ bridge }) => bridge))].filter((bridge) => bridge);
const asteriskLegs = (presentation) => new AsteriskLegs(trunkMatcher(['trunk']), presentation);
const STATES = { Ring: 4, Ringing: 5, Up: 6 };

/** A description has some hundred headers that nobody wants. */
const FILLER = Object.fromEntries(
  Array.from({ length: 200 }, (_, n) => [`variable_filler_${n}`, `sip:${n}@192.0.2.1:5060;transport=udp`]),
);

const folder = mkdtempSync(join(tmpdir(), 'zpb-bench-'));
const { logger: log } = createLog({ level: 'error', pretty: true });
const metrics = { count: () => undefined, gauge: () => undefined };
const agents = Array.from({ length: AGENTS }, (_, n) => ({
  ...{ extension: String(10_000 + n), name: `Agent ${n}`, devices: [], phones: [] },
}));

const ways = Object.entries({ AMI: ami, ARI: ari, FreeSWITCH: freeSwitch }).filter(
  ([name]) => options.only === undefined || options.only === name,
);
const results = new Map();
try {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, way] of ways) {
      for (const [state, measured] of Object.entries(await measure(way, `${name}-${round}`))) {
        const key = `${name.padEnd(11)} ${state}`;
        results.set(key, [...(results.get(key) ?? []), measured]);
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(
  `${CHANNELS} channels, ${ROUNDS} round(s), Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}`,
);
console.log('snapshot           all ms   longest turn, ms   [min .. max]       calls   posts');
for (const [key, rounds] of results) {
  const sorted = (what) => rounds.map((round) => round[what]).sort((a, b) => a - b);
  const median = (what) => sorted(what)[Math.floor(rounds.length / 2)];
  const range = `[${sorted('longest')[0].toFixed(1)} .. ${sorted('longest').at(-1).toFixed(1)}]`;
  const cells = [median('all').toFixed(0).padStart(6), median('longest').toFixed(1).padStart(12)];
  console.log(
    `${key.padEnd(18)} ${cells.join('   ')}         ${range.padEnd(18)} ${median('calls')}   ${median('posts')}`,
  );
}

/** Takes a snapshot cold, and another one warm. */
async function measure(way, name) {
  const store = await openStore(
    { kind: 'sqlite', path: join(folder, name), durability: 'normal', keep: 86_400_000 },
    { clock, random: Math.random, log, metrics },
  );
  const lead = await store.lead('office');
  const pipeline = new Pipeline({
    ...{ lead, clock, log, count: () => undefined },
    notify: (items) => {
      posts += items.length;
    },
  });
  let posts = 0;
  let resync;
  let lose = () => undefined;
  let heard = () => undefined;
  const line = new PbxLine({
    ...{ clock, log, metrics, random: () => 0 },
    brain: {
      ...{ pbx: 'office', journal: true, filter: {}, destinations: [{ name: 'main', filter: {} }] },
      calls: {
        ...{ country: 'DE', newCall: 'ringing', answerAgain: true },
        sendQueue: true,
        reportConsultations: true,
        maxSilence: 14_400_000,
      },
      directory: createDirectory(agents, [], 'DE'),
    },
    createAdapter: ({ emit }) => {
      const prepare = way(emit);
      return {
        start: async () => {
          // What the PBX would have to do is not counted.
          const take = prepare(world);
          await turnOver();
          const { all, longest } = await watched(async () => {
            await take();
            await line.tookUp();
            await pipeline.settled();
          });
          heard({ all, longest });
          const lost = new Promise((resolve) => {
            lose = () => resolve(Object.assign(new Error('cut'), { code: 'ZPB_BENCH', retriable: true }));
          });
          return { lost, missing: [] };
        },
        stop: async () => undefined,
        snapshot: () => [],
      };
    },
    onOutcomes: (outcomes) => pipeline.take(outcomes),
  });
  const next = async (begin) => {
    const said = new Promise((resolve) => {
      heard = resolve;
    });
    begin();
    const measured = await said;
    return { ...measured, calls: line.openCalls, posts };
  };
  let world = worldOf(0);
  const cold = await next(() => line.start());
  world = worldOf(Math.floor(world.length / 10));
  const warm = await next(() => lose());
  await line.stop();
  await pipeline.settled();
  await store.close(10_000);
  if (cold.calls === 0 || warm.calls !== cold.calls) throw new Error(`${name}: calls ${cold.calls}, ${warm.calls}`);
  return { cold, warm };
}

/** What the longest turn of the event loop took while `task` ran. */
async function watched(task) {
  let longest = 0;
  let running = true;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(look);
  };
  setImmediate(look);
  const began = performance.now();
  await task();
  await turnOver();
  running = false;
  return { all: performance.now() - began, longest };
}

/** Calls `first` and those after it: of ten, four come in and are talked in, one rings, one goes through a Local channel, four go out. */
function worldOf(first) {
  const calls = [];
  for (let n = first, channels = 0; channels < CHANNELS; n += 1) {
    const call = callOf(n);
    calls.push(call);
    channels += call.length;
  }
  return calls;
}

/** Its channels, as they would be in the midst of it. */
function callOf(n) {
  const kind = n % 10;
  const id = (part) => `1795410917.${n * 4 + part}`;
  const hex = (n * 4).toString(16).padStart(8, '0');
  const customer = `+49171${1_000_000 + n}`;
  const extension = String(10_000 + (n % AGENTS));
  const did = `+493055${1_000 + (n % 100)}`;
  const outside = { number: customer, exten: did, name: `PJSIP/trunk-${hex}` };
  const inside = { number: extension, exten: '', name: `PJSIP/${extension}-${hex}` };
  const made = { app: 'AppDial', data: '(Outgoing Line)' };
  if (kind < 5) {
    const [state, made_] = kind === 4 ? [['Ring', 'Ringing'], undefined] : [['Up', 'Up'], `bridge-${n}`];
    const dials = { app: 'Dial', data: `PJSIP/${extension},30,tT` };
    return [
      { ...outside, ...dials, id: id(0), state: state[0], first: id(0), dnid: did, bridge: made_, other: extension },
      { ...inside, ...made, id: id(1), state: state[1], first: id(0), dnid: '', bridge: made_, other: customer },
    ];
  }
  if (kind < 9) {
    const dials = { app: 'Dial', data: `PJSIP/${customer}@trunk,60,tT` };
    const bridge = `bridge-${n}`;
    return [
      { ...inside, ...dials, id: id(0), state: 'Up', first: id(0), dnid: customer, bridge, other: customer },
      { ...outside, ...made, exten: '', id: id(1), state: 'Up', first: id(0), dnid: '', bridge, other: extension },
    ];
  }
  const local = `Local/${extension}@from-queue-${hex}`;
  const queue = { app: 'Queue', data: 'sales,t' };
  const dials = { app: 'Dial', data: `PJSIP/${extension},30,tT` };
  const [a, b] = [`bridge-${n}-a`, `bridge-${n}-b`];
  const half = { number: extension, exten: extension, first: id(0), dnid: '', state: 'Up' };
  return [
    { ...outside, ...queue, id: id(0), state: 'Up', first: id(0), dnid: did, bridge: a, other: extension },
    { ...half, ...made, app: 'AppQueue', id: id(1), name: `${local};1`, bridge: a, other: customer },
    { ...half, ...dials, id: id(2), name: `${local};2`, bridge: b, other: customer },
    { ...inside, ...made, id: id(3), state: 'Up', first: id(0), dnid: '', bridge: b, other: customer },
  ];
}

function ami(emit) {
  const legs = asteriskLegs('heard');
  const resync = new AmiResync({ legs, clock, log, emit });
  const block = (lines) => `${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`;
  const bridge = (id) =>
    block([
      ...[
        ['Event', 'BridgeListItem'],
        ['BridgeUniqueid', id],
        ['BridgeType', 'basic'],
      ],
      ...[
        ['BridgeTechnology', 'simple_bridge'],
        ['BridgeCreator', '<unknown>'],
        ['BridgeName', '<unknown>'],
      ],
      ...[
        ['BridgeNumChannels', 2],
        ['BridgeVideoSourceMode', 'none'],
      ],
    ]);
  const status = (channel) =>
    block([
      ...[
        ['Event', 'Status'],
        ['Privilege', 'Call'],
        ['Channel', channel.name],
      ],
      ...[
        ['ChannelState', STATES[channel.state]],
        ['ChannelStateDesc', channel.state],
      ],
      ...[
        ['CallerIDNum', channel.number],
        ['CallerIDName', '<unknown>'],
      ],
      ...[
        ['ConnectedLineNum', channel.other],
        ['ConnectedLineName', '<unknown>'],
        ['Language', 'en'],
      ],
      ...[
        ['AccountCode', ''],
        ['Context', 'from-trunk'],
        ['Exten', channel.exten],
        ['Priority', 1],
      ],
      ...[
        ['Uniqueid', channel.id],
        ['Linkedid', channel.first],
        ['Type', 'PJSIP'],
        ['DNID', channel.dnid],
      ],
      ...[
        ['EffectiveConnectedLineNum', channel.other],
        ['EffectiveConnectedLineName', '<unknown>'],
      ],
      ...[
        ['TimeToHangup', 0],
        ['BridgeID', channel.bridge ?? ''],
        ['Application', channel.app],
      ],
      ...[
        ['Data', channel.data],
        ['Nativeformats', '(ulaw)'],
        ['Readformat', 'ulaw'],
        ['Writeformat', 'ulaw'],
      ],
      ...[
        ['Callgroup', 0],
        ['Pickupgroup', 0],
        ['Seconds', 10],
      ],
    ]);
  return (world) => {
    const channels = world.flat();
    const lists = {
      BridgeList: Buffer.from(bridgesOf(channels).map(bridge).join('')),
      Status: Buffer.from(channels.map(status).join('')),
    };
    return () =>
      resync.take({
        list: async ({ Action }, _complete, { onItem }) => {
          const codec = new AmiCodec({ events: 'all' });
          codec.push(Buffer.from('Asterisk Call Manager/11.0.0\r\n'));
          for (let at = 0; at < lists[Action].length; at += CHUNK) {
            await turnOver();
            for (const item of codec.push(lists[Action].subarray(at, at + CHUNK))) onItem(item);
          }
        },
      });
  };
}

function ari(emit) {
  const resync = new AriResync({ legs: asteriskLegs('asked'), clock, log, emit });
  return (world) => {
    const channels = world.flat();
    const byId = new Map(channels.map((channel) => [channel.id, channel]));
    const members = Map.groupBy?.(channels, ({ bridge }) => bridge) ?? groupedByBridge(channels);
    const lists = {
      bridges: JSON.stringify(
        bridgesOf(channels).map((id) => ({
          ...{ id, technology: 'simple_bridge', bridge_type: 'mixing', bridge_class: 'basic', creator: '', name: '' },
          channels: members.get(id).map((channel) => channel.id),
        })),
      ),
      channels: JSON.stringify(
        channels.map((channel) => ({
          ...{ id: channel.id, name: channel.name, state: channel.state, protocol_id: '', accountcode: '' },
          ...{ caller: { name: '', number: channel.number }, connected: { name: '', number: channel.other } },
          ...{ creationtime: '2026-11-26T23:25:12.872+0000', language: 'en' },
          dialplan: {
            ...{ context: 'from-trunk', exten: channel.exten, priority: 1 },
            ...{ app_name: channel.app, app_data: channel.data },
          },
        })),
      ),
    };
    const rest = {
      request: async ({ path: [what, id], query }) => {
        await turnOver();
        if (id === undefined) return { status: 200, body: JSON.parse(lists[what]) };
        const { first, dnid } = byId.get(id);
        return { status: 200, body: { value: query.variable === 'CHANNEL(linkedid)' ? first : dnid } };
      },
      close: () => undefined,
    };
    return () => resync.take({ rest, at: { host: 'pbx', port: 8088 }, username: 'bridge' });
  };
}

function groupedByBridge(channels) {
  const members = new Map();
  for (const channel of channels) members.set(channel.bridge, [...(members.get(channel.bridge) ?? []), channel]);
  return members;
}

function freeSwitch(emit) {
  const resync = new FreeSwitchResync({ legs: new FreeSwitchLegs(), clock, log, emit });
  let sequence = 0;
  return (world) => {
    // Two legs to a call; nothing stands between them there.
    const calls = world.map((channels) => [channels[0], channels.at(-1)]);
    const described = new Map(
      calls.flatMap((call) => call.map((leg, part) => [leg.id, descriptionOf(leg, part, call)])),
    );
    const rows = calls
      .flat()
      .map(({ id, number, other }) => ({ uuid: id, initial_cid_num: number, initial_dest: other }));
    const list = JSON.stringify({ row_count: rows.length, rows });
    const session = {
      api: async (command) => {
        await turnOver();
        if (command.startsWith('show')) return list;
        const headers = described.get(command.split(' ')[1]);
        if (headers === undefined) return '-ERR No such channel!\n';
        return JSON.stringify({ ...headers, 'Event-Sequence': String((sequence += 1)), ...FILLER });
      },
    };
    return () => resync.take(session, true);
  };
}

function descriptionOf(leg, part, call) {
  const inside = leg.name.startsWith('PJSIP/1');
  const extension = inside ? leg.number : undefined;
  const talks = leg.state === 'Up';
  return {
    ...{ 'Event-Name': 'CHANNEL_DATA', 'Unique-ID': leg.id, 'Event-Date-Timestamp': '1795410917000000' },
    'Call-Direction': part === 0 ? 'inbound' : 'outbound',
    'Answer-State': talks ? 'answered' : 'ringing',
    'Channel-Name': inside ? `sofia/internal/${extension}@pbx` : `sofia/external/${leg.number}`,
    'Caller-Caller-ID-Number': call[0].number,
    'Caller-Destination-Number': call[0].dnid,
    ...(inside
      ? {
          'Channel-Presence-ID': `${extension}@pbx`,
          ...(part === 0 ? { variable_sip_auth_username: extension, variable_user_name: extension } : {}),
          ...(part === 1 ? { variable_dialed_user: extension } : {}),
        }
      : { variable_sip_gateway: 'carrier' }),
    ...(part === 1 ? { variable_originator: call[0].id } : {}),
    ...(talks ? { variable_bridge_to: call[1 - part].id } : {}),
  };
}
