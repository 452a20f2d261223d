/** Who takes part in the demo. The outside numbers are those that Germany's regulator keeps free for fiction. */
export const DEMO_AGENTS = [
  ['100', 'Alice Agent'],
  ['101', 'Bob Agent'],
  ['102', 'Carol Agent'],
] as const;

export const DEMO_CUSTOMERS: readonly { readonly name: string; readonly phone: string }[] = [
  { name: 'Nicole Braun', phone: '+4917139200010' },
  { name: 'Jan Petersen', phone: '+493023125042' },
  { name: 'Aylin Demir', phone: '+498999998123' },
  { name: 'Harald Kühn', phone: '+494066969301' },
  { name: 'Sofia Rossi', phone: '+4922147109877' },
];

/** The calls, in the order of the show, with what they are. */
export const DEMO_CALLS: readonly { readonly file: string; readonly title: string }[] = [
  { file: 'direct', title: 'a customer calls Alice' },
  { file: 'ring-group', title: 'a ring group: Alice and Bob ring, Bob answers' },
  { file: 'cancelled', title: 'a customer gives up while it rings' },
  { file: 'outbound', title: 'Alice calls a customer' },
  { file: 'queue', title: 'a queue: everybody rings, Carol answers' },
  { file: 'blind-transfer', title: 'Alice answers and transfers to Bob' },
  { file: 'busy', title: 'Alice is busy' },
  { file: 'attended-transfer', title: 'Alice asks Bob first, then transfers' },
  { file: 'queue-abandoned', title: 'a customer gives up in the queue' },
  { file: 'forwarded', title: 'a number that is forwarded to a mobile' },
  { file: 'parked', title: 'Alice parks the call, Carol fetches it' },
  { file: 'anonymous', title: 'a caller who withholds the number' },
  { file: 'outbound-cancelled', title: 'Alice calls, and gives up' },
];
