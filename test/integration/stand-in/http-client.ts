import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { StandIn } from '../../../src/stand-in/stand-in.js';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}
export interface Ask {
  readonly method?: string;
  /** Default: the CTI URL's. */
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
}

/** One request, nothing added to it: no Accept, no Content-Type. Rejects with the socket's error. */
export function ask(
  standIn: StandIn,
  { method = 'POST', path, headers = {}, body = '', agent, signal }: Ask,
): Promise<Answer> {
  const own = agent ?? new Agent();
  return new Promise<Answer>((resolve, reject) => {
    const target = new URL(standIn.url);
    const sent = request({
      host: target.hostname,
      port: target.port,
      method,
      path: path ?? target.pathname,
      headers,
      agent: own,
      signal,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    sent.end(body);
  }).finally(() => {
    if (agent === undefined) own.destroy();
  });
}

export const JSON_HEADERS = { accept: 'application/json', 'content-type': 'application/json' };
export const FORM_HEADERS = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };

/** Posts JSON, accepting JSON. */
export const post = (standIn: StandIn, params: Record<string, unknown>, more: Ask = {}): Promise<Answer> =>
  ask(standIn, { headers: JSON_HEADERS, body: JSON.stringify(params), ...more });

export const newCall = { event: 'newCall', direction: 'in', callId: 'c1', from: '4912347114711', to: '4930600000000' };
export const answer = { event: 'answer', direction: 'in', callId: 'c1', user: 'Alice Agent' };
export const hangup = { event: 'hangup', direction: 'in', callId: 'c1', cause: 'cancel' };

/** The code of the error a promise rejects with. */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error),
  );

/** A bare TCP connection and all it has received when it closes. */
export async function bare(standIn: StandIn): Promise<{ socket: Socket; closed: Promise<string> }> {
  const socket = connect(standIn.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const closed = new Promise<string>((resolve) => {
    socket.once('close', () => {
      resolve(text);
    });
  });
  socket.on('error', () => undefined); // told by `closed`
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, closed };
}
