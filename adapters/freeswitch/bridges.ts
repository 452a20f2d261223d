import { asConversationId, type ConversationId, type LegId } from '../../src/call/vocabulary.js';

/** What must be known of legs to say who hears whom. */
export interface LegMap {
  /** A leg that stands between others and is folded away. */
  isVirtual(leg: LegId): boolean;
  /** Its other half. */
  otherHalf(leg: LegId): LegId | undefined;
}

interface Pair {
  readonly legs: readonly [LegId, LegId];
  /** Event-Sequence of what has told it. */
  readonly sequence: number;
  /** Told by an event of this connection: then its end will be told too. */
  heard: boolean;
}

const keyOf = (a: LegId, b: LegId): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

/**
 * Which legs are bridged in pairs, which are in a conference room, and who hears whom when loopback legs are folded away. A leg
 * may be in several pairs (att_xfer bridges the agent's leg with the one asked while the customer hears music): the newest
 * counts, and a pair is one in which both hear each other only if it is the newest of both.
 */
export class Bridges {
  readonly #pairs = new Map<string, Pair>();
  /** Of each leg, the newest last. */
  readonly #pairsOf = new Map<LegId, Pair[]>();
  readonly #roomOf = new Map<LegId, string>();
  readonly #members = new Map<string, Set<LegId>>();

  constructor(private readonly legs: LegMap) {}

  get size(): number {
    return this.#pairs.size + this.#pairsOf.size + this.#roomOf.size + this.#members.size;
  }

  /** @returns the legs whose conversation may have changed; so do all the others that change something. */
  join(a: LegId, b: LegId, sequence: number, heard: boolean): ReadonlySet<LegId> {
    return this.#change([a, b], () => {
      this.#remove(keyOf(a, b));
      const pair: Pair = { legs: [a, b], sequence, heard };
      this.#pairs.set(keyOf(a, b), pair);
      for (const leg of pair.legs) this.#pairsOf.set(leg, [...(this.#pairsOf.get(leg) ?? []), pair]);
    });
  }

  /** What was told later than this says more. */
  part(a: LegId, b: LegId, sequence: number): ReadonlySet<LegId> {
    const pair = this.#pairs.get(keyOf(a, b));
    if (pair === undefined || pair.sequence > sequence) return new Set();
    return this.#change([a, b], () => {
      this.#remove(keyOf(a, b));
    });
  }

  enter(leg: LegId, room: string): ReadonlySet<LegId> {
    return this.#change([leg], () => {
      this.#leaveRoom(leg);
      this.#roomOf.set(leg, room);
      this.#members.set(room, (this.#members.get(room) ?? new Set<LegId>()).add(leg));
    });
  }

  leave(leg: LegId): ReadonlySet<LegId> {
    return this.#change([leg], () => {
      this.#leaveRoom(leg);
    });
  }

  /** The leg is no more. */
  end(leg: LegId): ReadonlySet<LegId> {
    const partners = [...(this.#pairsOf.get(leg) ?? [])];
    const changed = this.#change([leg, ...partners.flatMap(({ legs }) => legs)], () => {
      for (const { legs } of partners) this.#remove(keyOf(...legs));
      this.#leaveRoom(leg);
    });
    return new Set([...changed].filter((one) => one !== leg));
  }

  /** Something was learned about the leg itself: it is virtual, or has another half. */
  learned(leg: LegId): ReadonlySet<LegId> {
    return this.#connected(leg);
  }

  /** It is bridged with somebody, or in a room. */
  isBound(leg: LegId): boolean {
    return this.#pairsOf.has(leg) || this.#roomOf.has(leg);
  }

  /** The leg that this one is bridged with now. */
  partnerOf(leg: LegId): LegId | undefined {
    const pair = this.#pairsOf.get(leg)?.at(-1);
    if (pair === undefined) return undefined;
    const partner = pair.legs[0] === leg ? pair.legs[1] : pair.legs[0];
    return this.#pairsOf.get(partner)?.at(-1) === pair ? partner : undefined;
  }

  /** A new connection: what ends in between is not heard. */
  reconnected(): void {
    for (const pair of this.#pairs.values()) pair.heard = false;
  }

  /** The pairs of which nobody would have told the end. */
  unheard(): readonly (readonly [LegId, LegId])[] {
    return [...this.#pairs.values()].filter(({ heard }) => !heard).map(({ legs }) => legs);
  }

  /** The conversation that a leg is in: a room, or two real legs that hear each other, perhaps over virtual ones. */
  conversationOf(leg: LegId): ConversationId | undefined {
    if (this.legs.isVirtual(leg)) return undefined;
    const connected = this.#connected(leg);
    const rooms = [...connected].map((one) => this.#roomOf.get(one)).filter((room) => room !== undefined);
    const [room] = rooms.sort();
    if (room !== undefined) return asConversationId(room);
    const real = [...connected].filter((one) => !this.legs.isVirtual(one));
    return real.length < 2 ? undefined : asConversationId(real.sort().join(' '));
  }

  #change(concerned: readonly LegId[], apply: () => void): ReadonlySet<LegId> {
    const changed = new Set(concerned.flatMap((leg) => [...this.#connected(leg)]));
    apply();
    for (const leg of concerned) for (const one of this.#connected(leg)) changed.add(one);
    return changed;
  }

  /** A leg and all that it is connected with. */
  #connected(leg: LegId): Set<LegId> {
    const found = new Set([leg]);
    for (const one of found) {
      const partner = this.partnerOf(one);
      if (partner !== undefined) found.add(partner);
      const half = this.legs.otherHalf(one);
      if (half !== undefined) found.add(half);
      const room = this.#roomOf.get(one);
      if (room !== undefined) for (const member of this.#members.get(room) ?? []) found.add(member);
    }
    return found;
  }

  #remove(key: string): void {
    const pair = this.#pairs.get(key);
    if (pair === undefined) return;
    this.#pairs.delete(key);
    for (const leg of pair.legs) {
      const rest = (this.#pairsOf.get(leg) ?? []).filter((other) => other !== pair);
      if (rest.length > 0) this.#pairsOf.set(leg, rest);
      else this.#pairsOf.delete(leg);
    }
  }

  #leaveRoom(leg: LegId): void {
    const room = this.#roomOf.get(leg);
    if (room === undefined) return;
    this.#roomOf.delete(leg);
    const members = this.#members.get(room);
    members?.delete(leg);
    if (members?.size === 0) this.#members.delete(room);
  }
}
