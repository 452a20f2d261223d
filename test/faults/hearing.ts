/** When did a bridge hear the PBX? Written down while it happens, from both ends: what the PBX saw, and what was done to the bridge. */

/** How a stretch of hearing ended. */
export type HearingEnd = 'killed' | 'stopped' | 'frozen' | 'cut' | 'half-open' | 'closed' | 'over';

/** A stretch in which a bridge was logged in and what the PBX said reached it. Times: ms of one monotonic clock. */
export interface Hearing {
  readonly bridge: string;
  readonly login: number;
  /** When the PBX listed its channels to it; undefined: never. */
  readonly snapshot: number | undefined;
  readonly to: number;
  /** What was said until then was surely taken in: a bridge that dies needs a moment to read, understand and write down. */
  readonly sure: number;
  readonly end: HearingEnd;
}

/**
 * How long before its end the last thing is that a bridge surely took in, ms. A killed one must have committed it, and a
 * file that takes no writes is given up after 200 ms only; a reset connection may lose what was not read yet.
 */
const GRACE: Readonly<Record<HearingEnd, number>> = {
  killed: 400,
  stopped: 150,
  frozen: 400,
  cut: 150,
  'half-open': 150,
  closed: 150,
  over: 0,
};

/** What a bridge has only in memory is lost with it. */
const DEADLY: ReadonlySet<HearingEnd> = new Set(['killed', 'frozen', 'stopped']);
/** After a database has come back, a bridge needs so long to find that out and to write down what it has kept in memory, ms. */
const CAUGHT_UP_MS = 4_000;

interface Open {
  readonly bridge: string;
  readonly login: number;
  snapshot: number | undefined;
}

export class HearingLedger {
  readonly #open = new Map<object, Open>();
  readonly #past: Hearing[] = [];
  /** When the database of all bridges could not be reached; it goes on where there is no end. */
  readonly #outages: { readonly from: number; to: number }[] = [];

  constructor(private readonly now: () => number) {}

  /** `connection`: any object that stands for it. */
  login(connection: object, bridge: string): void {
    this.#open.set(connection, { bridge, login: this.now(), snapshot: undefined });
  }

  snapshot(connection: object): void {
    const open = this.#open.get(connection);
    if (open !== undefined) open.snapshot ??= this.now();
  }

  /** Nothing can be written down from now on. What a bridge hears meanwhile dies with it. */
  outageBegins(): void {
    this.#outages.push({ from: this.now(), to: Infinity });
  }

  outageEnds(): void {
    const outage = this.#outages.at(-1);
    if (outage !== undefined) outage.to = this.now();
  }

  /** This connection has ended. */
  closed(connection: object): void {
    this.#end(connection, 'closed');
  }

  /** Every connection of this bridge ends here. */
  end(bridge: string, how: HearingEnd): void {
    for (const [connection, open] of this.#open) if (open.bridge === bridge) this.#end(connection, how);
  }

  /** A bridge hears now, and has got its list of channels. */
  hears(bridge: string): boolean {
    return [...this.#open.values()].some((open) => open.bridge === bridge && open.snapshot !== undefined);
  }

  /** All there was; what goes on still counts as ending now. */
  list(): readonly Hearing[] {
    const now = this.now();
    const going = [...this.#open.values()].map(
      (open): Hearing => ({ ...open, to: now, sure: now - GRACE.over, end: 'over' }),
    );
    return [...this.#past, ...going];
  }

  #end(connection: object, end: HearingEnd): void {
    const open = this.#open.get(connection);
    if (open === undefined) return;
    this.#open.delete(connection);
    const to = this.now();
    const outage = this.#outages.find((one) => one.to + CAUGHT_UP_MS > to);
    const written = outage !== undefined && DEADLY.has(end) ? outage.from : Infinity;
    this.#past.push({ ...open, to, sure: Math.min(to - GRACE[end], written), end });
  }
}
