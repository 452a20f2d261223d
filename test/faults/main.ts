import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CaseFacts, LEFT_OUT, playableCases } from './case-facts.js';
import { haPlans } from './ha-plan.js';
import { haRun } from './ha-run.js';
import { HELP, type Options, readOptions } from './options.js';
import { Chance } from './random.js';
import { faultRun } from './run.js';
import { takeoverLines, type Takeover } from './takeovers.js';
import { addSums, isWrong, lineOf, noSums, type Sums } from './tally.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Result {
  readonly sums: Sums;
  readonly takeovers: readonly Takeover[];
}

function chosenCases({ only, seed }: Options): readonly CaseFacts[] {
  const cases = playableCases().filter(({ name }) => only === undefined || name.includes(only));
  if (cases.length === 0) throw new Error(`no recording has "${String(only)}" in its name`);
  const left = [...LEFT_OUT].map(([name, why]) => `${name} (${why})`).join(', ');
  say(`seed ${seed}; ${cases.length} recordings; left out: ${left}`);
  return cases;
}

async function soloRuns(options: Options, directory: string): Promise<Result> {
  const cases = chosenCases(options);
  const sums = noSums();
  for (let run = options.firstRun; run < options.firstRun + options.runs; run += 1) {
    const token = options.token ?? run % 2 === 1;
    const began = Date.now();
    const one = await faultRun({ ...options, cases, run, token, directory, say });
    addSums(sums, one);
    say(runLine(run, token, began, one));
  }
  return { sums, takeovers: [] };
}

const EACH = 15;

async function haRuns(options: Options, directory: string): Promise<Result> {
  const cases = chosenCases(options);
  const sums = noSums();
  const takeovers: Takeover[] = [];
  for (const [index, plan] of haPlans(options, EACH, new Chance(options.seed)).entries()) {
    const run = index + 1;
    if (run < options.firstRun) continue;
    const token = options.token ?? run % 2 === 1;
    const began = Date.now();
    const one = await haRun({ ...options, cases, run, token, plan, directory, say });
    addSums(sums, one.sums);
    takeovers.push(...one.takeovers);
    say(runLine(run, token, began, one.sums));
    for (const line of takeoverLines(one.takeovers)) say(`  ${line}`);
  }
  for (const line of takeoverLines(takeovers)) say(line);
  return { sums, takeovers };
}

const runLine = (run: number, token: boolean, began: number, sums: Sums): string =>
  `run ${run} (${token ? 'with' : 'without'} token, ${Math.round((Date.now() - began) / 1000)} s, ${sums.whole} calls heard whole, ` +
  `${sums.repeated} hangups repeated, stall ${Math.round(sums.stallAge)} ms after the start, ${Math.round(sums.stallWait)} ms of waiting for a processor): ${lineOf(sums).replace(/^runs 1, /, '')}`;

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), root);
  if (options === 'help') {
    say(HELP);
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'zpb-faults-'));
  try {
    const { sums, takeovers } = options.ha ? await haRuns(options, directory) : await soloRuns(options, directory);
    if (options.json !== undefined)
      writeFileSync(
        options.json,
        `${JSON.stringify({ seed: options.seed, ...sums, faults: Object.fromEntries(sums.faults), takeovers }, undefined, 2)}\n`,
      );
    say(lineOf(sums));
    process.exitCode = isWrong(sums) ? 1 : 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

main()
  .catch((thrown: unknown) => {
    process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
    process.exitCode = 1;
  })
  .finally(() => {
    // Node 20 may turn for ever in its own clean-up when a socket was reset while it was shutting down.
    process.exit();
  });
