import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { pino } from 'pino';
import { adapter as templateAdapter } from '../../../adapters/_template/adapter.js';
import { LineCodec, parseLine } from '../../../adapters/_template/codec.js';
import { configSchema } from '../../../adapters/_template/config.js';
import { Legs } from '../../../adapters/_template/legs.js';
import { ADAPTERS } from '../../../adapters/index.js';
import type { Clock } from '../../../src/clock.js';
import { asPbxName, type LegEvent } from '../../../src/call/vocabulary.js';
import { breaches } from '../../conformance/leg-rules.js';
import { OPEN_GATE } from '../../support/open-gate.js';

const GROUP_CALL = ['RING c1 +491715000000 +4930555200', 'CALL c1 100', 'CALL c1 101', 'ANSWER c1 101', 'HANGUP c1 16'];
const bytes = (lines: readonly string[]): Uint8Array =>
  new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
const read = (chunks: readonly Uint8Array[]): LegEvent[] => {
  const reader = templateAdapter.readRecording!(configSchema.parse({ port: 1, secret: 'x' }));
  return chunks.flatMap((chunk) => reader.push(chunk)).flatMap(({ batch }) => batch);
};
const still: Clock = { monotonic: () => 0, wall: () => 0, after: () => () => undefined };

describe('the template', () => {
  test('is a blueprint, not one of the adapters', () => {
    expect(Object.keys(ADAPTERS)).not.toContain(templateAdapter.type);
  });

  test('understands a ring group: one phone answers, the other stops', () => {
    expect(read([bytes(GROUP_CALL)])).toEqual([
      {
        type: 'appeared',
        leg: 'c1',
        line: { kind: 'trunk', name: 'outside' },
        origin: 'incoming',
        from: '+491715000000',
        dialled: '+4930555200',
      },
      expect.objectContaining({ type: 'appeared', leg: 'c1/100', by: 'c1', origin: 'outgoing' }),
      { type: 'called', leg: 'c1/100', by: 'c1' },
      expect.objectContaining({ type: 'appeared', leg: 'c1/101' }),
      { type: 'called', leg: 'c1/101', by: 'c1' },
      { type: 'up', leg: 'c1/101' },
      { type: 'up', leg: 'c1' },
      { type: 'joined', leg: 'c1', conversation: 'c1' },
      { type: 'joined', leg: 'c1/101', conversation: 'c1' },
      { type: 'ended', leg: 'c1/100', q850: 26, by: 'pbx', elsewhere: true },
      { type: 'ended', leg: 'c1/101', q850: 16, by: 'pbx' },
      { type: 'ended', leg: 'c1', q850: 16, by: 'far' },
    ]);
  });

  test('reads the same from any cut of the bytes', () => {
    const whole = bytes(GROUP_CALL);
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
        expect(read(at.slice(1).map((end, n) => whole.subarray(at[n], end)))).toEqual(read([whole]));
      }),
      { numRuns: 200 },
    );
  });

  test('keeps the rules of leg events, whatever order the PBX says things in', () => {
    const call = fc.constantFrom('c1', 'c2');
    const extension = fc.constantFrom('100', '101');
    const line = fc.oneof(
      call.map((id) => `CALL ${id} 100`),
      fc.tuple(call, extension).map(([id, number]) => `ANSWER ${id} ${number}`),
      call.map((id) => `HANGUP ${id}`),
      fc.constantFrom('LIST', 'END', 'OK', 'nonsense', 'RING', 'ANSWER c1'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const legs = new Legs();
        const batches = ['RING c1 +491715000000 +4930555200', 'RING c2 anonymous +4930555200', ...lines]
          .map(parseLine)
          .map((message) => (message === undefined ? [] : legs.push(message)))
          .filter((batch) => batch.length > 0);
        // A list that tells a leg again after its end is the PBX's breach, not the adapter's: ids are never used twice.
        expect(breaches(batches).filter((breach) => !breach.includes('ids must never come again'))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('what a list does not tell is over by that, and only by that', () => {
    const legs = new Legs();
    const tell = (lines: readonly string[]): LegEvent[] =>
      lines.map(parseLine).flatMap((message) => legs.push(message!));
    tell(['RING c1 +491715000000 +4930555200', 'CALL c1 100', 'RING c2 anonymous +4930555200']);
    legs.reconnected();
    const events = tell(['LIST', 'RING c2 anonymous +4930555200', 'END']);
    expect(events.map(({ type }) => type)).toEqual(['appeared', 'snapshot']);
    expect(events.at(-1)).toEqual({ type: 'snapshot', legs: ['c2'] });
    expect(legs.ids()).toEqual(['c2']);
  });

  test('refuses a line without end', () => {
    const codec = new LineCodec();
    expect(() => codec.push(new Uint8Array(5000).fill(120))).toThrow(
      expect.objectContaining({ code: 'ZPB_TEMPLATE_PROTOCOL' }),
    );
  });

  test('notices a connection that is half open: no PONG, and it is lost', async () => {
    const timers = new Map<() => void, number>();
    const clock: Clock = {
      ...still,
      after: (ms, task) => {
        timers.set(task, ms);
        return () => void timers.delete(task);
      },
    };
    const fire = (): void => {
      for (const task of [...timers.keys()]) {
        timers.delete(task);
        task();
      }
    };
    const sockets: Socket[] = [];
    let pinged = (): void => undefined;
    const ping = new Promise<void>((resolve) => {
      pinged = resolve;
    });
    // It logs in, lists nothing, and then hears nothing more.
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (chunk) => {
        const text = chunk.toString();
        if (text.includes('LOGIN')) socket.write('OK\n');
        if (text.includes('LIST')) socket.write('LIST\nEND\n');
        if (text.includes('PING')) pinged();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const context = {
      name: asPbxName('x'),
      log: pino({ level: 'silent' }),
      metrics: { count: () => undefined },
      clock,
      gate: OPEN_GATE,
      emit: () => undefined,
    };
    const adapter = templateAdapter.create(context, configSchema.parse({ port, secret: 'x' }));
    const { lost } = await adapter.start(new AbortController().signal);
    await ping;
    expect(timers.size).toBe(1);
    fire();
    expect(await lost).toMatchObject({ code: 'ZPB_TEMPLATE_LOST', retriable: true });
    expect(timers.size).toBe(0);
    await adapter.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
});
