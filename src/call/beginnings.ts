import type { Announcer } from './announcer.js';
import { freshCall, type Call } from './call.js';
import { callIdOf } from './call-id.js';
import type { CallBook } from './call-book.js';
import type { AgentRef } from './directory.js';
import type { Leg, LegTable } from './leg-table.js';
import { ANONYMOUS } from './numbers.js';
import type { Teller, TellerSettings } from './teller.js';
import type { Direction, Millis } from './vocabulary.js';
import { GATE_WINDOW, IDENTITY_LIMIT, UNRUNG_LIMIT } from './windows.js';

export interface BeginningsContext {
  readonly settings: TellerSettings & { readonly hasGate?: boolean };
  readonly legs: LegTable;
  readonly book: CallBook;
  readonly teller: Teller;
  readonly announcer: Announcer;
  /** Something of the call is new. */
  readonly changed: (call: Call) => void;
}

/** An agent, and the leg he calls from. */
export interface Caller {
  readonly leg: Leg;
  readonly agent: AgentRef;
}

/** How calls begin, and between whom they are. */
export class Beginnings {
  constructor(private readonly context: BeginningsContext) {}

  /** A customer calls. */
  inbound(leg: Leg, now: Millis): Call {
    const call = this.#begin('in', leg, leg, now);
    this.nameParties(call, leg);
    return call;
  }

  /** A trunk leg is dialled for an agent: a call of his, or another way out for the one he is making. */
  outbound(leg: Leg, caller: Caller | undefined, now: Millis): void {
    const { settings, legs, book, changed } = this.context;
    const { directory, calls } = settings;
    // A leg that has ended starts no further call: its ids are used up.
    const root = legs.get(caller?.leg.id) ?? leg;
    const number = directory.numbers.clean(leg.dialled);
    for (const call of book.startedBy(root.id)) {
      // The same number again while nobody has answered, or the first one after the gate, whatever the dialplan made of it.
      if (call.answered || !(call.unrouted || call.to === number)) continue;
      call.closeAt = undefined;
      call.unrouted = false;
      book.addCustomer(call, leg.id);
      changed(call);
      return;
    }
    const agent = caller?.agent ?? (leg.onBehalfOf === undefined ? undefined : directory.agent(leg.onBehalfOf));
    if (agent !== undefined && !calls.reportConsultations && book.talksWith(agent.extension)) return;
    const call = this.#begin('out', root, leg, now);
    if (agent !== undefined) this.#isCaller(call, agent);
    this.nameParties(call, leg);
  }

  /** An agent's call waits at the gate, before anything is dialled outside. */
  unrouted({ leg, agent }: Caller, dialled: string, now: Millis): Call {
    const call = this.#begin('out', leg, undefined, now);
    call.unrouted = true;
    this.#isCaller(call, agent);
    call.to = dialled;
    call.from = agent.extension;
    return call;
  }

  /** Who calls whom, as Zammad is told; may be corrected until it was told. */
  nameParties(call: Call, trunk: Leg): void {
    const { numbers } = this.context.settings.directory;
    const line = trunk.line?.kind === 'trunk' ? trunk.line.name : 'unknown';
    const dialled = numbers.clean(trunk.dialled) ?? line;
    const shown = trunk.withheld === true ? undefined : numbers.clean(trunk.from);
    call.to = dialled;
    call.from = call.direction === 'in' ? (shown ?? ANONYMOUS) : (shown ?? call.lastAgent?.extension ?? line);
  }

  #inboundWindow(): Millis {
    const { calls, hasGate = false } = this.context.settings;
    if (calls.newCall === 'ringing') return UNRUNG_LIMIT;
    return hasGate ? GATE_WINDOW : 0;
  }

  #isCaller(call: Call, agent: AgentRef): void {
    call.agents.set(agent.extension, agent);
    call.lastAgent = agent;
  }

  #begin(direction: Direction, root: Leg, customer: Leg | undefined, now: Millis): Call {
    const { settings, book, teller, announcer, changed } = this.context;
    const ordinal = book.nextOrdinal(root.id);
    const id = callIdOf(settings.pbx, root.id, ordinal);
    const call = freshCall(
      {
        id,
        direction,
        root: root.id,
        ordinal,
        customers: new Set(customer === undefined ? [] : [customer.id]),
        from: ANONYMOUS,
        to: ANONYMOUS,
        announceAt: now + (direction === 'out' ? 0 : this.#inboundWindow()),
        identityAt: customer?.withheld === 'asked' ? now + IDENTITY_LIMIT : undefined,
      },
      settings.destinations,
    );
    book.add(call);
    announcer.expect(call);
    changed(call);
    teller.note(call, `${direction === 'in' ? 'inbound' : 'outbound'} call begins with leg ${(customer ?? root).id}`);
    return call;
  }
}
