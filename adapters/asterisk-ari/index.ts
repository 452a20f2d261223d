import { defineAdapter } from '../../src/pbx/adapter.js';
import { AsteriskAriAdapter } from './adapter.js';
import { configSchema } from './config.js';
import { readRecording } from './recording.js';
import { createRecorder } from './recorder.js';

/** Asterisk over its REST Interface (ARI): 16 and newer. */
export const adapter = defineAdapter({
  type: 'asterisk-ari',
  configSchema,
  identity: ({ host, port }) => ({ pbx: `asterisk ${host}`, over: 'ARI', port }),
  create: (context, config) => new AsteriskAriAdapter(context, config),
  readRecording,
  createRecorder,
});
