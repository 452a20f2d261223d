/** A PBX without a wire, for tests of click-to-call: it takes orders to ring an agent, and the test says what becomes of them. */
import { z } from 'zod';
import { asLegId } from '../../src/call/vocabulary.js';
import type { BridgeError } from '../../src/errors.js';
import {
  defineAdapter,
  type Adapter,
  type AdapterDefinition,
  type OriginateOrder,
  type OriginateOutcome,
  type OriginateRefusal,
  type Originates,
} from '../../src/pbx/adapter.js';

export class RingingPbx {
  readonly orders: OriginateOrder[] = [];
  readonly #settle: ((outcome: OriginateOutcome) => void)[] = [];

  /** The order that was given last comes out so. */
  take(leg = 'leg-1'): void {
    this.#settle.at(-1)?.({ kind: 'done', leg: asLegId(leg) });
  }
  refuse(why: OriginateRefusal, said?: string): void {
    this.#settle.at(-1)?.({ kind: 'refused', why, reason: `the PBX says ${why}`, said });
  }

  originate(order: OriginateOrder): Promise<OriginateOutcome> {
    this.orders.push(order);
    return new Promise((resolve) => {
      this.#settle.push(resolve);
    });
  }

  /** As an adapter of the bridge. */
  get definition(): AdapterDefinition {
    const originate = (order: OriginateOrder): Promise<OriginateOutcome> => this.originate(order);
    const create = (): Adapter & Originates => ({
      start: (signal) => {
        const lost = new Promise<BridgeError>((resolve) => {
          signal.addEventListener('abort', () => {
            resolve(signal.reason as BridgeError);
          });
        });
        return Promise.resolve({ lost, missing: [] });
      },
      stop: () => Promise.resolve(),
      snapshot: () => [],
      originate,
    });
    const configSchema = z.strictObject({ host: z.string(), port: z.number() });
    return defineAdapter({ type: 'ringing', configSchema, create });
  }
}
