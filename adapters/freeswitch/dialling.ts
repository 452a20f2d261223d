import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { asError, isBridgeError } from '../../src/errors.js';
import type { OriginateOrder, OriginateOutcome } from '../../src/pbx/adapter.js';
import type { DialSettings } from './dial-settings.js';
import type { EslEvent } from './event.js';
import { legOf } from './headers.js';
import { ORDER_VARIABLE, originateCommand } from './originate-command.js';
import { outcomeOf, refusedDial } from './originate-words.js';
import type { EslSession } from './session-contract.js';

/** From the end of the ringing until FreeSWITCH must have said how it came out. */
const GRACE_MS = 5_000;
const KILL_TIMEOUT_MS = 2_000;
/** Orders under way: more would be a defect, or somebody who plays. */
const MOST = 100;
/** Phones that ring for one order. */
const MOST_LEGS = 20;

/** Click-to-call orders: what is under way, and which legs ring for it. */
export class Dialling {
  /** By the mark of an order, the legs that have it. */
  readonly #orders = new Map<string, Set<string>>();

  constructor(private readonly log: Logger) {}

  /** Orders under way. */
  get size(): number {
    return this.#orders.size;
  }

  /** Of every event: a leg may be one of an order. */
  note(event: EslEvent): void {
    if (this.#orders.size === 0 || event.name !== 'CHANNEL_CREATE') return;
    const legs = this.#orders.get(event.get(`variable_${ORDER_VARIABLE}`) ?? '');
    const leg = legOf(event);
    if (legs !== undefined && leg !== undefined && legs.size < MOST_LEGS) legs.add(leg);
  }

  /** Never rejects. */
  async originate(
    session: EslSession | undefined,
    settings: DialSettings | undefined,
    order: OriginateOrder,
  ): Promise<OriginateOutcome> {
    if (session === undefined) return refusedDial('not-heard', 'the PBX is not connected');
    if (settings === undefined)
      return refusedDial('not-allowed', 'click-to-call is not configured for this PBX: set dial.context');
    if (this.#orders.size >= MOST) return refusedDial('failed', `${MOST} other calls are being dialled`);
    const id = randomUUID();
    const built = originateCommand(order, settings, id);
    if (built.kind === 'refused') return refusedDial('failed', built.reason);
    this.#orders.set(id, new Set());
    try {
      const result = await session.bgapi(built.command, order.ringFor + GRACE_MS);
      return outcomeOf(result, order.agent.extension);
    } catch (thrown) {
      return await this.#failed(session, id, thrown);
    } finally {
      this.#orders.delete(id);
    }
  }

  async #failed(session: EslSession, id: string, thrown: unknown): Promise<OriginateOutcome> {
    const code = isBridgeError(thrown) ? thrown.code : undefined;
    const { message } = asError(thrown);
    if (code === 'ZPB_ESL_TIMEOUT') {
      await this.#kill(session, id);
      return refusedDial('failed', 'FreeSWITCH did not say in time how the call came out; it was given up');
    }
    if (code === 'ZPB_ESL_REFUSED' || code === 'ZPB_ESL_COMMAND' || code === 'ZPB_ESL_BUSY')
      return refusedDial('failed', message);
    return refusedDial('not-heard', `the connection to the PBX was lost while the phone rang (${message})`);
  }

  /** Nobody waits for what rings there any more. */
  async #kill(session: EslSession, id: string): Promise<void> {
    const legs = [...(this.#orders.get(id) ?? [])];
    const kills = legs.map((leg) => session.api(`uuid_kill ${leg} ORIGINATOR_CANCEL`, KILL_TIMEOUT_MS));
    for (const kill of await Promise.allSettled(kills))
      if (kill.status === 'rejected') this.log.debug({ error: asError(kill.reason) }, 'a phone may go on ringing');
  }
}
