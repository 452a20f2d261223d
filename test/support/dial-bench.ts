/** Click-to-call on a real HTTP server, with a PBX that the test plays. */
import { Writable } from 'node:stream';
import { request as plain } from 'node:http';
import { request as tls, type RequestOptions } from 'node:https';
import { Access } from '../../src/access/access.js';
import { mint } from '../../src/access/secret-text.js';
import { systemClock } from '../../src/clock.js';
import { Dialler, type FoundPbx } from '../../src/dial/dialler.js';
import { agentApi } from '../../src/http/agents/agent-api.js';
import { AgentAvailability } from '../../src/availability/agent-availability.js';
import { callRoutes } from '../../src/http/agents/call-routes.js';
import { pageRoutes } from '../../src/http/agents/page-routes.js';
import { stateRoutes } from '../../src/http/agents/state-routes.js';
import type { CertificateFiles } from '../../src/http/certificate.js';
import { createHttpServer, type HttpLimits } from '../../src/http/server.js';
import { createLog } from '../../src/log.js';
import type { Credentials } from '../../src/store/credentials.js';
import { MemoryAgentStates } from '../../src/store/memory-agent-states.js';
import { MemoryCredentials } from '../../src/store/memory-credentials.js';
import { RingingPbx } from './ringing-pbx.js';
import { TEST_CERTIFICATE } from './test-certificate.js';

export interface DialBenchOptions {
  readonly rate?: number;
  readonly trustProxy?: readonly string[];
  readonly tls?: CertificateFiles;
  readonly limits?: Partial<HttpLimits>;
  readonly credentials?: Credentials;
  readonly find?: () => FoundPbx;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Ask {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text goes out as it is, anything else as JSON. */
  readonly body?: unknown;
}

export interface DialBench {
  readonly url: string;
  readonly pbx: RingingPbx;
  /** Every line logged so far. */
  readonly lines: readonly string[];
  readonly credentials: Credentials;
  /** Whether the agents wish to be disturbed; no PBX is led. */
  readonly availability: AgentAvailability;
  tokenOf(agent: string): Promise<{ readonly text: string; readonly id: string }>;
  ask(ask: Ask): Promise<Answer>;
  /** POST /calls with a token. */
  dial(token: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): Promise<void>;
}

const NAMES = new Map([
  ['100', 'Alice Agent'],
  ['101', 'Bob Agent'],
]);

export async function startDialBench(options: DialBenchOptions = {}): Promise<DialBench> {
  const lines: string[] = [];
  const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
    lines.push(chunk.toString());
    done();
  };
  const { logger: log } = createLog({ level: 'trace', pretty: false }, new Writable({ write }));
  const pbx = new RingingPbx();
  const credentials = options.credentials ?? new MemoryCredentials();
  const here: FoundPbx = {
    kind: 'here',
    pbx: { originate: (order) => pbx.originate(order), callIdOf: (leg) => `office-${leg}` },
  };
  const dialler = new Dialler({
    agents: [...NAMES.keys()].map((extension) => ({ extension, devices: [] })),
    pbxs: ['office'],
    find: options.find ?? (() => here),
    rules: {
      country: 'DE',
      allow: [],
      deny: ['+49900*'],
      written: 'national',
      outsidePrefix: '',
      emergency: ['112'],
      outsideLine: ['0'],
    },
    rate: options.rate ?? 100,
    ringFor: 5_000,
    clock: systemClock,
    log,
    count: () => undefined,
  });
  const availability = new AgentAvailability({
    store: new MemoryAgentStates(),
    pbxs: [],
    agents: [...NAMES.keys()].map((extension) => ({ extension, devices: [] })),
    clock: systemClock,
    log,
    count: () => undefined,
    gauge: () => undefined,
  });
  const trustProxy = options.trustProxy ?? [];
  const server = createHttpServer({
    host: '127.0.0.1',
    port: 'any',
    tls: options.tls,
    health: () => ({ pbx: [], zammad: [], problems: [] }),
    log,
    version: '0',
    ...(options.limits !== undefined && { limits: options.limits }),
    routes: [
      agentApi({
        door: new Access({ credentials, clock: systemClock, nameOf: (extension) => NAMES.get(extension) }),
        trustProxy,
        log,
        count: () => undefined,
        routes: [callRoutes(dialler), stateRoutes(availability, systemClock)],
      }),
      pageRoutes(trustProxy),
    ],
  });
  const url = (await server.listen())!;
  const ask = (wanted: Ask): Promise<Answer> => askServer(url, wanted);
  return {
    url,
    pbx,
    lines,
    credentials,
    availability,
    async tokenOf(agent) {
      const { id, text, hash } = mint('token');
      await credentials.add({ id, kind: 'token', agent, hash, createdAt: Date.now() });
      return { id, text };
    },
    ask,
    dial: (token, body, headers = {}) =>
      ask({ method: 'POST', path: '/api/v1/calls', body, headers: { authorization: `Bearer ${token}`, ...headers } }),
    close: () => server.close(),
  };
}

/** Not `fetch`: that sends no Host, Origin or Cookie of the test's choice. */
export function askServer(base: string, { method = 'GET', path = '/', headers = {}, body }: Ask): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const url = new URL(path, base);
  const options: RequestOptions = {
    method,
    agent: false,
    ca: TEST_CERTIFICATE,
    headers: { ...(text !== undefined && { 'content-type': 'application/json' }), ...headers },
  };
  return new Promise((resolve, reject) => {
    const sent = (url.protocol === 'https:' ? tls : plain)(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const whole = Buffer.concat(chunks).toString();
        const isJson = String(response.headers['content-type']).startsWith('application/json');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: whole,
          json: isJson ? (JSON.parse(whole) as Record<string, unknown>) : {},
        });
      });
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(text);
  });
}
