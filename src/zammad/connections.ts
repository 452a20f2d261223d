/** The sockets to one Zammad. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { SecureContext } from 'node:tls';
import type { Millis } from '../call/vocabulary.js';

export interface Connections {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
  /** Ends every socket, those in use too. */
  destroy(): void;
}

export interface ConnectionSettings {
  /** False: every request gets a socket of its own, which is closed after it. */
  readonly keepAlive: boolean;
  /** A socket idle for longer is closed, so that a request does not meet a server that is just closing it. */
  readonly maxIdle: Millis;
  /** With the authorities to trust instead of Node's own. */
  readonly secureContext?: SecureContext | undefined;
}

/** Idle sockets kept. How many are in use at once is bounded by who sends. */
const MAX_IDLE_SOCKETS = 16;

export function createConnections({ keepAlive, maxIdle, secureContext }: ConnectionSettings): Connections {
  const common = { keepAlive, maxFreeSockets: MAX_IDLE_SOCKETS, ...(keepAlive ? { timeout: maxIdle } : {}) };
  const http = new HttpAgent(common);
  const https = new HttpsAgent({ ...common, ...(secureContext === undefined ? {} : { secureContext }) });
  return {
    http,
    https,
    destroy() {
      http.destroy();
      https.destroy();
    },
  };
}
