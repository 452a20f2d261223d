import type { ConversationId, LegId, Line } from '../../src/call/vocabulary.js';
import type { Bridges } from './bridges.js';

/** One session of FreeSWITCH, as far as it matters for legs. */
export interface FsLeg {
  readonly id: LegId;
  line: Line;
  readonly origin: 'incoming' | 'outgoing';
  readonly from: string | undefined;
  readonly dialled: string | undefined;
  readonly withheld: boolean;
  /** The leg that dials it, as FreeSWITCH says it: perhaps a virtual one. */
  readonly by: LegId | undefined;
  /** Of a loopback leg: its other half. */
  otherHalf: LegId | undefined;
  onBehalfOf: string | undefined;
  up: boolean;
  /** This bridge hangs it up. */
  ours: boolean;
  /** The brain was told of it. */
  told: boolean;
  /** The conversation and queue that the brain was told of. */
  conversation: ConversationId | undefined;
  queue: string | undefined;
  /** FreeSWITCH's word for why it has hung up. */
  hangupCause: string | undefined;
  /** It leaves a message with a voicemail box, or has done so: said once. */
  voicemail: boolean;
  /** Event-Sequence of the description it was last taken from; 0: it is known from events alone. */
  asOf: number;
}

/** Who dials a leg, virtual legs folded: a leg, nobody (an originate), or not known yet. */
export type Dialler = LegId | 'nobody' | 'unknown';

const LONGEST_CHAIN = 32;

/** So many ended legs are remembered, that a late word about one does not bring it back. */
const MOST_ENDED = 5_000;

/** The legs there are, and for a while those that were. */
export class LegBook {
  readonly #legs = new Map<LegId, FsLeg>();
  /** And why, in FreeSWITCH's word. */
  readonly #ended = new Map<LegId, string | undefined>();

  get(id: LegId | undefined): FsLeg | undefined {
    return id === undefined ? undefined : this.#legs.get(id);
  }
  all(): IterableIterator<FsLeg> {
    return this.#legs.values();
  }
  add(leg: FsLeg): void {
    this.#legs.set(leg.id, leg);
  }
  hasEnded(id: LegId): boolean {
    return this.#ended.has(id);
  }
  end(id: LegId): void {
    this.#ended.set(id, this.#legs.get(id)?.hangupCause);
    this.#legs.delete(id);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= MOST_ENDED) break;
      this.#ended.delete(oldest);
    }
  }

  noteCause(id: LegId, cause: string | undefined): void {
    const leg = this.#legs.get(id);
    if (leg !== undefined) leg.hangupCause = cause;
  }
  /** Why a leg has hung up; undefined: it has not, or that was not heard. */
  hangupCauseOf(id: LegId | undefined): string | undefined {
    return id === undefined ? undefined : (this.#legs.get(id)?.hangupCause ?? this.#ended.get(id));
  }

  isVirtual(id: LegId): boolean {
    return this.#legs.get(id)?.line.kind === 'virtual';
  }
  otherHalf(id: LegId): LegId | undefined {
    return this.#legs.get(id)?.otherHalf;
  }

  /** @param force whoever is not known by now never will be. */
  diallerOf(leg: FsLeg, bridges: Bridges, force: boolean): Dialler {
    let id = leg.by;
    for (let hops = 0; id !== undefined && hops < LONGEST_CHAIN; hops += 1) {
      const dialler = this.#legs.get(id);
      if (dialler === undefined) return force || this.#ended.has(id) ? id : 'unknown';
      if (dialler.line.kind !== 'virtual') return id;
      const half = this.get(dialler.otherHalf);
      if (half === undefined && dialler.by === undefined && !force) return 'unknown';
      // Who dialled either half has set off what the other one does …
      const beyond = dialler.by ?? half?.by;
      // … or, of a loopback that an originate has made, it works for the party at its other half's end.
      id = beyond ?? (half === undefined ? undefined : this.#besideHalf(half, bridges, leg));
    }
    return 'nobody';
  }

  #besideHalf(half: FsLeg, bridges: Bridges, asking: FsLeg): LegId | undefined {
    const partner = bridges.partnerOf(half.id);
    if (partner !== undefined && partner !== asking.id) return partner;
    for (const called of this.#legs.values()) {
      if (called.by === half.id && called.up && called !== asking && called.line.kind !== 'virtual') return called.id;
    }
    return undefined;
  }
}
