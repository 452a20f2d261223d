import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LEFT_OUT, playableCases } from './case-facts.js';
import { HELP, type Options, readOptions } from './options.js';
import { faultRun } from './run.js';
import { addSums, isWrong, lineOf, noSums, type Sums } from './tally.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function soloRuns(options: Options, directory: string): Promise<Sums> {
  const all = playableCases();
  const cases = all.filter(({ name }) => options.only === undefined || name.includes(options.only));
  if (cases.length === 0) throw new Error(`no recording has "${String(options.only)}" in its name`);
  const left = [...LEFT_OUT].map(([name, why]) => `${name} (${why})`).join(', ');
  say(`seed ${options.seed}; ${cases.length} recordings; left out: ${left}`);
  const sums = noSums();
  for (let run = options.firstRun; run < options.firstRun + options.runs; run += 1) {
    const token = options.token ?? run % 2 === 1;
    const began = Date.now();
    const { seed, program, calls, together, kinds, mean, store, keep } = options;
    const one = await faultRun({
      ...{ seed, run, program, cases, calls, together, token, kinds, mean, store, directory, keep },
      say,
    });
    addSums(sums, one);
    say(
      `run ${run} (${token ? 'with' : 'without'} token, ${Math.round((Date.now() - began) / 1000)} s, ${one.whole} calls heard whole, ` +
        `${one.repeated} hangups repeated, stall ${Math.round(one.stallAge)} ms after the start): ${lineOf(one).replace(/^runs 1, /, '')}`,
    );
  }
  return sums;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), root);
  if (options === 'help') {
    say(HELP);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'zpb-faults-'));
  try {
    const sums = await soloRuns(options, directory);
    if (options.json !== undefined)
      writeFileSync(
        options.json,
        `${JSON.stringify({ seed: options.seed, ...sums, faults: Object.fromEntries(sums.faults) }, undefined, 2)}\n`,
      );
    say(lineOf(sums));
    process.exitCode = isWrong(sums) ? 1 : 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

main().catch((thrown: unknown) => {
  process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  process.exitCode = 1;
});
