import type { CallFacts } from './case-facts.js';

/** The parts of a call id of a play: `office-r1p7-1795410917.12.2`. */
export interface PlayCallId {
  readonly tag: string;
  /** As recorded. */
  readonly leg: string;
  /** Which of that leg's calls: 1, 2, … */
  readonly ordinal: number;
}

export const PBX = 'office';

export function readCallId(callId: string): PlayCallId | undefined {
  const parts = /^office-([a-z0-9]+)-((?:[a-z]+-)?\d{10}\.\d+)(?:\.(\d+))?$/.exec(callId);
  if (parts === null) return undefined;
  return { tag: parts[1] ?? '', leg: parts[2] ?? '', ordinal: Number(parts[3] ?? 1) };
}

/** Which true call of its play a row is: by the leg it is named after, then by the customer; undefined: of none. */
export function trueCallOf(
  id: PlayCallId,
  { direction, customer }: { readonly direction: 'in' | 'out'; readonly customer: string },
  calls: readonly CallFacts[],
): CallFacts | undefined {
  const fitting = calls.filter((call) => call.truth.direction === direction && call.legs.includes(id.leg));
  const exact = fitting.find(({ told }) => {
    const recorded = /^lab-((?:[a-z]+-)?\d{10}\.\d+)(?:\.(\d+))?$/.exec(told.row.callId);
    return recorded?.[1] === id.leg && Number(recorded[2] ?? 1) === id.ordinal;
  });
  return exact ?? fitting.find(({ truth }) => truth.customer.includes(customer)) ?? fitting[0];
}
