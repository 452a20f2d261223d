import type { Announcer } from './announcer.js';
import type { Beginnings } from './beginnings.js';
import type { Call } from './call.js';
import type { CallBook } from './call-book.js';
import type { GateRequest } from './gate.js';
import type { LegTable } from './leg-table.js';
import type { Origins } from './origins.js';
import type { CallSettings } from './settings.js';
import type { Directory } from './directory.js';
import type { Millis } from './vocabulary.js';

export interface GatekeeperContext {
  readonly calls: CallSettings;
  readonly directory: Directory;
  readonly legs: LegTable;
  readonly book: CallBook;
  readonly origins: Origins;
  readonly beginnings: Beginnings;
  readonly announcer: Announcer;
  readonly changed: (call: Call) => void;
}

/** The call that waits, told at once; or why there is nothing to ask. */
export type Waiting = { readonly call: Call } | { readonly why: string };

/** Which call waits at the gate, and what is told of it there: Zammad takes no second newCall, so it must be all there is. */
export class Gatekeeper {
  constructor(private readonly context: GatekeeperContext) {}

  /** The leg of the request has been told of before. */
  open(request: GateRequest, now: Millis): Waiting {
    const { announcer, changed } = this.context;
    const waiting = request.line.kind === 'trunk' ? this.#inbound(request) : this.#outbound(request, now);
    if ('why' in waiting) return waiting;
    const { call } = waiting;
    if (call.announceAt === undefined) return { why: 'the call was told already' };
    call.gated = true;
    call.announceAt = now;
    call.identityAt = undefined;
    announcer.announce(call, now, false);
    changed(call);
    return waiting;
  }

  #inbound({ leg: id, users, queue }: GateRequest): Waiting {
    const { book, directory } = this.context;
    const call = book.byCustomer.get(id);
    if (call?.direction !== 'in') return { why: 'the leg is not that of a customer who calls' };
    const did = directory.did(call.to);
    const named = users === undefined || users.length === 0 ? (did?.agents ?? []) : users;
    for (const extension of named) call.agents.set(extension, directory.agent(extension));
    if (queue !== undefined && queue !== '') {
      call.queueNamed = queue;
      call.queues.add(queue);
    }
    return { call };
  }

  #outbound({ leg: id, dialled }: GateRequest, now: Millis): Waiting {
    const { directory, legs, book, origins, beginnings, calls } = this.context;
    const leg = legs.get(id);
    const agent = leg === undefined ? undefined : origins.agentOf(leg);
    const number = directory.numbers.clean(dialled);
    if (leg === undefined || agent === undefined) return { why: 'the leg is not that of an agent' };
    if (number === undefined || directory.numbers.isExtension(number))
      return { why: 'the call goes to no outside number' };
    const [open] = book.startedBy(leg.id);
    if (open !== undefined && !open.answered) return { why: 'the call was told already' };
    if (!calls.reportConsultations && book.talksWith(agent.extension)) return { why: 'consultations are not told' };
    return { call: beginnings.unrouted({ leg, agent }, number, now) };
  }
}
