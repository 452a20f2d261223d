import type { Call } from './call.js';
import { isRoutedOn } from './reject.js';
import type { CallId, LegId } from './vocabulary.js';

/** The outside calls that one leg has started. */
interface Family {
  /** All there ever were: the second one's id gets `.2`. */
  count: number;
  readonly live: Set<Call>;
}

/** The parts that a leg can have in a call. */
type Part = 'customers' | 'phones' | 'forwards';

/** The calls that are not over, found by their id and by each leg that has a part in them. */
export class CallBook {
  readonly calls = new Map<CallId, Call>();
  readonly byCustomer = new Map<LegId, Call>();
  readonly byPhone = new Map<LegId, Call>();
  /** Trunk legs dialled for a customer. */
  readonly byForward = new Map<LegId, Call>();
  readonly #families = new Map<LegId, Family>();

  get size(): number {
    const { calls, byCustomer, byPhone, byForward } = this;
    return [calls, byCustomer, byPhone, byForward, this.#families].reduce((sum, { size }) => sum + size, 0);
  }

  /** A customer's call is with this agent now. */
  talksWith(extension: string): boolean {
    for (const { counterpart } of this.calls.values())
      if (counterpart?.kind === 'agent' && counterpart.agent.extension === extension) return true;
    return false;
  }

  /** Which of its root's calls the next one is. */
  nextOrdinal(root: LegId): number {
    return (this.#families.get(root)?.count ?? 0) + 1;
  }

  /** The leg has started so many calls before, which may all be over. */
  countFrom(root: LegId, count: number): void {
    const family = this.#family(root);
    family.count = Math.max(family.count, count);
  }

  add(call: Call): void {
    this.calls.set(call.id, call);
    for (const id of call.customers) this.byCustomer.set(id, call);
    for (const [id, end] of call.phones) if (end === undefined) this.byPhone.set(id, call);
    for (const id of call.forwards) this.byForward.set(id, call);
    this.countFrom(call.root, call.ordinal);
    this.#family(call.root).live.add(call);
  }

  /** It is over. That its root has started it stays known as long as the root lives. */
  remove(call: Call): void {
    this.calls.delete(call.id);
    this.#families.get(call.root)?.live.delete(call);
    for (const id of call.customers) this.byCustomer.delete(id);
    for (const id of call.phones.keys()) this.byPhone.delete(id);
    for (const id of call.forwards) this.byForward.delete(id);
  }

  addCustomer(call: Call, id: LegId): void {
    isRoutedOn(call);
    call.customers.add(id);
    this.byCustomer.set(id, call);
  }
  addPhone(call: Call, id: LegId): void {
    isRoutedOn(call);
    call.phones.set(id, undefined);
    this.byPhone.set(id, call);
  }
  addForward(call: Call, id: LegId): void {
    isRoutedOn(call);
    call.forwards.add(id);
    this.byForward.set(id, call);
  }

  /** The living calls that a leg has started. */
  startedBy(root: LegId): Iterable<Call> {
    return this.#families.get(root)?.live ?? [];
  }

  /** The leg has ended; returns the living calls that it had started. */
  forgetRoot(root: LegId): readonly Call[] {
    const live = [...this.startedBy(root)];
    this.#families.delete(root);
    return live;
  }

  /** Forgets the roots that have no call and are not alive. */
  forgetDeadRoots(isAlive: (root: LegId) => boolean): void {
    for (const [root, { live }] of this.#families) if (live.size === 0 && !isAlive(root)) this.#families.delete(root);
  }

  /** `current` goes on where `old` was. Returns the calls concerned, and those that had taken `current` for a leg of their own. */
  replace(old: LegId, current: LegId): { readonly moved: ReadonlySet<Call>; readonly mistaken: ReadonlySet<Call> } {
    const moved = new Set<Call>();
    const mistaken = new Set<Call>();
    for (const part of ['customers', 'phones', 'forwards'] as const) {
      const index = this.#index(part);
      const call = index.get(old);
      if (call === undefined) continue;
      moved.add(call);
      const other = index.get(current);
      index.delete(old);
      index.set(current, call);
      if (call[part].delete(old)) {
        if (part === 'phones') call.phones.set(current, undefined);
        else call[part].add(current);
      }
      if (other !== undefined && other !== call && other.customers.delete(current)) mistaken.add(other);
    }
    for (const call of this.#replaceRoot(old, current)) moved.add(call);
    return { moved, mistaken };
  }

  #replaceRoot(old: LegId, current: LegId): Iterable<Call> {
    const family = this.#families.get(old);
    if (family === undefined) return [];
    const others = this.#families.get(current);
    family.count = Math.max(family.count, others?.count ?? 0);
    for (const call of others?.live ?? []) family.live.add(call);
    this.#families.delete(old);
    this.#families.set(current, family);
    for (const call of family.live) call.root = current;
    return family.live;
  }

  #family(root: LegId): Family {
    let family = this.#families.get(root);
    if (family === undefined) {
      family = { count: 0, live: new Set() };
      this.#families.set(root, family);
    }
    return family;
  }

  #index(part: Part): Map<LegId, Call> {
    if (part === 'customers') return this.byCustomer;
    return part === 'phones' ? this.byPhone : this.byForward;
  }
}
