import type { LazyAdapter } from '../src/pbx/registry.js';

/** The one list of adapters. An adapter is loaded when the configuration names it. */
export const ADAPTERS: Readonly<Record<string, LazyAdapter>> = {
  'asterisk-ami': () => import('./asterisk-ami/index.js'),
  'asterisk-ari': () => import('./asterisk-ari/index.js'),
  freeswitch: () => import('./freeswitch/index.js'),
};
