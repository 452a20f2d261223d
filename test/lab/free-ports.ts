import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';

/**
 * Ports below the range from which the kernel takes the local ports of outgoing connections (32768 upwards): a server
 * that is stopped and started again in mid-test finds its port free, and a client that retries it meanwhile can never
 * be connected to itself.
 */
const FIRST = 15_000;
const LAST = 32_000;
const TRIES = 100;

async function isFreeForTcp(port: number, address: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

async function isFreeForUdp(port: number, address: string): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, address);
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** A port on which nothing listens at these addresses, for TCP and UDP alike. Throws when there seems to be none. */
export async function freePort(addresses: readonly string[] = ['127.0.0.1']): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = randomInt(FIRST, LAST);
    const free = await Promise.all(
      addresses.map(async (address) => (await isFreeForTcp(port, address)) && (await isFreeForUdp(port, address))),
    );
    if (free.every(Boolean)) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${LAST} at ${addresses.join(' and ')}`);
}
