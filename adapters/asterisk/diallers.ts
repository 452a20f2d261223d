import type { LegId } from '../../src/call/vocabulary.js';
import type { Bridges } from './bridges.js';
import { isFolded, type Channel, type Channels } from './channels.js';

/** Who dials a channel, virtual channels folded: a leg, nobody (an Originate), or not known yet. */
export type Dialler = LegId | 'nobody' | undefined;

/** Follows who dialled a channel through Local channels to a real one. */
export class Diallers {
  constructor(
    private readonly channels: Channels,
    private readonly bridges: Bridges,
  ) {}

  /** @param listing the PBX is listing its channels: one that it has not listed yet may still turn out to be a Local one. */
  of(channel: Channel, listing: boolean): Dialler {
    const { dialledBy } = channel;
    return dialledBy === undefined || dialledBy === 'nobody'
      ? dialledBy
      : this.#real(dialledBy, channel, listing, new Set());
  }

  /** The leg that a channel is, or works for: the person at the other end of a Local channel. */
  behind(channel: Channel): LegId | undefined {
    const real = this.#real(channel.id, channel, false, new Set());
    return real === 'nobody' ? undefined : real;
  }

  #real(id: LegId, asking: Channel, listing: boolean, seen: Set<LegId>): Dialler {
    if (seen.has(id)) return undefined;
    seen.add(id);
    const channel = this.channels.get(id);
    if (channel === undefined) return listing ? undefined : id;
    if (!isFolded(channel)) return id;
    const other = this.channels.pair(channel);
    if (other === undefined) return undefined;
    // The half that runs the dialplan was set off by whoever dialled its other half …
    const dialler = other.dialledBy === channel.id ? undefined : other.dialledBy;
    if (dialler !== undefined && dialler !== 'nobody') return this.#real(dialler, asking, listing, seen);
    // … or works for the party at its other half's end: a feature code, a click-to-call over a Local channel.
    for (const beside of this.bridges.beside(other)) {
      const real = this.#real(beside.id, asking, listing, seen);
      if (real !== undefined && real !== 'nobody' && real !== asking.id) return real;
    }
    for (const called of this.channels.all()) {
      if (called.dialledBy === other.id && called !== asking && called.up && !isFolded(called)) return called.id;
    }
    return dialler ?? (other.hint?.origin === 'outgoing' && other.linked !== id ? other.hint.dialledBy : undefined);
  }
}
