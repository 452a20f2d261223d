/** What docs/adapter-contract.md, 5, asks of an adapter's orders, as far as a PBX on loopback can show it. */
import { expect, test } from '@jest/globals';
import { asLegId } from '../../src/call/vocabulary.js';
import {
  type Adapter,
  canGate,
  canHangUp,
  canOriginate,
  canPause,
  canProbe,
  canSetCallerId,
  type OrderOutcome,
  type OriginateOrder,
} from '../../src/pbx/adapter.js';

/** The orders an adapter can be given, by its methods' names. */
export const ORDERS = ['hangUp', 'setCallerId', 'originate', 'pause', 'gateState', 'probe'] as const;
export type OrderName = (typeof ORDERS)[number];

/** One adapter before its PBX, not started. */
export interface OrderBench {
  readonly adapter: Adapter;
  readonly told: () => number;
  readonly start: () => Promise<unknown>;
}
export interface OrderHarness {
  /** Those it claims. */
  readonly orders: readonly OrderName[];
  readonly bench: (settings: 'right' | 'wrong password') => Promise<OrderBench & { readonly password: string }>;
  /** No connection of the adapter is left. */
  readonly left: () => Promise<void>;
}

const LEG = asLegId('no-such-leg');
const AGENT = { extension: '100', devices: [] };
/** What would be a command of its own on most wires, in each place where text of an order goes. */
const HOSTILE = '100\r\n\r\nAction: Logoff\r\n\r\nexit\n\n';
const ORDER: OriginateOrder = { agent: AGENT, number: '03012345678', shown: '03012345678', ringFor: 1_000 };
const HOSTILE_ORDERS: readonly (readonly [string, OriginateOrder])[] = [
  ['number', { ...ORDER, number: HOSTILE }],
  ['number with an application in it', { ...ORDER, number: '1}&system(id)' }],
  ['extension', { ...ORDER, agent: { extension: HOSTILE, devices: [] } }],
  ['header', { ...ORDER, autoAnswer: { name: 'Call-Info', value: HOSTILE } }],
];
const kindOf = ({ kind }: { readonly kind: string }): string => kind;

export function orderRules({ orders, bench, left }: OrderHarness): void {
  const has = (name: OrderName): boolean => orders.includes(name);

  test(`can be ordered: ${orders.join(', ') || 'nothing'}`, async () => {
    const { adapter } = await bench('right');
    expect(ORDERS.filter((name) => name in adapter)).toEqual(ORDERS.filter(has));
  });

  test('an order to a PBX that is not heard is refused or has nobody to carry it out; none rejects', async () => {
    const { adapter } = await bench('right');
    const outcomes: OrderOutcome[] = [];
    if (canHangUp(adapter)) outcomes.push(await adapter.hangUp(LEG, 17));
    if (canSetCallerId(adapter)) outcomes.push(await adapter.setCallerId(LEG, '4930123'));
    if (canPause(adapter)) outcomes.push(await adapter.pause(AGENT, true));
    expect(outcomes.map(kindOf).filter((kind) => kind === 'done')).toEqual([]);
    if (canOriginate(adapter))
      expect(await adapter.originate(ORDER)).toMatchObject({ kind: 'refused', why: 'not-heard' });
  });

  if (has('hangUp') || has('setCallerId')) {
    test('an order for a leg that is not there is settled as gone', async () => {
      const { adapter, start } = await bench('right');
      await start();
      if (canHangUp(adapter)) expect(await adapter.hangUp(LEG, 17)).toEqual({ kind: 'gone' });
      if (canSetCallerId(adapter)) expect(await adapter.setCallerId(LEG, '4930123')).toEqual({ kind: 'gone' });
    });
  }

  if (has('setCallerId')) {
    test('a caller id that is no number is refused', async () => {
      const { adapter, start } = await bench('right');
      await start();
      if (!canSetCallerId(adapter)) throw new Error('it claims to');
      expect(kindOf(await adapter.setCallerId(LEG, HOSTILE))).not.toBe('done');
    });
  }

  if (has('originate')) {
    test.each(HOSTILE_ORDERS)('originate: a hostile %s is refused, and the PBX is heard on', async (_what, order) => {
      const { adapter, start, told } = await bench('right');
      await start();
      if (!canOriginate(adapter)) throw new Error('it claims to');
      const before = told();
      expect(kindOf(await adapter.originate(order))).toBe('refused');
      expect(told()).toBe(before);
    });
  }

  if (has('gateState')) {
    test('says how its gate is, and what would make one', async () => {
      const { adapter, start } = await bench('right');
      await start();
      if (!canGate(adapter)) throw new Error('it claims to');
      const state = adapter.gateState();
      if (state.kind === 'off') expect(state.mend).toMatch(/gate/i);
      if (state.kind === 'closed') expect(state.reason).not.toBe('');
    });
  }

  if (has('probe')) {
    const look = async (adapter: Adapter, signal = new AbortController().signal): Promise<unknown> => {
      if (!canProbe(adapter)) throw new Error('it claims to');
      return adapter.probe(signal);
    };
    test('a look finds a PBX that is well, tells nothing to the brain and leaves nothing open', async () => {
      const { adapter, told } = await bench('right');
      expect(await look(adapter)).toMatchObject({ kind: 'heard' });
      expect(told()).toBe(0);
      await left();
    });
    test('a look beside the connection disturbs it not', async () => {
      const { adapter, told, start } = await bench('right');
      await start();
      const before = told();
      expect(await look(adapter)).toMatchObject({ kind: 'heard' });
      expect(told()).toBe(before);
    });
    test('a look finds a wrong password, and does not print it', async () => {
      const { adapter, password } = await bench('wrong password');
      const finding = await look(adapter);
      expect(finding).toMatchObject({ kind: 'wrong-password' });
      expect(JSON.stringify(finding)).not.toContain(password);
      await left();
    });
    test('a look ends at once when it is called off', async () => {
      const { adapter } = await bench('right');
      const abort = new AbortController();
      abort.abort();
      expect(await look(adapter, abort.signal)).toHaveProperty('kind');
      await left();
    });
  }
}
