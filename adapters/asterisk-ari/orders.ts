import type { LegId } from '../../src/call/vocabulary.js';
import { asError } from '../../src/errors.js';
import type { OrderOutcome } from '../../src/pbx/adapter.js';
import { isObject, text } from './event.js';
import { hangUpQuery } from './hangup-reason.js';
import { type AriReply, type AriRequest, type AriRest, whyNotAllowed } from './rest-contract.js';
import { PHONE_NUMBER } from './stasis-channel.js';

const ORDER_MS = 2_000;

export interface OrdersOptions {
  /** That of the connection there is; undefined: the PBX is not heard. */
  readonly rest: () => AriRest | undefined;
  /** Whether the end of a leg, when it comes, is our doing. */
  readonly markOurs: (leg: LegId, ours: boolean) => void;
}

/** Orders about one channel. None rejects. */
export class Orders {
  constructor(private readonly options: OrdersOptions) {}

  /** `q850` tells the far end why, as long as the channel is not answered: 17 = SIP 486. */
  async hangUp(leg: LegId, q850: number): Promise<OrderOutcome> {
    const { markOurs } = this.options;
    // Its end may be told before the order is answered.
    markOurs(leg, true);
    const outcome = await this.#order({ method: 'DELETE', path: ['channels', leg], query: hangUpQuery(q850) });
    if (outcome.kind === 'refused') markOurs(leg, false);
    return outcome;
  }

  /** ARI sets variables of a channel that waits in Stasis only. */
  async setCallerId(leg: LegId, number: string): Promise<OrderOutcome> {
    if (!PHONE_NUMBER.test(number))
      return { kind: 'refused', reason: 'a caller id is digits, perhaps with a "+" before them' };
    const query = { variable: 'CALLERID(num)', value: number };
    return this.#order({ method: 'POST', path: ['channels', leg, 'variable'], query });
  }

  async #order(request: AriRequest): Promise<OrderOutcome> {
    const rest = this.options.rest();
    if (rest === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    try {
      return outcomeOf(await rest.request({ ...request, timeout: ORDER_MS }));
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
