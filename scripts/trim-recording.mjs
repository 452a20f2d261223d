#!/usr/bin/env node
/**
 * Makes a test case of a recording of the Asterisk Manager Interface: keeps the messages that matter for calls, byte for
 * byte, and drops the rest (four fifths of what a login with all rights hears).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const HELP = `Usage: node scripts/trim-recording.mjs INPUT OUTPUT

Reads INPUT, the recorded bytes of an Asterisk Manager Interface (zammad-pbx-bridge record), and writes to OUTPUT
only the messages that matter for calls, unchanged and in their order:

  - the first message that has a Timestamp: it is the recording's zero of time
  - the events that legs are made of, and those that a person needs to understand the recording
    (DialEnd, transfers, pick-up, parking, queues and agents, Local channels being optimised away)
  - Newexten only where the application is VoiceMail

The greeting, responses and everything else are left out. OUTPUT may be INPUT.

  -h, --help   this text

Exit status: 0 written; 1 INPUT has no such message; 2 wrong arguments.
`;

const KEPT = new Set([
  // what legs are made of (LEG_EVENTS of adapters/asterisk/legs.ts)
  ...[
    'Newchannel',
    'Newstate',
    'NewCallerid',
    'LocalBridge',
    'DialBegin',
    'HangupRequest',
    'SoftHangupRequest',
    'BridgeEnter',
    'BridgeLeave',
  ],
  ...['BridgeDestroy', 'Hangup', 'QueueCallerJoin', 'Shutdown'],
  // what tells a reader why
  ...['DialEnd', 'BlindTransfer', 'AttendedTransfer', 'Pickup', 'ParkedCall', 'UnParkedCall', 'OriginateResponse'],
]);
const KEPT_FAMILY = /^(?:QueueCaller|Agent|LocalOptimization)/;

/** Frames end at an empty line; a frame may follow a greeting line. */
const nameOf = (frame) => /^Event: (\S+)/m.exec(frame)?.[1];
function matters(frame) {
  const name = nameOf(frame);
  if (name === undefined) return false;
  if (name === 'Newexten') return /^Application: VoiceMail\r?$/m.test(frame);
  return KEPT.has(name) || KEPT_FAMILY.test(name);
}

function trim(text) {
  let zero = false;
  const kept = [];
  for (const part of text.split(/(?<=\r?\n\r?\n)/)) {
    const frame = part.replace(/^Asterisk Call Manager[^\n]*\n/, '');
    const first = !zero && /^Timestamp: /m.test(frame);
    zero ||= first;
    if ((first || matters(frame)) && /\n\r?\n$/.test(frame)) kept.push(frame);
  }
  return kept;
}

function main() {
  let options;
  try {
    options = parseArgs({ options: { help: { type: 'boolean', short: 'h' } }, allowPositionals: true });
  } catch (thrown) {
    process.stderr.write(`trim-recording: ${thrown.message}\n\n${HELP}`);
    return 2;
  }
  if (options.values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [input, output, ...more] = options.positionals;
  if (input === undefined || output === undefined || more.length > 0) {
    process.stderr.write(`trim-recording: give INPUT and OUTPUT\n\n${HELP}`);
    return 2;
  }
  // latin1 keeps every byte as it is.
  const bytes = readFileSync(input, 'latin1');
  const kept = trim(bytes);
  if (kept.length === 0) {
    process.stderr.write(`trim-recording: ${input} holds no message that matters for calls\n`);
    return 1;
  }
  const trimmed = kept.join('');
  writeFileSync(output, trimmed, 'latin1');
  process.stderr.write(`${input}: ${kept.length} messages kept, ${trimmed.length} of ${bytes.length} bytes\n`);
  return 0;
}
process.exitCode = main();
