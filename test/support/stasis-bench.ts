/** The Stasis gate alone, before an HTTP server that answers as an Asterisk does, or as the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { trunkMatcher } from '../../adapters/asterisk/channel-name.js';
import { parseEvent, type AriEvent } from '../../adapters/asterisk-ari/event.js';
import { createRest } from '../../adapters/asterisk-ari/rest.js';
import type { AriRest } from '../../adapters/asterisk-ari/rest-contract.js';
import { StasisGate, type StasisGateOptions } from '../../adapters/asterisk-ari/stasis-gate.js';
import type { GateDecision, GateRequest } from '../../src/call/gate.js';
import type { LegId } from '../../src/call/vocabulary.js';
import { Secret } from '../../src/secret.js';
import { ManualClock } from './manual-clock.js';
import { waitFor } from './wait-for.js';

/** A status and a body, or no answer at all. */
export type Reply = readonly [status: number, body?: unknown] | 'never';

interface Change {
  readonly type?: string;
  readonly application?: string;
  readonly args?: unknown;
  readonly channel?: Readonly<Record<string, unknown>> | undefined;
}

/** As Asterisk 22 says it of a customer who calls +49305550713. */
export function stasisStart(change: Change = {}): AriEvent {
  const channel = {
    id: '1700000000.1',
    name: 'PJSIP/trunk-000000c2',
    state: 'Ring',
    caller: { name: '', number: '+491711234567' },
    connected: { name: '', number: '' },
    dialplan: { context: 'did', exten: '49305550713', priority: 1, app_name: 'Stasis', app_data: 'zammad,users=100' },
    ...change.channel,
  };
  return eventOf({
    type: 'StasisStart',
    timestamp: '2026-11-26T23:20:22.074+0000',
    args: ['users=100', 'queue=sales'],
    application: 'zammad',
    asterisk_id: '02:fc:00:00:00:01',
    ...change,
    channel: 'channel' in change && change.channel === undefined ? undefined : channel,
  });
}
/** As the session hands it over. */
export function eventOf(fields: object): AriEvent {
  const event = parseEvent(JSON.stringify(fields));
  if (event === undefined) throw new Error('it is no event');
  return event;
}
export const agentCalls = (args: readonly string[], exten = 's'): AriEvent =>
  stasisStart({
    args,
    channel: { name: 'PJSIP/100-000000c3', caller: { name: 'Alice Agent', number: '100' }, dialplan: { exten } },
  });

export interface StasisBench {
  readonly gate: StasisGate;
  readonly rest: AriRest;
  readonly clock: ManualClock;
  /** Each request as it came: `POST /ari/channels/1.1/continue`, its query as written. */
  readonly requests: string[];
  /** What GET variable finds. */
  readonly variables: Map<string, string>;
  readonly asked: GateRequest[];
  readonly counted: Map<string, number>;
  /** Whose end counts as the bridge's doing. */
  readonly ours: Set<LegId>;
  /** What was learned of callers: `1.1 true`. */
  readonly presentations: string[];
  readonly logged: string[];
  /** Decides about all that has been asked so far. */
  readonly answer: (decision: GateDecision) => void;
  /** Waits for a request that holds this text, from the `nth` on. */
  readonly sees: (text: string, nth?: number) => Promise<unknown>;
}

const closers: (() => void)[] = [];

/** For afterEach. */
export function closeStasisBenches(): void {
  for (const close of closers.splice(0).reverse()) close();
}

/** With `decision` each call is decided at once, else when the test says so. `reply`: undefined = as an Asterisk. */
export async function stasisBench(
  decision?: GateDecision,
  reply: (request: string, nth: number) => Reply | undefined = () => undefined,
  options: Partial<StasisGateOptions> = {},
): Promise<StasisBench> {
  const requests: string[] = [];
  const variables = new Map([['CALLERID(pres)', 'allowed_not_screened']]);
  const server = await listen((request, response) => {
    const text = `${request.method ?? ''} ${request.url ?? ''}`;
    requests.push(text);
    const nth = requests.filter((one) => one === text).length;
    const given = reply(text, nth) ?? asAsterisk(text, variables);
    if (given === 'never') return;
    const [status, body] = given;
    response.writeHead(status, body === undefined ? {} : { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const clock = new ManualClock();
  const rest = createRest({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    path: '/ari',
    username: 'bridge',
    secret: new Secret('lab'),
    clock,
  });
  closers.push(() => {
    rest.close();
  });
  const asked: GateRequest[] = [];
  const waiting: ((given: GateDecision) => void)[] = [];
  const counted = new Map<string, number>();
  const ours = new Set<LegId>();
  const presentations: string[] = [];
  const logged: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(...chunk.toString('utf8').trim().split('\n'));
      done();
    },
  });
  const gate = new StasisGate({
    app: 'zammad',
    setName: false,
    gate: {
      ask: (request) => {
        asked.push(request);
        if (decision !== undefined) return Promise.resolve(decision);
        return new Promise((resolve) => waiting.push(resolve));
      },
    },
    isReady: () => true,
    dialledOf: () => undefined,
    onPresentation: (leg, withheld) => void presentations.push(`${leg} ${String(withheld)}`),
    isTrunk: trunkMatcher(['trunk']),
    markOurs: (leg, isOurs) => {
      if (isOurs) ours.add(leg);
      else ours.delete(leg);
    },
    clock,
    log: pino({ level: 'warn' }, sink),
    count: (name) => void counted.set(name, (counted.get(name) ?? 0) + 1),
    ...options,
  });
  gate.open(rest);
  return {
    gate,
    rest,
    clock,
    requests,
    variables,
    asked,
    counted,
    ours,
    presentations,
    logged,
    answer: (given) => {
      for (const settle of waiting.splice(0)) settle(given);
    },
    sees: (text, nth = 1) =>
      waitFor(`the request ${text}`, () => requests.filter((one) => one.includes(text)).length >= nth, { every: 3 }),
  };
}

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

function asAsterisk(request: string, variables: ReadonlyMap<string, string>): Reply {
  const wanted = /^GET [^?]*\/variable\?variable=(?<name>[^&]*)$/u.exec(request)?.groups?.['name'];
  if (wanted === undefined) return [204];
  const value = variables.get(decodeURIComponent(wanted));
  return value === undefined ? [404, { message: 'Provided variable was not found' }] : [200, { value }];
}

/** What was done to the channel, without what was asked of it: `set ZAMMAD_ACTION=reject`, `hang up reason=busy`, `continue`. */
export const doneTo = (requests: readonly string[]): readonly string[] =>
  requests
    .filter((request) => !request.startsWith('GET '))
    .map((request) =>
      decodeURIComponent(request)
        .replace(/^POST [^?]*\/variable\?variable=(.*)&value=(.*)$/u, 'set $1=$2')
        .replace(/^DELETE [^?]*\?/u, 'hang up ')
        .replace(/^POST .*\/continue$/u, 'continue'),
    );
