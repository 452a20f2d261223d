import type { LegId, Line } from '../../src/call/vocabulary.js';
import { asLegId } from '../../src/call/vocabulary.js';
import { otherHalf, type ChannelName } from './channel-name.js';

/** Where a channel comes from, as far as a snapshot shows it. */
export type StatusOrigin =
  | { readonly origin: 'incoming'; readonly from: string | undefined; readonly dialled: string | undefined }
  | {
      readonly origin: 'outgoing';
      readonly from: string | undefined;
      readonly dialled: string | undefined;
      readonly dialledBy: LegId | 'nobody';
    };

/** One Asterisk channel, as far as it matters for legs. */
export interface Channel {
  /** Uniqueid. */
  readonly id: LegId;
  readonly channel: string;
  readonly name: ChannelName;
  line: Line;
  origin: 'incoming' | 'outgoing' | undefined;
  from: string | undefined;
  dialled: string | undefined;
  withheld: boolean | 'asked';
  /** Who dials it: a channel, or nobody (an Originate); undefined = not said yet. */
  dialledBy: LegId | 'nobody' | undefined;
  up: boolean;
  /** The far end hung up, or refused. */
  farHungUp: boolean;
  /** This bridge hung it up. */
  ours: boolean;
  /** The brain was told of it. */
  told: boolean;
  /** A snapshot named it, also if the brain was not told of it yet: an earlier run may have told, so its end must be told. */
  listed: boolean;
  /** Its phone is being called, and the brain waits for who calls it. */
  owed: boolean;
  /** Linkedid, of a channel that a snapshot brought. */
  linked: string | undefined;
  /** What a snapshot makes of its origin; counts when no event says it. */
  hint: StatusOrigin | undefined;
}

/** The channels there are, by Uniqueid and by name. */
export class Channels {
  readonly #byId = new Map<LegId, Channel>();
  readonly #byName = new Map<string, Channel>();

  get(id: string | undefined): Channel | undefined {
    return id === undefined ? undefined : this.#byId.get(asLegId(id));
  }
  named(channel: string): Channel | undefined {
    return this.#byName.get(channel);
  }
  /** The other half of a Local channel. */
  pair(channel: Channel): Channel | undefined {
    return channel.name.half === undefined ? undefined : this.#byName.get(otherHalf(channel.channel));
  }
  all(): IterableIterator<Channel> {
    return this.#byId.values();
  }
  add(channel: Channel): void {
    this.#byId.set(channel.id, channel);
    this.#byName.set(channel.channel, channel);
  }
  remove(channel: Channel): void {
    this.#byId.delete(channel.id);
    if (this.#byName.get(channel.channel) === channel) this.#byName.delete(channel.channel);
  }
}

/** It stands between legs, or is the PBX itself: the brain never hears of it. */
export const isFolded = ({ line }: Pick<Channel, 'line'>): boolean => line.kind === 'virtual' || line.kind === 'pbx';
