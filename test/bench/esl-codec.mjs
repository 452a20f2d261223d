/**
 * How many events a second of a FreeSWITCH can be read, in one process, from memory:
 *   json     `event json`: frames found, every event parsed, five headers read
 *   wanted   the same behind the filter: of what FreeSWITCH has to say, only what the bridge needs is parsed
 *   plain    `event plain`, every event parsed
 *   limit    `event json`: finding the frames only, parsing nothing
 * and, on the same bytes, what the packages `esl` and `modesl` do with them (the yardsticks): every event
 * parsed by their own code, from a socket that is none, the same five headers read.
 * The same events for all, in rounds that take turns; the median of the rounds counts.
 *
 *   node test/bench/esl-codec.mjs [--smoke] [--rounds N] [FILE|DIRECTORY …]
 *
 * The yardsticks are no dependency of this project. They are taken from the directory that ZPB_YARDSTICKS names, if they are installed
 * there (`npm install --prefix DIRECTORY esl@11.2.1 modesl@1.2.1`), or from node_modules here; one that is not there is named.
 * Without files it reads a generated stream: events of 120 headers, some 5 kB, of which one in ten says something about legs.
 * A directory is searched for input.esl files (`event plain`). Needs `npm run build`.
 */
import { EventEmitter } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { eventIn, isEvent } from '../../dist/adapters/freeswitch/codec.js';
import { percentDecoded } from '../../dist/adapters/freeswitch/event.js';
import { EslFramer } from '../../dist/adapters/freeswitch/frames.js';
import { LEG_EVENTS } from '../../dist/adapters/freeswitch/legs.js';

const { values: options, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false }, rounds: { type: 'string' } },
});
const ROUNDS = Number(options.rounds ?? (options.smoke ? 1 : 7));
const CHUNK = 64 * 1024;
const LEAST_EVENTS = options.smoke ? 500 : 20_000;
const READ = ['Unique-ID', 'Channel-Name', 'Call-Direction', 'Answer-State', 'variable_originator'];

const recorded = paths.length === 0 ? generate() : paths.flatMap(read).flatMap(eventsOf);
if (recorded.length === 0) throw new Error('no event in the input');
const events = Array.from({ length: Math.ceil(LEAST_EVENTS / recorded.length) }, () => recorded).flat();
const NAMES = new Set(recorded.map((headers) => headers.find(([name]) => name === 'Event-Name')?.[1]));
const json = Buffer.from(events.map((headers) => frame('json', JSON.stringify(Object.fromEntries(headers)))).join(''));
const plain = Buffer.from(
  events
    .map((headers) =>
      frame('plain', `${headers.map(([name, value]) => `${name}: ${encodeURIComponent(value)}`).join('\n')}\n\n`),
    )
    .join(''),
);

const ways = {
  json: () => parse(json, 'all'),
  wanted: () => parse(json, LEG_EVENTS),
  plain: () => parse(plain, 'all'),
  limit: () => frames(json).length,
  ...yardsticks(),
};
const rates = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
const parsed = {};
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [way, run] of Object.entries(ways)) {
    globalThis.gc?.();
    const began = process.hrtime.bigint();
    parsed[way] = run();
    rates[way].push(events.length / (Number(process.hrtime.bigint() - began) / 1e9));
  }
}
if (Object.entries(parsed).some(([way, count]) => (way === 'wanted' ? count === 0 : count !== events.length)))
  throw new Error(`the ways do not agree on what they read: ${JSON.stringify(parsed)}`);

const size = (json.length / events.length / 1000).toFixed(1);
console.log(`${events.length} events of ${size} kB (JSON), ${ROUNDS} round(s), Node ${process.version}`);
console.log('way            events/s   [min .. max]            parsed');
for (const [way, list] of Object.entries(rates)) {
  const sorted = list.toSorted((a, b) => a - b);
  const k = (rate) => `${(rate / 1000).toFixed(1)}k`;
  const range = `[${k(sorted[0])} .. ${k(sorted.at(-1))}]`;
  console.log(
    `${way.padEnd(14)} ${k(sorted[Math.floor(sorted.length / 2)]).padStart(8)}   ${range.padEnd(22)} ${parsed[way]}`,
  );
}

/** The ways of the packages that are installed; of the others it is said that they are not. */
function yardsticks() {
  const directory = process.env.ZPB_YARDSTICKS ?? fileURLToPath(new URL('../..', import.meta.url));
  const require = createRequire(`${resolve(directory)}/`);
  // One of them makes Buffers as one did ten years ago.
  process.noDeprecation = true;
  const found = {};
  for (const [name, read] of Object.entries({ esl: readByEsl, modesl: readByModesl })) {
    try {
      const library = require(name);
      found[`${name} json`] = () => read(library, json);
      found[`${name} plain`] = () => read(library, plain);
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
      console.log(`no yardstick "${name}": it is not installed (ZPB_YARDSTICKS names where it is)`);
    }
  }
  return found;
}

/** As much of a socket as the packages want. */
function socketOfNone() {
  const nothing = () => undefined;
  return Object.assign(new EventEmitter(), { setKeepAlive: nothing, setNoDelay: nothing, end: nothing });
}
function give(socket, bytes) {
  for (let at = 0; at < bytes.length; at += CHUNK) socket.emit('data', bytes.subarray(at, at + CHUNK));
}

function readByEsl({ FreeSwitchResponse }, bytes) {
  const socket = socketOfNone();
  const quiet = () => undefined;
  const response = new FreeSwitchResponse(socket, { debug: quiet, info: quiet, error: quiet });
  let count = 0;
  for (const name of NAMES) {
    response.on(name, ({ body }) => {
      count += 1;
      for (const header of READ) void body[header];
    });
  }
  give(socket, bytes);
  return count;
}

function readByModesl({ Parser }, bytes) {
  const socket = socketOfNone();
  let count = 0;
  new Parser(socket).on('esl::event', (event) => {
    count += 1;
    for (const header of READ) event.getHeader(header);
  });
  give(socket, bytes);
  return count;
}

function frame(form, body) {
  return `Content-Length: ${Buffer.byteLength(body)}\nContent-Type: text/event-${form}\n\n${body}`;
}

function frames(bytes) {
  const framer = new EslFramer();
  const found = [];
  for (let at = 0; at < bytes.length; at += CHUNK) found.push(...framer.push(bytes.subarray(at, at + CHUNK)));
  return found;
}

function parse(bytes, wanted) {
  const framer = new EslFramer();
  let count = 0;
  for (let at = 0; at < bytes.length; at += CHUNK) {
    for (const one of framer.push(bytes.subarray(at, at + CHUNK))) {
      const event = eventIn(one, wanted);
      if (event === undefined) continue;
      count += 1;
      for (const header of READ) event.get(header);
    }
  }
  return count;
}

function read(path) {
  if (!statSync(path).isDirectory()) return [readFileSync(path)];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('input.esl'))
    .sort()
    .map((name) => readFileSync(join(path, name)));
}

function eventsOf(bytes) {
  return new EslFramer()
    .push(bytes)
    .filter((one) => isEvent(one) && one.type === 'text/event-plain')
    .map(({ body }) =>
      body
        .toString('utf8')
        .split('\n')
        .filter((line) => line.includes(': '))
        .map((line) => [line.slice(0, line.indexOf(': ')), percentDecoded(line.slice(line.indexOf(': ') + 2))]),
    );
}

/** What `ALL` says of a call: of ten events nine are steps of the dialplan and states of the channel. */
function generate() {
  const noise = ['CHANNEL_EXECUTE', 'CHANNEL_EXECUTE_COMPLETE', 'CHANNEL_STATE', 'CHANNEL_CALLSTATE', 'CALL_UPDATE'];
  const signal = ['CHANNEL_CREATE', 'CHANNEL_ANSWER', 'CHANNEL_BRIDGE', 'CHANNEL_HANGUP_COMPLETE'];
  return Array.from({ length: 200 }, (_, n) => [
    ['Event-Name', n % 10 === 0 ? signal[(n / 10) % signal.length] : noise[n % noise.length]],
    ['Event-Sequence', String(n)],
    ['Unique-ID', `16fee47d-847a-466a-b6b3-${String(n).padStart(12, '0')}`],
    ['Channel-Name', `sofia/external/+49171392${n}@127.0.0.1`],
    ['Call-Direction', 'inbound'],
    ['Answer-State', 'answered'],
    ['Caller-Caller-ID-Name', 'Zoë Müller, Köln'],
    ...Array.from({ length: 113 }, (__, v) => [`variable_sip_h_${v}`, `value ${v} <sip:49171>`]),
  ]);
}
