import type { Call, Counterpart } from './call.js';
import type { AgentRef, Directory } from './directory.js';
import type { Leg, LegTable } from './leg-table.js';
import type { LegId } from './vocabulary.js';

/** Where a chain of "dialled by" leads. */
export type Origin =
  | { readonly kind: 'agent'; readonly leg: Leg; readonly agent: AgentRef }
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'nobody' }
  /** A customer who has gone: what was dialled for him is no call of its own. */
  | { readonly kind: 'gone' }
  /** A leg of the chain is not known yet. */
  | { readonly kind: 'unknown' };

const LONGEST_CHAIN = 32;

/** Who is at a leg, who had it dialled, and who is at its other end. Asks the legs; keeps nothing. */
export class Origins {
  constructor(
    private readonly legs: LegTable,
    private readonly callOfCustomer: ReadonlyMap<LegId, Call>,
    private readonly directory: Directory,
  ) {}

  /** The agent whose phone this is: a phone inside, or an outside one that is listed as his. */
  agentOf(leg: Leg): AgentRef | undefined {
    if (leg.line?.kind === 'agent') return this.directory.agentAt(leg.line);
    return leg.line?.kind === 'trunk' && leg.origin === 'outgoing'
      ? this.directory.agentByPhone(leg.dialled)
      : undefined;
  }

  /**
   * Follows who dialled whom to the first agent or customer.
   * @param allKnown every leg there is has been told: one that is not known is gone.
   */
  diallerOf(leg: Leg, allKnown: boolean): Origin {
    let id = leg.by;
    for (let hops = 0; id !== undefined && hops < LONGEST_CHAIN; hops += 1) {
      const dialler = this.legs.remembered(id);
      if (dialler?.line === undefined) return { kind: allKnown ? 'nobody' : 'unknown' };
      const call = this.callOfCustomer.get(dialler.id);
      if (call !== undefined) return { kind: 'call', call };
      const agent = this.agentOf(dialler);
      if (agent !== undefined) return { kind: 'agent', leg: dialler, agent };
      if (dialler.line.kind === 'trunk') return { kind: 'gone' };
      id = dialler.by;
    }
    return { kind: 'nobody' };
  }

  /** What a leg belongs to that nobody known has dialled: a call is taken up in its middle, and whom it hears says it. */
  besideOf(leg: Leg): Origin {
    const others = [...this.legs.others(leg)];
    for (const { id } of others) {
      const call = this.callOfCustomer.get(id);
      if (call !== undefined) return { kind: 'call', call };
    }
    for (const other of others) {
      const agent = this.agentOf(other);
      if (agent !== undefined) return { kind: 'agent', leg: other, agent };
    }
    return { kind: 'nobody' };
  }

  /**
   * For whom a trunk leg was dialled. Of one that is told of in the middle of a call it is known whom it hears, which says more than
   * the leg that its story began with: an agent who consults an outside number has him on the line, not his customer.
   */
  originOf(leg: Leg, allKnown: boolean): Origin {
    const dialler = this.diallerOf(leg, allKnown);
    if (dialler.kind !== 'nobody' && dialler.kind !== 'call') return dialler;
    const beside = this.besideOf(leg);
    return dialler.kind === 'nobody' || beside.kind === 'agent' ? beside : dialler;
  }

  /** Who is at the other end of the customer's leg now; undefined: nobody new. */
  counterpartOf(call: Call, customer: Leg): Counterpart | undefined {
    if (!customer.up) return undefined;
    const current = call.counterpart?.kind === 'agent' ? call.counterpart.agent.extension : undefined;
    let first: AgentRef | undefined;
    let outside = false;
    for (const other of this.legs.others(customer)) {
      if (!other.up) continue;
      const agent = this.agentOf(other);
      // As long as the one who talks is still there, he is the one, whoever joins.
      if (agent !== undefined && agent.extension === current) return call.counterpart;
      first ??= agent;
      // A trunk leg that the PBX dialled is a forward's or transfer's target; one that came in is another customer.
      const dialled = other.line?.kind === 'trunk' && other.origin === 'outgoing';
      outside ||= agent === undefined && dialled && !call.customers.has(other.id);
    }
    if (first !== undefined) return { kind: 'agent', agent: first };
    if (outside) return { kind: 'outside' };
    return customer.voicemail && call.direction === 'in' ? { kind: 'voicemail' } : undefined;
  }
}
