/**
 * How many events a second of an Asterisk can be read, in one process, from memory:
 *   bare     asterisk-manager as it is, every event parsed
 *   all      this program's codec, every event parsed
 *   wanted   this program's codec behind its filter, parsing what the bridge needs (what runs live)
 *   limit    finding the messages only, parsing nothing
 * The same bytes for all, in rounds that take turns; the median of the rounds counts, as events of the stream a second.
 *
 *   node test/bench/ami-codec.mjs [--smoke] [--rounds N] [FILE|DIRECTORY …]
 *
 * Without files it reads a generated stream. A directory is searched for
 * input.ami files. Needs `npm run build`.
 */
import { EventEmitter } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AmiCodec } from '../../dist/adapters/asterisk-ami/codec.js';
import { FrameSplitter } from '../../dist/adapters/asterisk-ami/frames.js';
import { LEG_EVENTS } from '../../dist/adapters/asterisk/legs.js';

const { values: options, positionals: paths } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false }, rounds: { type: 'string' } },
});
const ROUNDS = Number(options.rounds ?? (options.smoke ? 1 : 7));
const CHUNK = 64 * 1024;
const LEAST_BYTES = options.smoke ? 1 << 20 : 24 << 20;

const bytes = repeat(
  paths.length === 0 ? generate(options.smoke ? 500 : 2000) : Buffer.concat(paths.flatMap(read)),
  LEAST_BYTES,
);
const events = bytes.toString('latin1').match(/^Event: /gm)?.length ?? 0;
if (events === 0) throw new Error('no event in the input');

const ways = { bare, all: () => codec('all'), wanted: () => codec(LEG_EVENTS), limit };
const rates = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
const parsed = {};
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [way, run] of Object.entries(ways)) {
    globalThis.gc?.();
    const began = process.hrtime.bigint();
    parsed[way] = run();
    rates[way].push(events / (Number(process.hrtime.bigint() - began) / 1e9));
  }
}
// The greeting's responses are messages too; what matters is that nobody lost an event.
if (parsed.all !== parsed.bare || parsed.limit !== parsed.all || parsed.wanted > parsed.all) {
  throw new Error(`the ways do not agree on what they read: ${JSON.stringify(parsed)}`);
}

console.log(`${events} events, ${(bytes.length / 1e6).toFixed(1)} MB, ${ROUNDS} round(s), Node ${process.version}`);
console.log('way      events/s   [min .. max]            parsed');
for (const [way, list] of Object.entries(rates)) {
  const sorted = list.toSorted((a, b) => a - b);
  const k = (rate) => `${(rate / 1000).toFixed(0)}k`;
  const range = `[${k(sorted[0])} .. ${k(sorted.at(-1))}]`;
  console.log(
    `${way.padEnd(8)} ${k(sorted[Math.floor(sorted.length / 2)]).padStart(8)}   ${range.padEnd(22)} ${parsed[way]}`,
  );
}

function bare() {
  const socket = Object.assign(new EventEmitter(), {
    readyState: 'open',
    setKeepAlive() {},
    setNoDelay() {},
    setEncoding() {},
  });
  const manager = createRequire(import.meta.url)('asterisk-manager')();
  let messages = 0;
  manager.removeAllListeners('rawevent');
  manager.on('rawevent', (item) => {
    // Asterisk sends a stray empty line now and then, of which the package makes an empty message.
    for (const _name in item) {
      messages += 1;
      break;
    }
  });
  const real = net.createConnection;
  net.createConnection = () => socket;
  try {
    manager.connect(1, '');
  } finally {
    net.createConnection = real;
  }
  // From its socket the package gets text, decoded with care for what is cut.
  const decoder = new TextDecoder();
  for (const chunk of chunks()) socket.emit('data', decoder.decode(chunk, { stream: true }));
  return messages;
}

function codec(wanted) {
  const one = new AmiCodec({ events: wanted });
  let messages = 0;
  for (const chunk of chunks()) messages += one.push(chunk).length;
  return messages;
}

function limit() {
  const splitter = new FrameSplitter();
  let messages = 0;
  for (const chunk of chunks()) {
    splitter.push(chunk, () => {
      messages += 1;
    });
  }
  return messages;
}

function* chunks() {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

function read(path) {
  if (!statSync(path).isDirectory()) return [readFileSync(path)];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('input.ami'))
    .sort()
    .map((name) => readFileSync(join(path, name)));
}

function repeat(one, least) {
  return Buffer.concat(Array.from({ length: Math.max(1, Math.ceil(least / one.length)) }, () => one));
}

/** Events as Asterisk 22 sends them with all rights: of ninety a call, twenty say something about its legs. */
function generate(calls) {
  const out = ['Asterisk Call Manager/11.0.0\r\n'];
  const names = ['Zoë Ångström', 'Jürgen Müller', '<unknown>', 'Max Mustermann'];
  for (let call = 0; call < calls; call += 1) {
    const channel = (prefix, part) =>
      [
        ['Channel', `PJSIP/trunk-${(call * 2 + part).toString(16).padStart(8, '0')}`],
        ['ChannelState', '4'],
        ['ChannelStateDesc', 'Ring'],
        ['CallerIDNum', `+49171${1_000_000 + call}`],
        ['CallerIDName', names[call % names.length]],
        ['ConnectedLineNum', '<unknown>'],
        ['ConnectedLineName', '<unknown>'],
        ['Language', 'en'],
        ['AccountCode', ''],
        ['Context', 'from-trunk'],
        ['Exten', '+49305550100'],
        ['Priority', '1'],
        ['Uniqueid', `1795410917.${call * 2 + part}`],
        ['Linkedid', `1795410917.${call * 2}`],
      ].map(([name, value]) => `${prefix}${name}: ${value}\r\n`);
    const event = (name, privilege, ...lines) =>
      out.push(
        `Event: ${name}\r\nPrivilege: ${privilege},all\r\nTimestamp: 1795410917.198030\r\n${lines.flat().join('')}\r\n`,
      );
    const steps = [
      'Newchannel',
      'Newstate',
      'DialBegin',
      'DialEnd',
      'BridgeEnter',
      'BridgeEnter',
      'HangupRequest',
      'BridgeLeave',
      'Hangup',
      'Hangup',
    ];
    for (const step of steps) {
      for (let noise = 0; noise < 5; noise += 1) {
        event('VarSet', 'dialplan', channel('', 0), `Variable: V${noise}\r\nValue: x=${call}\r\n`);
      }
      event(
        'Newexten',
        'dialplan',
        channel('', 0),
        'Extension: 100\r\nApplication: Dial\r\nAppData: PJSIP/100,30,tT\r\n',
      );
      event('RTCPSent', 'reporting', channel('', 1), 'SSRC: 0x1\r\nPT: 200(SR)\r\nReportCount: 0\r\n');
      event(step, 'call', channel('', 0), step.startsWith('Dial') ? channel('Dest', 1) : []);
      event('Newstate', 'call', channel('', 1));
    }
  }
  return Buffer.from(out.join(''));
}
