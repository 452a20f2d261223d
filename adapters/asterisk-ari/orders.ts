import type { LegId } from '../../src/call/vocabulary.js';
import { asError } from '../../src/errors.js';
import type { OrderOutcome } from '../../src/pbx/adapter.js';
import { isObject, text } from './event.js';
import { hangUpQuery } from './hangup-reason.js';
import { type AriReply, type AriRest, whyNotAllowed } from './rest-contract.js';
import { PHONE_NUMBER } from './stasis-channel.js';

const ORDER_MS = 2_000;
const NOT_CONNECTED: OrderOutcome = { kind: 'refused', reason: 'the PBX is not connected' };

export interface OrdersOptions {
  /** That of the connection there is; undefined: the PBX is not heard. */
  readonly rest: () => AriRest | undefined;
  /** Whether the end of a leg, when it comes, is our doing. */
  readonly markOurs: (leg: LegId, ours: boolean) => void;
}

/** Orders about one channel. */
export class Orders {
  constructor(private readonly options: OrdersOptions) {}

  /**
   * `q850` tells the far end why, as long as the channel is not answered: 17 = SIP 486.
   * @throws as `AriRest.request`: it may have been done.
   */
  async hangUp(leg: LegId, q850: number): Promise<OrderOutcome> {
    const { markOurs, rest } = this.options;
    const line = rest();
    if (line === undefined) return NOT_CONNECTED;
    // Its end may be told before the order is answered.
    markOurs(leg, true);
    let outcome: OrderOutcome | undefined;
    try {
      const order = { method: 'DELETE', path: ['channels', leg], query: hangUpQuery(q850), timeout: ORDER_MS } as const;
      outcome = outcomeOf(await line.request(order));
      return outcome;
    } finally {
      // Also when no answer came: who else ends it is to be told.
      if (outcome?.kind !== 'done') markOurs(leg, false);
    }
  }

  /** Never rejects. ARI sets variables of a channel that waits in Stasis only. */
  async setCallerId(leg: LegId, number: string): Promise<OrderOutcome> {
    if (!PHONE_NUMBER.test(number))
      return { kind: 'refused', reason: 'a caller id is digits, perhaps with a "+" before them' };
    const rest = this.options.rest();
    if (rest === undefined) return NOT_CONNECTED;
    try {
      const query = { variable: 'CALLERID(num)', value: number };
      const path = ['channels', leg, 'variable'];
      return outcomeOf(await rest.request({ method: 'POST', path, query, timeout: ORDER_MS }));
    } catch (thrown) {
      return { kind: 'refused', reason: asError(thrown).message };
    }
  }
}

export function outcomeOf({ status, body }: AriReply): OrderOutcome {
  if (status >= 200 && status < 300) return { kind: 'done' };
  if (status === 404) return { kind: 'gone' };
  return {
    kind: 'refused',
    reason: whyNotAllowed(status) ?? reasonOf(body) ?? `the PBX answered with status ${status}`,
  };
}

/** Asterisk's own words: `message`, or `error` of a server's fault. */
export const reasonOf = (body: unknown): string | undefined =>
  isObject(body) ? (text(body, 'message') ?? text(body, 'error'))?.slice(0, 200) : undefined;
