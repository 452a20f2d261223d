import { defineAdapter } from '../../src/pbx/adapter.js';
import { FreeSwitchAdapter } from './adapter.js';
import { configSchema } from './config.js';
import { createRecorder } from './recorder.js';
import { readRecording } from './recording.js';

/** FreeSWITCH over its event socket: 1.10. */
export const adapter = defineAdapter({
  type: 'freeswitch',
  configSchema,
  identity: ({ host, port }) => `freeswitch ${host}:${String(port)}`,
  create: (context, config) => new FreeSwitchAdapter(context, config),
  readRecording,
  createRecorder,
});
