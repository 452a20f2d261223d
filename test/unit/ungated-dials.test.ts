import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Writable } from 'node:stream';
import { asCallId, asPbxName, asZammadName } from '../../src/call/vocabulary.js';
import type { GateState } from '../../src/pbx/adapter.js';
import { UngatedDials } from '../../src/ungated-dials.js';

function rig() {
  const said: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said.push(chunk.toString('utf8'));
      done();
    },
  });
  const counted: string[] = [];
  const dials = new UngatedDials({
    log: pino({ level: 'warn' }, sink),
    count: (name, { pbx }) => void counted.push(`${name} ${pbx}`),
  });
  const take = (pbx: string, gate: GateState | undefined): void => {
    dials.take({ pbx: asPbxName(pbx), callId: asCallId(`${pbx}-1`), zammad: asZammadName('main'), gate });
  };
  return { said, counted, take };
}

test('each is counted; what mends it is said once a PBX', () => {
  const { said, counted, take } = rig();
  const off: GateState = { kind: 'off', mend: 'put AGI(…) before the Dial' };
  take('office', off);
  take('office', off);
  take('branch', off);
  expect(counted).toEqual(['gate_missing_total office', 'gate_missing_total office', 'gate_missing_total branch']);
  expect(said).toHaveLength(2);
  expect(said[0]).toContain('put AGI(…) before the Dial');
});

test.each([
  [undefined, 'cannot have calls wait'],
  [{ kind: 'closed', reason: 'the port is taken' }, 'the port is taken'],
  [{ kind: 'open' }, "did not pass the gate's line"],
] as const)('a gate that is %j', (gate, words) => {
  const { said, take } = rig();
  take('office', gate);
  expect(said[0]).toContain(words);
});
