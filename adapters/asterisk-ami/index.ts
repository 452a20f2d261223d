import { defineAdapter } from '../../src/pbx/adapter.js';
import { AsteriskAmiAdapter } from './adapter.js';
import { configSchema } from './config.js';
import { readRecording } from './recording.js';
import { createRecorder } from './recorder.js';

/** Asterisk over its Manager Interface (AMI): 16 and newer. */
export const adapter = defineAdapter({
  type: 'asterisk-ami',
  configSchema,
  identity: ({ host, port }) => ({ pbx: `asterisk ${host}`, over: 'AMI', port }),
  create: (context, config) => new AsteriskAmiAdapter(context, config),
  readRecording,
  createRecorder,
});
