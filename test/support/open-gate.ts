import type { GatePort } from '../../src/pbx/adapter.js';

/** A gate that lets every call go on. */
export const OPEN_GATE: GatePort = { ask: () => Promise.resolve({ kind: 'continue' }) };
