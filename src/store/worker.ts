/** The store's worker thread: a slow disk or a lock stalls it and not the program. */
import { parentPort, workerData } from 'node:worker_threads';
import { asError, isBridgeError } from '../errors.js';
import type { Engine, Failure, FromWorker, Request, WorkerEvent, WorkerSettings } from './protocol.js';
import { PostgresEngine } from './postgres-engine.js';
import { SqliteEngine } from './sqlite-engine.js';
import { inWords } from './sqlite-trouble.js';

const settings = workerData as WorkerSettings;
const port = parentPort;
const send = (message: FromWorker): void => {
  port?.postMessage(message);
};
const emit = (event: WorkerEvent): void => {
  send({ event });
};

const engine = createEngine();

port?.on('message', (request: Request) => {
  void answer(request);
});

async function answer({ id, name, input }: Request): Promise<void> {
  try {
    send({ id, output: await engine.perform(name, input as never) });
  } catch (thrown) {
    send({ id, failure: failureOf(thrown) });
  }
  if (name === 'close') port?.close();
}

function createEngine(): Engine {
  const { database } = settings;
  if (database.kind === 'sqlite') return new SqliteEngine({ ...settings, database }, emit);
  return new PostgresEngine({ ...settings, database });
}

function failureOf(thrown: unknown): Failure {
  if (isBridgeError(thrown)) return { code: thrown.code, message: thrown.message, retriable: thrown.retriable };
  return {
    code: 'ZPB_STORE_UNAVAILABLE',
    message: `The store cannot be used now: ${inWords(asError(thrown))}`,
    retriable: true,
  };
}
