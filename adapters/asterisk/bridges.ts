import { asConversationId, type ConversationId, type LegId } from '../../src/call/vocabulary.js';
import { isFolded, type Channel, type Channels } from './channels.js';

/**
 * Which channels share a bridge, and who hears whom when the Local channels between bridges are folded away. Waiting places
 * (`holding_bridge`: all parked callers share one) are no bridges.
 */
export class Bridges {
  readonly #members = new Map<string, Set<Channel>>();
  readonly #bridgeOf = new Map<LegId, string>();
  readonly #holding = new Set<string>();
  /** The conversation that the brain believes each real leg is in. */
  readonly #told = new Map<LegId, ConversationId>();
  readonly #toldMembers = new Map<ConversationId, Set<Channel>>();

  constructor(private readonly channels: Channels) {}

  /** Whether this bridge is a waiting place. Its members are not lost: it may become a real bridge. */
  setTechnology(bridge: string, technology: string | undefined): void {
    if (technology === 'holding_bridge') this.#holding.add(bridge);
    else if (technology !== undefined && technology !== '') this.#holding.delete(bridge);
  }

  /** Puts a channel into a bridge, or into none; returns the changes for the brain. */
  move(channel: Channel, bridge: string | undefined): readonly Change[] {
    const before = this.#bridgeOf.get(channel.id);
    if (before === bridge) return [];
    const concerned = this.#connected(channel);
    if (before !== undefined) {
      const members = this.#members.get(before);
      members?.delete(channel);
      if (members?.size === 0) this.forget(before);
      this.#bridgeOf.delete(channel.id);
    }
    if (bridge !== undefined) {
      const members = this.#members.get(bridge) ?? new Set();
      members.add(channel);
      this.#members.set(bridge, members);
      this.#bridgeOf.set(channel.id, bridge);
    }
    for (const other of this.#connected(channel)) concerned.add(other);
    return this.#compare(concerned);
  }

  /** The two halves of a Local channel have found each other. */
  paired(channel: Channel): readonly Change[] {
    return this.#compare(this.#connected(channel));
  }

  /** A channel has ended: what it connected is apart now. */
  end(channel: Channel, remove: () => void): readonly Change[] {
    const concerned = this.#connected(channel);
    const moved = this.move(channel, undefined);
    remove();
    concerned.delete(channel);
    this.#tell(channel, undefined);
    return [...moved.filter((change) => change.leg !== channel.id), ...this.#compare(concerned)];
  }

  /** A bridge is gone, or empty. */
  forget(bridge: string): void {
    this.#members.delete(bridge);
    this.#holding.delete(bridge);
  }

  /** The bridge that a channel is in, waiting places included. */
  bridgeOf(channel: Channel): string | undefined {
    return this.#bridgeOf.get(channel.id);
  }

  /** The other channels in its bridge. */
  *beside(channel: Channel): Generator<Channel> {
    const bridge = this.#bridgeOf.get(channel.id);
    if (bridge === undefined || this.#holding.has(bridge)) return;
    for (const other of this.#members.get(bridge) ?? []) if (other !== channel) yield other;
  }

  /** Every channel whose conversation may change when this one moves: those connected with it, now and as last told. */
  #connected(channel: Channel): Set<Channel> {
    const found = new Set<Channel>([channel]);
    const bridges = new Set<string>();
    const conversations = new Set<ConversationId>();
    for (const one of found) {
      const bridge = this.#bridgeOf.get(one.id);
      if (bridge !== undefined && !bridges.has(bridge)) {
        bridges.add(bridge);
        for (const other of this.beside(one)) found.add(other);
      }
      const pair = this.channels.pair(one);
      if (pair !== undefined) found.add(pair);
      const told = this.#told.get(one.id);
      if (told !== undefined && !conversations.has(told)) {
        conversations.add(told);
        for (const other of this.#toldMembers.get(told) ?? []) found.add(other);
      }
    }
    return found;
  }

  /** The conversation that a bridge is part of: named after the first of the bridges that Local channels connect. */
  #conversationOf(start: string | undefined): ConversationId | undefined {
    if (start === undefined || this.#holding.has(start)) return undefined;
    const bridges = new Set([start]);
    for (const bridge of bridges) {
      for (const member of this.#members.get(bridge) ?? []) {
        const pair = this.channels.pair(member);
        const beyond = pair === undefined ? undefined : this.#bridgeOf.get(pair.id);
        if (beyond !== undefined && !this.#holding.has(beyond)) bridges.add(beyond);
      }
    }
    return asConversationId([...bridges].sort()[0] ?? start);
  }

  #compare(concerned: Iterable<Channel>): readonly Change[] {
    const changes: Change[] = [];
    // Looked up once a bridge: a conference has many members.
    const conversations = new Map<string | undefined, ConversationId | undefined>();
    for (const channel of concerned) {
      if (isFolded(channel)) continue;
      const bridge = this.#bridgeOf.get(channel.id);
      if (!conversations.has(bridge)) conversations.set(bridge, this.#conversationOf(bridge));
      const now = conversations.get(bridge);
      const before = this.#told.get(channel.id);
      if (now === before) continue;
      this.#tell(channel, now);
      changes.push({ leg: channel.id, from: before, to: now });
    }
    return changes;
  }

  #tell(channel: Channel, conversation: ConversationId | undefined): void {
    const before = this.#told.get(channel.id);
    if (before !== undefined) {
      const members = this.#toldMembers.get(before);
      members?.delete(channel);
      if (members?.size === 0) this.#toldMembers.delete(before);
      this.#told.delete(channel.id);
    }
    if (conversation === undefined) return;
    this.#told.set(channel.id, conversation);
    const members = this.#toldMembers.get(conversation) ?? new Set();
    members.add(channel);
    this.#toldMembers.set(conversation, members);
  }
}

/** A leg's conversation has changed. */
export interface Change {
  readonly leg: LegId;
  readonly from: ConversationId | undefined;
  readonly to: ConversationId | undefined;
}
