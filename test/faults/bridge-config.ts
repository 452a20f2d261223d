import { PBX } from './call-ids.js';
import { AGENTS, TRUNKS } from './case-facts.js';
import { LOGIN } from './theatre.js';

export const API_TOKEN = 'fault-run-api-token-0123456789';

export interface BridgePlaces {
  readonly zammadUrl: string;
  readonly token: boolean;
  readonly encoding?: 'form' | 'json';
  readonly pbxPort: number;
  readonly httpPort: number;
  /** Undefined: a program without a store. */
  readonly store: { readonly path: string } | { readonly url: string; readonly machine: string } | undefined;
}

/** The configuration file of a bridge, as an object: JSON is YAML. */
export const bridgeConfig = (places: BridgePlaces): Readonly<Record<string, unknown>> => ({
  zammad: [
    {
      name: 'main',
      url: places.zammadUrl,
      ...(places.token ? { apiToken: API_TOKEN } : {}),
      encoding: places.encoding ?? 'form',
    },
  ],
  numbers: { country: 'DE' },
  pbx: [{ name: PBX, adapter: 'asterisk-ami', host: '127.0.0.1', port: places.pbxPort, ...LOGIN, trunks: TRUNKS }],
  agents: AGENTS,
  ...(places.store === undefined ? {} : { store: places.store }),
  http: { host: '127.0.0.1', port: places.httpPort },
  log: { level: 'debug' },
});
