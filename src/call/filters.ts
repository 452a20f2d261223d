import type { Filter } from './settings.js';
import type { Direction, PbxName } from './vocabulary.js';

/** What filters look at. */
export interface FilterFacts {
  readonly pbx: PbxName;
  readonly direction: Direction;
  /** The company's number: dialled by the customer, or shown to him. */
  readonly did: string;
  readonly queues: readonly string[];
  /** Extensions of the agents who were called or who call. */
  readonly agents: readonly string[];
  /** What becomes known later does not count any more. */
  readonly final: boolean;
}

/** `wait`: what the filter asks for may still become known. `why` names the part that did not match. */
export type FilterVerdict =
  | { readonly kind: 'send' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'skip'; readonly why: string };

const matches = (patterns: readonly string[], value: string): boolean =>
  patterns.some((pattern) => {
    const [first = '', ...rest] = pattern.replace(/^\+/, '').split('*');
    if (rest.length === 0) return value === first;
    let at = first.length;
    if (!value.startsWith(first)) return false;
    for (const [index, part] of rest.entries()) {
      const last = index === rest.length - 1;
      const found = last ? value.length - part.length : value.indexOf(part, at);
      if (found < at || !value.startsWith(part, found)) return false;
      at = found + part.length;
    }
    return true;
  });

/** Whether a call goes to a Zammad. Every list that the filter has must match. */
export function judgeFilter(filter: Filter, facts: FilterFacts): FilterVerdict {
  const skip = (why: string): FilterVerdict => ({ kind: 'skip', why });
  if (filter.pbx !== undefined && !filter.pbx.includes(facts.pbx)) return skip(`PBX ${facts.pbx} is not in filter.pbx`);
  if (filter.direction !== undefined && filter.direction !== facts.direction)
    return skip(`direction ${facts.direction} is not filter.direction`);
  if (filter.dids !== undefined && !matches(filter.dids, facts.did)) return skip(`${facts.did} is not in filter.dids`);
  const { queues, agents } = filter;
  const queueKnown = queues === undefined || facts.queues.some((queue) => queues.includes(queue));
  const agentKnown = agents === undefined || facts.agents.some((agent) => agents.includes(agent));
  if (queueKnown && agentKnown) return { kind: 'send' };
  if (!facts.final) return { kind: 'wait' };
  return queueKnown
    ? skip(`no agent of filter.agents had to do with it (${facts.agents.join(', ') || 'none'})`)
    : skip(`it was in no queue of filter.queues (${facts.queues.join(', ') || 'none'})`);
}
