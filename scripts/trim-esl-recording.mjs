#!/usr/bin/env node
/**
 * Makes a test case of a recording of a FreeSWITCH event socket: keeps the events that matter for calls, and in them the headers
 * that tell about calls (a fiftieth of what `event plain ALL` or `event json ALL` hears).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const HELP = `Usage: node scripts/trim-esl-recording.mjs INPUT OUTPUT

Reads INPUT, the recorded bytes of a FreeSWITCH event socket (zammad-pbx-bridge record), and writes to OUTPUT, in
their order:

  - the first event: it is the recording's zero of time
  - the events that legs are made of (of CUSTOM only conference::maintenance), with the headers that tell about calls
  - what is said at the end of a connection

Bytes of the headers that are kept stay as they are; Content-Length is made to fit. OUTPUT may be INPUT.

  -h, --help   this text

Exit status: 0 written; 1 INPUT has no such event; 2 wrong arguments.
`;

// What legs are made of (LEG_EVENTS of adapters/freeswitch/legs.ts)
const KEPT = new Set([
  'CHANNEL_CREATE',
  'CHANNEL_ANSWER',
  'CHANNEL_BRIDGE',
  'CHANNEL_UNBRIDGE',
  'CHANNEL_HANGUP',
  'CHANNEL_HANGUP_COMPLETE',
  'SHUTDOWN',
]);
const HEADERS = new RegExp(
  `^(?:${[
    'Event-(?:Name|Subclass|Date-Timestamp|Sequence)',
    'Core-UUID|Unique-ID|Channel-(?:Name|Presence-ID|Call-UUID|State|Call-State)|Call-Direction|Answer-State|Hangup-Cause',
    'Caller-(?:Caller-ID-N|Orig-Caller-ID-Num|Destination|RDNIS|Context|ANI|Privacy-Hide-Num|Channel-Hangup).*',
    'Other-Type|Other-Leg-Unique-ID|Bridge-[AB]-Unique-ID|Action|Conference-(?:Name|Unique-ID)',
    'variable_(?:originator|dialed_|user_name|domain_name|sip_(?:auth_username|acl_|gateway|req_user|Privacy|hangup)|cc_|fifo_|ent_|other_loopback).*',
    'variable_(?:originate_disposition|last_bridge_hangup_cause|endpoint_disposition|transfer_disposition|bridge_to|sofia_profile_name)',
    'variable_(?:conference_uuid|current_application|hangup_cause)',
  ].join('|')})$`,
);

function* framesOf(text) {
  let at = 0;
  for (;;) {
    const end = text.indexOf('\n\n', at);
    if (end < 0) return;
    const head = text.slice(at, end);
    const length = Number(/^Content-Length: (\d+)$/m.exec(head)?.[1] ?? 0);
    const type = /^Content-Type: (\S+)$/m.exec(head)?.[1] ?? '';
    if (end + 2 + length > text.length) return;
    yield { type, whole: text.slice(at, end + 2 + length), body: text.slice(end + 2, end + 2 + length) };
    at = end + 2 + length;
  }
}

const PAIR = /"((?:[^"\\]|\\.)*)":"((?:[^"\\]|\\.)*)"/g;
const pairsOf = ({ type, body }) =>
  type === 'text/event-json'
    ? [...body.matchAll(PAIR)].map(([whole, name, value]) => ({ whole, name, value }))
    : body
        .split('\n')
        .filter((line) => line.includes(': '))
        .map((line) => ({
          whole: line,
          name: line.slice(0, line.indexOf(': ')),
          value: line.slice(line.indexOf(': ') + 2),
        }));

function matters(pairs) {
  const valueOf = (wanted) => pairs.find(({ name }) => name === wanted)?.value;
  return (
    KEPT.has(valueOf('Event-Name')) || decodeURIComponent(valueOf('Event-Subclass') ?? '') === 'conference::maintenance'
  );
}

function withLess(type, pairs) {
  const kept = pairs.filter(({ name }) => HEADERS.test(name)).map(({ whole }) => whole);
  const body = type === 'text/event-json' ? `{${kept.join(',')}}` : `${kept.join('\n')}\n\n`;
  return `Content-Length: ${body.length}\nContent-Type: ${type}\n\n${body}`;
}

function trim(text) {
  const kept = [];
  let zero = false;
  for (const frame of framesOf(text)) {
    if (frame.type === 'text/disconnect-notice') kept.push(frame.whole);
    if (!/^text\/event-(?:plain|json)$/.test(frame.type)) continue;
    const pairs = pairsOf(frame);
    if (zero && !matters(pairs)) continue;
    zero = true;
    kept.push(withLess(frame.type, pairs));
  }
  return kept;
}

function main() {
  let options;
  try {
    options = parseArgs({ options: { help: { type: 'boolean', short: 'h' } }, allowPositionals: true });
  } catch (thrown) {
    process.stderr.write(`trim-esl-recording: ${thrown.message}\n\n${HELP}`);
    return 2;
  }
  if (options.values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [input, output, ...more] = options.positionals;
  if (input === undefined || output === undefined || more.length > 0) {
    process.stderr.write(`trim-esl-recording: give INPUT and OUTPUT\n\n${HELP}`);
    return 2;
  }
  // latin1 keeps every byte as it is.
  const bytes = readFileSync(input, 'latin1');
  const kept = trim(bytes);
  if (kept.length === 0) {
    process.stderr.write(`trim-esl-recording: ${input} holds no event\n`);
    return 1;
  }
  const trimmed = kept.join('');
  writeFileSync(output, trimmed, 'latin1');
  process.stderr.write(`${input}: ${kept.length} frames kept, ${trimmed.length} of ${bytes.length} bytes\n`);
  return 0;
}
process.exitCode = main();
