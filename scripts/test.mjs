// `npm test`: builds, runs every test, the real Asterisk and a short run of the faults included, and says at the end, alone on the
// last line: N passed, N failed, N skipped. Every skipped test is named before; its name says why.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const results = mkdtempSync(join(tmpdir(), 'zpb-test-'));

/** All together; CI has ten minutes for this and the checks. */
const LIMIT_MS = 8 * 60_000;
const KILL_MS = 5_000;
/** These boot a real PBX and measure nothing less than real calls; they mostly wait, so several run at a time, and nothing that computes beside them. */
const LIVE = 'test/e2e/(lab|live-)[^/]*\\.test\\.ts$';

const started = Date.now();

/** Runs a program with its output on ours; resolves with its exit status, `null` when it had to be ended. */
function run(command, args, env = {}) {
  return new Promise((resolve) => {
    // A process group of its own, so that whatever it has started can be ended with it.
    const child = spawn(command, args, {
      cwd: root,
      stdio: 'inherit',
      detached: true,
      env: { ...process.env, ...env },
    });
    const signal = (name) => {
      try {
        process.kill(-child.pid, name);
      } catch {
        // It has ended meanwhile.
      }
    };
    const interrupted = () => {
      signal('SIGKILL');
      process.exit(130);
    };
    let kill;
    const limit = setTimeout(
      () => {
        process.stderr.write(`\nended after ${LIMIT_MS / 60_000} minutes: ${command} ${args.join(' ')}\n`);
        signal('SIGTERM');
        kill = setTimeout(() => signal('SIGKILL'), KILL_MS);
      },
      Math.max(0, LIMIT_MS - (Date.now() - started)),
    );
    const end = (status) => {
      clearTimeout(limit);
      clearTimeout(kill);
      process.off('SIGINT', interrupted);
      process.off('SIGTERM', interrupted);
      resolve(status);
    };
    process.on('SIGINT', interrupted);
    process.on('SIGTERM', interrupted);
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      end(null);
    });
    child.once('exit', end);
  });
}

/** Runs jest and counts. A test file that could not even be loaded, and a run that broke off, count as failures. */
async function jest(name, args) {
  const file = join(results, `${name}.json`);
  const status = await run(
    process.execPath,
    [join(root, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${file}`, ...args],
    { NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' },
  );
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: [], broken: [`jest (${name}) ended without a report`] };
  }
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  const broken =
    status !== 0 && failed === 0 ? [`jest (${name}) ended with status ${status}, though no test failed`] : [];
  const skipped = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter((test) => test.status === 'pending' || test.status === 'todo').map((test) => test.fullName),
  );
  return { passed: report.numPassedTests, failed: failed + broken.length, skipped, broken };
}

/** A program that counts nothing: it passes as one test, or fails as one. */
async function program(name, command, args) {
  const status = await run(command, args);
  return status === 0
    ? { passed: 1, failed: 0, skipped: [], broken: [] }
    : { passed: 0, failed: 1, skipped: [], broken: [`${name} ended with status ${status}`] };
}

async function main() {
  if ((await run('npm', ['run', '--silent', 'build'])) !== 0) {
    return [{ passed: 0, failed: 1, skipped: [], broken: ['the build failed'] }];
  }
  const all = await jest('all', ['--maxWorkers=3', '--testPathIgnorePatterns', '/node_modules/', LIVE]);
  const rest = await Promise.all([
    jest('live', ['--maxWorkers=5', LIVE]),
    program('npm run faults', process.execPath, [join(root, 'scripts/faults.mjs'), '--smoke']),
  ]);
  return [all, ...rest];
}

const runs = await main();
rmSync(results, { recursive: true, force: true });
const sum = (key) => runs.reduce((total, counts) => total + counts[key], 0);
const skipped = runs.flatMap((counts) => counts.skipped);
const broken = runs.flatMap((counts) => counts.broken);
const passed = sum('passed');
const failed = sum('failed');

process.stdout.write(`\n${Math.round((Date.now() - started) / 1000)} seconds in all\n`);
for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
for (const what of broken) process.stdout.write(`failed: ${what}\n`);
if (passed + failed === 0) process.stdout.write('failed: no test ran\n');
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
