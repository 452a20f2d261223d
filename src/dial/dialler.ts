/** Click-to-call: checks what an agent wants, has his PBX ring him, and says what became of it. */
import type { Logger } from 'pino';
import type { LegId, Millis } from '../call/vocabulary.js';
import { sleep, type Clock } from '../clock.js';
import { asError } from '../errors.js';
import type { OriginateOrder, OriginateOutcome } from '../pbx/orders.js';
import type { DialAnswer, DialReason } from './answer.js';
import { createNumberReader, type NumberRules } from './number.js';
import { RateLimit } from './rate-limit.js';
import { repeated, wordsFor } from './words.js';

export interface DialAgent {
  readonly extension: string;
  readonly devices: readonly string[];
  /** Undefined: the only one. */
  readonly pbx?: string | undefined;
  readonly autoAnswer?: { readonly name: string; readonly value: string } | undefined;
}

/** A PBX that this bridge leads. */
export interface DialPbx {
  /** Undefined: its adapter cannot. */
  originate(order: OriginateOrder): Promise<OriginateOutcome> | undefined;
  /** The id that a call which began with this leg has in Zammad. */
  callIdOf(leg: LegId): string;
}

export type FoundPbx =
  | { readonly kind: 'here'; readonly pbx: DialPbx }
  | { readonly kind: 'elsewhere'; readonly address?: string | undefined }
  | { readonly kind: 'not-yet'; readonly reason?: string | undefined };

export interface DiallerOptions {
  readonly agents: readonly DialAgent[];
  readonly pbxs: readonly string[];
  readonly find: (pbx: string) => FoundPbx;
  readonly rules: Omit<NumberRules, 'extensions'>;
  /** Calls of one agent in a minute. */
  readonly rate: number;
  /** ms. */
  readonly ringFor: Millis;
  readonly clock: Clock;
  readonly log: Logger;
  readonly count: (name: 'dial_calls_total', labels: { readonly outcome: DialReason }) => void;
}

/** The PBX may take so much longer than the phone rings. */
const GRACE_MS = 10_000;
const STORE_RETRY_S = 3;

export class Dialler {
  readonly #agents: ReadonlyMap<string, DialAgent>;
  readonly #read: ReturnType<typeof createNumberReader>;
  readonly #rate: RateLimit;
  readonly #underWay = new Set<string>();

  constructor(private readonly options: DiallerOptions) {
    this.#agents = new Map(options.agents.map((agent) => [agent.extension, agent]));
    this.#read = createNumberReader({ ...options.rules, extensions: [...this.#agents.keys()] });
    this.#rate = new RateLimit(options.rate);
  }

  /**
   * Rings the agent, and dials for him when he has taken it. Who asks must be sure to be he. Never rejects; settles within the time that
   * the phone rings and some seconds.
   */
  async dial(extension: string, text: string): Promise<DialAnswer> {
    const { clock, count, log } = this.options;
    const began = clock.monotonic();
    const answer = await this.#dial(extension, text).catch((thrown: unknown) => {
      log.error({ agent: extension, error: asError(thrown) }, 'dial: the order failed in a way it should not');
      return refusal('failed', { extension, number: repeated(text) });
    });
    count('dial_calls_total', { outcome: answer.reason });
    const ms = Math.round(clock.monotonic() - began);
    log.info({ agent: extension, outcome: answer.reason, ms }, `dial for agent ${extension}: ${answer.reason}`);
    return answer;
  }

  async #dial(extension: string, text: string): Promise<DialAnswer> {
    const read = this.#read(text);
    if (!read.ok) return refusal(read.why, { extension, number: repeated(text) });
    const { number, dialled, outside, leftOut } = read;
    const facts = { extension, number };
    const agent = this.#agents.get(extension);
    if (agent === undefined) return refusal('unknown-agent', facts);
    if (number === extension) return refusal('own-number', facts);
    const { pbxs, find, clock, ringFor } = this.options;
    const name = agent.pbx ?? (pbxs.length === 1 ? pbxs[0] : undefined);
    if (name === undefined) return refusal('no-pbx', facts);
    const found = find(name);
    if (found.kind === 'elsewhere') {
      const { address } = found;
      return { ...refusal('elsewhere', { ...facts, detail: address }), leader: address, retryAfter: STORE_RETRY_S };
    }
    if (found.kind === 'not-yet')
      return { ...refusal('not-yet', { ...facts, detail: found.reason }), retryAfter: STORE_RETRY_S };
    if (this.#underWay.has(extension)) return refusal('under-way', facts);
    const wait = this.#rate.take(extension, clock.monotonic());
    if (wait > 0) return { ...refusal('too-often', facts), retryAfter: Math.ceil(wait / 1000) };

    this.#underWay.add(extension);
    try {
      const { devices, autoAnswer } = agent;
      const order = { agent: { extension, devices }, number: dialled, shown: number, autoAnswer, ringFor };
      const ordered = found.pbx.originate(order);
      if (ordered === undefined) return refusal('cannot', facts);
      const outcome = await this.#inTime(ordered);
      if (outcome === undefined) return refusal('unknown', facts);
      if (outcome.kind === 'refused') {
        const { why, reason, said } = outcome;
        return { ...refusal(why, { ...facts, detail: reason }), number, said };
      }
      const callId = outside ? found.pbx.callIdOf(outcome.leg) : undefined;
      return { status: 'done', reason: 'taken', words: wordsFor('taken', facts), number, leftOut, callId };
    } finally {
      this.#underWay.delete(extension);
    }
  }

  /** Undefined: it took longer than it may. */
  async #inTime(ordered: Promise<OriginateOutcome>): Promise<OriginateOutcome | undefined> {
    const { clock, ringFor } = this.options;
    const settled = new AbortController();
    try {
      return await Promise.race([ordered, sleep(clock, ringFor + GRACE_MS, settled.signal).then(() => undefined)]);
    } finally {
      settled.abort();
    }
  }
}

const refusal = (reason: DialReason, facts: Parameters<typeof wordsFor>[1]): DialAnswer => ({
  status: 'refused',
  reason,
  words: wordsFor(reason, facts),
});
