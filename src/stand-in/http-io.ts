import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './reply.js';

/** The whole body; 'too-large' when it is over `limit` bytes, 'gone' when the client went before its end. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer | 'too-large' | 'gone'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        chunks.length = 0;
        resolve('too-large');
      } else chunks.push(chunk);
    });
    request.once('end', () => {
      resolve(Buffer.concat(chunks));
    });
    request.once('close', () => {
      resolve('gone'); // after `end` this changes nothing
    });
    request.once('error', () => {
      resolve('gone');
    });
  });
}

/** Settles when the connection is gone. */
export function gone(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed || response.socket?.destroyed !== false) resolve();
    else response.once('close', resolve);
  });
}

/** Writes a reply. False = the client had gone, or went before the end of it. */
export function send(response: ServerResponse, reply: Reply, extra: Record<string, string> = {}): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.destroyed || response.socket?.destroyed !== false) {
      resolve(false);
      return;
    }
    response.once('close', () => {
      resolve(response.writableFinished);
    });
    response.once('finish', () => {
      resolve(true);
    });
    head(response, reply, extra);
    response.end(reply.body);
  });
}

/** Writes the head and the first half of the body, then cuts the connection. */
export async function sendHalf(response: ServerResponse, reply: Reply): Promise<void> {
  const { socket } = response;
  if (response.destroyed || socket === null || socket.destroyed) return;
  const body = Buffer.from(reply.body);
  head(response, reply, {});
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.write(body.subarray(0, Math.ceil(body.length / 2)), () => {
      resolve();
    });
  });
  socket.destroy();
}

function head(response: ServerResponse, reply: Reply, extra: Record<string, string>): void {
  response.writeHead(reply.status, {
    'content-type': reply.type,
    'content-length': Buffer.byteLength(reply.body),
    // Said outright, so that no Keep-Alive hint is added: nginx gives none, and a client must not learn from one.
    connection: response.shouldKeepAlive ? 'keep-alive' : 'close',
    ...extra,
    ...reply.headers,
  });
}
