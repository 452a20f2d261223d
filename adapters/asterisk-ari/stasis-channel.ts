import type { Logger } from 'pino';
import { type Clock, sleep } from '../../src/clock.js';
import { asError } from '../../src/errors.js';
import type { RejectReason } from '../../src/pbx/adapter.js';
import { isObject, text } from './event.js';
import { hangUpQuery, REJECT_CAUSE } from './hangup-reason.js';
import { type AriReply, type AriRequest, type AriRest, whyNotAllowed } from './rest-contract.js';

/** For each order that a waiting call costs. */
const ORDER_MS = 250;
/** A channel that could not be let go is tried again after so long, ms; the last time in vain it is said. */
const AGAIN_MS = [100, 250, 500, 1_000, 2_000] as const;
const LONGEST_VALUE = 200;
/** Asterisk hands on what it is given, line breaks and all: nothing but a number goes into a header of SIP. */
export const PHONE_NUMBER = /^\+?\d{1,40}$/u;

export interface StasisChannelOptions {
  readonly id: string;
  /** That of the connection there is; undefined: there is none. */
  readonly rest: () => AriRest | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A channel that waits in the bridge's Stasis application: what can be done with it. Nothing here throws or rejects. */
export class StasisChannel {
  constructor(private readonly options: StasisChannelOptions) {}

  get id(): string {
    return this.options.id;
  }

  /** A variable or function of the channel; undefined: it has none of that name, or it did not say so in time. */
  async get(variable: string, timeout: number): Promise<string | undefined> {
    const reply = await this.#ask({ method: 'GET', path: ['variable'], query: { variable }, timeout });
    const value = reply?.status === 200 && isObject(reply.body) ? text(reply.body, 'value') : undefined;
    return value === '' ? undefined : value;
  }

  /** Whether whom it dials next will be shown that number. */
  async showAs(number: string, asName: boolean): Promise<boolean> {
    if (!PHONE_NUMBER.test(number)) return false;
    if (asName && !(await this.set('CALLERID(name)', number))) return false;
    return this.set('CALLERID(num)', number);
  }

  /** Whether it was set. */
  async set(variable: string, value: string): Promise<boolean> {
    if (value.length > LONGEST_VALUE) return false;
    const reply = await this.#ask({
      method: 'POST',
      path: ['variable'],
      query: { variable, value },
      timeout: ORDER_MS,
    });
    return isDone(reply);
  }

  /** Ends it: the caller hears why. Whether it is gone. */
  async hangUp(reason: RejectReason): Promise<boolean> {
    const query = hangUpQuery(REJECT_CAUSE[reason]);
    const order = { method: 'DELETE', path: [], query, timeout: ORDER_MS } as const;
    const reply = (await this.#ask(order)) ?? (await this.#ask(order));
    return isDone(reply) || reply?.status === 404;
  }

  /**
   * The dialplan goes on. Tried again for some seconds. Returns why it could not be let go; undefined: it is.
   * @param how `once`: not again.
   */
  async letGo(how: 'once' | 'until it goes' = 'until it goes'): Promise<string | undefined> {
    const waits = how === 'once' ? [] : [...AGAIN_MS];
    for (;;) {
      const reply = await this.#ask({ method: 'POST', path: ['continue'], timeout: ORDER_MS });
      // 404: it is gone. 409: it waits no longer, or waits for somebody else.
      if (isDone(reply) || reply?.status === 404 || reply?.status === 409) return undefined;
      const wait = waits.shift();
      const forbidden = whyNotAllowed(reply?.status);
      if (wait === undefined || forbidden !== undefined)
        return forbidden ?? (reply === undefined ? 'no answer' : `status ${reply.status}`);
      await sleep(this.options.clock, wait);
    }
  }

  /** Undefined: there was no answer. */
  async #ask(request: AriRequest): Promise<AriReply | undefined> {
    const { id, rest, log } = this.options;
    try {
      return await rest()?.request({ ...request, path: ['channels', id, ...request.path] });
    } catch (thrown) {
      log.debug({ channel: id, error: asError(thrown) }, 'gate: an order got no answer');
      return undefined;
    }
  }
}

const isDone = (reply: AriReply | undefined): boolean =>
  reply !== undefined && reply.status >= 200 && reply.status < 300;
