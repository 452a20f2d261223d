import { Worker } from 'node:worker_threads';
import type { WorkerSettings } from './protocol.js';

/** Starts the store's worker thread: the compiled file beside this one. Tests have a way of their own (jest.config.js). */
export const spawnWorker = (settings: WorkerSettings): Worker =>
  new Worker(new URL('./worker.js', import.meta.url), { workerData: settings, name: 'store' });
