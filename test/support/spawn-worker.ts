/** Takes the place of src/store/spawn-worker.ts in every test: the worker comes from the source, compiled when first needed. */
import { Worker } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import type { WorkerSettings } from '../../src/store/protocol.js';

/** Those that were started in this test file, oldest first: for tests that end one. */
export const spawnedWorkers: Worker[] = [];

let code: string | undefined;

export function spawnWorker(settings: WorkerSettings): Worker {
  code ??= compile();
  const worker = new Worker(code, { eval: true, workerData: settings, name: 'store' });
  spawnedWorkers.push(worker);
  return worker;
}

function compile(): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('../../src/store/worker.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    packages: 'external',
    supported: { 'dynamic-import': false },
  });
  return outputFiles[0]!.text;
}
