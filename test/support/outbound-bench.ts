/** The gate of a FreeSWITCH alone, on a free port, with a clock that stands still. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { OutboundGate, type OutboundGateOptions } from '../../adapters/freeswitch/outbound-socket/outbound-gate.js';
import type { GateDecision, GateRequest } from '../../src/call/gate.js';
import {
  blockWith,
  OutboundCall,
  type OutboundCallOptions,
  type OutboundEnd,
  recordedGate,
} from './fake-outbound-socket.js';
import { ManualClock } from './manual-clock.js';
import { waitFor, within } from './wait-for.js';

type Headers = Readonly<Record<string, string | undefined>>;

export interface OutboundBench {
  readonly gate: OutboundGate;
  readonly port: number;
  readonly clock: ManualClock;
  readonly asked: GateRequest[];
  readonly counted: Map<string, number>;
  /** Legs that were hung up another way, with the Q.850 cause. */
  readonly hungUp: (readonly [leg: string, q850: number])[];
  /** Warnings that were logged. */
  readonly warnings: string[];
  /** Decides about all that has been asked so far. */
  readonly answer: (decision: GateDecision) => void;
  /** A call comes to the gate: that of a customer, with these headers. */
  readonly call: (headers?: Headers, more?: Partial<OutboundCallOptions>) => OutboundCall;
  readonly raw: () => Promise<Socket>;
}

const closers: (() => Promise<void> | void)[] = [];

/** For afterEach. */
export async function closeOutboundBenches(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** With `decision` each call is answered at once, else when the test says so. */
export async function outboundBench(
  decision?: GateDecision,
  options: Partial<OutboundGateOptions> = {},
): Promise<OutboundBench> {
  const clock = new ManualClock();
  const asked: GateRequest[] = [];
  const waiting: ((decision: GateDecision) => void)[] = [];
  const counted = new Map<string, number>();
  const hungUp: (readonly [string, number])[] = [];
  const warnings: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      warnings.push(...chunk.toString('utf8').trim().split('\n'));
      done();
    },
  });
  const gate = new OutboundGate({
    host: '127.0.0.1',
    port: 0,
    allow: ['127.0.0.1', '::1'],
    gate: {
      ask: (request) => {
        asked.push(request);
        if (decision !== undefined) return Promise.resolve(decision);
        return new Promise((resolve) => waiting.push(resolve));
      },
    },
    hangUp: (leg, q850) => void hungUp.push([leg, q850]),
    begunWith: () => undefined,
    isTrunk: undefined,
    clock,
    log: pino({ level: 'warn' }, sink),
    count: (name) => void counted.set(name, (counted.get(name) ?? 0) + 1),
    ...options,
  });
  closers.push(() => gate.close());
  await gate.open();
  const port = gate.port ?? 0;
  return {
    gate,
    port,
    clock,
    asked,
    counted,
    hungUp,
    warnings,
    answer: (given) => {
      for (const settle of waiting.splice(0)) settle(given);
    },
    call: (headers = {}, more = {}) => {
      const { block } = recordedGate('gate-continue');
      const call = OutboundCall.enter({ port, block: blockWith(block, headers), ...more });
      closers.push(() => {
        call.cut();
      });
      return call;
    },
    raw: async () => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      closers.push(() => void socket.destroy());
      await once(socket, 'connect');
      return socket;
    },
  };
}

export const CONTINUE: GateDecision = { kind: 'continue' };
export const BUSY: GateDecision = { kind: 'reject', reason: 'busy' };
/** How the call came out of the dialplan's `socket`. */
export const endOf = (call: OutboundCall): Promise<OutboundEnd> => within(5_000, 'the dialplan to go on', call.end);
/** Also by a reset. */
export const closed = (socket: Socket): Promise<unknown> => {
  socket.resume();
  return waitFor('the socket to be closed', () => socket.destroyed, { every: 3 });
};
/** Until the gate holds no connection. */
export const empty = ({ gate }: OutboundBench): Promise<unknown> =>
  waitFor('the last connection to go', () => gate.connections === 0);
