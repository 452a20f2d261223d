/**
 * What a gate adds to a call, with a real Asterisk: from the customer's INVITE to that of the agent's phone, with the gate's line in the
 * dialplan and without, in turns; the median of the rounds, ms. The bridge is the whole program with SQLite, the stand-in answers at once.
 *
 *   node test/bench/gate-added.mjs [--smoke] [--rounds N]
 *
 * Needs `npm run build`, and what the live tests need (an Asterisk for the lab).
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false }, rounds: { type: 'string' } },
});
const root = fileURLToPath(new URL('../..', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  ['node_modules/jest/bin/jest.js', '--silent', '--testMatch', '<rootDir>/test/bench/gate-added.bench.ts'],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
      ZPB_BENCH_ROUNDS: options.rounds ?? (options.smoke ? '1' : '20'),
    },
  },
);
process.exitCode = status === 0 ? 0 : 1;
