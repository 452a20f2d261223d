/** The gate of an Asterisk alone, on a free port, with a clock that stands still. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { trunkMatcher } from '../../adapters/asterisk/channel-name.js';
import { AgiGate, type AgiGateOptions } from '../../adapters/asterisk-ami/fast-agi/agi-gate.js';
import type { GateDecision, GateRequest } from '../../src/call/gate.js';
import type { LegId } from '../../src/call/vocabulary.js';
import { AgiCall, type AgiCallOptions } from './agi-caller.js';
import { ManualClock } from './manual-clock.js';
import { waitFor, within } from './wait-for.js';

export interface AgiBench {
  readonly gate: AgiGate;
  readonly port: number;
  readonly clock: ManualClock;
  readonly asked: GateRequest[];
  readonly counted: Map<string, number>;
  /** Legs that were hung up because the dialplan could not be told. */
  readonly hungUp: LegId[];
  /** Warnings that were logged. */
  readonly warnings: string[];
  /** Decides about all that has been asked so far. */
  readonly answer: (decision: GateDecision) => void;
  readonly call: (options?: Partial<AgiCallOptions>) => Promise<AgiCall>;
  readonly raw: () => Promise<Socket>;
}

const closers: (() => Promise<void> | void)[] = [];

/** For afterEach. */
export async function closeAgiBenches(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

/** A gate on a free port. With `decision` each call is answered at once, else when the test says so. */
export async function agiBench(decision?: GateDecision, options: Partial<AgiGateOptions> = {}): Promise<AgiBench> {
  const clock = new ManualClock();
  const asked: GateRequest[] = [];
  const waiting: ((decision: GateDecision) => void)[] = [];
  const counted = new Map<string, number>();
  const hungUp: LegId[] = [];
  const warnings: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      warnings.push(...chunk.toString('utf8').trim().split('\n'));
      done();
    },
  });
  const gate = new AgiGate({
    host: '127.0.0.1',
    port: 0,
    allow: ['127.0.0.1', '::1'],
    setName: false,
    gate: {
      ask: (request) => {
        asked.push(request);
        if (decision !== undefined) return Promise.resolve(decision);
        return new Promise((resolve) => waiting.push(resolve));
      },
    },
    hangUp: (leg) => void hungUp.push(leg),
    isTrunk: trunkMatcher(['trunk']),
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
    call: async (more = {}) => {
      const call = await AgiCall.open({ port, ...more });
      closers.push(() => {
        call.goAway();
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
/** Until the dialplan goes on. */
export const over = (call: AgiCall): Promise<void> => within(5_000, 'the dialplan to go on', call.over);
/** Also by a reset. */
export const closed = (socket: Socket): Promise<unknown> => {
  socket.resume();
  return waitFor('the socket to be closed', () => socket.destroyed, { every: 3 });
};
/** Until the gate holds no connection. */
export const empty = ({ gate }: AgiBench): Promise<unknown> =>
  waitFor('the last connection to go', () => gate.connections === 0);
