/**
 * The posts of one Zammad, a lane for each call. A lane is in one place at a time: in a worker's hands, waiting for its
 * time, parked until this bridge may speak for its PBX, or ready; so posts of one call can never overtake each other or be
 * under way together.
 */
import type { Clock } from '../clock.js';
import type { CallId, Millis, PbxName } from '../call/vocabulary.js';
import { ageOf } from './queued-post.js';
import type { QueuedPost } from './queued-post.js';

export interface Lane {
  readonly pbx: PbxName;
  readonly callId: CallId;
  /** In order of commitment; empty only once the lane is forgotten. */
  readonly posts: QueuedPost[];
  /** `gone`: dropped while it was in a worker's hands; whatever that does with it has no effect. */
  place: 'taken' | 'waiting' | 'ready' | 'parked' | 'gone';
  /** Waits only until the call has another post. */
  waitsForMore: boolean;
  cancelWait?: (() => void) | undefined;
}

type Rank = 'gate' | 'liveNext' | 'live' | 'backlogNext' | 'backlog';

/** Timers of the machine hold some 24 days at most; a lane that wakes too early just waits again. */
const LONGEST_WAIT: Millis = 24 * 3_600_000;

export class Lanes {
  readonly #clock: Clock;
  readonly #live: Millis;
  readonly #onReady: () => void;
  readonly #lanes = new Map<string, Lane>();
  readonly #parked = new Map<PbxName, Set<Lane>>();
  readonly #posts = new Map<number, QueuedPost>();
  /** Sets keep the order of insertion, and take out anything at once. */
  readonly #ready: Readonly<Record<Rank, Set<Lane>>> = {
    gate: new Set(),
    liveNext: new Set(),
    live: new Set(),
    backlogNext: new Set(),
    backlog: new Set(),
  };
  #closed = false;

  /** `live`: a call whose newest post is older is backlog. `onReady`: a waiting lane has become ready. */
  constructor(clock: Clock, live: Millis, onReady: () => void) {
    this.#clock = clock;
    this.#live = live;
    this.#onReady = onReady;
  }

  /** There are posts of this PBX. */
  holds(pbx: PbxName): boolean {
    for (const { item } of this.#posts.values()) if (item.pbx === pbx) return true;
    return false;
  }

  get depth(): number {
    return this.#posts.size;
  }

  oldest(): QueuedPost | undefined {
    return this.#posts.values().next().value;
  }

  /** False if it is here already. */
  add(post: QueuedPost): boolean {
    const { seq, callId, pbx } = post.item;
    if (this.#posts.has(seq)) return false;
    this.#posts.set(seq, post);
    const lane = this.#lanes.get(keyOf(post.item));
    if (lane === undefined) {
      const fresh: Lane = { pbx, callId, posts: [post], place: 'ready', waitsForMore: false };
      this.#lanes.set(keyOf(post.item), fresh);
      this.#rank(fresh);
      return true;
    }
    insert(lane, post);
    if (lane.place === 'ready') {
      // A new post may have made a backlog call a live one.
      if (this.#ready.backlogNext.delete(lane) || this.#ready.backlog.delete(lane)) this.#rank(lane);
    } else if (lane.waitsForMore) {
      this.#wake(lane);
    }
    return true;
  }

  /** The first lane whose head a gate waits for. */
  takeGated(): Lane | undefined {
    return this.#takeFrom('gate');
  }

  /** The lane to serve next: gated, then live calls, then the backlog; in each, what has begun before what has not. */
  take(): Lane | undefined {
    this.#demote();
    for (const rank of ['gate', 'liveNext', 'live', 'backlogNext', 'backlog'] as const) {
      const lane = this.#takeFrom(rank);
      if (lane !== undefined) return lane;
    }
    return undefined;
  }

  /** Gives a taken lane back, to be served before others of its kind: a call once told should not ring for long. */
  giveBack(lane: Lane): void {
    if (lane.place === 'gone') return;
    lane.place = 'ready';
    this.#ready[this.#isLive(lane) ? 'liveNext' : 'backlogNext'].add(lane);
  }

  /** Gives a taken lane back, to be served after others of its kind. */
  giveBackLast(lane: Lane): void {
    this.#rank(lane);
  }

  /** Gives a taken lane back, to be ready after `ms` (or, with `orMore`, as soon as the call has another post). */
  wait(lane: Lane, ms: Millis, orMore = false): void {
    if (lane.place === 'gone') return;
    lane.place = 'waiting';
    lane.waitsForMore = orMore;
    if (this.#closed) return;
    lane.cancelWait = this.#clock.after(Math.min(ms, LONGEST_WAIT), () => {
      this.#wake(lane);
      this.#onReady();
    });
  }

  /** Takes a finished head off a taken lane, which stays taken; a lane without posts is forgotten. */
  shift(lane: Lane): void {
    if (lane.place === 'gone') return;
    const head = lane.posts.shift();
    if (head === undefined) return;
    this.#posts.delete(head.item.seq);
    if (lane.posts.length === 0) this.#lanes.delete(keyOf(lane));
  }

  get parked(): number {
    return this.#parked.size;
  }

  /** Sets a taken lane aside until `unpark`. */
  park(lane: Lane): void {
    if (lane.place === 'gone') return;
    lane.place = 'parked';
    const those = this.#parked.get(lane.pbx) ?? new Set();
    this.#parked.set(lane.pbx, those.add(lane));
  }

  /** Lets the parked lanes of every PBX that `mayGo` be ready again. */
  unpark(mayGo: (pbx: PbxName) => boolean): void {
    for (const [pbx, lanes] of this.#parked) {
      if (!mayGo(pbx)) continue;
      this.#parked.delete(pbx);
      for (const lane of lanes) this.#rank(lane);
    }
  }

  /** Forgets every post of a PBX, and returns them. */
  drop(pbx: PbxName): readonly QueuedPost[] {
    const dropped: QueuedPost[] = [];
    this.#parked.delete(pbx);
    for (const [key, lane] of this.#lanes) {
      if (lane.pbx !== pbx) continue;
      lane.cancelWait?.();
      for (const lanes of Object.values(this.#ready)) lanes.delete(lane);
      lane.place = 'gone';
      this.#lanes.delete(key);
      for (const post of lane.posts) this.#posts.delete(post.item.seq);
      dropped.push(...lane.posts);
    }
    return dropped;
  }

  /** Lanes whose head a gate waits for lose that rank; their heads are returned. */
  ungate(): readonly QueuedPost[] {
    const heads: QueuedPost[] = [];
    for (let lane = this.takeGated(); lane !== undefined; lane = this.takeGated()) {
      const head = lane.posts[0];
      if (head !== undefined) heads.push(head);
      lane.place = 'ready';
      this.#ready.live.add(lane);
    }
    return heads;
  }

  /** Cancels every wait; nothing becomes ready any more. */
  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes.values()) lane.cancelWait?.();
  }

  #wake(lane: Lane): void {
    lane.cancelWait?.();
    lane.cancelWait = undefined;
    lane.waitsForMore = false;
    this.#rank(lane);
  }

  #rank(lane: Lane): void {
    if (lane.place === 'gone') return;
    lane.place = 'ready';
    if (lane.posts[0]?.answerGate !== undefined) this.#ready.gate.add(lane);
    else if (this.#isLive(lane)) this.#ready.live.add(lane);
    else this.#ready.backlog.add(lane);
  }

  /** What has become old while it was ready no longer stands before the calls of now. */
  #demote(): void {
    for (const [live, backlog] of [
      ['liveNext', 'backlogNext'],
      ['live', 'backlog'],
    ] as const) {
      for (const lane of this.#ready[live]) {
        if (this.#isLive(lane)) break;
        this.#ready[live].delete(lane);
        this.#ready[backlog].add(lane);
      }
    }
  }

  #isLive(lane: Lane): boolean {
    const newest = lane.posts.at(-1);
    return newest !== undefined && ageOf(newest, this.#clock.monotonic()) <= this.#live;
  }

  #takeFrom(rank: Rank): Lane | undefined {
    const lane = this.#ready[rank].values().next().value;
    if (lane === undefined) return undefined;
    this.#ready[rank].delete(lane);
    lane.place = 'taken';
    return lane;
  }
}

/** Two PBXs' ids are never mixed, whatever they look like. */
const keyOf = ({ pbx, callId }: { readonly pbx: PbxName; readonly callId: CallId }): string => `${pbx} ${callId}`;

/** By seq: what is notified while the outbox is still being read may be younger than what is read. */
function insert(lane: Lane, post: QueuedPost): void {
  const untouchable = lane.place === 'taken' ? 1 : 0;
  let at = lane.posts.length;
  while (at > untouchable && (lane.posts[at - 1]?.item.seq ?? 0) > post.item.seq) at -= 1;
  lane.posts.splice(at, 0, post);
}
