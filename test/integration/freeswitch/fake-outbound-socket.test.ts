/** The stand-in for FreeSWITCH's outbound socket says what a real one said, byte for byte. */
import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  OutboundCall,
  type OutboundCallOptions,
  type OutboundEnd,
  recordedGate,
} from '../../support/fake-outbound-socket.js';
import { waitFor, within } from '../../support/wait-for.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

interface Met {
  readonly call: OutboundCall;
  readonly socket: Socket;
  /** What FreeSWITCH has said so far. */
  readonly heard: () => string;
}
async function meet(options: Omit<OutboundCallOptions, 'port'>): Promise<Met> {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const call = OutboundCall.enter({ ...options, port: (server.address() as AddressInfo).port });
  const [socket] = (await once(server, 'connection')) as [Socket];
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  return { call, socket, heard: () => heard };
}
const endOf = (call: OutboundCall): Promise<OutboundEnd> => within(5_000, 'the end', call.end);

test.each<[string, OutboundEnd['kind']]>([
  ['gate-continue', 'goes on'],
  ['gate-continue-close', 'goes on'],
  ['gate-close-without-resume', 'goes on'],
  ['gate-resume-no-exit', 'goes on'],
  ['gate-out-callerid-setvar', 'goes on'],
  ['gate-out-callerid-sendmsg', 'goes on'],
  ['gate-out-reject', 'hung up'],
  ['gate-reject-sendmsg', 'hung up'],
  ['gate-reject-uuidkill', 'hung up'],
  ['gate-linger-forever', 'hung up'],
  ['gate-sync-reject', 'hung up'],
  ['gate-sync-continue', 'stuck'],
])('%s: told the same, it says the same, and %s', async (name, kind) => {
  const { bytes, block, sent } = recordedGate(name);
  const { call, socket, heard } = await meet({ block });
  for (const { after, command } of sent) {
    await waitFor(`${after} bytes`, () => heard().length >= after);
    socket.write(`${command}\n\n`);
  }
  await waitFor('all it said', () => heard().length >= bytes.length);
  socket.end();
  expect((await endOf(call)).kind).toBe(kind);
  expect(heard()).toBe(bytes);
});

test('somebody who does not say "connect": it goes on when its patience ends', async () => {
  const { bytes } = recordedGate('gate-silent');
  const { block } = recordedGate('gate-continue');
  const { call, heard } = await meet({ block, patience: 20 });
  expect(await endOf(call)).toEqual({ kind: 'goes on' });
  expect(heard()).toBe(bytes.replace(/(?<=UUID: ).*/, call.leg));
});

test('nobody listens: it goes on', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const call = OutboundCall.enter({ port, ...recordedGate('gate-continue') });
  expect(await endOf(call)).toEqual({ kind: 'goes on' });
});
