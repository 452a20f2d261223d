/**
 * How long `replay` takes from its start to its end, beside a Node that does nothing.
 *
 *   node test/bench/replay-start.mjs [--smoke] [--rounds N] [--config FILE --pbx NAME RECORDING]
 *
 * Without a recording it takes the first of the demo's. The two take turns; the least of the rounds says what the program costs,
 * the median what the machine adds. Needs `npm run build`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    config: { type: 'string' },
    pbx: { type: 'string' },
  },
});
const ROUNDS = Number(options.rounds ?? (options.smoke ? 1 : 15));
const program = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'zpb-bench-'));

const ways = { 'bare node': ['-e', '0'], replay: [program, 'replay', ...recording()] };
const times = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
try {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [way, args] of Object.entries(ways)) {
      times[way].push(await run(args));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(`${ROUNDS} round(s), Node ${process.version}, milliseconds of the clock on the wall`);
console.log('             least  median    most');
for (const [way, list] of Object.entries(times)) {
  const sorted = list.toSorted((a, b) => a - b);
  const cells = [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  console.log(`${way.padEnd(10)} ${cells.map((ms) => ms.toFixed(0).padStart(7)).join(' ')}`);
}

/** The arguments of `replay`. */
function recording() {
  if (positionals.length > 0) {
    const named = ['config', 'pbx'].filter((key) => options[key] !== undefined);
    return [...named.flatMap((key) => [`--${key}`, options[key]]), ...positionals];
  }
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `zammad: [{ name: main, url: "http://127.0.0.1:1/api/v1/cti/token" }]
numbers: { country: DE }
pbx: [{ name: office, adapter: asterisk-ami, host: 127.0.0.1, username: bridge, secret: none, trunks: [trunk] }]
agents: [{ extension: "100", name: Alice Agent }]
`,
  );
  return ['--config', config, fileURLToPath(new URL('../../dist/src/demo/calls/direct.ami', import.meta.url))];
}

/** Runs Node with `args`; resolves with milliseconds. */
async function run(args) {
  const began = process.hrtime.bigint();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let bytes = 0;
  child.stdout.on('data', (data) => {
    bytes += data.length;
  });
  const [status] = await once(child, 'close');
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with status ${status}`);
  if (args.includes('replay') && bytes === 0) throw new Error('the replay printed no post');
  return ms;
}
