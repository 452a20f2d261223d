/**
 * Messages to leg events. Pure, no clock, no socket: fed with messages, returns batches. Here the adapter says what its PBX's
 * events mean for legs, and nothing more: who answered, why it ended and what Zammad hears is the brain's business.
 */
import { asConversationId, asLegId, type LegEvent, type LegId } from '../../src/call/vocabulary.js';
import type { Message } from './codec.js';

/** This PBX knows calls only; a leg is made of each party. Ids must never come again, so the PBX's call ids must not either. */
const customerLeg = (call: string): LegId => asLegId(call);
const agentLeg = (call: string, extension: string): LegId => asLegId(`${call}/${extension}`);

export class Legs {
  /** The legs of every call there is, the customer's first. */
  #calls = new Map<string, Map<LegId, string>>();
  /** While a list is being read: what it has told so far. */
  #list: { readonly calls: Map<string, Map<LegId, string>>; readonly events: LegEvent[] } | undefined;

  /** The ids of all legs. */
  ids(): LegId[] {
    return [...this.#calls.values()].flatMap((legs) => [...legs.keys()]);
  }

  /** A new connection: a list that was cut off says nothing. What was known stays known until the next whole one. */
  reconnected(): void {
    this.#list = undefined;
  }

  /** What one message means: a batch, empty when it means nothing. */
  push(message: Message): LegEvent[] {
    if (message.type === 'LIST') {
      this.#list = { calls: new Map(), events: [] };
      return [];
    }
    if (message.type === 'END') return this.#endOfList();
    if (this.#list !== undefined) {
      this.#list.events.push(...understand(message, this.#list.calls));
      return [];
    }
    return understand(message, this.#calls);
  }

  /**
   * The list is whole: the events that describe its legs, then `snapshot`, whose silence about a leg tells that it is over.
   * This PBX writes its list between two events, so nothing can end while it is told. Where list and events interleave, a leg
   * that ended since the request stays ended, whatever the list says: it must not be named in `snapshot`.
   */
  #endOfList(): LegEvent[] {
    const list = this.#list;
    if (list === undefined) return [];
    this.#list = undefined;
    this.#calls = list.calls;
    return [...list.events, { type: 'snapshot', legs: this.ids() }];
  }
}

function understand(message: Message, calls: Map<string, Map<LegId, string>>): LegEvent[] {
  switch (message.type) {
    case 'RING': {
      const leg = customerLeg(message.call);
      calls.set(message.call, new Map([[leg, '']]));
      const line = { kind: 'trunk', name: 'outside' } as const;
      return [{ type: 'appeared', leg, line, origin: 'incoming', from: message.from, dialled: message.to }];
    }
    case 'CALL': {
      const legs = calls.get(message.call);
      // A call whose beginning nobody saw: the next list tells it whole.
      if (legs === undefined) return [];
      const { extension } = message;
      const leg = agentLeg(message.call, extension);
      const by = customerLeg(message.call);
      legs.set(leg, extension);
      return [
        { type: 'appeared', leg, line: { kind: 'agent', extension, device: extension }, origin: 'outgoing', by },
        { type: 'called', leg, by },
      ];
    }
    case 'ANSWER': {
      const legs = calls.get(message.call);
      const leg = agentLeg(message.call, message.extension);
      if (legs?.has(leg) !== true) return [];
      const customer = customerLeg(message.call);
      const conversation = asConversationId(message.call);
      const losers = [...legs.keys()].filter((other) => other !== leg && other !== customer);
      for (const loser of losers) legs.delete(loser);
      return [
        { type: 'up', leg },
        { type: 'up', leg: customer },
        { type: 'joined', leg: customer, conversation },
        { type: 'joined', leg, conversation },
        // The phones that lost: 26 = answered elsewhere.
        ...losers.map((loser): LegEvent => ({ type: 'ended', leg: loser, q850: 26, by: 'pbx', elsewhere: true })),
      ];
    }
    case 'HANGUP': {
      const legs = calls.get(message.call);
      if (legs === undefined) return [];
      calls.delete(message.call);
      // The agents' legs first, the customer's last: the call ends with the customer's leg.
      const ids = [...legs.keys()].reverse();
      return ids.map((leg) => ({ type: 'ended', leg, q850: message.q850, by: leg === ids.at(-1) ? 'far' : 'pbx' }));
    }
    case 'LIST':
    case 'END':
    case 'OK':
    case 'NO':
    case 'PONG':
      return [];
  }
}
