#!/usr/bin/env node
/** The program: argv, signals, exit status. It imports almost nothing, so that each command starts as fast as it can. */
import { constants } from 'node:os';
import { EXIT } from './cli/command.js';
import { errorLine, exitStatus, runProgram } from './cli/program.js';

const stopping = new AbortController();

/** The first signal asks the command to end in order; the second ends it at once. */
const onSignal = (signal: NodeJS.Signals): void => {
  if (stopping.signal.aborted) process.exit(128 + constants.signals[signal]);
  stopping.abort();
};
process.on('SIGTERM', onSignal);
process.on('SIGINT', onSignal);

const onFault = (thrown: unknown): void => {
  process.stderr.write(`${errorLine(thrown, process.env)}\n`);
  process.exit(exitStatus(thrown));
};
process.on('uncaughtException', onFault);
process.on('unhandledRejection', onFault);

// `… | head`: nobody reads on, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  onFault(error);
});
// Nobody is left to tell.
process.stderr.on('error', () => undefined);

const status = await runProgram({
  argv: process.argv.slice(2),
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: stopping.signal,
});
// What was written must be out before the process ends; a handle that somebody forgot must not keep it.
process.stdout.write('', () => {
  process.exit(status);
});
