import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { ConformancePbx } from './adapter-conformance.js';

/** The made-up PBX of adapters/_template, on loopback. */
export async function startLinePbx(): Promise<ConformancePbx & { readonly port: number }> {
  const calls = new Map<string, string[]>();
  const sockets = new Set<Socket>();
  const loggedIn = new Set<Socket>();
  let ever = 0;
  let last = 0;
  let silent = false;
  let cutList = false;

  const tell = (call: string, line: string): void => {
    calls.get(call)?.push(line);
    for (const socket of loggedIn) socket.write(`${line}\n`);
  };
  const answer = (socket: Socket, line: string): void => {
    const [word, argument] = line.split(' ');
    if (silent) return;
    if (word === 'LOGIN' && argument === 'right') {
      loggedIn.add(socket);
      socket.write('OK\n');
    } else if (word === 'LOGIN') socket.end('NO wrong password\n');
    else if (word === 'PING') socket.write('PONG\n');
    else if (word === 'LIST') {
      const list = `LIST\n${[...calls.values()]
        .flat()
        .map((one) => `${one}\n`)
        .join('')}`;
      if (cutList) {
        cutList = false;
        socket.end(list);
      } else socket.write(`${list}END\n`);
    }
  };
  const server = createServer((socket) => {
    ever += 1;
    sockets.add(socket);
    let rest = '';
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      loggedIn.delete(socket);
    });
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) answer(socket, line);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    settings: { host: '127.0.0.1', port, secret: 'right' },
    wrongLogin: { settings: { host: '127.0.0.1', port, secret: 'hunter2' }, password: 'hunter2' },
    connections: () => ({ now: sockets.size, ever }),
    ring: () => {
      last += 1;
      const call = `c${last}`;
      calls.set(call, []);
      tell(call, `RING ${call} +491715000000 +4930555200`);
      tell(call, `CALL ${call} 100`);
      return call;
    },
    answer: (call) => {
      tell(call, `ANSWER ${call} 100`);
    },
    hangUp: (call) => {
      tell(call, `HANGUP ${call} 16`);
      calls.delete(call);
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    mute: () => {
      silent = true;
    },
    cutNextSnapshot: () => {
      cutList = true;
    },
    stop: async () => {
      if (!server.listening) return;
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
