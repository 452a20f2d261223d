import { pino } from 'pino';
import type { AmiMessage } from '../../../adapters/asterisk-ami/message.js';
import { type AmiSession, openSession, type SessionOptions } from '../../../adapters/asterisk-ami/session.js';
import { systemClock } from '../../../src/clock.js';
import { Secret } from '../../../src/secret.js';

/** A session and what it told. */
export interface TestSession {
  readonly session: AmiSession;
  readonly messages: readonly AmiMessage[];
}

/** What a test needs not say. */
export function sessionOptions(port: number, more: Partial<SessionOptions> = {}): SessionOptions {
  return {
    host: '127.0.0.1',
    port,
    username: 'bridge',
    secret: new Secret('right'),
    plainLogin: false,
    events: 'call,agent',
    wanted: 'all',
    clock: systemClock,
    log: pino({ level: 'silent' }),
    onMessage: () => undefined,
    signal: new AbortController().signal,
    ...more,
  };
}

export async function openTestSession(port: number, more: Partial<SessionOptions> = {}): Promise<TestSession> {
  const messages: AmiMessage[] = [];
  const session = await openSession(sessionOptions(port, { onMessage: (message) => messages.push(message), ...more }));
  return { session, messages };
}
