/** The sockets to one Zammad. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
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
  readonly maxSockets: number;
  /** Authorities to trust instead of Node's own. */
  readonly ca?: readonly string[] | undefined;
}

export function createConnections({ keepAlive, maxIdle, maxSockets, ca }: ConnectionSettings): Connections {
  const common = { keepAlive, maxSockets, maxFreeSockets: maxSockets, ...(keepAlive ? { timeout: maxIdle } : {}) };
  const http = new HttpAgent(common);
  const https = new HttpsAgent({ ...common, ...(ca === undefined ? {} : { ca: [...ca] }) });
  return {
    http,
    https,
    destroy() {
      http.destroy();
      https.destroy();
    },
  };
}
